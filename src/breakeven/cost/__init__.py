"""COST: what a trained, prefilled or decoded token costs, and from it a training run, an evaluation and a query.

Pure arithmetic on counts of tokens. May import `records` and `errors`; never torch, never another room.
"""
