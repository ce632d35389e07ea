"""From the problems that were sampled to all of them: post-stratified by the greedy answer, which every problem has.

Pure and deterministic. Why not the difference in greedy accuracy at every K alike, and what it is worth:
docs/design/calibrated-estimators.md.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from breakeven.records import KCurve

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_PRIOR_SPREAD = 1.0
"""Weight of the largest difference against the measured one: that of four problems, two of them right greedily."""


def shift_to_all(accuracy_PK: Floats, greedy_P: Flags, left_out: float) -> Floats:
    """What to add to the mean accuracy of the sampled problems so that it is that of all, shape (K,).

    Args:
        accuracy_PK: of the sampled problems alone.
        greedy_P: whether the greedy sample of each of them is right.
        left_out: greedy accuracy on all problems minus that on the sampled ones.

    Estimator:
        Post-stratified by the greedy answer: `left_out` times how much more accurate problems are whose greedy sample
        is right, the slope of a regression on it. Few problems, or of one kind alone, tell that badly: it is shrunk
        toward the largest difference that the two means allow. The shifted mean is an accuracy, and rises with K where
        the accuracies do.

    Source:
        Holt and Smith 1979, "Post stratification"; the shrinkage ours, docs/design/calibrated-estimators.md.

    >>> greedy_P = np.repeat([True, False], 50)
    >>> accuracy_PK = np.where(greedy_P[:, None], [0.8, 1.0], [0.2, 0.9])
    >>> shift_to_all(accuracy_PK, greedy_P, 0.1).round(3).tolist()  # 0.1 times 0.6, nearly, and 0.1 times 0.1
    [0.062, 0.01]
    """
    share, accuracy_K = float(greedy_P.mean()), accuracy_PK.mean(axis=0)
    largest_K = np.minimum(
        accuracy_K / share if share > 0.0 else 1.0, (1.0 - accuracy_K) / (1.0 - share) if share < 1.0 else 1.0
    )
    apart_P = greedy_P - share
    slope_K: Floats = (apart_P @ accuracy_PK + _PRIOR_SPREAD * largest_K) / (apart_P @ apart_P + _PRIOR_SPREAD)
    return left_out * slope_K


def shifted(curve: KCurve, accuracy_PK: Floats, greedy_P: Flags, left_out: float) -> KCurve:
    """The K-curve of all problems from that of the sampled ones; prices stay those of the sampled.

    Args:
        curve: of the sampled problems.
        accuracy_PK: of each of them, at the K of the curve that were measured: the first ones.
        greedy_P: as of `shift_to_all`, and `left_out` too.

    Estimator:
        Failures at the ends of an interval, and beyond the K that were measured, change in the proportion in which the
        measured ones do, at that K or the last one.
    """
    if left_out == 0.0:
        return curve
    value_VK = np.array([curve.accuracy_K, curve.lo_K, curve.hi_K])
    beyond = 0, value_VK.shape[1] - accuracy_PK.shape[1]
    shift_K = np.pad(shift_to_all(accuracy_PK, greedy_P, left_out), beyond, mode="edge")
    fails_K = 1.0 - np.pad(value_VK[0, : accuracy_PK.shape[1]], beyond, mode="edge")
    times_VK = np.divide(1.0 - value_VK, fails_K, out=np.ones_like(value_VK), where=fails_K > 0.0)
    accuracy_K, lo_K, hi_K = np.clip(value_VK + shift_K * times_VK, 0.0, 1.0)
    if curve.until_right:  # a lower end at some K holds at any larger one
        lo_K = np.maximum.accumulate(lo_K)
    return replace(
        curve,
        accuracy_K=tuple(accuracy_K.tolist()),
        lo_K=tuple(np.minimum(lo_K, accuracy_K).tolist()),
        hi_K=tuple(np.maximum(hi_K, accuracy_K).tolist()),
    )
