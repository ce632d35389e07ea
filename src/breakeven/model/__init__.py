"""MODEL ARCHITECTURE: the small reference model, and the FLOPs of a trained, prefilled or decoded token.

Knows nothing of tasks, training or sampling. May import `records` and `errors`; torch only in `transformer`, so that
costs can be counted from a shape alone where torch is not installed.
"""
