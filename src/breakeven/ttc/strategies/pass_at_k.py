"""Pass@K: the chance that at least one of K samples is right, from counts of right samples per problem.

Pure functions on arrays of shape (P,): `num_correct` and `num_samples` may differ from problem to problem.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error

Counts = Sequence[int] | npt.NDArray[np.int64]


def pass_at_k(num_correct: Counts, num_samples: Counts | int, k: int) -> float:
    """Mean over problems of the unbiased Pass@K.

    Args:
        num_correct: right samples per problem, shape (P,), each in 0..num_samples.
        num_samples: samples drawn per problem, shape (P,) or one count for all.
        k: samples per query, at least 1.

    Returns:
        Accuracy in [0, 1]; NaN if any problem has fewer than `k` samples (never 1, never a plug-in).

    Estimator:
        Exact over all K-subsets of the drawn samples, unbiased: 1 - C(n - c, K) / C(n, K). Counted in whole numbers
        and rounded once, so that Pass@1 equals the share of right samples to the last bit.

    Source:
        Chen et al., arXiv 2107.03374, equation 1.

    >>> pass_at_k([2], 4, 2)  # of the 6 pairs, 1 holds no right sample
    0.8333333333333334
    """
    correct_P, samples_P = check_counts(num_correct, num_samples)
    check.at_least("k", k, 1)
    if samples_P.min() < k:
        return float("nan")
    return pass_at_k_of_groups(group_counts(correct_P, samples_P), k)


def pass_at_k_per_problem(
    num_correct: Counts, num_samples: Counts | int, k_values: Sequence[int]
) -> npt.NDArray[np.float64]:
    """The unbiased Pass@K of each problem, shape (P, K); NaN where a problem has fewer than K samples.

    Counted and rounded as `pass_at_k`, once for problems with equal counts.

    >>> pass_at_k_per_problem([2, 0], 4, [1, 2]).round(3).tolist()
    [[0.5, 0.833], [0.0, 0.0]]
    """
    correct_P, samples_P = check_counts(num_correct, num_samples)
    if any(k < 1 for k in k_values):
        raise argument_error("k_values", "be at least 1", list(k_values))
    base = int(samples_P.max()) + 1
    keys, _, place_P = placed(correct_P * base + samples_P)
    chance = np.full((len(keys), len(k_values)), np.nan)
    for row, key in enumerate(keys.tolist()):
        c, n = divmod(key, base)
        for column, k in enumerate(k_values):
            if k <= n:
                chance[row, column] = pass_at_k_of_groups(((c, n, 1),), k)
    return chance[place_P]


def first_verified(num_correct: Counts, num_samples: Counts | int, k_values: Sequence[int]) -> npt.NDArray[np.float64]:
    """Expected samples of each problem, drawn in turn up to the first right one or K, shape (P, K).

    NaN where a problem has fewer than K samples. Its accuracy is Pass@K.

    Estimator:
        Exact over all orders of the samples: (n + 1 - (n + 1 - K) C(n - c, K) / C(n, K)) / (c + 1).

    >>> first_verified([1, 0], 4, [1, 2, 4]).tolist()  # the right one is equally likely to come 1st, 2nd, 3rd, 4th
    [[1.0, 1.75, 2.5], [1.0, 2.0, 4.0]]
    """
    correct_P, samples_P = check_counts(num_correct, num_samples)
    fails_PK = 1.0 - pass_at_k_per_problem(correct_P, samples_P, k_values)
    after_P = (samples_P + 1)[:, None]
    drawn_PK: npt.NDArray[np.float64] = (after_P - (after_P - np.array(k_values)) * fails_PK) / (correct_P + 1)[:, None]
    return drawn_PK


def group_counts(
    correct_P: npt.NDArray[np.int64], samples_P: npt.NDArray[np.int64]
) -> tuple[tuple[int, int, int], ...]:
    """(right, drawn, number of problems) of each distinct pair of counts.

    >>> group_counts(np.array([1, 0, 1]), np.array([4, 4, 4]))
    ((0, 4, 1), (1, 4, 2))
    """
    base = int(samples_P.max()) + 1
    keys, problems = distinct_counts(correct_P * base + samples_P)
    return tuple((*divmod(key, base), count) for key, count in zip(keys.tolist(), problems.tolist(), strict=True))


def distinct_counts(values_P: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The distinct values, each at least 0, in order, and how often each occurs; without sorting where they are small.

    >>> [each.tolist() for each in distinct_counts(np.array([4, 0, 4]))]
    [[0, 4], [1, 2]]
    """
    if _is_wide(values_P):
        return np.unique(values_P, return_counts=True)
    counts = np.bincount(values_P)
    held = np.flatnonzero(counts)
    return held, counts[held]


