"""Patience: stop only where a rule has found a serving point at so many checkpoints in a row."""

from dataclasses import asdict, dataclass, is_dataclass, replace
from typing import Any

from breakeven.errors import argument_error
from breakeven.records import Action, Decision, Reason
from breakeven.stopping.course import Course, Needs, Policy, Seen


@dataclass(frozen=True, slots=True)
class Patience:
    """A policy that waits until `rule` finds a serving point that suffices for the `checkpoints`-th time in a row.

    Args:
        rule: the policy whose stops are to be confirmed. Its other decisions stand.
        checkpoints: how many in a row, counted from the decisions before; 0 and 1 both stop at the first.

    Source:
        arXiv 2601.01332, Algorithm 1, step 4 (the paper's patience); for other rules ours.
    """

    rule: Policy
    checkpoints: int = 2

    def __post_init__(self) -> None:
        if not self.checkpoints >= 0 or self.checkpoints % 1:
            raise argument_error("patience", "be a whole number of at least 0", self.checkpoints)

    @property
    def name(self) -> str:
        """The rule's."""
        return self.rule.name

    @property
    def max_k(self) -> int:
        """The rule's."""
        return self.rule.max_k

    @property
    def max_evaluation_share(self) -> float:
        """The rule's."""
        return self.rule.max_evaluation_share

    @property
    def needs(self) -> Needs:
        """The rule's."""
        return self.rule.needs

    def check(self, num_samples: int) -> None:
        """The rule's."""
        self.rule.check(num_samples)

    def wants(self, course: Course, seen: Seen | None, drawn: tuple[int, int]) -> tuple[int, int] | None:
        """The rule's."""
        return self.rule.wants(course, seen, drawn)

    def trusts(self, course: Course, seen: Seen) -> bool:
        """The rule's."""
        return self.rule.trusts(course, seen)

    def decide(self, course: Course, seen: Seen) -> Decision:
        """The rule's decision, its stop deferred until the streak is long enough."""
        decision = self.rule.decide(course, seen)
        if decision.serving is None and not decision.stop:
            return decision
        streak = 1 + (course.decision.streak if course.decision is not None else 0)
        decision = replace(decision, streak=streak)
        if decision.stop and streak < self.checkpoints:
            return replace(decision, action=Action.CONTINUE, reason=Reason.WAITING)
        return decision


def policy_settings(policy: Policy) -> dict[str, Any]:
    """The settings of a policy, flat, as recipes and logs hold them: those of the rule, with its `patience`.

    A rule of somebody else is named as `package.module:Name`, so that a log can be replayed.
    """
    if isinstance(policy, Patience):
        return policy_settings(policy.rule) | {"patience": policy.checkpoints}
    settings: object = policy
    own = asdict(settings) if is_dataclass(settings) and not isinstance(settings, type) else {}
    kind = type(policy)
    ours = kind.__module__.startswith(__name__.rpartition(".")[0])
    return own | {"name": policy.name if ours else f"{kind.__module__}:{kind.__qualname__}"}
