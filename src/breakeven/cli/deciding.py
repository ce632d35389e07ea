"""Decisions on an evaluation log: one a checkpoint as if the run had been watched, and what to do and to serve now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from breakeven.choice.choose import best
from breakeven.cli.query_costs import QueryCosts
from breakeven.errors import ArgumentError, argument_error
from breakeven.readers import EvalLog
from breakeven.records import Decision, LearningPoint, Made, Reason, RunSpec, ServingPoint
from breakeven.session.tallied import decide_tallied, held, varied
from breakeven.stopping.candidates import deployable
from breakeven.stopping.course import Course, Policy, Seen
from breakeven.stopping.patience import policy_settings
from breakeven.ttc.tally import point_of

_WORTH = 0.9
"""An earlier checkpoint is served in the place of the last where a query then costs at most this share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """Today's question: may training stop, and which of the checkpoints is served, with how many samples?"""

    decision: Decision
    """On the checkpoint to be served, against what today is projected; its `used` is today's."""
    best: ServingPoint | None
    """The most accurate that was measured and can be served. Of several it is the luckiest too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A log with one decision a checkpoint, and today's."""

    log: EvalLog
    spec: RunSpec
    policy: Policy
    decisions: tuple[Decision, ...]
    """As they would have been taken in turn."""
    points: tuple[LearningPoint, ...]
    seen: tuple[Seen, ...]
    """What each checkpoint was decided on."""
    now: Now
    remarks: tuple[str, ...]
    """What was handled at which checkpoint, in sentences."""

    @property
    def final(self) -> int:
        """Place of the first stop, or else of the last checkpoint."""
        return next((place for place, each in enumerate(self.decisions) if each.stop), len(self.decisions) - 1)


def decide_on(log: EvalLog, spec: RunSpec, policy: Policy, costs: QueryCosts | None) -> Decided:
    """The decisions on a log.

    Raises:
        ArgumentError: the policy needs more samples than a checkpoint has.
        LogError: a fault in the log.
    """
    course = Course(spec=spec, policy=policy)
    before = course
    seen_C: list[Seen] = []
    decisions: list[Decision] = []
    remarks: dict[str, tuple[int, int]] = {}
    for checkpoint in log:
        tally = checkpoint.tally
        _check_samples(policy, int(tally.samples_P.min()), checkpoint.step)
        point = point_of(
            tally,
            step=checkpoint.step,
            train_flops=checkpoint.train_flops,
            evaluation_flops=None if costs is None else costs.evaluation_flops(tally) * checkpoint.stands_for,
            query_flops=None if costs is None else costs.query_flops,
            output_tokens=None if costs is None else costs.output_tokens,
            validation_loss=checkpoint.validation_loss,
        )
        notes = checkpoint.notes
        if tally.samples_P.max() == 1:  # nothing tells what more samples would bring
            notes = (*notes, "One sample of each problem says nothing of K above 1: draw at least 4 of each.")
        before, course, seen, decision = decide_tallied(course, tally, point)
        seen_C.append(seen)
        decisions.append(decision)
        for note in notes:
            first, count = remarks.get(note, (checkpoint.step, 0))
            remarks[note] = (first, count + 1)
    return Decided(
        log=log,
        spec=spec,
        policy=policy,
        decisions=tuple(decisions),
        points=tuple(course.points),
        seen=tuple(seen_C),
        now=_now(before, seen_C, decisions[-1]),
        remarks=tuple(_remark(note, *where, len(log)) for note, where in remarks.items()),
    )


def _now(course: Course, seen_C: Sequence[Seen], last: Decision) -> Now:
    """Today's decision, with `course` as it was before the last checkpoint.

    The last checkpoint is decided on by the rule. An earlier one can be served as well, at no further training; as the
    luckiest of many is chosen, each of them has to suffice at the risk divided by their number.
    """
    today, settings = seen_C[-1], policy_settings(course.policy)
    chosen, others = last, seen_C[:-1]
    if "risk" in settings and others and last.reason is not Reason.BUDGET_SPENT:
        strict = varied(course.policy, risk=settings["risk"] / len(others))
        for each in others:
            then = Seen(
                point=replace(each.point, train_flops=today.point.train_flops),
                curves=each.curves,
                forecast=today.forecast,
                evaluation_flops=today.evaluation_flops,
            )
            decision = held(strict.decide(course, then), each.point.num_problems)
            if decision.stop and (not chosen.stop or _price(decision) < _price(chosen) * _WORTH):
                chosen = decision
    return Now(decision=chosen, best=None if last.reason is Reason.TOO_FEW_PROBLEMS else _best(seen_C, course))


def _price(decision: Decision) -> float:
    """By which serving points are compared: FLOPs of a query, or where those are unknown its samples."""
    serving = decision.serving
    if serving is None:
        return 0.0
    return serving.flops_per_query or serving.expected_samples or serving.k


def _best(seen_C: Sequence[Seen], course: Course) -> ServingPoint | None:
    points = [
        ServingPoint.on(curve, place, step=seen.point.step, deployable=True)
        for seen in seen_C
        for curve in deployable(seen.curves, (), course.spec.checker)
        for place, (k, made) in enumerate(zip(curve.k_values, curve.made_K, strict=True))
        if made is Made.MEASURED and k <= course.policy.max_k
    ]
    return best(points, price=lambda each: (each.k, -each.step), value=lambda each: round(each.accuracy, 3))


def _check_samples(policy: Policy, num_samples: int, step: int) -> None:
    try:
        policy.check(num_samples)
    except ArgumentError as error:
        rule = f"be one that can decide on the {num_samples} samples that some problem has at step {step}"
        raise argument_error("--policy", rule, policy.name, f"{error}") from None


def _remark(note: str, step: int, count: int, of: int) -> str:
    if count == of:
        return note
    return f"Step {step}{f' and {count - 1} more' if count > 1 else ''}: {note}"
