"""Stop when a serving point reaches the fully trained model with the certainty asked for, at the least lifetime cost.

Policy "calibrated". Every source of doubt enters the probability: the projection, the draws, the choice of problems.
How they are combined and where the defaults come from: docs/design/calibrated-policy.md.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from breakeven.errors import argument_error
from breakeven.records import (
    NORMAL_95,
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
from breakeven.stopping.lifetime import later_flops, query_price

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedPolicy:
    """Settings of the calibrated rule. Holds no state.

    Args:
        risk: share of runs in which the stopped model may turn out below the fully trained one minus `margin`.
        margin: accuracy that may be lost, 0.01 is one point.
        max_k: largest K considered.
        min_used: share of the budget before which no projection is trusted, 0.14 is a seventh: a curve that has only
            begun may still become anything.
        patience: checkpoints in a row at which a serving point must suffice; 0 and 1 both stop at the first.
        max_evaluation_share: evaluations may cost at most this share of the training FLOPs so far; beyond it,
            problems are sampled no further, and an evaluation that is due is left out.
        strategies: what may be served, such as "majority_vote"; empty: every strategy that is measured. Beside a
            deployable one an oracle is never chosen.
    """

    name: Literal["calibrated"] = "calibrated"
    risk: float = 0.1
    margin: float = 0.01
    max_k: int = 64
    min_used: float = 0.14
    patience: int = 2
    max_evaluation_share: float = 0.05
    strategies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 < self.risk < 1.0:
            raise argument_error("risk", "be above 0 and below 1", self.risk, "0.1 allows one bad stop in ten runs.")
        if not 0.0 <= self.margin < 1.0:
            raise argument_error("margin", "be a share from 0 up to 1", self.margin, "0.01 is one point of accuracy.")
        if not self.max_k >= 1 or self.max_k % 1:
            raise argument_error("max_k", "be a whole number of at least 1", self.max_k)
        if not 0.0 <= self.min_used < 1.0:
            raise argument_error("min_used", "be a share from 0 up to 1", self.min_used, "Divide percentages by 100.")
        if not self.patience >= 0 or self.patience % 1:
            raise argument_error("patience", "be a whole number of at least 0", self.patience)
        if not self.max_evaluation_share > 0.0:
            raise argument_error("max_evaluation_share", "be above 0", self.max_evaluation_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to serve the checkpoint, with the chance that it suffices."""

    curve: KCurve
    index: int
    flops: float
    expected_samples: float
    error: float
    """Standard error of the lead over the projection."""
    confidence: float
    exact_confidence: float
    """What `confidence` would be if the K-curve were known exactly: what more samples could bring it to."""

    @property
    def k(self) -> int:
        """Most samples per query."""
        return self.curve.k_values[self.index]


def decide_calibrated(
    history: Sequence[LearningPoint],
    k_curves: Sequence[KCurve],
    spec: RunSpec,
    policy: CalibratedPolicy,
    previous: Decision | None,
) -> Decision:
    """The decision of the calibrated rule; see `breakeven.stopping.decide.decide`.

    Source:
        Ours, docs/design/calibrated-policy.md.
    """
    now = history[-1]
    forecast = project(history, spec)
    curves = deployable(k_curves, policy.strategies)
    evaluation_flops = math.fsum(each.evaluation_flops for each in history)
    widest = max(curves, key=lambda curve: max(curve.accuracy_K))
    decision = Decision(
        action=Action.CONTINUE,
        reason=Reason.BUDGET_SPENT,
        step=now.step,
        used=now.train_flops / spec.budget_flops,
        policy=policy.name,
        baseline=spec.baseline,
        baseline_accuracy=baseline_accuracy(now, spec.baseline),
        forecast=forecast,
        k_curve=widest,
        gross_saving=1.0 - now.train_flops / spec.budget_flops,
        net_saving=1.0 - (now.train_flops + evaluation_flops) / spec.budget_flops,
        evaluation_flops=evaluation_flops,
        margin=policy.margin,
    )
    if now.train_flops >= spec.budget_flops:
        return decision
    if forecast.status is not FitStatus.FITTED:
        return replace(decision, reason=NO_FORECAST[forecast.status])
    if too_early(now, spec, policy):
        return replace(decision, reason=Reason.TOO_EARLY)
    options = candidates(now, curves, forecast, spec, policy)
    sufficient = [each for each in options if each.confidence >= 1.0 - policy.risk]
    if not sufficient:
        best = max(options, key=lambda each: each.confidence, default=None)
        reason = Reason.OUT_OF_REACH if best is None or best.confidence < 0.5 else Reason.UNSURE
        if best is not None:
            decision = replace(decision, confidence=best.confidence, k_curve=best.curve)
        return replace(decision, reason=reason)

    chosen = min(sufficient, key=lambda each: (each.flops, each.k))
    decision = replace(
        decision,
        streak=1 + (previous.streak if previous is not None else 0),
        confidence=chosen.confidence,
        k_curve=chosen.curve,
        serving=ServingPoint(
            step=now.step,
            strategy=chosen.curve.strategy,
            deployable=chosen.curve.deployable,
            k=chosen.k,
            accuracy=chosen.curve.accuracy_K[chosen.index],
            made=chosen.curve.made_K[chosen.index],
            flops_per_query=chosen.flops,
            expected_samples=chosen.expected_samples,
        ),
    )
    decision = _priced(decision, now, chosen, spec)
    reason = _timing(decision, now, curves, chosen, spec, policy)
    return replace(decision, reason=reason, action=Action.STOP if reason is Reason.REACHED else Action.CONTINUE)


