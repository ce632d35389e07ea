"""What tables, charts and pages show: checkpoints of our own log, or those that other tools evaluated."""

from dataclasses import dataclass
from typing import TypeAlias

from breakeven.records import CheckpointRecord, Decision, LearningPoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """A checkpoint that another tool evaluated, with what was decided on it."""

    decision: Decision
    point: LearningPoint
    train_flops: float | None
    """None where nothing but the share of the budget is known."""


Shown: TypeAlias = CheckpointRecord | Evaluated
