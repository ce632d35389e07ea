"""Accuracy against K beyond the samples drawn, with a 90 % interval: solve rates that follow a Beta law.

Pure and deterministic. The model, where its constants come from and what it is worth on real samples:
docs/design/calibrated-estimators.md.
"""

from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, gammaln, logit

from breakeven.records import NORMAL_95, FitStatus, KCurve, Made
from breakeven.ttc.strategies.pass_at_k import distinct_counts, group_counts, pass_at_k_of_groups

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_LOG_ALPHA, _LOG_BETA = (-6.0, 6.0), (-5.0, 9.0)
"""Ends of the grid over the shapes of the Beta law: alpha is its shape near 0, beta the one near 1."""
_PRIOR_AT, _PRIOR_SLOPE, _PRIOR_SCALE, _PRIOR_FREEDOM = -2.0, 0.25, 0.5, 4.0
"""Prior: log alpha is Student t about _PRIOR_AT + _PRIOR_SLOPE log beta, log beta is flat. The heavy tails let
problems of equal difficulty, whose alpha is large, outvote it."""
_WIDER_PER_DOUBLING = 0.03
"""Added to the interval's width for each doubling of K beyond the samples drawn: no real law is quite a Beta."""
_FAINT = 1e-9
"""Accuracies of the model are kept this far from 0 and 1, where the logit is infinite."""
_SUMMED = 512
"""Up to this count logarithms are added up, which is faster than two log gammas."""
_GRID, _ZOOMS, _DEPTH = 16, 3, 6.0
"""Points along either axis of the grid, how often it is laid, and the log weight below the peak that is left out."""


def beta_binomial_curve(
    correct_P: Counts,
    samples_P: Counts,
    k_values: tuple[int, ...],
    *,
    problems: Literal["these", "new"],
    baseline_P: Floats | None = None,
) -> KCurve:
    """The K-curve at `k_values`, of checked counts: measured up to the fewest samples drawn, else extrapolated.

    Args:
        correct_P: right samples per problem.
        samples_P: samples drawn per problem.
        k_values: sample counts to report, increasing.
        problems: whether the interval is about "these" problems or about "new" ones of their kind.
        baseline_P: one-sample accuracy per problem that `paired_error_K` is paired with; the share of right samples
            where None.

    Returns:
        A KCurve, marked as not deployable; `parameters` are the posterior means of (log alpha, log beta).

    Estimator:
        Bayesian: a Beta law of the solve rates on a grid, each problem's rate given its own counts. The curve is
        then shifted on the logit scale through the measured Pass@K at the fewest samples drawn.

    Source:
        Ours, docs/design/calibrated-estimators.md.
    """
    known = int(samples_P.min())
    powers_of_two = {1 << power for power in range(k_values[-1].bit_length())}
    k_K = np.array(sorted({*k_values, known, *powers_of_two}))
    num_measured = int(np.searchsorted(k_K, known)) + 1
    groups = group_counts(correct_P, samples_P)
    measured_K = np.array([pass_at_k_of_groups(groups, k) for k in k_K[:num_measured].tolist()])
    alpha_G, beta_G, weight_G = posterior(correct_P, samples_P)
    paired_P = correct_P / samples_P if baseline_P is None else baseline_P
    mean_GK, variance_GK, choice_GK, paired_GK = predict(correct_P, samples_P, k_K, alpha_G, beta_G, paired_P)
    if problems == "new":
        variance_GK = variance_GK + choice_GK
    mean_GK = np.clip(mean_GK, _FAINT, 1.0 - _FAINT)
    logit_GK = logit(mean_GK)
    model_K = weight_G @ logit_GK
    # The second term is the variance on the logit scale, by the delta method; bounded where that method breaks down.
    bounded_GK = variance_GK / (np.square(mean_GK * (1.0 - mean_GK)) + variance_GK)
    variance_K = weight_G @ (np.square(logit_GK - model_K) + bounded_GK)

    # One problem's worth of the model keeps a measured 0 or 1 finite on the logit scale. The shift through what was
    # measured is an error of the model or of the measurement, so its square belongs to the expected squared error.
    measured_model_K, size = model_K[:num_measured], len(correct_P)
    right_K = size * measured_K + expit(measured_model_K)
    wrong_K = size * (1.0 - measured_K) + expit(-measured_model_K)
    shift_K = np.pad(np.log(right_K / wrong_K) - measured_model_K, (0, len(k_K) - num_measured), mode="edge")
    wider_K = 1.0 + _WIDER_PER_DOUBLING * np.log2(np.maximum(k_K / known, 1.0))
    half_K = NORMAL_95 * wider_K * np.sqrt(variance_K + np.square(shift_K))
    centre_K = model_K + shift_K
    fails_K = (1.0 - measured_K[-1]) * expit(-centre_K[num_measured:]) / expit(-centre_K[num_measured - 1])
    accuracy_K = np.maximum.accumulate(np.append(measured_K, 1.0 - fails_K))  # against rounding alone
    # A lower end at some K holds at any larger one; through powers of two, so that it barely matters which K are asked.
    low_K = np.minimum(np.maximum.accumulate(expit(centre_K - half_K)), accuracy_K)
    high_K = np.maximum(expit(centre_K + half_K), accuracy_K)
    solved = bool(correct_P.any())
    if not solved:
        accuracy_K, low_K = np.zeros(len(k_K)), np.zeros(len(k_K))
    asked_K = np.isin(k_K, k_values)
    return KCurve(
        strategy="pass@k",
        deployable=False,
        k_values=k_values,
        accuracy_K=tuple(accuracy_K[asked_K].tolist()),
        lo_K=tuple(low_K[asked_K].tolist()),
        hi_K=tuple(high_K[asked_K].tolist()),
        made_K=tuple(Made.MEASURED if k <= known else Made.EXTRAPOLATED for k in k_values),
        status=FitStatus.FITTED if solved else FitStatus.NO_SIGNAL,
        method="calibrated",
        expected_samples_K=_until_right(k_K, accuracy_K, k_values),
        until_right=True,
        paired_error_K=tuple(np.sqrt(weight_G @ paired_GK[:, asked_K]).tolist()),
        parameters=(float(weight_G @ np.log(alpha_G)), float(weight_G @ np.log(beta_G))),
    )


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
        off_prior = (log_alpha - _PRIOR_AT - _PRIOR_SLOPE * log_beta) / _PRIOR_SCALE
        log_weight -= 0.5 * (_PRIOR_FREEDOM + 1.0) * np.log1p(np.square(off_prior) / _PRIOR_FREEDOM)
        log_weight -= log_weight.max()
        row_G, column_G = np.nonzero(log_weight > -_DEPTH)
        alpha_ends = _around(log_alpha[:, 0], row_G, _LOG_ALPHA)
        beta_ends = _around(log_beta, column_G, _LOG_BETA)
    weight_G = np.exp(log_weight[row_G, column_G])
    return alpha[row_G, 0], beta[column_G], weight_G / weight_G.sum()


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
    pairs, problems_of = distinct_counts(pair_P)
    place_P = np.searchsorted(pairs, pair_P)
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


def _until_right(k_K: Counts, accuracy_K: Floats, k_values: tuple[int, ...]) -> tuple[float, ...]:
    """Expected samples up to the first right one or K: 1 + the chances that 1, 2, ..., K - 1 samples all fail."""
    every_K = np.arange(1, k_values[-1] + 1)
    fails_K = 1.0 - np.interp(every_K, k_K, accuracy_K)
    drawn_K = 1.0 + np.cumsum(fails_K) - fails_K
    return tuple(drawn_K[np.array(k_values) - 1].tolist())


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
