"""Soft votes of a classifier: the likeliest class of the mean of K passes' class probabilities.

Noisy passes of one checkpoint (test-time augmentation, Monte Carlo dropout) are subsampled; the plain passes of the
last K checkpoints (a snapshot ensemble) are taken as they come.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from math import comb
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error
from breakeven.ttc.class_probabilities import fault_in
from breakeven.ttc.strategies.measured import Measured, error_of_sums, exact
from breakeven.ttc.strategies.orders import TOLERANCE

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Probabilities = npt.NDArray[np.floating]

SOFT_VOTE: Final = "soft_vote"
SNAPSHOT_ENSEMBLE: Final = "snapshot_ensemble"
_COUNTED = 2048
"""Subsets of K passes up to which all are counted."""
_ORDERS = 64
"""Random orders of each problem's passes, where not all subsets are counted."""
_BLOCK = 1 << 22
"""Numbers that are in memory at once."""


def soft_vote(probability_PNC: Probabilities, right_PC: Flags, k_values: Sequence[int], *, seed: int = 0) -> Measured:
    """Accuracy of the mean of K of the N noisy passes of each problem, ties split evenly.

    Args:
        probability_PNC: of each pass; read in blocks of problems, so that it may be mapped from a file.
        right_PC: which classes are right; more than one may be.
        k_values: passes, increasing, up to N.
        seed: of the orders, where not all subsets are counted.

    Raises:
        ArgumentError: probabilities of another shape, a pass that is no distribution over the classes, or a K above N.

    Estimator:
        Exact over all K-subsets where there are at most 2048 of them (every K of up to 13 passes). Other K are
        resampled without replacement, in 64 orders of each problem: unbiased, `monte_carlo_error_K` beside it.

    Source:
        Soft voting of test-time augmentations (Krizhevsky et al., NeurIPS 2012, section 4.1) and of dropout masks (Gal
        and Ghahramani, arXiv 1506.02142, equation 6); the expectation over subsets is ours.

    >>> passes = np.array([[[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]]])  # mean of all: 0.53 and 0.47
    >>> found = soft_vote(passes, np.array([[True, False]]), [1, 2, 3])
    >>> found.accuracy_K.round(3).tolist()  # right are 1, 2, 1 subsets of 3, 3, 1
    [0.333, 0.667, 1.0]
    """
    num_problems, num_passes = _checked(probability_PNC, right_PC)
    asked_K = check.increasing("k_values", k_values)
    if asked_K[-1] > num_passes:
        raise argument_error("k_values", f"be at most the {num_passes} passes of each problem", asked_K[-1])
    counted = [k for k in asked_K if comb(num_passes, k) <= _COUNTED]
    resampled = [k for k in asked_K if k not in counted]
    accuracy_PK, error_K = np.zeros((num_problems, len(asked_K))), np.zeros(len(asked_K))
    sums_PK, squares_PK = np.zeros((num_problems, len(resampled))), np.zeros((num_problems, len(resampled)))
    rng = np.random.default_rng(seed)
    most = max([_ORDERS * bool(resampled), *(comb(num_passes, k) for k in counted)])
    for block, passes_BNC, right_BC in _blocks(probability_PNC, right_PC, most):
        for k in counted:
            accuracy_PK[block, asked_K.index(k)] = _over_subsets(passes_BNC, right_BC, k)
        if resampled:
            for place, right_BO in enumerate(_over_orders(passes_BNC, right_BC, resampled, rng)):
                sums_PK[block, place] = right_BO.sum(axis=1)
                squares_PK[block, place] = np.square(right_BO).sum(axis=1)
    if resampled:
        places = [asked_K.index(k) for k in resampled]
        accuracy_PK[:, places] = sums_PK / _ORDERS
        error_K[places] = error_of_sums(sums_PK, squares_PK, _ORDERS)
    return Measured(k_values=asked_K, accuracy_PK=accuracy_PK, monte_carlo_error_K=error_K)


