"""Continue or stop, as a pure function of what was recorded; the rules by name."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from breakeven.records import Decision, KCurve, LearningPoint, RunSpec
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Course, Policy
from breakeven.stopping.history import check_history
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience

RULES: Mapping[str, tuple[type[Policy], int]] = MappingProxyType(
    {"calibrated": (CalibratedPolicy, 1), "paper": (PaperPolicy, 5)}
)
"""The rules by name, each with the patience it has where none is given."""


def default_policy() -> Policy:
    """The calibrated rule: it stops at the first checkpoint with a serving point that suffices."""
    rule, checkpoints = RULES["calibrated"]
    return Patience(rule(), checkpoints)


def decide(
    history: Sequence[LearningPoint],
    k_curves: Sequence[KCurve],
    spec: RunSpec,
    policy: Policy,
    previous: Decision | None = None,
) -> Decision:
    """The decision at the last checkpoint of `history`.

    Args:
        history: all checkpoints so far, in order of training FLOPs.
        k_curves: accuracy against K of the last checkpoint, one a strategy, made as `policy.needs` says.
        spec: what the user declared.
        policy: the rule, with its settings.
        previous: the decision at the checkpoint before, from which checkpoints in a row are counted; None at the first.

    Raises:
        ArgumentError: `history` or `k_curves` is empty, or the checkpoints are out of order or above the budget.
    """
    check_history(history, k_curves)
    course = Course(spec=spec, policy=policy, points=tuple(history[:-1]), decision=previous)
    return policy.decide(course, course.see(history[-1], tuple(k_curves)))
