"""What there is to choose: each choice with its values, and what a configuration costs to serve."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, TypeAlias

import numpy as np

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records.options import Setting

Configuration: TypeAlias = Mapping[str, Setting]
"""A value of every choice, by its name."""
Key: TypeAlias = tuple[Setting, ...]

MOST_LISTED: Final = 100_000
"""Configurations that are listed to find one that is wanted; of a larger space some are drawn, or a descent is made."""
_DRAWS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing to choose."""

    name: str
    values: Sequence[Setting]
    ordered: bool = False
    """Whether values that stand side by side are alike, as numbers of samples are."""

    def __post_init__(self) -> None:
        if not self.values:
            raise argument_error(f"choice {self.name}", "have at least one value", "none")
        if len(set(self.values)) < len(self.values):
            raise argument_error(f"choice {self.name}", "have each value once", list(self.values))

    def has(self, value: object) -> bool:
        """Whether it is one of the values; True is no 1, although it equals one."""
        if value not in self.values:
            return False
        return isinstance(value, bool) is isinstance(self.values[self.values.index(value)], bool)

    def beside(self, value: Setting) -> list[Setting]:
        """The values next to one, below and above; of a choice without an order all others."""
        if not self.ordered:
            return [each for each in self.values if each != value]
        place = self.values.index(value)
        return [self.values[at] for at in (place - 1, place + 1) if 0 <= at < len(self.values)]


def categorical(name: str, *values: Setting) -> Choice:
    """A choice among values without an order."""
    return Choice(name=name, values=values)


def integers(name: str, first: int, last: int) -> Choice:
    """A choice among whole numbers, `last` included."""
    return Choice(name=name, values=range(first, last + 1), ordered=True)


def boolean(name: str) -> Choice:
    """No or yes."""
    return Choice(name=name, values=(False, True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """All configurations.

    Args:
        choices: at least one, each with a name of its own.
        price: FLOPs per query of a configuration, known without evaluating it; infinity where it cannot be built.
        budget: most FLOPs per query.
        same_as: the configuration by which one is known, where several come to the same; None: each to itself.
        distinct: one of each, where several come to the same; empty: all.
    """

    choices: tuple[Choice, ...]
    price: Callable[[Configuration], float]
    budget: float = math.inf
    same_as: Callable[[Configuration], Configuration] | None = None
    distinct: Sequence[Configuration] = ()

    def __post_init__(self) -> None:
        names = [each.name for each in self.choices]
        if not names or len(set(names)) < len(names):
            raise argument_error("choices", "be at least one, each with a name of its own", names)
        check.at_least("budget", self.budget, 0)

    @property
    def size(self) -> int:
        """Configurations, those that are over the budget included."""
        return len(self.distinct) or math.prod(len(each.values) for each in self.choices)

    def key(self, configuration: Configuration) -> Key:
        """By which a configuration is known."""
        configuration = configuration if self.same_as is None else self.same_as(configuration)
        return tuple(configuration[each.name] for each in self.choices)

    def words(self, configuration: Configuration) -> str:
        """A configuration as a person reads it: `model=8B samples=4`."""
        return " ".join(f"{each.name}={configuration[each.name]}" for each in self.choices)

    def fault(self, configuration: Mapping[str, object]) -> str:
        """What makes it no configuration of this space, in a sentence; "" where it is one."""
        if missing := [each.name for each in self.choices if each.name not in configuration]:
            return f"It says nothing of {', '.join(missing)}."
        for each in self.choices:
            if not each.has(configuration[each.name]):
                return f"{each.name} cannot be {configuration[each.name]!r}."
        unknown = sorted({*map(str, configuration)} - {each.name for each in self.choices})
        return f"There is no choice {', '.join(unknown)}." if unknown else ""

    def cost(self, configuration: Configuration) -> float:
        """FLOPs per query.

        Raises:
            ArgumentError: the price that the row computes is negative or NaN.
        """
        price = self.price(configuration)
        check.at_least(f"price of {self.words(configuration)}", price, 0)
        return price

    def allows(self, configuration: Configuration) -> bool:
        """Whether it can be built and is within the budget."""
        return math.isfinite(price := self.cost(configuration)) and price <= self.budget

    def iterate(self) -> Iterator[Configuration]:
        """Every configuration, the last choice changing fastest; of those that come to the same one alone."""
        if self.distinct:
            yield from self.distinct
            return
        names = [each.name for each in self.choices]
        for values in product(*(each.values for each in self.choices)):
            yield dict(zip(names, values, strict=True))

    def draw(self, random: np.random.Generator) -> Configuration:
        """One that is within the budget, uniformly; where hardly any is, one that was repaired."""
        for _ in range(_DRAWS):
            drawn = {each.name: each.values[int(random.integers(len(each.values)))] for each in self.choices}
            if self.allows(drawn):
                return drawn
        return self.repair(drawn)

    def neighbours(self, configuration: Configuration) -> Iterator[Configuration]:
        """Those that differ in one choice, by one place where it is ordered."""
        for each in self.choices:
            for value in each.beside(configuration[each.name]):
                yield {**configuration, each.name: value}

    def repair(self, configuration: Configuration) -> Configuration:
        """One within the budget that is near: from neighbour to cheaper neighbour, and the dearest that is allowed.

        Raises:
            ArgumentError: no configuration is within the budget.
        """
        at, price = configuration, self.cost(configuration)
        while not (math.isfinite(price) and price <= self.budget):
            cheaper = [(cost, each) for each in self.neighbours(at) if (cost := self.cost(each)) < price]
            if not cheaper:
                return self.cheapest()
            within = [each for each in cheaper if each[0] <= self.budget]
            if within:
                price, at = max(within, key=lambda pair: pair[0])
            else:
                price, at = min(cheaper, key=lambda pair: pair[0])
        return at

    def dearest(self, fixed: Configuration) -> Configuration:
        """The dearest to serve that is within the budget, some choices being fixed: what is served without trials.

        Raises:
            ArgumentError: none is within the budget; the cheapest is named.
        """
        free = tuple(each for each in self.choices if each.name not in fixed)
        inner = Space(choices=free, price=lambda each: self.price({**fixed, **each}), budget=self.budget)
        inner.cheapest()
        found = max(filter(inner.allows, inner.iterate()), key=inner.cost)
        return {each.name: {**fixed, **found}[each.name] for each in self.choices}

    def cheapest(self) -> Configuration:
        """The cheapest to serve; of a space too large to be listed, the cheapest that a descent finds.

        Raises:
            ArgumentError: it is over the budget, as all are then.
        """
        at: Configuration = {each.name: each.values[0] for each in self.choices}
        price, last = math.inf, math.nan
        while price != last:  # exact where each choice has a price of its own
            last = price
            for each in self.choices:
                varied: list[Configuration] = [{**at, each.name: value} for value in each.values]
                at = min(varied, key=self.cost)
            price = self.cost(at)
        listed = self.size <= MOST_LISTED
        if listed and not self.allows(at):
            at = min(self.iterate(), key=self.cost)
        if not self.allows(at):
            which = f"the cheapest{'' if listed else ' found'}, {self.words(at)}"
            if math.isinf(price := self.cost(at)):
                raise argument_error("choices", "have a configuration that can be built", self.words(at))
            raise argument_error(
                "budget", f"be at least {price:.6g} FLOPs per query, the price of {which}", self.budget
            )
        return at
