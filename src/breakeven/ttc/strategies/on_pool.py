"""What a strategy makes of a pool of samples: which ones it allows, their accuracy at each K, and their K-curve."""

from collections.abc import Sequence
from typing import Literal

from breakeven import check
from breakeven.cost.samples import SampleCosts
from breakeven.errors import argument_error
from breakeven.records import KCurve
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.curve import curve_of
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
        That of the strategy, and for the intervals that of `curve_of`.
    """
    check.either("problems", problems, "these", "new")
    known = strategy_of(strategy)
    asked = tuple(k_values)
    quarter = max(1, pool.num_samples // 4)
    both = asked if known.mean_k else tuple(sorted({*asked, quarter} if max(asked, default=0) > quarter else asked))
    measured = measure(pool, known, both)
    samples_PK = None
    if known.samples is not None:
        samples_PK = known.samples(pool, asked)
    elif measured.expected_samples_PK is not None:
        samples_PK = measured.expected_samples_PK[:, [both.index(k) for k in asked]]
    return curve_of(
        known,
        measured,
        asked,
        num_samples=pool.num_samples,
        expected_samples_PK=samples_PK,
        greedy_P=pool.greedy_P,
        problems=problems,
        oracle=oracle,
        costs=costs,
        shared_prefill=shared_prefill,
        left_out=left_out,
    )
