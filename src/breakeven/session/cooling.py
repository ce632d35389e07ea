"""COOLING DOWN: a decided stop, a branch from it whose learning rate falls to the end, and which of the two is served.

The session says what the branch would cost and what it expects, and once the branch was measured, what it was worth.
Training it is the loop's.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from breakeven.records import (
    CHECK_FAILED,
    CheckpointRecord,
    Cooldown,
    Cooled,
    Made,
    Observation,
    Parent,
    RunSpec,
    SampleBank,
    ServingPoint,
)
from breakeven.session.step import measured_of, see
from breakeven.stopping.cooldown import accuracy_at, cheapest_as_good, expected_accuracy, pays_from
from breakeven.stopping.course import Course
from breakeven.stopping.history import baseline_accuracy
from breakeven.store import RunLog
from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.tally import learning_point, tally_of

if TYPE_CHECKING:
    from breakeven.session.session import Session


def planned(session: "Session", stop: CheckpointRecord, *, branch: str, steps: int, step_tokens: int) -> Cooldown:
    """What a cooldown from a stop costs and what it is expected to bring, before it is run.

    Args:
        session: of the run that stops.
        stop: where it does.
        branch: the directory of the branch, seen from the run's.
        steps: of the cooldown.
        step_tokens: tokens of a step.
    """
    spec, observation, query = session.spec, stop.observation, stop.observation.query_flops
    train_flops = session.train_flops(steps * step_tokens)
    bank, loss = observation.bank, observation.validation_loss
    evaluation_flops = sum(query.total(len(row)) for row in bank.correct_PN if row) + bank.num_problems * query.total(1)
    evaluation_flops += loss.flops if loss else 0.0
    cost_flops, left_flops = train_flops + evaluation_flops, spec.budget_flops - observation.train_flops
    least = pays_from(cost_flops, _served(stop).flops_per_query, query.total(1))
    average = observation.average
    now = observation if average is None else replace(observation, bank=average)
    expected = expected_accuracy(
        baseline_accuracy(learning_point(now), spec.baseline),
        (*course_before(session, stop).points, learning_point(observation)),
        spec,
        is_average=average is not None,
    )
    too_few = least is not None and spec.queries is not None and spec.queries < least
    return Cooldown(
        step=observation.step,
        branch=branch,
        steps=steps,
        train_flops=train_flops,
        evaluation_flops=evaluation_flops,
        expected=expected[0],
        expected_lo=expected[1],
        expected_hi=expected[2],
        expected_by="prior" if average is None else "average",
        least_queries=least,
        left_out="end" if cost_flops >= left_flops else "queries" if too_few else None,
    )


def branch_spec(session: "Session", *, train_tokens: int, decay_share: float) -> RunSpec:
    """What is declared of a branch that ends at `train_tokens`: as of the run, with a budget of its own."""
    return replace(
        session.spec,
        budget_flops=session.train_flops(train_tokens),
        decay_share=decay_share,
        like=(),
        hours=None,
        max_evaluation_seconds_share=None,
    )


def weighed(session: "Session", stop: CheckpointRecord, plan: Cooldown, observation: Observation) -> Cooldown:
    """What the cooldown was worth: the serving point that stands in for that of the stop, if there is one.

    Args:
        session: of the run that stops, which has not gone on past it.
        stop: where it does.
        plan: of the cooldown.
        observation: the end of the branch, on the problems and with the seeds of the stop.
    """
    served, spec = _served(stop), session.spec
    course = course_before(session, stop)  # so that both curves are told from as many earlier answers
    seen = see(course, measured_of(observation))
    serving = cheapest_as_good(seen.point, seen.curves, spec, served)
    accuracy, made = accuracy_at(seen.curves, served)
    cost_flops = plan.train_flops + observation.evaluation_flops
    spent_flops = observation.train_flops + (seen.evaluation_flops or 0.0) + stop.observation.evaluation_flops
    return replace(
        plan,
        cooled=Cooled(
            evaluation_flops=observation.evaluation_flops,
            baseline_accuracy=baseline_accuracy(seen.point, spec.baseline),
            stopped_accuracy=served.accuracy,
            accuracy=accuracy,
            made=made,
            standard_error=_standard_error(stop.observation.bank, observation.bank, served),
            serving=serving,
            net_saving=1.0 - spent_flops / spec.budget_flops,
            break_even_queries=None
            if serving is None
            else pays_from(cost_flops, served.flops_per_query, serving.flops_per_query),
        ),
    )


def parent_of(stop: CheckpointRecord, log: RunLog) -> Parent:
    """What a branch two folders below says of the run that it comes from."""
    drawn = [len(row) for row in stop.observation.bank.correct_PN]
    if drawn == sorted(drawn, reverse=True):  # as every session draws
        draws = tuple((sum(each >= most for each in drawn), most) for most in sorted({*drawn} - {0}))
    else:
        draws = ((len(drawn), max(drawn)),)
    return Parent(run="../..", step=stop.observation.step, fingerprint=log.fingerprint, draws=draws)


def course_before(session: "Session", stop: CheckpointRecord) -> Course:
    """The course of a run up to a checkpoint, which is not in it."""
    course = replace(session.course, points=(), decision=None, right_P=(), answers_P=())
    for each in session.checkpoints:
        if each.observation.step < stop.observation.step:
            course = course.then(learning_point(each.observation), each.decision)
    return course


def num_drawn(observation: Observation) -> int:
    """Samples a problem, the most of any, by which a cooled model is compared with an observed one."""
    return max(1, observation.bank.num_samples)


def _served(stop: CheckpointRecord) -> ServingPoint:
    """What is served of a stop: of a rule that names nothing, one greedy sample."""
    if stop.decision.serving is not None:
        return stop.decision.serving
    bank = stop.observation.bank
    return ServingPoint(
        step=stop.observation.step,
        strategy="greedy",
        deployable=True,
        k=1,
        accuracy=bank.greedy_accuracy,
        made=Made.MEASURED,
        flops_per_query=stop.observation.query_flops.total(1),
    )


def _standard_error(stopped: SampleBank, cooled: SampleBank, served: ServingPoint) -> float | None:
    """Of the difference of two models in what is served, over the problems that can be paired."""
    k = min(served.k, stopped.num_samples or 1)
    kept = [
        place
        for place, pair in enumerate(zip(stopped.greedy_correct_P, cooled.greedy_correct_P, strict=True))
        if CHECK_FAILED not in pair and (served.strategy == "greedy" or len(stopped.correct_PN[place]) >= k)
    ]
    if len(kept) < 2:
        return None
    before_P, after_P = (
        accuracy_per_problem(tally_of(bank.of(kept)), served.strategy, k) for bank in (stopped, cooled)
    )
    difference_P = after_P - before_P
    difference_P = difference_P[np.isfinite(difference_P)]  # NaN: fewer than K samples were graded
    return float(difference_P.std(ddof=1) / len(difference_P) ** 0.5) if len(difference_P) > 1 else None
