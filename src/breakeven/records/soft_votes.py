"""What a classifier makes of several passes whose class probabilities are averaged."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records.curves import ROUNDING


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftVote:
    """Accuracy of the mean of K passes' class probabilities, on each problem at each K."""

    strategy: Literal["soft_vote", "snapshot_ensemble"]
    """"soft_vote": of noisy passes of one checkpoint. "snapshot_ensemble": of plain ones of the last K checkpoints."""
    k_values: tuple[int, ...]
    num_passes: int
    """N of each problem, of which K are averaged."""
    accuracy_PK: tuple[tuple[float, ...], ...]
    """Chance that the likeliest class of the mean is right, ties split evenly; of the first problems, as many as have
    passes."""
    monte_carlo_error_K: tuple[float, ...]
    """Standard error of the mean over problems where not all subsets of the passes were counted; else 0."""

    def __post_init__(self) -> None:
        check.either("strategy", self.strategy, "soft_vote", "snapshot_ensemble")
        check.increasing("k_values", self.k_values)
        check.whole("num_passes", self.num_passes, self.k_values[-1])
        named = [("accuracy_PK", row) for row in self.accuracy_PK]
        for name, row in (*named, ("monte_carlo_error_K", self.monte_carlo_error_K)):
            if len(row) != len(self.k_values):
                raise argument_error(name, f"have one number for each of {len(self.k_values)} K", len(row))
            check.numbers(name, row, "hold shares from 0 to 1", -ROUNDING, 1 + ROUNDING)

    def of(self, places: Sequence[int]) -> "SoftVote":
        """On some of the problems; those without passes are left out."""
        kept = tuple(self.accuracy_PK[place] for place in places if place < len(self.accuracy_PK))
        return replace(self, accuracy_PK=kept)
