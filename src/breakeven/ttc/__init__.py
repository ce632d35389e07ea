"""TTC ESTIMATOR: what K samples per query buy at one checkpoint.

`collect` draws and grades samples into a bank, the only step that touches a model; strategies and K-curves are pure
functions of that bank. May import `records`, `errors`, numpy and scipy, never another room (tasks and models come
in through Protocols); torch only in `transformer_sampler`. No gold answer reaches a selection rule.
"""