def snapshot_ensemble(probability_PSC: Probabilities, right_PC: Flags) -> Measured:
    """Accuracy of the mean of the plain passes of the last K checkpoints, for every K up to their number S.

    Args:
        probability_PSC: of the checkpoints, the last one first.
        right_PC: which classes are right.

    Raises:
        ArgumentError: as of `soft_vote`.

    Source:
        Huang et al., arXiv 1704.00109 (snapshot ensembles), with the checkpoints of one schedule as they come.
    """
    num_problems, num_snapshots = _checked(probability_PSC, right_PC)
    accuracy_PK, k_values = np.zeros((num_problems, num_snapshots)), tuple(range(1, num_snapshots + 1))
    for block, passes_BSC, right_BC in _blocks(probability_PSC, right_PC, num_snapshots):
        mean_BKC = passes_BSC.cumsum(axis=1) / np.array(k_values)[:, None]
        accuracy_PK[block] = _share_right(mean_BKC, right_BC[:, None])
    return exact(k_values, accuracy_PK)


def _over_subsets(passes_BNC: Floats, right_BC: Flags, k: int) -> Floats:
    """Mean over all K-subsets, shape (B,)."""
    num_passes = passes_BNC.shape[1]
    subsets, total_B = combinations(range(num_passes), k), np.zeros(len(passes_BNC))
    while some := list(islice(subsets, _COUNTED)):
        taken_SN = np.zeros((len(some), num_passes))
        np.put_along_axis(taken_SN, np.array(some), 1.0 / k, axis=1)
        total_B += _share_right(taken_SN @ passes_BNC, right_BC[:, None]).sum(axis=1)
    mean_B: Floats = total_B / comb(num_passes, k)
    return mean_B


def _over_orders(
    passes_BNC: Floats, right_BC: Flags, k_values: Sequence[int], rng: np.random.Generator
) -> Iterator[Floats]:
    """For each K how right the first K passes are in each random order, shape (B, O)."""
    size, num_passes, _ = passes_BNC.shape
    every_BON = np.broadcast_to(np.arange(num_passes), (size, _ORDERS, num_passes))
    order_BON = rng.permuted(every_BON, axis=2)
    rows_B11 = np.arange(size)[:, None, None]
    for k in k_values:
        mean_BOC = passes_BNC[rows_B11, order_BON[:, :, :k]].mean(axis=2)
        yield _share_right(mean_BOC, right_BC[:, None])


def _share_right(mean_C: Floats, right_C: Flags) -> Floats:
    """Share of the likeliest classes that are right, over the last axis."""
    leads_C = mean_C >= mean_C.max(axis=-1, keepdims=True) - TOLERANCE
    share: Floats = (leads_C & right_C).sum(axis=-1) / leads_C.sum(axis=-1)
    return share


def _blocks(probability_PNC: Probabilities, right_PC: Flags, combined: int) -> Iterator[tuple[slice, Floats, Flags]]:
    """Some problems, their passes and right classes; memory is held for `combined` means of passes of each.

    Raises:
        ArgumentError: a pass that is no distribution over the classes.
    """
    num_problems, num_passes, num_classes = probability_PNC.shape
    step = max(1, _BLOCK // (num_classes * max(num_passes, combined)))
    for start in range(0, num_problems, step):
        block = slice(start, min(start + step, num_problems))
        passes_BNC = np.asarray(probability_PNC[block], dtype=np.float64)
        if (fault := fault_in(passes_BNC)) is not None:
            place, rule, got, remedy = fault
            raise argument_error(f"probability_PNC[{start + place}]", rule, got, remedy)
        yield block, passes_BNC, right_PC[block]


def _checked(probability_PNC: Probabilities, right_PC: Flags) -> tuple[int, int]:
    """How many problems and passes there are."""
    shape = probability_PNC.shape
    if len(shape) != 3 or 0 in shape or shape[2] < 2:
        raise argument_error("probability_PNC", "be of problems, passes and at least two classes", shape)
    if right_PC.shape != (shape[0], shape[2]):
        rule = f"say of each of {shape[0]} problems which of {shape[2]} classes are right"
        raise argument_error("right_PC", rule, right_PC.shape)
    return shape[0], shape[1]
