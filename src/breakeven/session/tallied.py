"""A decision on counts that somebody else made, which may be few: of an evaluation log, or of what a trial reports."""

from dataclasses import replace

from breakeven.config import policy_from
from breakeven.records import Action, Decision, LearningPoint, Reason
from breakeven.session.step import Measured, conclude, see
from breakeven.stopping.course import Course, Policy, Seen
from breakeven.stopping.patience import policy_settings
from breakeven.ttc.tally import Tally

MIN_PROBLEMS = 20
"""Fewer are too few to advise a stop on."""


def decide_tallied(course: Course, tally: Tally, point: LearningPoint) -> tuple[Course, Course, Seen, Decision]:
    """The decision at a checkpoint of which these counts are all that is known.

    Where no problem has more than one sample nothing tells what more samples would bring: then K is 1.

    Returns:
        The course that was decided on, the course with this checkpoint, what was seen, and the decision.
    """
    single = tally.samples_P.max() == 1
    before = replace(course, policy=varied(course.policy, max_k=1)) if single else course
    after, seen, decision = conclude(before, see(before, Measured(tally=tally, point=point)))
    decision = held(decision, tally.num_problems)
    return before, replace(after, policy=course.policy, decision=decision), seen, decision


def held(decision: Decision, num_problems: int) -> Decision:
    """The decision, or none where it would rest on too few problems."""
    if num_problems >= MIN_PROBLEMS or decision.reason is Reason.BUDGET_SPENT:
        return decision
    reason = Reason.TOO_FEW_PROBLEMS
    return replace(
        decision, action=Action.CONTINUE, reason=reason, serving=None, confidence=None, outlook=None, streak=0
    )


def varied(policy: Policy, **changes: object) -> Policy:
    """The policy with other settings."""
    return policy_from(policy_settings(policy) | changes)
