"""How good a trained reward model is on problems it was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_NUM_BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardModelQuality:
    """Held-out quality of a reward model and what training it took.

    Samples count as often as they were drawn. None: the held-out samples cannot say, for want of right or wrong ones.
    """

    num_samples: int
    """Trained on."""
    num_problems: int
    num_heldout_samples: int
    num_heldout_problems: int
    right_share: float
    """Share of right ones among the held-out samples."""
    accuracy: float
    """Share of held-out samples on the right side of 0.5."""
    constant_accuracy: float
    """That of always saying what is more common: what the reward model has to beat."""
    auc: float | None
    """Chance that a right sample is scored above a wrong one, ties halved, over all held-out problems."""
    problem_auc: float | None
    """The same among the samples of one problem, mean over problems that have both: what best-of-N lives on."""
    halfway_auc: float | None
    """`auc` of the values read halfway through the solutions: what a search lives on."""
    brier: float
    """Mean squared distance of value and outcome."""
    calibration_error: float
    """Mean distance of value and share of right ones, over ten bins of the value (expected calibration error)."""
    heldout_loss: float
    """Cross-entropy in nats, mean over the tokens of a solution and over samples, at the weights that were kept."""
    num_epochs: int
    """Epochs trained."""
    best_epoch: int
    """The one whose weights were kept."""
    train_flops: float
    """Forward and backward over all training rows of all epochs; equal samples are one row."""
    heldout_flops: float
    """Forward passes over the held-out rows."""


def area_under_curve(value_N: Floats, right_N: Bools, weight_N: Floats) -> float | None:
    """Chance that a random right sample is scored above a random wrong one, ties halved; None without both kinds.

    Estimator:
        The Mann-Whitney statistic, exact for these samples.

    >>> area_under_curve(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]), np.ones(4))
    0.875
    """
    right, wrong = weight_N[right_N].sum(), weight_N[~right_N].sum()
    if right == 0 or wrong == 0:
        return None
    _, level_N = np.unique(value_N, return_inverse=True)
    wrong_L = np.bincount(level_N, weights=np.where(right_N, 0.0, weight_N))
    below_N = (wrong_L.cumsum() - wrong_L / 2)[level_N]
    return float((weight_N * below_N)[right_N].sum() / (right * wrong))


def problem_area_under_curve(
    value_N: Floats, right_N: Bools, weight_N: Floats, problem_N: Sequence[str]
) -> float | None:
    """`area_under_curve` within each problem that has both kinds, mean over those problems; None without any."""
    rows: dict[str, list[int]] = {}
    for row, problem in enumerate(problem_N):
        rows.setdefault(problem, []).append(row)
    areas = [area_under_curve(value_N[each], right_N[each], weight_N[each]) for each in rows.values()]
    known = [area for area in areas if area is not None]
    return float(np.mean(known)) if known else None


def calibration_error(value_N: Floats, right_N: Bools, weight_N: Floats) -> float:
    """Expected calibration error over ten equal bins of [0, 1].

    Source:
        Guo et al., On calibration of modern neural networks, arXiv 1706.04599, equation 3.

    >>> round(calibration_error(np.array([0.2, 0.2, 0.9]), np.array([False, True, True]), np.ones(3)), 3)
    0.233
    """
    bin_N = np.minimum((value_N * _NUM_BINS).astype(np.int64), _NUM_BINS - 1)
    gap_bins = np.bincount(bin_N, weights=weight_N * (value_N - right_N), minlength=_NUM_BINS)
    return float(np.abs(gap_bins).sum() / weight_N.sum())
