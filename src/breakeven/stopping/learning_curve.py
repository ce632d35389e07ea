"""What full training would reach by an average over shapes of the learning curve: a member of the forecast.

Pure and deterministic. From the last checkpoint on, with ratio = training FLOPs / those of the last checkpoint, and
everything in units of sqrt(p (1 - p)) of the accuracy p:

    accuracy(ratio) = level + slope * shape(ratio) + walk(log ratio) + noise,     shape(1) = 0, shape'(1) = 1

`walk` is a Brownian motion in log FLOPs away from the last checkpoint, both ways: back in time it makes old checkpoints
count less, ahead it widens the interval. Given a shape and the scales of noise, walk and slope this is a linear
regression with a closed-form posterior; shapes and scales are averaged over a grid by their marginal likelihood.
Where the constants come from: docs/design/calibrated-estimators.md.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh_tridiagonal
from scipy.special import logit

FloatArray = npt.NDArray[np.float64]
Scale = Literal["accuracy", "logit"]

MIN_POINTS = 4
"""Fewest checkpoints a projection rests on."""
_POWERS = ((-2.0, 0.3), (-1.0, 2.0), (0.0, 1.0), (0.5, 1.0), (1.0, 0.5), (2.0, 0.5))
"""Exponent c of (1 - ratio^-c) / c and its prior weight; 0 is log ratio, below 0 the curve bends upward."""
_RATES = ((0.1, 2.0), (0.25, 2.0), (0.5, 0.5), (1.0, 0.5), (2.0, 0.5), (4.0, 0.5))
"""Rate b of (1 - exp(-b (ratio - 1))) / b and its prior weight: curves that saturate."""
_SHAPE_PRIOR = np.log([weight for _, weight in (*_POWERS, *_RATES)])
_NOISE_OF_BINOMIAL = (0.55, 0.6)
"""Median and log-sd of noise / binomial noise. Below 1: checkpoints usually answer the same problems."""
_NOISE_UNKNOWN = (0.02, 0.9)
"""Median and log-sd of the noise where the number of problems is unknown."""
_PROBLEMS_UNKNOWN = 400
"""Number of problems assumed there, only to keep the accuracy's unit away from 0."""
_WALK = (0.02, 1.0)
"""Median and log-sd of the walk's sd over one e-fold of training."""
_SLOPE = (0.03, 1.5)
"""Median and log-sd of the prior sd of the slope per e-fold at the last checkpoint."""
_SLOPE_MEAN = 0.5
"""Prior mean of the slope over its prior sd: training helps more often than it hurts."""
_WINDOW = 16.0
"""Checkpoints before 1 / 16 of the last one's FLOPs are left out, unless fewer than MIN_POINTS remain."""
_FARTHEST = 1e9
"""No budget is taken to be further ahead than this many times the FLOPs so far: the interval is 0 to 1 long before."""
_LEAST_STEP = 1e-6
"""Least distance in log FLOPs that two checkpoints are taken to have, so that the walk between them has a variance."""
_BINS = 40
"""More checkpoints than these are averaged within equal steps of log FLOPs."""
_FAINT = 1e-5
"""Members of the grid below this share of the heaviest one are left out."""


