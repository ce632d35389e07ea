"""Pass@K of problems whose solve rates follow one Beta law: posterior of the law, and what it foretells.

Pure and deterministic. The model, where its constants come from and what it is worth on real samples:
docs/design/calibrated-estimators.md.
"""

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from breakeven.ttc.strategies.pass_at_k import distinct_counts, placed

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_LOG_ALPHA, _LOG_BETA = (-6.0, 6.0), (-5.0, 9.0)
"""Ends of the grid over the shapes of the Beta law: alpha is its shape near 0, beta the one near 1."""
_PRIOR_AT, _PRIOR_SLOPE, _PRIOR_SCALE, _PRIOR_FREEDOM = -2.0, 0.25, 0.5, 4.0
"""Prior: log alpha is Student t about _PRIOR_AT + _PRIOR_SLOPE log beta, log beta is flat. The heavy tails let
problems of equal difficulty, whose alpha is large, outvote it."""
_SUMMED = 512
"""Up to this count logarithms are added up, which is faster than two log gammas."""
_GRID, _ZOOMS, _DEPTH = 16, 3, 6.0
"""Points along either axis of the grid, how often it is laid, and the log weight below the peak that is left out."""


def posterior(correct_P: Counts, samples_P: Counts, *, size: int = _GRID) -> tuple[Floats, Floats, Floats]:
    """(alpha, beta, weight) of the grid cells that hold the posterior, shape (G,): a coarse grid, then two zooms.

    >>> alpha_G, beta_G, weight_G = posterior(np.array([0, 4] * 50), np.full(100, 4))
    >>> bool(weight_G @ alpha_G < 0.1 and weight_G @ beta_G < 0.1)  # all or nothing: a law with its mass at 0 and 1
    True
    """
    right, wrong, drawn = map(distinct_counts, (correct_P, samples_P - correct_P, samples_P))
    alpha_ends, beta_ends = _LOG_ALPHA, _LOG_BETA
    for _ in range(_ZOOMS):
        log_alpha, log_beta = np.linspace(*alpha_ends, size)[:, None], np.linspace(*beta_ends, size)
        alpha, beta = np.exp(log_alpha), np.exp(log_beta)
        log_weight = _likelihood(alpha, *right) + _likelihood(beta, *wrong) - _likelihood(alpha + beta, *drawn)
        log_weight += log_prior(log_alpha, log_beta)
        log_weight -= log_weight.max()
        row_G, column_G = np.nonzero(log_weight > -_DEPTH)
        alpha_ends = _around(log_alpha[:, 0], row_G, _LOG_ALPHA)
        beta_ends = _around(log_beta, column_G, _LOG_BETA)
    weight_G = np.exp(log_weight[row_G, column_G])
    return alpha[row_G, 0], beta[column_G], weight_G / weight_G.sum()


def log_prior(log_alpha: Floats, log_beta: Floats) -> Floats:
    """Log of the prior weight of a Beta law, up to a constant."""
    off = (log_alpha - _PRIOR_AT - _PRIOR_SLOPE * log_beta) / _PRIOR_SCALE
    log: Floats = -0.5 * (_PRIOR_FREEDOM + 1.0) * np.log1p(np.square(off) / _PRIOR_FREEDOM)
    return log


def predict(
    correct_P: Counts, samples_P: Counts, k_K: Counts, alpha_G: Floats, beta_G: Floats, baseline_P: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Pass@K of these problems per cell, shape (G, K): mean, and three variances.

    They are of the draws, of the choice of problems, and, of the same choice, of Pass@K minus `baseline_P`.

    Given c right of n, a problem's solve rate is Beta(alpha + c, beta + n - c), so that (1 - rate)^K has mean
    B(alpha + c, beta + n - c + K) / B(alpha + c, beta + n - c), and its square is the same at 2 K.

    >>> counts, samples, k_K, one = np.array([1]), np.array([2]), np.array([1, 2]), np.array([1.0])
    >>> mean_GK, *_ = predict(counts, samples, k_K, one, one, one)
    >>> mean_GK.round(3).tolist()  # Beta(2, 2) fails once in 1/2, twice in 3/10
    [[0.5, 0.7]]
    """
    base = int(samples_P.max()) + 1
    pair_P = correct_P * base + samples_P
    pairs, problems_of, place_P = placed(pair_P)
    baseline_of, square_of = np.bincount(place_P, baseline_P), np.bincount(place_P, np.square(baseline_P))
    both_K = np.concatenate([k_K, 2 * k_K])

    @cache
    def wrong_rising(wrong: int) -> Floats:
        return _log_rising(beta_G + wrong, both_K)

    @cache
    def total_rising(drawn: int) -> Floats:
        return _log_rising(alpha_G + beta_G + drawn, both_K)

    fail_GK, square_GK, own_GK, product_GK = (np.zeros((len(alpha_G), len(k_K))) for _ in range(4))
    for pair, problems, baseline in zip(pairs.tolist(), problems_of.tolist(), baseline_of.tolist(), strict=True):
        right, drawn = divmod(pair, base)
        once_GK, twice_GK = np.hsplit(np.exp(wrong_rising(drawn - right) - total_rising(drawn)), 2)
        fail_GK += problems * once_GK
        square_GK += problems * twice_GK
        own_GK += problems * np.maximum(twice_GK - np.square(once_GK), 0.0)
        product_GK += baseline * once_GK
    size = len(correct_P)
    fail_GK, square_GK, product_GK = fail_GK / size, square_GK / size, product_GK / size
    mean, mean_square = float(baseline_of.sum()) / size, float(square_of.sum()) / size
    gain_square_GK = 1.0 - 2.0 * fail_GK + square_GK - 2.0 * mean + 2.0 * product_GK + mean_square
    choice_GK = np.maximum(square_GK - np.square(fail_GK), 0.0) / size
    paired_GK = np.maximum(gain_square_GK - np.square(1.0 - fail_GK - mean), 0.0) / size
    return 1.0 - fail_GK, own_GK / size**2, choice_GK, paired_GK


def _log_rising(shape: Floats, counts: Counts) -> Floats:
    """Log of shape (shape + 1) ... (shape + count - 1); a last axis is added for the counts."""
    if counts.max() <= _SUMMED:
        sums = np.zeros((*shape.shape, int(counts.max()) + 1))
        np.log(shape[..., None] + np.arange(counts.max())).cumsum(axis=-1, out=sums[..., 1:])
        return sums[..., counts]
    log: Floats = gammaln(shape[..., None] + counts) - gammaln(shape)[..., None]
    return log


def _likelihood(shape: Floats, counts: Counts, problems: Counts) -> Floats:
    """Part of the log likelihood that depends on `shape`, summed over problems given by count."""
    return _log_rising(shape, counts) @ problems


def _around(points: Floats, held: npt.NDArray[np.intp], ends: tuple[float, float]) -> tuple[float, float]:
    """One step beyond the outermost of the points held, within the ends."""
    step = points[1] - points[0]
    return max(points[held.min()] - step, ends[0]), min(points[held.max()] + step, ends[1])
