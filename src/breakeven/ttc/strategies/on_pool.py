"""What a strategy makes of a pool of samples: which ones it allows, their accuracy at each K, and their K-curve."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from breakeven import check
from breakeven.cost.samples import SampleCosts
from breakeven.errors import argument_error
from breakeven.records import NORMAL_95, FitStatus, KCurve, Made
from breakeven.ttc.pool import Pool
from breakeven.ttc.poststrata import shifted
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.strategy import Need, Strategy

FIELDS = {
    Need.ANSWERS: "label_PN",
    Need.REWARDS: "score_PN",
    Need.WEIGHTS: "score_PN",
    Need.VERDICTS: "verdict_PNV",
}
"""Where a pool holds what a strategy needs."""


def pool_has(pool: Pool | None) -> frozenset[Need]:
    """The needs of strategies that are measured on a pool that this one meets."""
    if pool is None:
        return frozenset()
    found = {need for need, field in FIELDS.items() if getattr(pool, field) is not None}
    if pool.score_PN is not None:
        voting = pool.score_PN[pool.answered_PN]
        if not ((voting >= 0.0) & (voting <= 1.0)).all():
            found.discard(Need.WEIGHTS)
    return frozenset(found)


def measure(pool: Pool, strategy: str | Strategy, k_values: Sequence[int]) -> Measured:
    """A strategy on a pool.

    Raises:
        ArgumentError: an unknown name, one that is not measured on a pool or whose answers, scores or verdicts are
            missing, or a K that the samples cannot answer for.
    """
    found = strategy_of(strategy)
    if found.measure is None:
        raise argument_error("strategy", "be one that is measured on a pool of samples", found.name)
    for need in found.needs:
        if need in FIELDS and getattr(pool, FIELDS[need]) is None:
            raise argument_error(f"pool.{FIELDS[need]}", f"be given for {found.name}", None)
    return found.measure(pool, k_values)


def measured_curve(
    pool: Pool,
    strategy: str | Strategy,
    k_values: Sequence[int],
    *,
    problems: Literal["these", "new"] = "these",
    oracle: bool = True,
    costs: SampleCosts | None = None,
    shared_prefill: bool = True,
    left_out: float = 0.0,
) -> KCurve:
    """The K-curve of a strategy on a pool, measured at each of `k_values`.

    Args:
        pool: the samples.
        strategy: one that is measured on a pool.
        k_values: as the strategy takes them.
        problems: what the 90 % interval is about. "these": the accuracy on these very problems, so that only the draws
            are uncertain, which is what a decision combines with its own error of the choice of problems. "new":
            problems of the same kind, from the standard error over problems.
        oracle: whether grading needed gold answers.
        costs: what a sample costs on each problem of the pool; None: the curve gets no prices.
        shared_prefill: whether the samples of a query share one prefill of its prompt.
        left_out: where the curve is wanted of more problems than the pool's, their greedy accuracy minus that of the
            pool's. Prices and the errors of pairing and resampling stay those of the pool.

    Estimator:
        That of the strategy. The interval about these problems takes K / N p (1 - p) for the variance of a problem,
        which the mean over all K-subsets never exceeds (Hoeffding 1948); beyond a quarter of the samples p is that at
        the quarter, since nearer to N the subsets are too alike to show any variance. The Monte Carlo error is added.
        `paired_error_K` is about the gain over the greedy answers; without any, over the mean.
    """
    check.either("problems", problems, "these", "new")
    known = strategy_of(strategy)
    quarter = max(1, pool.num_samples // 4)
    asked = tuple(k_values)
    whole = known.mean_k
    both = asked if whole else tuple(sorted({*asked, quarter} if max(asked, default=0) > quarter else asked))
    measured = measure(pool, known, both)
    at_K = np.array([both.index(k) for k in asked])
    accuracy_PK, size = measured.accuracy_PK[:, at_K], pool.num_problems
    accuracy_K, carlo_K = accuracy_PK.mean(axis=0), measured.monte_carlo_error_K[at_K]
    if problems == "these":
        k_K = np.full(len(asked), pool.num_samples) if whole else np.array(asked)
        spread_PK = accuracy_PK
        if quarter in both and not whole:
            spread_PK = np.where(k_K <= quarter, accuracy_PK, measured.accuracy_PK[:, [both.index(quarter)]])
        draws_K = (spread_PK * (1.0 - spread_PK)).sum(axis=0) * k_K / pool.num_samples / size**2
        error_K = np.sqrt(draws_K + np.square(carlo_K))
    else:
        error_K = np.nan_to_num(measured.standard_error_K[at_K], nan=1.0)
    expected_samples_PK = None if measured.expected_samples_PK is None else measured.expected_samples_PK[:, at_K]
    if known.samples is not None:
        expected_samples_PK = known.samples(pool, asked)
    flops_K: tuple[float, ...] = ()
    if costs is not None:
        samples_PK = np.broadcast_to(np.array(asked, dtype=np.float64), accuracy_PK.shape)
        samples_PK = samples_PK if expected_samples_PK is None else expected_samples_PK
        rewarded = known.price == "rewards"
        flops_K = tuple(costs.query_flops_K(samples_PK, shared_prefill=shared_prefill, rewarded=rewarded).tolist())
    baseline_PK = accuracy_K if pool.greedy_P is None else pool.greedy_P[:, None]
    curve = KCurve(
        strategy=known.name,
        deployable=known.deployable(oracle=oracle),
        k_values=asked,
        accuracy_K=tuple(accuracy_K.tolist()),
        lo_K=tuple(np.maximum(accuracy_K - NORMAL_95 * error_K, 0.0).tolist()),
        hi_K=tuple(np.minimum(accuracy_K + NORMAL_95 * error_K, 1.0).tolist()),
        made_K=(Made.MEASURED,) * len(asked),
        status=FitStatus.FITTED if accuracy_K.max() > 0 else FitStatus.NO_SIGNAL,
        method="calibrated",
        expected_samples_K=() if expected_samples_PK is None else tuple(expected_samples_PK.mean(axis=0).tolist()),
        paired_error_K=tuple(((accuracy_PK - baseline_PK).std(axis=0) / size**0.5).tolist()),
        flops_K=flops_K,
        monte_carlo_error_K=tuple(carlo_K.tolist()),
    )
    return curve if pool.greedy_P is None else shifted(curve, accuracy_PK, pool.greedy_P, left_out)
