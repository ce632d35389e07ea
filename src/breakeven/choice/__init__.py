"""Choosing among options by quality and FLOPs: the frontier, the cheapest, the best, where two meet. Pure: no torch.

    choose       cheapest, best: how decisions, reports, plans and benchmarks choose, of anything with a price
    prices       what an option costs: per query, once, over a life of Q queries
    frontier     what cannot be bettered, and in how many resamplings of the problems it cannot
    crossover    from which price on one family of options stays ahead of another
    break_even   after how many queries one option has cost as much as another; the cheapest at each number of queries

Whoever takes a minimum or a maximum by price does so here, so that ties are broken in one way: of equal values the
cheaper, of equal prices the first. What stayed apart, and why: docs/design/plan.md.

Imports: records. On the floor below `stopping` and `ttc`, which choose through it.
"""
