"""Votes that stop early: once the leader is almost surely the majority (Beta rule), or can no longer be caught up."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from breakeven import check
from breakeven.ttc.pool import Flags, Floats, Pool, require_labels
from breakeven.ttc.strategies.measured import Measured, check_drawn, error_of_sums
from breakeven.ttc.strategies.orders import NUM_ORDERS, Lead, Orders, Standing

Ints = npt.NDArray[np.int64]

_ROUNDING = 1e-14
"""Of the incomplete Beta function."""


def settled_vote(
    pool: Pool, k_values: Sequence[int], *, confidence: float = 0.95, num_orders: int = NUM_ORDERS, seed: int = 0
) -> Measured:
    """Accuracy and expected samples of a vote that is drawn in turn, and stops when it is settled or at K samples.

    It is settled once the first answer beats the second among all samples to come with this confidence, from a flat
    prior: 1 - I_0.5(v1 + 1, v2 + 1) with v1 and v2 votes. Samples without an answer cost one and do not vote.

    Args:
        pool: with answers.
        k_values: most samples per query, increasing, up to the samples drawn.
        confidence: at which to stop, from 0.5 to 1.
        num_orders: random orders in which each problem's samples are drawn.
        seed: of the orders.

    Raises:
        ArgumentError: a confidence out of range, no answers, or a K above the samples drawn per problem.

    Estimator:
        Resampled without replacement: unbiased, the Monte Carlo errors beside.

    Source:
        Aggarwal et al., arXiv 2305.11860 (adaptive consistency, Beta criterion).
    """
    settled = is_settled(pool.num_samples, confidence)
    label_PN = require_labels(pool, "settled_vote")
    asked_K = check_drawn(pool, k_values)
    sums = np.zeros((4, pool.num_problems, len(asked_K)))
    column = {k: place for place, k in enumerate(asked_K)}
    for problems, leads in Orders(pool, label_PN).orders(num_orders, seed):
        num_rows = (problems.stop - problems.start) * num_orders
        standing, margin = Standing(num_rows), Margin(num_rows)
        open_R, credit_R, drawn_R = np.ones(num_rows, dtype=bool), np.zeros(num_rows), np.zeros(num_rows)
        for drawn, (lead, grade_R) in enumerate(leads, 1):
            np.copyto(credit_R, standing.update(lead, grade_R), where=open_R)
            drawn_R += open_R
            margin.update(lead)
            if drawn in column:
                credit, samples = credit_R.reshape(-1, num_orders), drawn_R.reshape(-1, num_orders)
                for place, values in enumerate((credit, np.square(credit), samples, np.square(samples))):
                    sums[place, problems, column[drawn]] = values.sum(axis=1)
            open_R &= ~settled[margin.first_R, margin.second_R]
            if drawn == asked_K[-1]:
                break
    return Measured(
        k_values=asked_K,
        accuracy_PK=sums[0] / num_orders,
        monte_carlo_error_K=error_of_sums(sums[0], sums[1], num_orders),
        expected_samples_PK=sums[2] / num_orders,
        expected_samples_error_K=error_of_sums(sums[2], sums[3], num_orders),
    )


def samples_until_safe(
    pool: Pool, k_values: Sequence[int], *, num_orders: int = NUM_ORDERS, seed: int = 0
) -> tuple[Floats, Floats]:
    """Expected samples of a majority vote of K drawn in turn until its leader cannot be caught up with any more.

    The answer is that of all K samples. Shape (P, K), and the Monte Carlo error of the mean, shape (K,).

    Estimator:
        Resampled without replacement: unbiased.
    """
    label_PN = require_labels(pool, "majority_vote")
    k_K = np.array(check_drawn(pool, k_values))
    total_PK, squares_PK = np.zeros((2, pool.num_problems, len(k_K)))
    for problems, leads in Orders(pool, label_PN).orders(num_orders, seed):
        num_rows = (problems.stop - problems.start) * num_orders
        margin, rows = Margin(num_rows), np.arange(num_rows)
        # After t samples a lead of d is safe in a vote of K if t + d > K; t + d never falls. So what is counted is at
        # how many t below K it is at most K.
        at_most = np.zeros((num_rows, int(k_K[-1]) + 1), dtype=np.int16)
        even = np.zeros_like(at_most)
        for drawn, (lead, _) in enumerate(leads, 1):
            margin.update(lead)
            safe_R = drawn + margin.first_R - margin.second_R
            held_R = safe_R <= k_K[-1]
            at_most[rows[held_R], safe_R[held_R]] += 1
            even[:, drawn] = safe_R == drawn  # at t = K itself
            if drawn == k_K[-1]:
                break
        drawn_RK = (1 + at_most.cumsum(axis=1, dtype=np.int16) - even)[:, k_K].astype(np.float64)
        samples = drawn_RK.reshape(-1, num_orders, len(k_K))
        total_PK[problems], squares_PK[problems] = samples.sum(axis=1), np.square(samples).sum(axis=1)
    return total_PK / num_orders, error_of_sums(total_PK, squares_PK, num_orders)


@lru_cache(maxsize=8)
def is_settled(num_samples: int, confidence: float) -> Flags:
    """Whether a vote of v1 to v2, v1 at least v2, is settled, shape (N + 1, N + 1).

    Raises:
        ArgumentError: a confidence that is not from 0.5 to 1.

    Source:
        Aggarwal et al., arXiv 2305.11860 (adaptive consistency, Beta criterion).

    >>> bool(is_settled(5, 0.95)[4, 0]), bool(is_settled(5, 0.95)[3, 0])
    (True, False)
    """
    check.between("confidence", confidence, 0.5, 1)
    votes = np.arange(num_samples + 1)
    leader = 1.0 - betainc(votes[:, None] + 1.0, votes + 1.0, 0.5)
    settled: Flags = (leader >= confidence - _ROUNDING) & (votes[:, None] > 0)
    settled.flags.writeable = False
    return settled


class Margin:
    """Votes of the first and of the second answer in every row, by plain count."""

    def __init__(self, num_rows: int) -> None:
        self._first_R, self._second_R = np.zeros(num_rows), np.zeros(num_rows)

    def update(self, lead: Lead) -> None:
        """Take in one more sample: either its answer passes the first, or it may pass the second."""
        np.copyto(self._first_R, lead.weight_R, where=lead.alone_R)
        np.maximum(self._second_R, lead.weight_R, out=self._second_R, where=~lead.alone_R)

    @property
    def first_R(self) -> Ints:
        """Votes of the leading answer."""
        return self._first_R.astype(np.int64)

    @property
    def second_R(self) -> Ints:
        """Votes of the next, which are as many where the lead is shared."""
        return self._second_R.astype(np.int64)