def too_early(now: LearningPoint, spec: RunSpec, policy: CalibratedPolicy) -> bool:
    """Whether less of the budget is used than a projection may rest on."""
    return now.train_flops < policy.min_used * spec.budget_flops * (1.0 - 1e-9)


def project(history: Sequence[LearningPoint], spec: RunSpec) -> Forecast:
    """The fully trained model's one-sample accuracy, from the learning curve so far."""
    return forecast_accuracy(
        [each.train_flops for each in history],
        [baseline_accuracy(each, spec.baseline) for each in history],
        spec.budget_flops,
        num_problems=min(each.num_drawn if spec.baseline == "sampled" else each.num_problems for each in history),
        decay_share=spec.decay_share,
    )


def deployable(k_curves: Sequence[KCurve], strategies: Sequence[str] = ()) -> Sequence[KCurve]:
    """The curves to choose from: Pass@K by an oracle, an upper bound, only where no vote is there to be deployed.

    Where `strategies` are named, only they are chosen from, and one greedy sample.

    Raises:
        ArgumentError: none of them was measured, nor a greedy sample.
    """
    if strategies:
        measured = sorted({each.strategy for each in k_curves})
        k_curves = [each for each in k_curves if each.strategy in (*strategies, "greedy")]
        if not k_curves:
            raise argument_error("policy.strategies", f"name some of the measured {', '.join(measured)}", strategies)
    voted = any(each.deployable and each.k_values[-1] > 1 for each in k_curves)
    return [each for each in k_curves if each.deployable or not voted]


def candidates(
    now: LearningPoint, curves: Sequence[KCurve], forecast: Forecast, spec: RunSpec, policy: CalibratedPolicy
) -> list[Candidate]:
    """Every (strategy, K) that the caps allow, with its price and the chance that it suffices.

    The projection's upper side, the draws of the samples, the choice of problems and what the model will yet change in
    its answers are taken as independent normal errors.
    """
    upward = (forecast.hi - forecast.mean) / NORMAL_95
    unseen = now.disagreement / now.num_problems
    options = []
    for curve in curves:
        flops_K, expected_samples_K, allowed_K = query_price(now, curve, spec)
        lead_K = np.array(curve.accuracy_K) + policy.margin - forecast.mean
        drawn_K = (np.array(curve.accuracy_K) - np.array(curve.lo_K)) / NORMAL_95
        chosen_K = np.array(curve.paired_error_K) if curve.paired_error_K else np.zeros(len(lead_K))
        exact_K = np.sqrt(upward**2 + unseen) + np.zeros(len(lead_K))
        error_K = np.sqrt(np.square(exact_K) + np.square(drawn_K) + np.square(chosen_K))
        confidence_K = ndtr(lead_K / np.maximum(error_K, 1e-12))
        exact_confidence_K = ndtr(lead_K / np.maximum(exact_K, 1e-12))
        options += [
            Candidate(
                curve=curve,
                index=index,
                flops=float(flops_K[index]),
                expected_samples=float(expected_samples_K[index]),
                error=float(error_K[index]),
                confidence=float(confidence_K[index]),
                exact_confidence=float(exact_confidence_K[index]),
            )
            for index, k in enumerate(curve.k_values)
            if k <= policy.max_k and allowed_K[index]
        ]
    return options


def _priced(decision: Decision, now: LearningPoint, chosen: Candidate, spec: RunSpec) -> Decision:
    """The decision with what the rest of the model's life would cost."""
    baseline_query_flops = now.query_flops.total(1)
    break_even = break_even_queries(
        budget_flops=spec.budget_flops,
        train_flops=now.train_flops,
        evaluation_flops=decision.evaluation_flops,
        query_flops=chosen.flops,
        baseline_query_flops=baseline_query_flops,
    )
    decision = replace(decision, break_even_queries=break_even if math.isfinite(break_even) else None)
    if spec.queries is None:
        return decision
    return replace(
        decision,
        lifetime_flops=now.train_flops + decision.evaluation_flops + spec.queries * chosen.flops,
        full_lifetime_flops=spec.budget_flops + spec.queries * baseline_query_flops,
    )


def _timing(
    decision: Decision,
    now: LearningPoint,
    curves: Sequence[KCurve],
    chosen: Candidate,
    spec: RunSpec,
    policy: CalibratedPolicy,
) -> Reason:
    """Whether now is the time, given that `chosen` suffices."""
    if decision.net_saving is not None and decision.net_saving <= 0.0:
        return Reason.TOO_COSTLY
    if decision.lifetime_flops is not None and decision.full_lifetime_flops is not None and spec.queries is not None:
        if decision.lifetime_flops >= decision.full_lifetime_flops:
            return Reason.TOO_COSTLY
        assert decision.forecast is not None
        assert decision.baseline_accuracy is not None
        later = later_flops(
            now,
            curves,
            spec,
            queries=spec.queries,
            now_accuracy=decision.baseline_accuracy,
            full_accuracy=decision.forecast.mean,
            slack=float(ndtri(1.0 - policy.risk)) * chosen.error - policy.margin,
            max_k=policy.max_k,
        )
        if later < spec.queries * chosen.flops:
            return Reason.CHEAPER_LATER
    return Reason.REACHED if decision.streak >= policy.patience else Reason.WAITING
