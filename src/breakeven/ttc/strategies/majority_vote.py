"""Majority vote: the accuracy of the most frequent of K answers, over all K-subsets of the samples drawn.

More votes make a problem better or worse, as the right answer is or is not the most frequent one, so the curve is not
monotone in K and no law of its continuation holds: K above the samples drawn is refused.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from breakeven.ttc.pool import Floats, Pool, count_labels, grade_labels, require_labels
from breakeven.ttc.strategies.measured import Measured, check_drawn, exact
from breakeven.ttc.strategies.orders import NUM_ORDERS, Orders

Counts = npt.NDArray[np.int64]

_COUNTED, _COUNTED_K = 256, 64
"""Samples of a problem up to which all subsets are counted, and K up to which they are of more."""
_ORDERS = 4096
"""Random orders of all problems' samples, at least."""
_MOST_REPLAYED = 1 << 22
"""Samples of one problem's orders that are in memory at once."""
_BLOCK = 1 << 18
"""Numbers in a block of polynomials: they stay within a processor's cache."""


def majority_vote(pool: Pool, k_values: Sequence[int], *, num_orders: int | None = None, seed: int = 0) -> Measured:
    """Accuracy of the most frequent of K answers, ties broken evenly.

    Samples without an answer do not vote; where none votes, the problem is wrong.

    Args:
        pool: with answers.
        k_values: sample counts, increasing, up to the samples drawn.
        num_orders: random orders of each problem's samples, where not all subsets are counted; None: 16, or as many
            more as make 4096 of all problems.
        seed: of the orders.

    Raises:
        ArgumentError: no answers, or a K above the samples drawn per problem.

    Estimator:
        Exact over all K-subsets of up to 256 samples, and of more for K up to 64 and for all of them. Other K, whose
        subsets take ever longer to count, are resampled without replacement: unbiased, with a Monte Carlo error of at
        most 0.5 / sqrt(num_orders P), which is 0.008 or less; `monte_carlo_error_K` is what it was.

    Source:
        Wang et al., arXiv 2203.11171 (self-consistency); the estimator is ours.

    >>> pool = Pool(label_PN=np.array([[0, 0, 1]], dtype=np.int16), correct_PN=np.array([[True, True, False]]))
    >>> majority_vote(pool, [1, 2, 3]).accuracy_K.round(3).tolist()  # of the 3 pairs, 2 are tied
    [0.667, 0.667, 1.0]
    """
    label_PN = require_labels(pool, "majority_vote")
    asked_K = check_drawn(pool, k_values)
    counts_PA, grade_PA = count_labels(label_PN), grade_labels(label_PN, pool.correct_PN)
    if asked_K == (pool.num_samples,):
        return exact(asked_K, _of_all(counts_PA, grade_PA)[:, None])
    counted = len(asked_K) if pool.num_samples <= _COUNTED else bisect_right(asked_K, _COUNTED_K)
    accuracy_PK, error_K = np.zeros((pool.num_problems, len(asked_K))), np.zeros(len(asked_K))
    if counted:
        problem_R, label_R = np.nonzero(grade_PA)
        chance_RK = _win_chances(counts_PA, problem_R, label_R, pool.num_samples, asked_K[:counted])
        np.add.at(accuracy_PK[:, :counted], problem_R, chance_RK * grade_PA[problem_R, label_R][:, None])
    if rest := asked_K[counted:]:
        number = max(NUM_ORDERS, -(-_ORDERS // pool.num_problems)) if num_orders is None else num_orders
        accuracy_PK[:, counted:], error_K[counted:] = _resampled(Orders(pool, label_PN), pool, rest, number, seed)
        if rest[-1] == pool.num_samples:
            accuracy_PK[:, -1], error_K[-1] = _of_all(counts_PA, grade_PA), 0.0
    return Measured(k_values=asked_K, accuracy_PK=np.minimum(accuracy_PK, 1.0), monte_carlo_error_K=error_K)


def _resampled(
    orders: Orders, pool: Pool, k_values: tuple[int, ...], num_orders: int, seed: int
) -> tuple[Floats, Floats]:
    """As `Orders.accuracy`, in so many passes that memory does not grow with the samples of a problem."""
    passes = max(1, -(-num_orders * pool.num_samples // _MOST_REPLAYED))
    found = [orders.accuracy(k_values, -(-num_orders // passes), seed + place) for place in range(passes)]
    accuracy_SPK, error_SK = (np.array(each) for each in zip(*found, strict=True))
    return accuracy_SPK.mean(axis=0), np.sqrt(np.square(error_SK).sum(axis=0)) / passes


def _of_all(counts_PA: Counts, grade_PA: Floats) -> Floats:
    """Accuracy of the vote of all samples, shape (P,): a plain count."""
    leads_PA = (counts_PA == counts_PA.max(axis=1, keepdims=True)) & (counts_PA > 0)
    accuracy_P: Floats = (grade_PA * leads_PA).sum(axis=1) / np.maximum(leads_PA.sum(axis=1), 1)
    return accuracy_P


def _win_chances(
    counts_PA: Counts,
    problem_R: npt.NDArray[np.intp],
    label_R: npt.NDArray[np.intp],
    num_samples: int,
    k_values: tuple[int, ...],
) -> Floats:
    """Chance of single answers to win a vote of K among all their problem's samples, shape (R, K).

    An answer's chance depends on its own count and those of the others alone, so equal patterns are computed once.
    """
    others_RA = counts_PA[problem_R]
    own_R = others_RA[np.arange(len(label_R)), label_R]
    others_RA[np.arange(len(label_R)), label_R] = 0
    others_RA = -np.sort(-others_RA, axis=1)
    pattern_RA = np.ascontiguousarray(np.column_stack([own_R, others_RA]).astype(np.int32))
    keys_R = pattern_RA.view(np.dtype((np.void, pattern_RA.itemsize * pattern_RA.shape[1])))[:, 0]
    _, first, place_R = np.unique(keys_R, return_index=True, return_inverse=True)
    order = np.argsort(-own_R[first], kind="stable")  # blocks of like counts have polynomials of like degree
    chance = np.empty((len(first), len(k_values)))
    chance[order] = _win_chances_of(own_R[first][order], others_RA[first][order], num_samples, k_values)
    chance_RK: Floats = chance[place_R.ravel()]
    return chance_RK


def _win_chances_of(own_R: Counts, others_RA: Counts, num_samples: int, k_values: tuple[int, ...]) -> Floats:
    """`_win_chances` of distinct patterns: own count, those of the others in decreasing order.

    With t votes for the answer, it wins where no other has more, and 1 in 1 + s times where s others have t too. The
    ways to draw the other K - t votes are the coefficients of x^(K - t) in

        (1 + x)^M  prod_i (sum_{a < t} C(m_i, a) x^a + y C(m_i, t) x^t),

    where M counts those that can never have t votes (no answers, and answers with fewer samples), the product is over
    the others, and y^s stands for 1 / (1 + s): the integral of y^s over 0..1, by Gauss-Legendre nodes that are exact
    for the degree. All terms are positive, so nothing cancels.
    """
    top_k = k_values[-1]
    binomial = _binomials(num_samples, top_k)
    k_K = np.array(k_values)
    ways_RK = np.zeros((len(own_R), len(k_K)))
    for votes in range(1, min(top_k, int(own_R.max(initial=0))) + 1):
        num_rows = int(np.searchsorted(-own_R, -votes, side="right"))  # own counts fall from row to row
        rivals_R = (others_RA[:num_rows] >= votes).sum(axis=1)
        near_K = k_K >= votes
        for rivals in np.unique(rivals_R).tolist():
            rows = np.flatnonzero(rivals_R == rivals)
            size = max(1, _BLOCK // ((rivals // 2 + 1) * (top_k - votes + 1)))
            for start in range(0, len(rows), size):
                block = rows[start : start + size]
                rest_B = num_samples - own_R[block] - others_RA[block, :rivals].sum(axis=1)
                degree = min(top_k - votes, num_samples - int(own_R[block].min()))
                ways_DB = _ways(others_RA[block, :rivals], rest_B, votes, degree, binomial)
                ways_DB *= binomial[own_R[block], votes]
                at_K = np.minimum(k_K[near_K] - votes, degree)
                held_K = (k_K[near_K] - votes <= degree)[:, None]
                ways_RK[np.ix_(block, near_K)] += np.where(held_K, ways_DB[at_K], 0.0).T
    chance_RK: Floats = ways_RK / binomial[num_samples, k_K]
    return chance_RK


def _ways(rivals_BA: Counts, rest_B: Counts, votes: int, degree: int, binomial: Floats) -> Floats:
    """Coefficients of 1, x, ..., x^degree in the product of `_win_chances_of`, shape (D, B), summed over the nodes."""
    num_rivals = rivals_BA.shape[1]
    start_DB = binomial[rest_B, : degree + 1].T
    if num_rivals == 0:
        return start_DB.copy()
    if votes == 1:  # each tied rival took one vote: the power of x counts them, and no nodes are needed
        tied = np.zeros((num_rivals + 1, len(rest_B)))
        tied[0] = 1.0
        for place in range(num_rivals):
            tied[1:] += tied[:-1] * rivals_BA[:, place]
        tied /= np.arange(1, num_rivals + 2)[:, None]
        ways_DB = np.zeros_like(start_DB)
        for drawn in range(min(num_rivals, degree) + 1):
            ways_DB[drawn:] += start_DB[: degree + 1 - drawn] * tied[drawn]
        return ways_DB
    node_S, weight_S = np.polynomial.legendre.leggauss(num_rivals // 2 + 1)
    node_S, weight_S = 0.5 * (node_S + 1.0), 0.5 * weight_S
    ways = np.repeat(start_DB[:, None, :], len(node_S), axis=1) * weight_S[:, None]
    for place in range(num_rivals):
        count_B = rivals_BA[:, place]
        product = ways.copy()
        for drawn in range(1, min(votes, degree) + 1):
            coefficient_B = binomial[count_B, drawn]
            if drawn == votes:
                coefficient_B = node_S[:, None] * coefficient_B
            product[drawn:] += ways[:-drawn] * coefficient_B
        ways = product
    summed: Floats = ways.sum(axis=1)
    return summed


@lru_cache(maxsize=8)
def _binomials(num_samples: int, top_k: int) -> Floats:
    """C(m, a) for m up to `num_samples` and a up to `top_k`; sums of positive numbers, infinite where they overflow."""
    rows = np.zeros((num_samples + 1, top_k + 1))
    rows[:, 0] = 1.0
    with np.errstate(over="ignore"):
        for count in range(1, num_samples + 1):
            rows[count, 1:] = rows[count - 1, 1:] + rows[count - 1, :-1]
    rows.flags.writeable = False
    return rows
