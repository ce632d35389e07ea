"""From what a strategy makes of each problem at each K to its K-curve: intervals, errors and prices."""

from typing import Literal

import numpy as np

from breakeven.cost.samples import SampleCosts
from breakeven.records import NORMAL_95, FitStatus, KCurve, Made
from breakeven.ttc.pool import Flags, Floats
from breakeven.ttc.poststrata import shifted
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.strategy import Strategy


def curve_of(
    strategy: Strategy,
    measured: Measured,
    k_values: tuple[int, ...],
    *,
    num_samples: int | None,
    expected_samples_PK: Floats | None = None,
    greedy_P: Flags | None = None,
    problems: Literal["these", "new"] = "these",
    oracle: bool = True,
    costs: SampleCosts | None = None,
    shared_prefill: bool = True,
    left_out: float = 0.0,
) -> KCurve:
    """The K-curve of a strategy.

    Args:
        strategy: that was measured.
        measured: at each of `k_values`, and best at a quarter of the samples besides.
        k_values: of the curve.
        num_samples: N of each problem, which the K are subsets of; None: nothing is drawn at random.
        expected_samples_PK: of each problem at each of `k_values`, where samples are drawn in turn; None: all K.
        greedy_P: whether the greedy sample of each problem is right, where one was drawn.
        problems: what the interval is about, as of `breakeven.ttc.strategies.on_pool.measured_curve`.
        oracle: whether grading needed gold answers.
        costs: of these problems; None: the curve gets no prices.
        shared_prefill: whether the samples of a query share one prefill of its prompt.
        left_out: greedy accuracy on the problems that the curve is wanted of minus that on these.

    Estimator:
        The interval about these problems takes K / N p (1 - p) for the variance of a problem, which the mean over all
        K-subsets never exceeds (Hoeffding 1948); beyond a quarter of the samples p is that at the quarter, since nearer
        to N the subsets are too alike to show any variance. The Monte Carlo error is added. `paired_error_K` is about
        the gain over the greedy answers; without any, over the mean.
    """
    at_K = [measured.k_values.index(k) for k in k_values]
    accuracy_PK, carlo_K = measured.accuracy_PK[:, at_K], measured.monte_carlo_error_K[at_K]
    accuracy_K, size = accuracy_PK.mean(axis=0), len(accuracy_PK)
    if problems == "new":
        error_K = np.nan_to_num(measured.standard_error_K[at_K], nan=1.0)
    elif num_samples is None:
        error_K = carlo_K
    else:
        k_K = np.full(len(k_values), num_samples) if strategy.mean_k else np.array(k_values)
        spread_PK = accuracy_PK
        quarter = max((k for k in measured.k_values if k <= max(1, num_samples // 4)), default=None)
        if quarter is not None and not strategy.mean_k:
            at_quarter_P1 = measured.accuracy_PK[:, [measured.k_values.index(quarter)]]
            spread_PK = np.where(k_K <= quarter, accuracy_PK, at_quarter_P1)
        draws_K = (spread_PK * (1.0 - spread_PK)).sum(axis=0) * k_K / num_samples / size**2
        error_K = np.sqrt(draws_K + np.square(carlo_K))
    flops_K: tuple[float, ...] = ()
    if costs is not None:
        samples_PK = np.broadcast_to(np.array(k_values, dtype=np.float64), accuracy_PK.shape)
        samples_PK = samples_PK if expected_samples_PK is None else expected_samples_PK
        rewarded = strategy.price == "rewards"
        flops_K = tuple(costs.query_flops_K(samples_PK, shared_prefill=shared_prefill, rewarded=rewarded).tolist())
    baseline_PK = accuracy_K if greedy_P is None else greedy_P[:, None]
    curve = KCurve(
        strategy=strategy.name,
        deployable=strategy.deployable(oracle=oracle),
        k_values=k_values,
        accuracy_K=tuple(accuracy_K.tolist()),
        lo_K=tuple(np.maximum(accuracy_K - NORMAL_95 * error_K, 0.0).tolist()),
        hi_K=tuple(np.minimum(accuracy_K + NORMAL_95 * error_K, 1.0).tolist()),
        made_K=(Made.MEASURED,) * len(k_values),
        status=FitStatus.FITTED if accuracy_K.max() > 0 else FitStatus.NO_SIGNAL,
        method="calibrated",
        expected_samples_K=() if expected_samples_PK is None else tuple(expected_samples_PK.mean(axis=0).tolist()),
        paired_error_K=tuple(((accuracy_PK - baseline_PK).std(axis=0) / size**0.5).tolist()),
        flops_K=flops_K,
        monte_carlo_error_K=tuple(carlo_K.tolist()),
    )
    return curve if greedy_P is None else shifted(curve, accuracy_PK, greedy_P, left_out)
