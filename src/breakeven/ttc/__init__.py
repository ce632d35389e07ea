"""TTC ESTIMATOR: what K samples per query buy at one checkpoint.

Strategies, searches and K-curves are pure functions of a bank, or of what a sampler gives them. May import `records`,
`errors`, numpy and scipy, never another room, never torch. No gold answer reaches a selection rule.
"""
