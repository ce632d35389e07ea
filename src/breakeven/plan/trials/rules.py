"""Rules: an ordered list of moves from the best configuration so far, and a restart where none of them is new."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Final, TypeAlias

import numpy as np

from breakeven.errors import argument_error
from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.space import Configuration

Move: TypeAlias = Callable[[Trial, Archive], Iterable[Configuration]]
"""Where to go from the best trial since the last restart, most promising first; the archive shows all trials."""


class Rules:
    """The first move that leads to something new and within the budget is tried, from the best since the last restart.

    Where no move does, it begins again at a random configuration: moves alone get stuck at one that has no better
    neighbour, and at one that has no neighbour within the budget.

    Args:
        moves: tried in this order.
        seed: of the restarts, and of the beginning where nothing was tried first.
    """

    name: Final = "rules"

    def __init__(self, moves: Sequence[Move], *, seed: int) -> None:
        if not moves:
            raise argument_error("moves", "be at least one", "none")
        self._moves = tuple(moves)
        self._random = np.random.default_rng(seed)
        self._at: Trial | None = None
        self.stuck_at: list[int] = []
        """After how many trials no move was left: it began again, or its budget was spent."""

    def ask(self, archive: Archive) -> Sequence[Configuration]:
        """One."""
        if self._at is not None:
            at = self._at
            for proposed in chain.from_iterable(move(at, archive) for move in self._moves):
                if archive.refusal(proposed) is None:
                    return [proposed]
            self.stuck_at.append(len(archive.trials))
        self._at = None
        return [archive.space.draw(self._random)]

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """It goes on from the best."""
        if trial is not None and (self._at is None or trial.quality.value > self._at.quality.value):
            self._at = trial


def beside(*names: str) -> Move:
    """A move to the values next to those of some choices; without names, of all."""

    def move(at: Trial, archive: Archive) -> Iterable[Configuration]:
        for each in archive.space.choices:
            if not names or each.name in names:
                for value in each.beside(at.configuration[each.name]):
                    yield {**at.configuration, each.name: value}

    return move


def scaled(name: str, factor: float) -> Move:
    """A move that multiplies a number, to the nearest value there is: more samples, or fewer.

    Args:
        name: of an ordered choice of numbers.
        factor: above 1: more; below: fewer.
    """

    def move(at: Trial, archive: Archive) -> Iterable[Configuration]:
        choice = next(each for each in archive.space.choices if each.name == name)
        numbers = [float(each) for each in choice.values]
        wanted = numbers[choice.values.index(at.configuration[name])] * factor
        nearest = min(range(len(numbers)), key=lambda place: abs(numbers[place] - wanted))
        yield {**at.configuration, name: choice.values[nearest]}

    return move
