"""Weighted vote: the answer whose samples have the highest sum of scores, by drawing K-subsets at random."""

from collections.abc import Sequence

import numpy as np

from breakeven.errors import argument_error
from breakeven.ttc.pool import Floats, Pool, require_labels, require_scores
from breakeven.ttc.strategies.measured import Measured, check_drawn
from breakeven.ttc.strategies.orders import NUM_ORDERS, Orders


def weighted_vote(pool: Pool, k_values: Sequence[int], *, num_orders: int = NUM_ORDERS, seed: int = 0) -> Measured:
    """Accuracy of the answer with the highest sum of scores among K samples, ties broken evenly.

    Sums within 1e-9 of each other are tied. Samples without an answer do not vote; where none votes, the problem is
    wrong.

    Args:
        pool: with answers, and with scores in [0, 1]: a sigmoid first where a reward model gives logits.
        k_values: sample counts, increasing, up to the samples drawn.
        num_orders: random orders of each problem's samples; its first K are a random K-subset.
        seed: of the orders.

    Raises:
        ArgumentError: no answers, no scores or scores outside [0, 1], or a K above the samples drawn per problem.

    Estimator:
        Resampled without replacement: unbiased, `monte_carlo_error_K` beside it. Exact at K = 1 and at K = N.

    Source:
        Li et al., arXiv 2206.02336 (votes weighted by a verifier).
    """
    label_PN = require_labels(pool, "weighted_vote")
    score_PN = check_weights(pool)
    asked_K = check_drawn(pool, k_values)
    accuracy_PK, error_K = Orders(pool, label_PN, score_PN).accuracy(asked_K, num_orders, seed)
    column = {k: place for place, k in enumerate(asked_K)}
    if 1 in column:
        accuracy_PK[:, column[1]], error_K[column[1]] = (pool.correct_PN & (label_PN >= 0)).mean(axis=1), 0.0
    if pool.num_samples in column:
        error_K[column[pool.num_samples]] = 0.0
    return Measured(k_values=asked_K, accuracy_PK=accuracy_PK, monte_carlo_error_K=error_K)


def check_weights(pool: Pool) -> Floats:
    """The scores as weights of votes; those of samples that do not vote may be anything."""
    score_PN = require_scores(pool, "weighted_vote")
    voting = score_PN[pool.answered_PN]
    if len(voting) and not (voting.min() >= 0.0 and voting.max() <= 1.0):
        worst = float(voting.min() if voting.min() < 0.0 else voting.max())
        raise argument_error("pool.score_PN", "be in [0, 1] for weighted_vote", worst, "Apply a sigmoid first.")
    return np.where(pool.answered_PN, score_PN, 0.0)
