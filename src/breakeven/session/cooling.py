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
    RunSpec,
    SampleBank,
    ServingPoint,
)
from breakeven.session.step import measured_of, see
from breakeven.stopping.cooldown import cheapest_as_good, expected_accuracy, pays_from, serving_at
from breakeven.stopping.course import Course
from breakeven.stopping.history import baseline_accuracy
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
    train_flops = session.train_flops(steps * step_tokens) - session.rollout_flops
    train_flops += (observation.rollout_flops or 0.0) * steps / observation.step
    # of the stop and of the cooled model, as a session whose log names a parent evaluates
    evaluation_flops = 2.0 * len(session.problems) * (query.total(session.num_samples) + query.total(1))
    evaluation_flops += 2.0 * (observation.validation_loss.flops if observation.validation_loss else 0.0)
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


def plan_of(
    session: "Session", stop: CheckpointRecord, *, share: float, step_tokens: int, last_step: int | None = None
) -> Cooldown:
    """The cooldown of a stop as the log has it; planned and recorded where it has none of this stop.

    Args:
        session: of the run that stops.
        stop: where it does.
        share: steps of the cooldown, as a share of those up to the stop.
        step_tokens: tokens of a step.
        last_step: of a loop that ends there in any case; None: it goes on as long as is asked.
    """
    log, at = session.log, stop.observation.step
    assert log is not None, "a stop that is cooled down is recorded"
    if log.cooldown is None or log.cooldown.step != at:
        steps = max(1, round(share * at))
        plan = planned(session, stop, branch=f"cooldown/step-{at:06d}", steps=steps, step_tokens=step_tokens)
        log.append(plan if last_step is None or at + steps <= last_step else replace(plan, left_out="end"))
    assert log.cooldown is not None, "which was just recorded"
    return log.cooldown


def branch_spec(session: "Session", *, train_tokens: int, decay_share: float) -> RunSpec:
    """What is declared of a branch that ends at `train_tokens`: a budget of its own, and nothing at which it stops."""
    return replace(
        session.spec,
        budget_flops=session.train_flops(train_tokens),
        decay_share=decay_share,
        like=(),
        target=None,
        hours=None,
        max_evaluation_seconds_share=None,
    )


def weighed(
    session: "Session", stop: CheckpointRecord, plan: Cooldown, stopped: Observation, cooled: Observation
) -> Cooldown:
    """What the cooldown was worth: the serving point that stands in for that of the stop, if there is one.

    Args:
        session: of the run that stops, which has not gone on past it.
        stop: where it does.
        plan: of the cooldown.
        stopped: the model of the stop, at the beginning of the branch.
        cooled: the end of the branch.
    """
    course, spec = course_before(session, stop), session.spec  # both curves are told from as many earlier answers
    before, after = see(course, measured_of(stopped)), see(course, measured_of(cooled))
    served = serving_at(before.point, before.curves, spec, _served(stop))
    now = serving_at(after.point, after.curves, spec, served)
    serving = cheapest_as_good(after.point, after.curves, spec, served)
    evaluation_flops = stopped.evaluation_flops + cooled.evaluation_flops
    spent_flops = cooled.train_flops + evaluation_flops + stop.observation.evaluation_flops
    spent_flops += course.evaluation_flops or 0.0
    return replace(
        plan,
        cooled=Cooled(
            evaluation_flops=evaluation_flops,
            baseline_accuracy=baseline_accuracy(after.point, spec.baseline),
            stopped_accuracy=served.accuracy,
            accuracy=now.accuracy,
            made=now.made,
            standard_error=_standard_error(stopped.bank, cooled.bank, served),
            serving=serving,
            net_saving=1.0 - spent_flops / spec.budget_flops,
            break_even_queries=None
            if serving is None
            else pays_from(plan.train_flops + evaluation_flops, served.flops_per_query, serving.flops_per_query),
        ),
    )


def course_before(session: "Session", stop: CheckpointRecord) -> Course:
    """The course of a run up to a checkpoint, which is not in it."""
    course = replace(session.course, points=(), decision=None, right_P=(), answers_P=())
    for each in session.checkpoints:
        if each.observation.step < stop.observation.step:
            course = course.then(learning_point(each.observation), each.decision)
    return course


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
