"""The workload of a decision: how many queries will be served, how long they are, and what that costs either way.

Two charts follow it, `lifetime` and `frontier`. Queries, and their length beside that of those measured, are parameters
of their specifications, `queries` and `length`: a page sets them without drawing anew, and a static figure has their
first values.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from breakeven.records import Decision, KCurve, QueryFlops
from breakeven.report.charts.chart import Axis, Chart
from breakeven.report.charts.theme import SCHEMA, Spec, said
from breakeven.report.shown import Evaluated, Shown
from breakeven.report.words import baseline_words, samples_words

FLOPS_AXIS: Final = Axis(label="FLOPs in all", log=10)
UNBOUNDED: Final = 1e6
"""Queries that the charts begin with where none were declared and there is no break-even."""
_BEGIN: Final = 0.1
"""The same, as a share of the break-even, where there is one."""
_DRAWN: Final = 1e60
"""FLOPs or queries from which on no lines are drawn: nobody means them, and their products leave what floats hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Stopping beside full training, as two straight lines over the number of queries. FLOPs all of them."""

    stop: str
    """What is served of the stop, in words."""
    full: str
    fixed: float
    """Training and evaluation up to the stop."""
    query: float
    """One query there, as long as those measured."""
    full_fixed: float
    """Full training."""
    full_query: float
    """One query of the fully trained model."""
    queries: float
    """Declared; else where the charts begin."""
    declared: bool
    break_even: float | None
    """None: never."""
    break_even_lo: float | None
    break_even_hi: float | None
    """The 90 % interval; both None where nothing that it could come from is known, the upper end alone: never."""

    @property
    def top(self) -> int:
        """Power of ten of the most queries that are drawn."""
        return math.ceil(math.log10(max(self.queries, self.break_even_hi or self.break_even or 1.0, 1e3)) + 1.5)


def workload_of(checkpoint: Shown, queries: float | None) -> Workload | None:
    """The workload of what a decision serves; None where it serves nothing, or a FLOP of it is unknown.

    The break-even is the decision's. Its interval is that of the samples that are expected until one is right, as the
    K-curve's interval has them; all else is counted.
    """
    decision = checkpoint.decision
    point, evaluation = decision.serving, decision.evaluation_flops
    train, cost = costs_of(checkpoint)
    if point is None or point.flops_per_query is None or train is None or cost is None or evaluation is None:
        return None
    if decision.used <= 0:
        return None
    budget, one = train / decision.used, cost.total(1)
    saved, even = budget - train - evaluation, decision.break_even_queries
    if even is not None and 0 < even < math.inf:
        one = point.flops_per_query - saved / even  # as the decision took it
    else:
        even = None
    lo, hi = (None, None) if even is None else _interval(decision, saved, one)
    start = queries or (UNBOUNDED if even is None else even * _BEGIN)
    if not max(budget, point.flops_per_query, start, even or 0.0, hi or 0.0) < _DRAWN:
        return None
    return Workload(
        stop=f"stop at step {decision.step}, {samples_words(point)} a query",
        full=f"full training, {baseline_words(decision.baseline)} a query",
        fixed=train + evaluation,
        query=point.flops_per_query,
        full_fixed=budget,
        full_query=one,
        queries=start,
        declared=queries is not None,
        break_even=even,
        break_even_lo=lo,
        break_even_hi=hi,
    )


def with_params(chart: Chart, layers: list[Spec], queries: float) -> Spec:
    """A specification whose layers follow the parameters."""
    return {
        "$schema": SCHEMA,
        "description": said(f"{chart.title}. {chart.description}"),
        "params": [{"name": "queries", "value": queries}, {"name": "length", "value": 1.0}],
        "data": {"values": []},
        "layer": layers,
    }


def costs_of(checkpoint: Shown) -> tuple[float | None, QueryFlops | None]:
    """Training FLOPs so far, and what a query costs."""
    if isinstance(checkpoint, Evaluated):
        return checkpoint.train_flops, checkpoint.point.query_flops
    return checkpoint.observation.train_flops, checkpoint.observation.query_flops


def spent_of(checkpoint: Shown) -> float | None:
    """Training and evaluation FLOPs so far; None if unknown."""
    train, evaluation = costs_of(checkpoint)[0], checkpoint.decision.evaluation_flops
    return None if train is None or evaluation is None else train + evaluation


def _interval(decision: Decision, saved: float, one: float) -> tuple[float | None, float | None]:
    """The 90 % interval of the break-even, from that of the samples expected until one is right; no upper end: never.

    A sample costs what one more costs along the K-curve's own prices. None where all K are drawn whatever they say.
    """
    point, curve = decision.serving, decision.k_curve
    if point is None or point.flops_per_query is None or curve is None or curve.strategy != point.strategy:
        return None, None
    if point.k not in curve.k_values or not curve.flops_K or not curve.expected_samples_K:
        return None, None
    at = curve.k_values.index(point.k)
    expected, price = curve.expected_samples_K[at], curve.flops_K[at]
    few, many = _expected(curve, curve.hi_K, point.k), _expected(curve, curve.lo_K, point.k)
    if few is None or many is None or at == 0 or not expected > curve.expected_samples_K[0]:
        return None, None
    if not math.isclose(price, point.flops_per_query, rel_tol=1e-9):  # all K are paid for
        return None, None
    per_sample = (price - curve.flops_K[0]) / (expected - curve.expected_samples_K[0])
    dear, cheap = (price + (each - expected) * per_sample - one for each in (many, few))
    if dear <= 0:
        return None, None
    return saved / dear, saved / cheap if cheap > 0 else None


def _expected(curve: KCurve, accuracy_K: Sequence[float], k: int) -> float | None:
    """Samples until one is right, K at most: 1 + the chances that the first 1, 2, ... K - 1 are all wrong."""
    if not curve.until_right or curve.k_values[:k] != tuple(range(1, k + 1)):
        return None
    return 1.0 + math.fsum(1.0 - accuracy for accuracy in accuracy_K[: k - 1])
