"""Which size is the best, over resamplings of the problems: at equal training, and at a target over a life of queries.

Every choice is made anew in each resampling, so that an interval holds the choice too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.choice.frontier import DIGITS, Floats, paired_values, resampled
from breakeven.records import Option

DRAWS = 1000
"""Resamplings."""
_NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Picks:
    """The option that is chosen, by the values measured and in each resampling of the problems."""

    options: Sequence[Option]
    at: int
    """Place of the one chosen; -1: none will do."""
    at_D: npt.NDArray[np.intp]
    """The same in each resampling; empty where options are not known problem by problem."""

    @property
    def option(self) -> Option | None:
        """The one chosen."""
        return None if self.at == _NONE else self.options[self.at]

    @property
    def share(self) -> float:
        """Of resamplings in which any will do."""
        return float((self.at_D != _NONE).mean()) if len(self.at_D) else float(self.at != _NONE)

    def of(self, what: Callable[[Option], float]) -> tuple[float, float, float] | None:
        """A number of the one chosen with its 90 % interval over problems, both ends values that were chosen.

        Only resamplings in which something will do count; None where nothing will by the values measured.
        """
        if self.at == _NONE:
            return None
        value = what(self.options[self.at])
        value_O = np.array([what(each) for each in self.options])
        kept_D = value_O[self.at_D[self.at_D != _NONE]]
        return (value, *ends(kept_D)) if len(kept_D) else (value, value, value)

    def against(self, other: "Picks", what: Callable[[Option], float]) -> tuple[float, float, float] | None:
        """The ratio of a number of this choice to that of another, made in the same resamplings."""
        if _NONE in (self.at, other.at):
            return None
        own_O, other_O = ([what(each) for each in picks.options] for picks in (self, other))
        ratio = own_O[self.at] / other_O[other.at]
        both_D = (self.at_D != _NONE) & (other.at_D != _NONE)
        if not both_D.any():
            return ratio, ratio, ratio
        ratio_D = np.array(own_O)[self.at_D[both_D]] / np.array(other_O)[other.at_D[both_D]]
        return (ratio, *ends(ratio_D))


def ends(value_D: Floats) -> tuple[float, float]:
    """The 90 % interval of resampled values, both ends among them."""
    lo, hi = np.quantile(value_D, (0.05, 0.95), method="inverted_cdf").tolist()
    return lo, hi


class Resampled:
    """Options with their qualities in each resampling of the problems."""

    def __init__(self, options: Sequence[Option], *, draws: int = DRAWS, seed: int = 0) -> None:
        self.options = options
        self.value_O = np.round([each.quality.value for each in options], DIGITS)
        self.value_DO = np.empty((0, len(options)))
        if options and all(each.quality.pairs_with(options[0].quality) for each in options):
            self.value_DO = np.concatenate(list(resampled(paired_values(options), draws, seed)))

    def cheapest(self, target: float, price: Callable[[Option], float]) -> Picks:
        """The least price among those that reach the target; of equal prices the first."""
        price_O = np.array([price(each) for each in self.options])
        return self._least(lambda value: np.where(value >= round(target, DIGITS), price_O, np.inf))

    def best(self, among: Callable[[Option], bool] = lambda _: True) -> Picks:
        """The highest quality among some of them; of equal ones the first."""
        kept_O = np.array([among(each) for each in self.options], np.bool_)
        return self._least(lambda value: np.where(kept_O, -value, np.inf))

    def _least(self, rank: Callable[[Floats], Floats]) -> Picks:
        if not self.options:
            return Picks(options=(), at=_NONE, at_D=np.empty(0, np.intp))
        rank_O, rank_DO = rank(self.value_O), rank(self.value_DO)
        at = int(np.argmin(rank_O)) if np.isfinite(rank_O).any() else _NONE
        at_D = np.where(np.isfinite(rank_DO).any(axis=1), np.argmin(rank_DO, axis=1), _NONE)
        return Picks(options=self.options, at=at, at_D=at_D)
