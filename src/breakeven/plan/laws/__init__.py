"""Scaling laws: forms that are fitted to one's own points, and published ones as they were published.

    law            a law as a value, the points it is fitted to, and what is held out
    fit            fitting: parameters, intervals, error on held-out points, and whether it may be relied on
    robust         the search for the parameters
    powers         sums of powers, and power laws
    chinchilla     loss of N parameters on D tokens, and the size to train if it is served much
    t2             accuracy of N, D and K samples, in three forms, and the size for two budgets
    qat            the share of quantization-aware training
    pretrain_rl    the share of reinforcement learning
    spans          how far training and inference can be exchanged
    rebase         the best size for FLOPs a question
    exchange       a larger model, or more generations of a small one

What each is worth: docs/laws.md.

Imports: records, check, errors, numpy and scipy; never torch, never another room.
"""
