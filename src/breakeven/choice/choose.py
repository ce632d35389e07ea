"""The one way to choose: the cheapest that reaches a target, the best that keeps a budget.

Both work on anything that has a price: options, candidates of a decision, settings of a search, recorded runs.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from breakeven.check import did_you_mean
from breakeven.errors import argument_error
from breakeven.records.options import Option

_Item = TypeVar("_Item")
_Price = TypeVar("_Price", float, tuple[float, ...])
"""Of several numbers the first decides, then the next."""


def cheapest(
    items: Iterable[_Item], *, price: Callable[[_Item], _Price], reaches: Callable[[_Item], bool] | None = None
) -> _Item | None:
    """The least price among the items that reach a target; None where none does. At one price the first.

    Args:
        items: in any order.
        price: of an item.
        reaches: whether an item is good enough; asked in the order of prices, and not beyond the first that is. None:
            all are.

    >>> cheapest([3, 1, 2], price=float, reaches=lambda each: each > 1)
    2
    """
    if reaches is None:
        return min(items, key=price, default=None)
    return next(filter(reaches, sorted(items, key=price)), None)


def best(
    items: Iterable[_Item],
    *,
    price: Callable[[_Item], _Price],
    value: Callable[[_Item], float],
    budget: _Price | None = None,
) -> _Item | None:
    """The highest value at a price of at most `budget`; None where nothing is that cheap.

    Of equal values the cheaper, then the first.

    Args:
        items: in any order.
        price: of an item.
        value: of an item, higher is better.
        budget: None: no limit.

    >>> best(["a", "bb", "ccc"], price=len, value=len, budget=2)
    'bb'
    """
    affordable = items if budget is None else (each for each in items if price(each) <= budget)
    return min(affordable, key=lambda each: (-value(each), price(each)), default=None)


def choosable(options: Iterable[Option], *, published: bool = False) -> list[Option]:
    """The options to choose from: those measured, forecast or extrapolated here, and the published if asked for."""
    return [each for each in options if published or not each.is_published]


def value_of(option: Option) -> float:
    """Its quality, as a point."""
    return option.quality.value


def least_of(option: Option) -> float:
    """Its quality, by the lower end of the 90 % interval where there is one."""
    return option.quality.least


def by_name(options: Sequence[Option], name: str) -> Option:
    """The option of that name.

    Raises:
        ArgumentError: there is none; the nearest names are given.
    """
    for each in options:
        if each.name == name:
            return each
    names = [each.name for each in options]
    raise argument_error("option", "be one of the options", name, did_you_mean(name, names))
