"""Votes and selections for tree searches, whose samples come in groups that grew from one beginning.

The samples of a group are alike, so leaving out single ones would not be what a search of fewer samples gives: whole
groups are drawn.
"""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np

from breakeven.errors import argument_error
from breakeven.ttc.pool import Floats, Labels, Pool, require_labels, require_scores
from breakeven.ttc.strategies.best_of_n import rank
from breakeven.ttc.strategies.measured import Measured, check_drawn, exact
from breakeven.ttc.strategies.orders import NUM_ORDERS, Orders, credits
from breakeven.ttc.strategies.pass_at_k import pass_at_k_per_problem
from breakeven.ttc.strategies.weighted_vote import check_weights

Rule = Literal["pass@k", "majority_vote", "best_of_n", "weighted_vote"]

_EVERY = 70
"""Up to so many choices of groups, the most of 8 groups, all are counted."""


def group_vote(
    pool: Pool, k_values: Sequence[int], *, rule: Rule = "weighted_vote", num_orders: int = NUM_ORDERS, seed: int = 0
) -> Measured:
    """Accuracy of a rule on K samples that come in whole groups of `pool.group_size`.

    Args:
        pool: its samples in order, group after group.
        k_values: multiples of the group size, increasing, up to the samples drawn.
        rule: which of the samples drawn is served; ties are broken evenly. "pass@k": any right one counts.
        num_orders: random orders of each problem's groups.
        seed: of the orders.

    Raises:
        ArgumentError: an unknown rule, one whose answers or scores are missing, or a K that is no number of groups.

    Estimator:
        Exact over all choices of groups where they are few (up to 8 groups always, and for Pass@K whatever their
        number), else resampled without replacement, `monte_carlo_error_K` beside it.

    Source:
        Beeching et al., "Scaling test-time compute with open models", 2024 (DVTS); that groups are drawn is ours.
    """
    if rule not in ("pass@k", "majority_vote", "best_of_n", "weighted_vote"):
        raise argument_error("rule", "be pass@k, majority_vote, best_of_n or weighted_vote", rule)
    asked_K = check_drawn(pool, k_values)
    num_groups = pool.num_samples // pool.group_size
    groups_K = tuple(k // pool.group_size for k in asked_K)
    if rule == "pass@k":
        solved_PG = pool.correct_PN.reshape(pool.num_problems, num_groups, -1).any(axis=2)
        return exact(asked_K, pass_at_k_per_problem(solved_PG.sum(axis=1), num_groups, groups_K))
    replay = _replay(pool, rule)
    every = [place for place, groups in enumerate(groups_K) if math.comb(num_groups, groups) <= _EVERY]
    accuracy_PK, error_K = np.zeros((pool.num_problems, len(asked_K))), np.zeros(len(asked_K))
    for place in every:
        accuracy_PK[:, place] = _over_all(replay, pool, groups_K[place])
    drawn = [place for place in range(len(asked_K)) if place not in every]
    if drawn:
        wanted = [asked_K[place] for place in drawn]
        accuracy_PK[:, drawn], error_K[drawn] = replay.accuracy(wanted, num_orders, seed)
    return Measured(k_values=asked_K, accuracy_PK=accuracy_PK, monte_carlo_error_K=error_K)


def _replay(pool: Pool, rule: Rule) -> Orders:
    if rule == "majority_vote":
        return Orders(pool, require_labels(pool, rule))
    if rule == "weighted_vote":
        return Orders(pool, require_labels(pool, rule), check_weights(pool))
    # The best of them: every sample is an answer of its own, with its rank from below for a weight.
    order_PN, tie_PN = rank(require_scores(pool, rule), pool.answered_PN)
    height_PN = np.empty(order_PN.shape)
    np.put_along_axis(height_PN, order_PN, (tie_PN[:, -1:] - tie_PN).astype(np.float64), axis=1)
    own: Labels = np.broadcast_to(np.arange(pool.num_samples, dtype=np.int16), order_PN.shape)
    return Orders(pool, own, height_PN)


def _over_all(replay: Orders, pool: Pool, num_groups: int) -> Floats:
    """Accuracy per problem over all choices of so many groups."""
    groups_CG = np.array(list(combinations(range(pool.num_samples // pool.group_size), num_groups)))
    chosen_CN = (groups_CG[:, :, None] * pool.group_size + np.arange(pool.group_size)).reshape(len(groups_CG), -1)
    step = max(1, (1 << 20) // chosen_CN.size)
    accuracy_P = np.empty(pool.num_problems)
    for start in range(0, pool.num_problems, step):
        problems = np.arange(start, min(start + step, pool.num_problems))
        problem_R = np.repeat(problems, len(chosen_CN))
        *_, credit_R = credits(replay.along(problem_R, np.tile(chosen_CN, (len(problems), 1))))
        accuracy_P[problems] = credit_R.reshape(len(problems), -1).mean(axis=1)
    return accuracy_P
