"""Charts: what each shows (`chart`), how that is drawn (`theme`, `vega`), and in pages and files (`bundle`).

A module a family: `training` and `samples` of one run, `overlaid` of several; `lifetime` and `frontier` follow the
`workload`.
"""
