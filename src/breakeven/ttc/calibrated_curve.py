"""Accuracy against K beyond the samples drawn, with a 90 % interval: what is measured, and a law of the solve rates.

Pure and deterministic. One Beta law of all problems (`beta_binomial`), or, where earlier checkpoints are known, two
families of laws in strata (`strata`). What either is worth on real samples: docs/design/calibrated-estimators.md.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from breakeven.records import NORMAL_95, FitStatus, KCurve, Made
from breakeven.ttc.beta_binomial import posterior, predict
from breakeven.ttc.strata import predict_strata
from breakeven.ttc.strategies.pass_at_k import group_counts, pass_at_k_of_groups

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_WIDER_PER_DOUBLING = 0.03
"""Added to the interval's width for each doubling of K beyond the samples drawn: no real law is quite of a family."""
_FAINT = 1e-9
"""Accuracies of the model are kept this far from 0 and 1, where the logit is infinite."""


def calibrated_curve(
    correct_P: Counts,
    samples_P: Counts,
    k_values: tuple[int, ...],
    *,
    problems: Literal["these", "new"],
    baseline_P: Floats | None = None,
    strata_P: Counts | None = None,
) -> KCurve:
    """The K-curve at `k_values`, of checked counts: measured up to the fewest samples drawn, else extrapolated.

    Args:
        correct_P: right samples per problem.
        samples_P: samples drawn per problem.
        k_values: sample counts to report, increasing.
        problems: whether the interval is about "these" problems or about "new" ones of their kind.
        baseline_P: one-sample accuracy per problem that `paired_error_K` is paired with; the share of right samples
            where None.
        strata_P: stratum of each problem, 0 and up, by what is known of it besides these samples; None: nothing is.

    Returns:
        A KCurve, marked as not deployable.

    Estimator:
        Bayesian: a Beta law of the solve rates on a grid, or in each stratum a law of either family; each problem's
        rate given its own counts. The curve is then shifted on the logit scale through the measured Pass@K at the
        fewest samples drawn.

    Source:
        Ours, docs/design/calibrated-estimators.md.
    """
    known = int(samples_P.min())
    powers_of_two = {1 << power for power in range(k_values[-1].bit_length())}
    k_K = np.array(sorted({*k_values, known, *powers_of_two}))
    num_measured = int(np.searchsorted(k_K, known)) + 1
    groups = group_counts(correct_P, samples_P)
    measured_K = np.array([pass_at_k_of_groups(groups, k) for k in k_K[:num_measured].tolist()])
    paired_P = correct_P / samples_P if baseline_P is None else baseline_P
    told = None if strata_P is None else predict_strata(correct_P, samples_P, k_K, strata_P, paired_P)
    if told is not None:
        (mean_GK, variance_GK, choice_GK, paired_GK), parameters = told
        weight_G = np.ones(1)
    else:
        alpha_G, beta_G, weight_G = posterior(correct_P, samples_P)
        mean_GK, variance_GK, choice_GK, paired_GK = predict(correct_P, samples_P, k_K, alpha_G, beta_G, paired_P)
        parameters = float(weight_G @ np.log(alpha_G)), float(weight_G @ np.log(beta_G))
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
        expected_samples_K=until_right(k_K, accuracy_K, k_values),
        until_right=True,
        paired_error_K=tuple(np.sqrt(weight_G @ paired_GK[:, asked_K]).tolist()),
        parameters=parameters,
    )


def until_right(k_K: Counts, accuracy_K: Floats, k_values: tuple[int, ...]) -> tuple[float, ...]:
    """Expected samples up to the first right one or K: 1 + the chances that 1, 2, ..., K - 1 samples all fail."""
    every_K = np.arange(1, k_values[-1] + 1)
    fails_K = 1.0 - np.interp(every_K, k_K, accuracy_K)
    drawn_K = 1.0 + np.cumsum(fails_K) - fails_K
    return tuple(drawn_K[np.array(k_values) - 1].tolist())
