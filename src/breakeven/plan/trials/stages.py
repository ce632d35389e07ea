"""Exact choice where stages factorise: quality a product or a sum over stages, prices a sum. Counting likewise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error

COMBINE: Final = ("product", "sum")
MOST_UNITS: Final = 10_000_000
"""Of a budget: a table has a number for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOption:
    """One way to do a stage."""

    price: int
    """In units; at least 0."""
    value: float
    """What it contributes to the quality: a factor, at least 0, or a summand."""


def best_of_stages(
    stages: Sequence[Sequence[StageOption]], budget: int, *, combine: str = "product"
) -> tuple[int, ...] | None:
    """The option of each stage that together are best within a budget; of equals the cheapest.

    Args:
        stages: the options of each.
        budget: in the units of their prices.
        combine: how the quality of the whole follows from the stages': "product" or "sum".

    Returns:
        Places in the stages; None where the cheapest options are over the budget.

    Estimator:
        Exact: dynamic programming over the budget.

    >>> small, large = StageOption(price=1, value=0.5), StageOption(price=4, value=0.9)
    >>> best_of_stages([[small, large], [small, large]], 5), best_of_stages([[small, large]] * 2, 1)
    ((1, 0), None)
    """
    check.one_of("combine", combine, COMBINE)
    _check(stages, budget)
    if combine == "product":
        check.numbers("values of stages", [o.value for s in stages for o in s], "be at least 0 in a product")
    # value_B: the best of the stages so far at a price of exactly b.
    value_B = np.full(budget + 1, -np.inf)
    value_B[0] = 1.0 if combine == "product" else 0.0
    taken_SB: list[npt.NDArray[np.int32]] = []
    for options in stages:
        following_B, taken_B = np.full(budget + 1, -np.inf), np.full(budget + 1, -1, dtype=np.int32)
        for place, option in enumerate(options):
            if option.price > budget:
                continue
            before_B = value_B[: budget + 1 - option.price]
            reached_B = np.isfinite(before_B)
            with np.errstate(invalid="ignore"):
                offered_B = before_B * option.value if combine == "product" else before_B + option.value
            better_B = reached_B & (offered_B > following_B[option.price :])
            following_B[option.price :][better_B] = offered_B[better_B]
            taken_B[option.price :][better_B] = place
        value_B = following_B
        taken_SB.append(taken_B)
    at = int(np.argmax(value_B))  # the first of equals: the cheapest
    if not np.isfinite(value_B[at]):
        return None
    places = []
    for options, taken_B in zip(reversed(stages), reversed(taken_SB), strict=True):
        places.append(int(taken_B[at]))
        at -= options[places[-1]].price
    return tuple(reversed(places))


def count_within(stages: Sequence[Sequence[int]], budget: int) -> int:
    """How many combinations, one price of each stage, cost at most the budget: exact.

    Args:
        stages: prices of the options of each, in units.
        budget: in the same.

    >>> count_within([[1, 4], [1, 4]], 5)
    3
    """
    _check([[StageOption(price=price, value=0.0) for price in prices] for prices in stages], budget)
    kind: Any = np.int64 if math.prod(map(len, stages)) < 2**62 else object  # beyond that, numbers of any size
    count_B = np.zeros(budget + 1, dtype=kind)
    count_B[0] = 1
    for prices in stages:
        following_B = np.zeros_like(count_B)
        for price in filter(lambda each: each <= budget, prices):
            following_B[price:] += count_B[: budget + 1 - price]
        count_B = following_B
    return int(count_B.sum())


def in_units(prices: Sequence[Sequence[float]], budget: float) -> tuple[list[list[int]], int]:
    """Prices and budget as whole numbers of one unit.

    Returns:
        Exact, in their largest common part, where the budget then is at most 100,000 units; otherwise in ten
        thousandths of the budget, prices rounded up, so that nothing over the budget seems within it.
    """
    exact = [[Fraction(price) for price in stage] for stage in prices]
    parts = [price for stage in exact for price in stage if price]
    shared = math.lcm(1, *(each.denominator for each in parts))
    unit = Fraction(math.gcd(*(int(each * shared) for each in parts)), shared) if parts else Fraction(1)
    if Fraction(budget) > 100_000 * unit:
        unit = Fraction(budget) / 10_000
    return [[math.ceil(price / unit) for price in stage] for stage in exact], math.floor(Fraction(budget) / unit)


def _check(stages: Sequence[Sequence[StageOption]], budget: int) -> None:
    check.whole("budget", budget)
    if budget > MOST_UNITS:
        raise argument_error("budget", f"be at most {MOST_UNITS} units", budget, "Choose a larger unit.")
    if not stages or not all(stages):
        raise argument_error("stages", "be at least one, each with an option", [len(each) for each in stages])
    for number, options in enumerate(stages):
        for option in options:
            check.whole(f"price of an option of stage {number}", option.price)