def posterior(
    share: FloatArray, accuracy: FloatArray, num_problems: int | None, scale: Scale = "accuracy"
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Weight, mean and sd of what is measured at share 1, of each member of the grid that counts.

    Args:
        share: training FLOPs / budget FLOPs of each checkpoint, increasing, at least MIN_POINTS of them.
        accuracy: of each checkpoint, in [0, 1].
        num_problems: problems behind each accuracy, or None.
        scale: on which the regression is made, and the results are: the accuracy's own, or its logit.

    Source:
        Ours, docs/design/calibrated-estimators.md.
    """
    used = share >= share[-1] / _WINDOW
    used[-MIN_POINTS:] = True
    ratio = np.maximum(share[used] / share[-1], 1.0 / _WINDOW)
    log_ahead = float(np.log(min(max(1.0, 1.0 / float(share[-1])), _FARTHEST)))
    log_ratio, accuracy, count = _binned(np.log(ratio), accuracy[used])
    trials = num_problems or _PROBLEMS_UNKNOWN
    middle = (np.average(accuracy, weights=count * np.exp(log_ratio)) * trials + 1.0) / (trials + 2.0)
    unit = np.sqrt(middle * (1.0 - middle))
    centre = middle
    if scale == "logit":
        kept_off = (accuracy * trials + 0.5) / (trials + 1.0)
        count = count * kept_off * (1.0 - kept_off) / unit**2  # the noise of a logit is 1 / sqrt(p (1 - p) P)
        accuracy, centre, unit = logit(kept_off), logit(middle), 1.0 / unit
    typical, spread = _NOISE_UNKNOWN
    if num_problems is not None:
        typical, spread = _NOISE_OF_BINOMIAL[0] / np.sqrt(num_problems), _NOISE_OF_BINOMIAL[1]
    noise, noise_prior = _log_normal_grid(typical * unit, spread, 5)
    walk, walk_prior = _log_normal_grid(_WALK[0] * unit, _WALK[1], 7)
    slope_sd, slope_prior = _log_normal_grid(_SLOPE[0] * unit, _SLOPE[1], 5)

    # Rotated so that noise + walk has a diagonal covariance, noise^2 + walk^2 * walked, for every pair of scales at
    # once. The walk has covariance min(distance, distance) between points on the same side of the last checkpoint.
    root = np.sqrt(count)
    walked, rotation = _walk_axes(-log_ratio, root)
    ones, target = rotation.T @ root, rotation.T @ (root * (accuracy - centre))
    shapes = (_shapes(log_ratio) * root) @ rotation
    shape_ahead = _shapes(np.array([log_ahead]))[:, 0]
    noise_walk = np.square(noise)[:, None, None] + np.square(walk)[:, None] * np.maximum(walked, 0.0)
    precision = 1.0 / noise_walk  # axes (noise, walk, point)

    # Posterior of the level (flat prior), then of the slope; axes (noise, walk, shape), the slope's prior sd last.
    ones_ones, ones_target = precision @ np.square(ones), precision @ (ones * target)
    ones_shape = precision @ (ones * shapes).T
    level = (ones_target / ones_ones)[..., None, None]
    lean = ones_shape / ones_ones[..., None]
    information = (precision @ np.square(shapes).T - ones_shape * lean)[..., None]
    score = (precision @ (shapes * target).T - lean * ones_target[..., None])[..., None]
    slope_precision = information + slope_sd**-2.0
    slope = (score + _SLOPE_MEAN / slope_sd) / slope_precision
    misfit = precision @ np.square(target) - np.square(ones_target) / ones_ones
    level_log_weight = (np.log(precision).sum(axis=-1) - np.log(ones_ones) - misfit) / 2.0
    log_weight = level_log_weight[..., None, None] + noise_prior[:, None, None, None] + walk_prior[:, None, None]
    log_weight = log_weight + _SHAPE_PRIOR[:, None] + slope_prior
    log_weight += (np.square(slope) * slope_precision - np.log(slope_precision * np.square(slope_sd))) / 2.0

    lever = (shape_ahead - lean)[..., None]
    mean = centre + level + slope * lever
    own_variance = 1.0 / ones_ones + np.square(walk) * log_ahead + np.square(noise)[:, None]
    sd = np.sqrt(own_variance[..., None, None] + np.square(lever) / slope_precision)
    weight = np.exp(log_weight - log_weight.max())
    counts = weight > _FAINT
    return weight[counts] / weight[counts].sum(), mean[counts], sd[counts]


def _walk_axes(distance: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues and vectors of root min(distance, distance) root, for distances that fall towards the last point.

    The inverse of that matrix is tridiagonal, for a walk's steps are independent.
    """
    step = np.maximum(np.diff(distance[::-1], prepend=0.0), _LEAST_STEP)
    weight = root[::-1]
    precision = (1.0 / step + np.append(1.0 / step[1:], 0.0)) / np.square(weight)
    eigenvalues, vectors = eigh_tridiagonal(precision, -1.0 / (step[1:] * weight[1:] * weight[:-1]))
    return 1.0 / eigenvalues, vectors[::-1]


def _shapes(log_ratio: FloatArray) -> FloatArray:
    """Every shape at the given points: 0, and of slope 1 per e-fold, at 0; one row a shape."""
    powers = [log_ratio if c == 0 else -np.expm1(-c * log_ratio) / c for c, _ in _POWERS]
    return np.array(powers + [-np.expm1(-rate * np.expm1(log_ratio)) / rate for rate, _ in _RATES])


def _binned(log_ratio: FloatArray, accuracy: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Means over at most _BINS equal steps of `log_ratio`, and the points in each; few points stay as they are."""
    if len(log_ratio) <= _BINS:
        return log_ratio, accuracy, np.ones(len(log_ratio))
    step = _BINS - 1 - np.minimum(log_ratio / log_ratio[0] * _BINS, _BINS - 1).astype(np.intp)
    count = np.bincount(step).astype(np.float64)
    held = count > 0
    sums = np.bincount(step, log_ratio), np.bincount(step, accuracy)
    return sums[0][held] / count[held], sums[1][held] / count[held], count[held]


def _log_normal_grid(median: float, log_sd: float, size: int) -> tuple[FloatArray, FloatArray]:
    """Values out to 2 sd either way, and their log prior."""
    off = np.linspace(-2.0, 2.0, size)
    return median * np.exp(log_sd * off), -np.square(off) / 2.0