def placed(
    values_P: npt.NDArray[np.int64] | npt.NDArray[np.float64],
) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """`distinct_counts`, and which of the distinct values each is. Of fractions too, which are sorted.

    >>> [each.tolist() for each in placed(np.array([4, 0, 4]))]
    [[0, 4], [1, 2], [1, 0, 1]]
    """
    if values_P.dtype.kind == "f" or _is_wide(values_P):
        distinct, place_P, counts = np.unique(values_P, return_inverse=True, return_counts=True)
        return distinct, counts, place_P
    counts = np.bincount(values_P)
    held = np.flatnonzero(counts)
    place_of = np.zeros(len(counts), dtype=np.intp)
    place_of[held] = np.arange(len(held))
    return held, counts[held], place_of[values_P]


def _is_wide(values_P: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> bool:
    """Whether sorting takes less than counting up to the largest."""
    return not len(values_P) or bool(values_P.max() > 4096 + 4 * len(values_P))


def pass_at_k_of_groups(groups: tuple[tuple[int, int, int], ...], k: int) -> float:
    """`pass_at_k` of grouped counts, each of at least `k` samples."""
    hits: dict[int, int] = {}  # by samples drawn: K-subsets that hold a right sample, summed over problems
    for c, n, problems in groups:
        hits[n] = hits.get(n, 0) + problems * (math.comb(n, k) - math.comb(n - c, k))
    size = sum(problems for _, _, problems in groups)
    return min(1.0, math.fsum(hit / (size * math.comb(n, k)) for n, hit in hits.items()))


def check_counts(num_correct: Counts, num_samples: Counts | int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """`num_correct` and `num_samples` as arrays of shape (P,).

    Raises:
        ArgumentError: empty, not whole numbers, lengths differ, a count below 0 or above its number of samples.
    """
    correct_P = _whole_numbers("num_correct", num_correct)
    samples_P = _whole_numbers("num_samples", num_samples)
    if samples_P.ndim == 0:
        samples_P = np.full_like(correct_P, samples_P)
    if correct_P.ndim != 1 or len(correct_P) == 0:
        raise argument_error("num_correct", "be a list of at least one count", num_correct)
    if samples_P.shape != correct_P.shape:
        raise argument_error("num_samples", f"have one count for each of the {len(correct_P)} problems", num_samples)
    bad = np.flatnonzero((correct_P < 0) | (correct_P > samples_P) | (samples_P < 1))
    if len(bad):
        row = int(bad[0])
        rule = f"be from 0 to its {int(samples_P[row])} samples, and samples at least 1"
        raise argument_error(f"num_correct[{row}]", rule, int(correct_P[row]))
    return correct_P, samples_P


def _whole_numbers(name: str, values: Counts | int) -> npt.NDArray[np.int64]:
    array = np.asarray(values)
    whole = array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and np.all((np.abs(array) < 2**53) & (array == np.floor(array)))
    )
    if not whole:
        raise argument_error(name, "hold whole numbers", values)
    return array.astype(np.int64)
