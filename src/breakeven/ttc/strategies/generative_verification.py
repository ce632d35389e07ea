"""Generative verification: S solutions, each judged V times by a model that says yes or no; the best judged is served.

V = 0 is the plain vote, or one sample: that is what solving against verifying compares at equal FLOPs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from breakeven import check
from breakeven.errors import argument_error
from breakeven.ttc.pool import Floats, Pool
from breakeven.ttc.strategies.best_of_n import best_of_n
from breakeven.ttc.strategies.majority_vote import majority_vote
from breakeven.ttc.strategies.measured import Measured, mean_of_draws
from breakeven.ttc.strategies.orders import NUM_ORDERS
from breakeven.ttc.strategies.weighted_vote import weighted_vote

NUM_DRAWS = 8
"""Random choices of V among the verdicts that were drawn of a solution."""


def generative_verification(
    pool: Pool,
    solutions: Sequence[int],
    verdicts: Sequence[int],
    *,
    rule: Literal["best_of_n", "weighted_vote"] = "best_of_n",
    num_draws: int = NUM_DRAWS,
    seed: int = 0,
) -> tuple[Measured, ...]:
    """Accuracy for each number of verdicts V, and within it (as `k_values`) for each number of solutions S.

    A solution's score is the share of yes among its V verdicts, or the mean chance of yes; those that could not be read
    are left out, and where none is left the score is 0. With V = 0 all solutions score alike: the best is any one, the
    vote the majority's.

    Args:
        pool: with `verdict_PNV`; with answers for the weighted vote.
        solutions: values of S, increasing, up to the samples drawn.
        verdicts: values of V, up to the verdicts drawn of each solution.
        rule: what is served: the solution, or the answer with the highest sum of scores.
        num_draws: random choices of V among the verdicts drawn of each solution, where V is fewer.
        seed: of those, and of the orders of a weighted vote.

    Raises:
        ArgumentError: an unknown rule, no verdicts, more solutions or verdicts than were drawn.

    Estimator:
        Best of S, all verdicts: exact. Fewer verdicts: exact over the subsets of solutions, resampled over those of
        verdicts. Weighted vote: resampled over both. The Monte Carlo error is beside each.

    Source:
        Zhang et al., arXiv 2408.15240; S against V: Singhi et al., arXiv 2504.01005.
    """
    check.either("rule", rule, "best_of_n", "weighted_vote")
    if pool.verdict_PNV is None:
        raise argument_error("pool.verdict_PNV", "be given for generative_verification", None, "Ask a verifier first.")
    check.at_least("num_draws", num_draws, 1)
    most = pool.verdict_PNV.shape[2]
    if not verdicts or min(verdicts) < 0 or max(verdicts) > most or any(each % 1 for each in verdicts):
        raise argument_error("verdicts", f"be whole numbers from 0 to the {most} drawn of each solution", verdicts)
    return tuple(_with(pool, solutions, number, rule, num_draws, seed) for number in verdicts)


def verdict_scores(pool: Pool, number: int, rng: np.random.Generator) -> Floats:
    """Score of each sample by a random choice of so many of its verdicts, shape (P, N); by all of them, no choice."""
    assert pool.verdict_PNV is not None
    most = pool.verdict_PNV.shape[2]
    if number == 0:
        return np.ones(pool.correct_PN.shape)
    # The verdicts of a solution are exchangeable, so the same places may be taken of all.
    chosen_PNV = pool.verdict_PNV[:, :, rng.permutation(most)[:number]]
    yes_PN, read_PN = chosen_PNV.clip(0).sum(axis=2), (chosen_PNV >= 0).sum(axis=2)
    score: Floats = yes_PN / np.maximum(read_PN, 1)
    return score


def _with(pool: Pool, solutions: Sequence[int], number: int, rule: str, num_draws: int, seed: int) -> Measured:
    """At one number of verdicts."""
    assert pool.verdict_PNV is not None
    rng = np.random.default_rng((seed, number))
    if number == 0 and rule == "weighted_vote":
        return majority_vote(pool, solutions)
    if number in (0, pool.verdict_PNV.shape[2]):
        scored = replace(pool, score_PN=verdict_scores(pool, number, rng))
        if rule == "best_of_n":
            return best_of_n(scored, solutions)
        return weighted_vote(scored, solutions, num_orders=max(num_draws, NUM_ORDERS), seed=seed)

    def draws() -> Iterator[Measured]:
        for draw in range(num_draws):
            scored = replace(pool, score_PN=verdict_scores(pool, number, rng))
            if rule == "best_of_n":
                yield best_of_n(scored, solutions)
            else:
                yield weighted_vote(scored, solutions, num_orders=max(1, NUM_ORDERS // num_draws), seed=seed + draw)

    accuracy_PK, error_K = mean_of_draws(each.accuracy_PK for each in draws())
    return Measured(k_values=tuple(solutions), accuracy_PK=accuracy_PK, monte_carlo_error_K=error_K)
