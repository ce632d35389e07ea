"""Every configuration as it was measured, so that what methods find by trials can be held against the truth."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.eval.intervals import mean_and_interval
from breakeven.plan.trials.archive import Evaluation
from breakeven.plan.trials.method import Method
from breakeven.plan.trials.space import Configuration, Space
from breakeven.records.curves import Made
from breakeven.records.options import Option, Quality

Floats: TypeAlias = npt.NDArray[np.float64]
OTHERS: Final = "other models"
"""The line of training models that were tried and are not served."""


@dataclass(frozen=True, kw_only=True)
class Measured(ABC):
    """All configurations C, in the order of `space`: which problems each solves.

    Trials see `trial_CP` and are charged for it; what is true of a configuration is read from `fresh_CP`. A row adds
    what its configurations are.
    """

    trial_CP: Floats
    """Accuracy on each problem that trials are made on."""
    fresh_CP: Floats
    """On problems that no trial sees; one column where accuracies alone are known."""
    problems: str = ""
    """Which problems the fresh ones are."""
    made: Made = Made.MEASURED
    fresh_problems: int | None = None
    """How many problems measuring again is charged for; None: the columns there are."""
    notes: tuple[str, ...] = ()
    not_counted: tuple[str, ...] = ()

    seeded: ClassVar[tuple[str, ...]]
    """Methods with a seed of their own: at most so many trials."""
    exact: ClassVar[tuple[str, ...]]
    """Methods that are made to their end."""

    @abstractmethod
    def space(self, budget: float) -> Space:
        """What there is to choose for so many FLOPs per query."""

    @abstractmethod
    def method(self, name: str, budget: float, seed: int) -> tuple[Space, Method]:
        """A method by name, one of `seeded` or `exact`, and what it may try."""

    @abstractmethod
    def price(self, configuration: Configuration) -> float:
        """FLOPs per query."""

    @abstractmethod
    def default(self, budget: float = math.inf) -> Configuration:
        """What is served without trials, for so many FLOPs per query."""

    @abstractmethod
    def place(self, configuration: Configuration) -> int:
        """Where a configuration stands among all."""

    @abstractmethod
    def words(self, configuration: Configuration) -> str:
        """As a person reads it."""

    @abstractmethod
    def option(self, name: str, configuration: Configuration, quality: Quality) -> Option:
        """Serving a configuration without trials: the models that it takes are trained, no others."""

    @property
    @abstractmethod
    def train_flops(self) -> float:
        """Of all models together."""

    @property
    def condition(self) -> str:
        """What besides the budget limits what may be chosen, for the keys of cells."""
        return ""

    @property
    def knows_problems(self) -> bool:
        """Whether accuracies are known problem by problem, so that there are intervals."""
        return bool(self.fresh_CP.shape[1] > 1)

    @cached_property
    def truth_C(self) -> Floats:
        """Accuracy on the fresh problems."""
        truth_C: Floats = self.fresh_CP.mean(axis=1)
        return truth_C

    @cached_property
    def configurations(self) -> tuple[Configuration, ...]:
        """All of them."""
        return tuple(self.space(math.inf).iterate())

    @cached_property
    def price_C(self) -> Floats:
        """FLOPs per query."""
        return np.array([self.price(each) for each in self.configurations])

    def within(self, budget: float) -> npt.NDArray[np.intp]:
        """Places of the configurations that a budget allows."""
        return np.flatnonzero((self.price_C <= budget) & np.isfinite(self.price_C))

    def optimum(self, budget: float) -> int:
        """The truly best that it allows; of equals the cheapest."""
        places: list[int] = self.within(budget).tolist()
        return min(places, key=lambda place: (-self.truth_C[place], self.price_C[place]))

    def seen(self, configuration: Configuration, num_problems: int, seed: int = 0) -> Evaluation:
        """What a trial sees of a configuration on some of the problems, and what it costs.

        Args:
            configuration: what is tried.
            num_problems: drawn of those of trials, without replacement; all where there are fewer.
            seed: of that draw.
        """
        seen_P = self.trial_CP[self.place(configuration)]
        if len(seen_P) > 1:
            num_problems = min(num_problems, len(seen_P))
            drawn = np.random.default_rng(seed).choice(len(seen_P), num_problems, replace=False)
            seen_P = seen_P[np.sort(drawn)]
        return Evaluation(quality=self._quality(seen_P, ""), flops=num_problems * self.price(configuration))

    def again(self, configuration: Configuration) -> Evaluation:
        """A configuration measured on the fresh problems."""
        fresh_P, count = self.fresh_CP[self.place(configuration)], self.fresh_problems or self.fresh_CP.shape[1]
        return Evaluation(quality=self._quality(fresh_P, self.problems), flops=count * self.price(configuration))

    def _quality(self, accuracy_P: Floats, problems: str) -> Quality:
        if len(accuracy_P) == 1:
            return Quality(value=float(accuracy_P[0]), made=self.made)
        mean, _, lo, hi = mean_and_interval(accuracy_P)
        value_P = tuple(accuracy_P.tolist())
        return Quality(value=mean, lo=lo, hi=hi, made=self.made, value_P=value_P, problems=problems)

    def tried(self, name: str, configuration: Configuration, quality: Quality) -> Option:
        """Serving one that trials found: all models had to be trained."""
        option = self.option(name, configuration, quality)
        return replace(option, one_off={OTHERS: max(0.0, self.train_flops - option.train_flops)})

    def check_rows(self, size: int) -> None:
        """Nothing, if there is a row for each of so many configurations."""
        for name in ("trial_CP", "fresh_CP"):
            if len(getattr(self, name)) != size:
                raise argument_error(name, f"have a row for each of {size} configurations", len(getattr(self, name)))
