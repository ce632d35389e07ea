"""What would change a decision: what it lacks, and what would bring that."""

from dataclasses import dataclass

from breakeven import check
from breakeven.records.curves import computed_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What a decision that rests on a forecast would take to be another one."""

    enough: float
    """Accuracy that, known exactly, would be sure enough at this checkpoint."""
    k: int | None = None
    """K of the serving point that comes nearest; None where nothing can be served."""
    exact_confidence: float | None = None
    """Probability that it suffices, were its accuracy known exactly: what more samples could show."""
    checker_k: int | None = None
    """The least K that would suffice, or the one that comes nearest, if a checker ran at serving time as well; None
    where one was declared, or where no grading needs one."""
    checker_confidence: float | None = None
    """Probability that it would."""

    def __post_init__(self) -> None:
        computed_share("enough", self.enough)
        check.each_field(self, computed_share, "exact_confidence", "checker_confidence", unknown=True)
        for name in ("k", "checker_k"):
            if getattr(self, name) is not None:
                check.whole(name, getattr(self, name), 1)
