"""Hours and money of a run: what was measured by the clock, what was declared, and what stopping saves of it."""

from dataclasses import dataclass
from typing import Literal

from breakeven import check


@dataclass(frozen=True, slots=True, kw_only=True)
class WallTime:
    """Wall time up to a checkpoint and of the full run; None is unknown, and nothing is made of it."""

    train_seconds: float | None
    """Of training up to here, evaluations left out; None where no clock was recorded."""
    evaluation_seconds: float | None
    """Of this and all earlier evaluations; None where that of one was not recorded."""
    full_hours: float | None
    """Of training to the full budget."""
    full_hours_are: Literal["declared", "extrapolated"] | None
    """Extrapolated: the training of the full run at the pace until here."""
    saved_hours: float | None
    """By stopping here, of training; net of evaluation where its seconds are known, else gross."""
    price_per_hour: float | None
    saved_money: float | None
    """`saved_hours` at that price, in its currency."""

    def __post_init__(self) -> None:
        known = ("train_seconds", "evaluation_seconds", "full_hours", "price_per_hour")
        check.each_field(self, check.finite, *known, unknown=True)
        check.each_field(self, check.number, "saved_hours", "saved_money", unknown=True)
