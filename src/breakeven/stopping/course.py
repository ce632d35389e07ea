"""The course of a run, checkpoint by checkpoint, as a pure fold; and what it asks of a policy.

A course knows the checkpoints before and the last decision. At the next checkpoint it turns the point of the learning
curve and the K-curves into what is `Seen`, the policy decides on that, and `then` gives the course one checkpoint on.
Live, simulated, recorded and replayed runs, and somebody's evaluations, all take their decisions through it
(`breakeven.session.step`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal, Protocol, Self, runtime_checkable

import numpy as np

from breakeven import check
from breakeven.choice.break_even import break_even
from breakeven.errors import argument_error
from breakeven.records import Action, Decision, Forecast, KCurve, LearningPoint, Reason, RunSpec, Witness
from breakeven.records.observations import Counts
from breakeven.records.options import EVALUATION, UNRATED, Option
from breakeven.stopping.forecast import forecast_accuracy, known
from breakeven.stopping.history import History, baseline_accuracy

_MOST_K: Final = 1 << 16


def largest_k(max_k: int) -> None:
    """Check the largest K of a policy: curves are read at every K up to it, and a log of another may hold any.

    Raises:
        ArgumentError: it is no whole number, or out of range.
    """
    if check.whole("max_k", max_k, 1) > _MOST_K:
        raise argument_error("max_k", f"be at most {_MOST_K}", max_k, "Curves are read at every K up to it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a policy rests on: which K-curves of a checkpoint, and which projection of the learning curve."""

    method: Literal["paper", "calibrated"] = "calibrated"
    """Of the K-curves and of the projection alike."""
    max_k: int = 64
    """Largest K at which a curve is read."""
    strategies: tuple[str, ...] | None = None
    """Which curves; None: all that the samples allow without being asked for."""
    fit_k_values: tuple[int, ...] = (1, 2, 4)
    """Method "paper": sample counts at which Pass@K is measured and the sigmoid fitted."""
    fluctuation_filter: bool = True
    """Method "paper": whether the projection leaves out points below the last kept one."""
    strata: bool = False
    """Method "calibrated": whether Pass@K is told in strata of problems that were solved about as often at earlier
    checkpoints, as far as these are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One checkpoint as far as it was sampled: all that a decision at it rests on besides the course before."""

    point: LearningPoint
    curves: tuple[KCurve, ...]
    forecast: Forecast
    """Of the fully trained model, this checkpoint included."""
    evaluation_flops: float | None
    """E: evaluation FLOPs of this and all earlier checkpoints; None if unknown."""


