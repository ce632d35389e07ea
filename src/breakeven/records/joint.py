"""One decision on several tasks."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from breakeven import check
from breakeven.records.curves import computed_share
from breakeven.records.decisions import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class JointDecision:
    """Continue or stop at one checkpoint, by the decisions on every task that is watched."""

    stop: bool
    step: int
    used: float
    """Share of the training budget used so far."""
    decisions: Mapping[str, Decision]
    """Of each task, by name; each is served by its own strategy and K."""
    risk: float
    """Of any task's falling short that was allowed."""
    confidence: float | None
    """Lower bound of the probability that every task keeps its margin; None where one has none."""
    net_saving: float | None
    """Share of the training FLOPs saved if one stopped here, evaluation of all tasks charged; None where unknown."""

    def __post_init__(self) -> None:
        check.whole("step", self.step)
        check.share("risk", self.risk)
        check.each_field(self, computed_share, "confidence", unknown=True)
        object.__setattr__(self, "decisions", MappingProxyType(dict(self.decisions)))

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """The tasks that are not ready."""
        return tuple(name for name, each in self.decisions.items() if not each.stop)

    def __str__(self) -> str:
        """What to do, and a line for each task."""
        where = f"step {self.step} ({self.used:.0%} of the budget)"
        sure = "" if self.confidence is None else f" with probability {self.confidence:.2f} at least (forecast)"
        if self.stop:
            first = f"Stop at {where}: all {len(self.decisions)} tasks keep their margins{sure}."
        elif self.waiting_for:
            first = f"Train on at {where}: not ready for {', '.join(self.waiting_for)}."
        else:
            first = (
                f"Train on at {where}: each task is ready, but all together only{sure}, "
                f"and {1.0 - self.risk:.2f} is asked for."
            )
        return "\n".join([first, *(f"  {name}: {each}" for name, each in self.decisions.items())])
