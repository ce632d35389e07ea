"""THE THIRD WAY beside serving a stop and training on: what a cooldown may bring, and when it has paid off.

Pure. What is expected of it is declared before it is run; afterwards its own curves decide.
"""

import math
from collections.abc import Sequence

import numpy as np

from breakeven.choice.break_even import break_even
from breakeven.choice.choose import cheapest
from breakeven.records import KCurve, LearningPoint, RunSpec, ServingPoint
from breakeven.records.options import UNRATED, Option
from breakeven.stopping.density import of_normals, quantile
from breakeven.stopping.history import baseline_accuracy
from breakeven.stopping.lifetime import query_price
from breakeven.stopping.members import Curve
from breakeven.stopping.stack import decayed, gains_of


def cooldown_factor(step: int, steps: int) -> float:
    """What a learning rate is multiplied by at step `step` of a cooldown, from 1 to `steps`.

    The first step is below 1 already, and the last above 0, where it would train nothing.

    Source:
        arXiv 2405.18392, section 3: 1 - sqrt, of one step more.

    >>> [round(cooldown_factor(step, 3), 3) for step in (1, 2, 3)]
    [0.5, 0.293, 0.134]
    """
    return 1.0 - math.sqrt(step / (steps + 1))


def expected_accuracy(
    accuracy: float, points: Sequence[LearningPoint], spec: RunSpec, *, is_average: bool = False
) -> tuple[float, float, float]:
    """Median and 90 % interval of the one-sample accuracy after a cooldown, as it would be measured.

    Args:
        accuracy: measured at the last of `points`.
        points: the run up to there.
        spec: of the run.
        is_average: whether `accuracy` is that of averaged weights, which stand for the cooled ones.

    Estimator:
        The noise of as many problems about `accuracy`; but for averages, raised by what a decay usually brings
        (`breakeven.stopping.stack.decayed`), as far as the run has not had its own yet.

    Source:
        Ours, docs/concepts.md, "Stop, then cool down"; that averages do: benchmarks/averaging_forecast.py.
    """
    now = points[-1]
    held = (accuracy * now.num_problems + 1.0) / (now.num_problems + 2.0)
    noise = np.sqrt(held * (1.0 - held) / now.num_problems)
    cdf = of_normals(np.ones(1), np.array([accuracy]), np.array([noise]))
    if not is_average:
        curve = Curve(
            share=np.array([each.train_flops / spec.budget_flops for each in points]),
            accuracy=np.array([baseline_accuracy(each, spec.baseline) for each in points]),
            num_problems=now.num_problems,
            loss=np.array([np.nan if each.validation_loss is None else each.validation_loss for each in points]),
        )
        cdf = decayed(cdf, decay_ahead(spec, now.train_flops), gains_of(curve))
    median, lo, hi = (quantile(cdf, level) for level in (0.5, 0.05, 0.95))
    return median, lo, hi


def decay_ahead(spec: RunSpec, train_flops: float) -> float:
    """The part of a decay that a run has not had yet: all of it where none is declared."""
    if not spec.decay_share:
        return 1.0
    return min(1.0, (1.0 - train_flops / spec.budget_flops) / spec.decay_share)


def pays_from(cost_flops: float, query_flops: float | None, cheaper_flops: float | None) -> float | None:
    """Served queries after which `cost_flops` has come back; None where queries are not made cheaper, or unpriced.

    >>> pays_from(100.0, 3.0, 1.0), pays_from(100.0, 1.0, 1.0)
    (50.0, None)
    """
    if query_flops is None or cheaper_flops is None or cheaper_flops >= query_flops:
        return None
    stopped = Option(name="stopped", query_flops=query_flops, quality=UNRATED)
    cooled = Option(name="cooled", train_flops=cost_flops, query_flops=cheaper_flops, quality=UNRATED)
    return break_even(stopped, cooled)


def serving_at(point: LearningPoint, curves: Sequence[KCurve], spec: RunSpec, serving: ServingPoint) -> ServingPoint:
    """The strategy and K of `serving` on other curves; at the highest K of its curve where that ends before."""
    curve = next(each for each in curves if each.strategy == serving.strategy)
    index = max(index for index, k in enumerate(curve.k_values) if k <= serving.k)
    return _point(point, curve, index, spec, serving)


def cheapest_as_good(
    point: LearningPoint, curves: Sequence[KCurve], spec: RunSpec, stopped: ServingPoint
) -> ServingPoint | None:
    """The cheapest serving point of a cooled model that stands in for the one of the stop; None where none does.

    It reaches that accuracy with at most as many samples, of the same strategy or greedily, within the caps of `spec`.

    Args:
        point: the cooled model.
        curves: of it.
        spec: of the run.
        stopped: what is served of the stop.
    """
    found = [
        _point(point, curve, index, spec, stopped)
        for curve in curves
        if curve.strategy in (stopped.strategy, "greedy")
        for index, allowed in enumerate(query_price(point, curve, spec)[2])
        if allowed and curve.k_values[index] <= stopped.k
    ]
    return cheapest(
        found,
        reaches=lambda each: each.accuracy >= max(stopped.accuracy, spec.min_accuracy),
        price=lambda each: (each.flops_per_query or each.expected_samples or 0.0, -each.accuracy),
    )


def _point(point: LearningPoint, curve: KCurve, index: int, spec: RunSpec, like: ServingPoint) -> ServingPoint:
    flops_K, samples_K, _ = query_price(point, curve, spec)
    return ServingPoint.on(
        curve,
        index,
        step=point.step,
        flops_per_query=None if flops_K is None else float(flops_K[index]),
        expected_samples=float(samples_K[index]),
        deployable=like.deployable or curve.deployable,
    )