@runtime_checkable
class Policy(Protocol):
    """A stop rule: settings and pure methods, no state. What it may remember is the course.

    A rule for K checkpoints in a row is wrapped: `breakeven.stopping.patience.Patience`.
    """

    @property
    def name(self) -> str:
        """Name of the rule, as recorded."""
        ...

    @property
    def max_k(self) -> int:
        """Largest K considered."""
        ...

    @property
    def max_evaluation_share(self) -> float:
        """Evaluations may cost at most this share of the training FLOPs so far; `math.inf` for no limit."""
        ...

    @property
    def needs(self) -> Needs:
        """What it rests on."""
        ...

    def check(self, num_samples: int) -> None:
        """Nothing, if it can decide on so many samples per problem.

        Raises:
            ArgumentError: it needs more.
        """
        ...

    def wants(self, course: "Course", seen: Seen | None, drawn: tuple[int, int]) -> tuple[int, int] | None:
        """The next (problems, samples for each in all) to draw at this checkpoint, or None to decide.

        Args:
            course: the checkpoints before.
            seen: what was drawn until now; None: nothing was looked at yet, and what is asked for is what no checkpoint
                goes without.
            drawn: (problems, samples) until now; (0, 0) at first, where only greedy samples are there.
        """
        ...

    def trusts(self, course: "Course", seen: Seen) -> bool:
        """Whether a decision to stop could rest on this checkpoint: else nothing more is spent on it."""
        ...

    def decide(self, course: "Course", seen: Seen) -> Decision:
        """Continue or stop here."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """The checkpoints of a run so far, under one spec and one policy."""

    spec: RunSpec
    policy: Policy
    num_problems: int = 0
    """P, that may be sampled at a checkpoint; 0 where nothing more is drawn."""
    num_samples: int = 0
    """N, most samples per problem; 0 where nothing more is drawn."""
    points: Sequence[LearningPoint] = ()
    """Without their answers by problem, which are summed below."""
    decision: Decision | None = None
    """At the last of `points`."""
    right_P: Counts = field(default=(), compare=False)
    """Right answers to each problem over all of `points`; empty where their points do not know them."""
    answers_P: Counts = field(default=(), compare=False)
    """How many there were."""

    def __post_init__(self) -> None:
        if not isinstance(self.points, History):
            object.__setattr__(self, "points", History(self.points))

    @property
    def evaluation_flops(self) -> float | None:
        """Of all checkpoints; None where those of some are unknown."""
        assert isinstance(self.points, History), "made so"
        return self.points.evaluation_flops()

    def evaluation_seconds(self, *later: LearningPoint) -> float | None:
        """Wall time of the evaluations of all checkpoints, and of `later` ones; None where that of some is unknown."""
        assert isinstance(self.points, History), "made so"
        return self.points.evaluation_seconds(*later)

    def see(self, point: LearningPoint, curves: tuple[KCurve, ...]) -> Seen:
        """The next checkpoint: its place on the learning curve with its K-curves, and the projection from there.

        Raises:
            ArgumentError: training FLOPs that do not increase or exceed the budget, or an unmeasured baseline.
        """
        needs, spec, points = self.policy.needs, self.spec, self.points
        assert isinstance(points, History), "made so"
        accuracy, fewest = baseline_accuracy(point, spec.baseline), points.fewest(point)
        if spec.target is not None:
            train_flops = points.column("train_flops", point.train_flops)
            forecast = known(spec.target, train_flops, points.accuracy(spec.baseline, accuracy), spec.budget_flops)
        else:
            num_problems = fewest[1] if spec.baseline == "sampled" else fewest[0]
            forecast = _forecast(
                points.column("train_flops", point.train_flops).tobytes(),
                points.accuracy(spec.baseline, accuracy).tobytes(),
                points.column("validation_loss", point.validation_loss).tobytes(),
                num_problems,
                needs.method,
                needs.fluctuation_filter,
                spec.budget_flops,
                spec.decay_share,
                spec.like,
                spec.baseline,
            )
        return Seen(point=point, curves=curves, forecast=forecast, evaluation_flops=points.evaluation_flops(point))

    def undecided(self, seen: Seen, curves: Sequence[KCurve]) -> Decision:
        """CONTINUE with what every rule says of a checkpoint, and for want of a choice the highest of `curves`."""
        used = seen.point.train_flops / self.spec.budget_flops
        return Decision(
            action=Action.CONTINUE,
            reason=Reason.BUDGET_SPENT,
            step=seen.point.step,
            used=used,
            policy=self.policy.name,
            baseline=self.spec.baseline,
            baseline_accuracy=baseline_accuracy(seen.point, self.spec.baseline),
            forecast=seen.forecast,
            k_curve=max(curves, key=lambda curve: max(curve.accuracy_K)),
            gross_saving=1.0 - used,
            net_saving=None
            if seen.evaluation_flops is None
            else 1.0 - (seen.point.train_flops + seen.evaluation_flops) / self.spec.budget_flops,
            evaluation_flops=seen.evaluation_flops,
        )

    def priced(self, decision: Decision, seen: Seen, query_flops: float | None) -> Decision:
        """A decision for a serving point of so many FLOPs per query, with what the rest of the model's life costs."""
        spec, now = self.spec, seen.point
        baseline_query_flops = _one_sample_flops(seen, spec)
        if query_flops is None or baseline_query_flops is None or seen.evaluation_flops is None:
            return decision
        stopped = Option(
            name="stopped",
            train_flops=now.train_flops,
            one_off={EVALUATION: seen.evaluation_flops},
            query_flops=query_flops,
            quality=UNRATED,
        )
        full = Option(
            name="fully trained", train_flops=spec.budget_flops, query_flops=baseline_query_flops, quality=UNRATED
        )
        queries = break_even(stopped, full)
        decision = replace(decision, break_even_queries=queries if math.isfinite(queries) else None)
        if spec.queries is None or decision.confidence is None:
            return decision
        return replace(
            decision, lifetime_flops=stopped.total(spec.queries), full_lifetime_flops=full.total(spec.queries)
        )

    def affords(self, train_flops: float, further_flops: float) -> bool:
        """Whether so much more evaluation stays within the policy's share of the training so far."""
        return (self.evaluation_flops or 0.0) + further_flops <= self.policy.max_evaluation_share * train_flops

    def then(self, point: LearningPoint, decision: Decision) -> Self:
        """The course with one checkpoint more."""
        right_P, answers_P = point.right_P, point.answers_P
        if len(answers_P) == len(self.answers_P):
            right_P, answers_P = np.add(self.right_P, right_P), np.add(self.answers_P, answers_P)
        summed = replace(point, right_P=(), answers_P=())  # of 1,000 checkpoints x 10,000 problems 160 MB otherwise
        assert isinstance(self.points, History), "made so"
        points = self.points.plus(summed)
        return replace(self, points=points, decision=decision, right_P=right_P, answers_P=answers_P)


@lru_cache(maxsize=8)
def _forecast(
    train_flops: bytes,
    accuracy: bytes,
    validation_loss: bytes,
    num_problems: int,
    method: Literal["paper", "calibrated"],
    fluctuation_filter: bool,
    budget_flops: float,
    decay_share: float | None,
    like: tuple[Witness, ...],
    baseline: str,
) -> Forecast:
    """The projection from a curve, which comes again after each draw, and under other workloads, risks and policies."""
    flops_C, accuracy_C, loss_C = map(np.frombuffer, (train_flops, accuracy, validation_loss))
    return forecast_accuracy(
        flops_C,
        accuracy_C,
        budget_flops,
        num_problems=num_problems,
        method=method,
        fluctuation_filter=fluctuation_filter,
        decay_share=decay_share,
        like=like,
        baseline=baseline,
        validation_loss=loss_C,
    )


def _one_sample_flops(seen: Seen, spec: RunSpec) -> float | None:
    """FLOPs of a query of the fully trained model: with one sample as long as this checkpoint's; None if unknown."""
    greedy = next((each for each in seen.curves if each.strategy == "greedy" and each.flops_K), None)
    if greedy is not None and spec.baseline == "greedy":
        return greedy.flops_K[0]
    return None if seen.point.query_flops is None else seen.point.query_flops.total(1)
