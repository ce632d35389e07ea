"""Algorithm 1 of arXiv 2601.01332 as a pure function of what was recorded: policy "paper"."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from breakeven.errors import argument_error
from breakeven.records import (
    Action,
    Decision,
    FitStatus,
    Forecast,
    KCurve,
    LearningPoint,
    Reason,
    RunSpec,
    ServingPoint,
)
from breakeven.stopping.break_even import break_even_queries
from breakeven.stopping.forecast import forecast_accuracy
from breakeven.stopping.history import NO_FORECAST, baseline_accuracy
from breakeven.stopping.lifetime import query_price


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPolicy:
    """Settings of Algorithm 1. Holds no state: patience is counted from the decisions before.

    Args:
        patience: checkpoints in a row at which some K must suffice; 0 and 1 both stop at the first.
        max_k: largest K considered.
        k_values: sample counts at which Pass@K is measured and the sigmoid fitted.
        fluctuation_filter: whether step 1 drops the points below the last kept one.
    """

    name: Literal["paper"] = "paper"
    patience: int = 5
    max_k: int = 64
    k_values: tuple[int, ...] = (1, 2, 4)
    fluctuation_filter: bool = True

    def __post_init__(self) -> None:
        if not self.patience >= 0 or self.patience % 1:
            raise argument_error("patience", "be a whole number of at least 0", self.patience)
        if not self.max_k >= 1 or self.max_k % 1:
            raise argument_error("max_k", "be a whole number of at least 1", self.max_k)
        if not self.k_values:
            raise argument_error("k_values", "hold at least one K", list(self.k_values), "The paper uses [1, 2, 4].")
        if self.k_values[0] < 1 or any(later <= k for k, later in pairwise(self.k_values)):
            raise argument_error("k_values", "be increasing whole numbers from 1 up", list(self.k_values))


def decide_as_paper(
    history: Sequence[LearningPoint],
    k_curves: Sequence[KCurve],
    spec: RunSpec,
    policy: PaperPolicy,
    previous: Decision | None,
) -> Decision:
    """The decision of Algorithm 1; see `breakeven.stopping.decide.decide`.

    Source:
        arXiv 2601.01332, Algorithm 1. C_TTC(K) is read as all evaluation FLOPs so far plus one pass over the
        evaluation problems with K samples (docs/design/paper-mode.md).
    """
    now = history[-1]
    forecast = forecast_accuracy(
        [each.train_flops for each in history],
        [baseline_accuracy(each, spec.baseline) for each in history],
        spec.budget_flops,
        method="paper",
        fluctuation_filter=policy.fluctuation_filter,
    )
    evaluation_flops = math.fsum(each.evaluation_flops for each in history)
    reason, curve, serving = _joint_selection(now, forecast, k_curves, evaluation_flops, spec, policy.max_k)
    streak = 0 if serving is None else 1 + (previous.streak if previous is not None else 0)
    if serving is not None:
        reason = Reason.REACHED if streak >= policy.patience else Reason.WAITING
    break_even = None
    if serving is not None:
        break_even = break_even_queries(
            budget_flops=spec.budget_flops,
            train_flops=now.train_flops,
            evaluation_flops=evaluation_flops,
            query_flops=serving.flops_per_query,
            baseline_query_flops=now.query_flops.total(1),
        )
    return Decision(
        action=Action.STOP if reason is Reason.REACHED else Action.CONTINUE,
        reason=reason,
        step=now.step,
        used=now.train_flops / spec.budget_flops,
        policy="paper",
        streak=streak,
        baseline=spec.baseline,
        baseline_accuracy=baseline_accuracy(now, spec.baseline),
        forecast=forecast,
        k_curve=curve,
        serving=serving,
        gross_saving=1.0 - now.train_flops / spec.budget_flops,
        net_saving=1.0 - (now.train_flops + evaluation_flops) / spec.budget_flops,
        evaluation_flops=evaluation_flops,
        break_even_queries=break_even if break_even is not None and math.isfinite(break_even) else None,
    )


def _joint_selection(
    now: LearningPoint,
    forecast: Forecast,
    k_curves: Sequence[KCurve],
    evaluation_flops: float,
    spec: RunSpec,
    max_k: int,
) -> tuple[Reason, KCurve, ServingPoint | None]:
    """The smallest K that reaches the projection at lower cost than full training, or the reason why none does.

    With several curves, the cheapest serving point among the deployable ones wins; oracle curves, which are upper
    bounds, count only where there is nothing else.
    """
    k_curves = [each for each in k_curves if each.deployable] or k_curves
    best = max(k_curves, key=lambda curve: max(curve.accuracy_K))
    if now.train_flops >= spec.budget_flops:
        return Reason.BUDGET_SPENT, best, None
    if forecast.status is not FitStatus.FITTED:
        return NO_FORECAST[forecast.status], best, None
    sufficient = [
        (now.query_flops.total(k, shared_prefill=spec.shared_prefill), curve, index)
        for curve in k_curves
        for index, k in enumerate(curve.k_values)
        if k <= max_k and curve.accuracy_K[index] >= forecast.mean and query_price(now, curve, spec)[2][index]
    ]
    if not sufficient:
        unfitted = best.status is not FitStatus.FITTED
        return (Reason.NO_K_CURVE if unfitted else Reason.OUT_OF_REACH), best, None
    flops_per_query, curve, index = min(sufficient, key=lambda option: option[0])
    serving = ServingPoint(
        step=now.step,
        strategy=curve.strategy,
        deployable=curve.deployable,
        k=curve.k_values[index],
        accuracy=curve.accuracy_K[index],
        made=curve.made_K[index],
        flops_per_query=flops_per_query,
    )
    if now.train_flops + evaluation_flops + now.num_problems * flops_per_query >= spec.budget_flops:
        return Reason.TOO_COSTLY, curve, None
    return Reason.WAITING, curve, serving
