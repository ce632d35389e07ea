"""What each checkpoint could be served with: every strategy and some of its K, by the curves that decisions rest on."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from breakeven.evenly import evenly
from breakeven.records import (
    BudgetChange,
    Decision,
    KCurve,
    LearningPoint,
    Observation,
    RunSpec,
    ServingPoint,
    spec_at,
)
from breakeven.session.step import Measured, curves_at, measured_of
from breakeven.stopping.candidates import deployable
from breakeven.stopping.course import Course, Policy
from breakeven.stopping.lifetime import query_price

MOST: Final = 100
"""Checkpoints of a run whose offers are told, evenly chosen of more."""


def offers(
    observations: Sequence[Observation],
    decisions: Sequence[Decision],
    spec: RunSpec,
    policy: Policy,
    changes: Sequence[BudgetChange] = (),
) -> list[ServingPoint]:
    """What the checkpoints of a log offer: those that are `told`.

    Args:
        observations: of all checkpoints, in order.
        decisions: on them.
        spec: what was declared when the run was begun.
        policy: the run's.
        changes: other budgets that were declared later.
    """
    found: list[ServingPoint] = []
    for _, measured, curves, declared in measured_at(observations, decisions, spec, policy, changes):
        found += offers_at(measured.point, curves, declared)
    return found


def measured_at(
    observations: Sequence[Observation],
    decisions: Sequence[Decision],
    spec: RunSpec,
    policy: Policy,
    changes: Sequence[BudgetChange] = (),
) -> Iterator[tuple[int, Measured, tuple[KCurve, ...], RunSpec]]:
    """Of each checkpoint that is `told`: its place, what was measured, its K-curves, and the spec that held there.

    Args are those of `offers`.
    """
    places = told(decisions)
    course = Course(spec=spec, policy=policy)
    for place, (observation, decision) in enumerate(zip(observations, decisions, strict=True)):
        course = replace(course, spec=spec_at(observation.step, spec, changes))
        measured = measured_of(observation)
        if place in places:
            yield place, measured, curves_at(course, measured), course.spec
        course = course.then(measured.point, decision)


def told(decisions: Sequence[Decision]) -> set[int]:
    """Places of the checkpoints whose offers are told: at most `MOST`, evenly chosen, the first stop and the last."""
    first = next((place for place, each in enumerate(decisions) if each.stop), len(decisions) - 1)
    return {*evenly(len(decisions), MOST), first, len(decisions) - 1}


def offers_at(point: LearningPoint, curves: Iterable[KCurve], spec: RunSpec) -> list[ServingPoint]:
    """What one checkpoint offers: K that are powers of two and the largest, as far as the spec's caps allow."""
    curves = list(curves)
    servable = {each.strategy for each in deployable(curves, (), spec.checker) if each.deployable}
    found = []
    for curve in curves:
        flops_K, samples_K, allowed_K = query_price(point, curve, spec)
        found += [
            ServingPoint.on(
                curve,
                place,
                step=point.step,
                flops_per_query=None if flops_K is None else float(flops_K[place]),
                expected_samples=float(samples_K[place]),
                deployable=curve.strategy in servable,
            )
            for place in curve.some_places
            if allowed_K[place]
        ]
    return found
