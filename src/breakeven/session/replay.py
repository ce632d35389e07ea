"""Deciding from records alone: the same step as live, with nothing left to draw."""

import dataclasses
from collections.abc import Collection, Sequence

from breakeven.records import BudgetChange, Decision, Observation, RunSpec, spec_at
from breakeven.session.step import conclude, measured_of, see
from breakeven.stopping.course import Course, Policy


def replay(
    observations: Sequence[Observation],
    spec: RunSpec,
    policy: Policy,
    changes: Sequence[BudgetChange] = (),
    *,
    at: Collection[int] | None = None,
    recorded: Sequence[Decision] = (),
) -> tuple[Decision, ...]:
    """One decision an observation, as these settings take them on the samples that were recorded.

    Args:
        observations: of the checkpoints, in order.
        spec: what was declared when the run was begun.
        policy: the rule.
        changes: other budgets that were declared later.
        at: places of the observations that are decided on, the first among them; all others are earlier checkpoints
            of these alone. None: all.
        recorded: with `at`, what these settings decided at each observation: a decision follows the one before it.
            Empty: it follows the last one taken.

    Equal bit for bit to the recorded decisions where spec and policy are the recorded ones, on a machine and with
    library versions like the run's (the log's first line names them); elsewhere equal but for last digits.
    """
    course = Course(spec=spec, policy=policy)
    decisions: list[Decision] = []
    for place, observation in enumerate(observations):
        course = dataclasses.replace(course, spec=spec_at(observation.step, spec, changes))
        measured = measured_of(observation)
        if at is None or place in at:
            course, _, decision = conclude(course, see(course, measured))
            decisions.append(decision)
        else:
            course = course.then(measured.point, recorded[place] if recorded else decisions[-1])
    return tuple(decisions)
