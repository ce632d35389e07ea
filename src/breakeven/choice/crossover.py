"""Where two families of options cross: from which price on the second stays ahead of the first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breakeven.choice.frontier import Floats, paired_values, prices_of, resampled
from breakeven.choice.prices import Price
from breakeven.records.options import Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The best of the second family less the best of the first at one price."""

    price: float
    value: float
    lo: float | None = None
    """Lower end of the 90 % interval over resamplings of the problems; None where the options are not paired."""
    hi: float | None = None


def crossover(first: Sequence[Option], second: Sequence[Option], price: Price) -> float | None:
    """The least price from which on the best of `second` is at least as good as the best of `first`; None if never.

    The best at a price is the best that costs no more. Prices are those at which anything is offered, the first of them
    at which either family has an option to offer.

    Source:
        The sustained crossover of arXiv 2504.01005, figure 1: solutions with a vote against solutions with verdicts.
    """
    grid, first_G, second_G = _best_on_grid(first, second, price)
    behind_G = second_G < first_G
    if not len(grid) or behind_G[-1]:
        return None
    return float(grid[np.flatnonzero(behind_G)[-1] + 1 if behind_G.any() else 0])


def gaps(
    first: Sequence[Option], second: Sequence[Option], price: Price, *, draws: int = 1000, seed: int = 0
) -> tuple[Gap, ...]:
    """At each price where both have something to offer: the best of `second` less the best of `first`, paired.

    The best of each is chosen anew in every resampling, so that the interval holds the choice too.

    Estimator:
        Percentile bootstrap over problems. A best that is chosen on the problems it is shown on looks better than it
        is, the more so the more options there are: the family with more of them is favoured.

    Raises:
        ArgumentError: options that are not known on the same problems.
    """
    value_OP = paired_values([*first, *second])
    grid = np.unique(np.concatenate((prices_of(first, price), prices_of(second, price))))
    pieces = [
        _running(value_DO[:, len(first) :], prices_of(second, price), grid)
        - _running(value_DO[:, : len(first)], prices_of(first, price), grid)
        for value_DO in resampled(value_OP, draws, seed)
    ]
    gap_DG = np.concatenate(pieces)
    _, first_G, second_G = _best_on_grid(first, second, price)
    shown_G = np.isfinite(first_G) & np.isfinite(second_G)
    lo_G, hi_G = np.quantile(gap_DG[:, shown_G], (0.05, 0.95), axis=0)
    rows = zip(grid[shown_G], (second_G - first_G)[shown_G], lo_G, hi_G, strict=True)
    return tuple(Gap(price=float(p), value=float(v), lo=float(lo), hi=float(hi)) for p, v, lo, hi in rows)


def _best_on_grid(first: Sequence[Option], second: Sequence[Option], price: Price) -> tuple[Floats, Floats, Floats]:
    """All prices in order, and the best value that each family has at each; minus infinity where it has none."""
    prices = prices_of(first, price), prices_of(second, price)
    grid = np.unique(np.concatenate(prices))
    values = (np.array([[each.quality.value for each in family]]) for family in (first, second))
    first_G, second_G = (_running(value_1O, paid_O, grid)[0] for value_1O, paid_O in zip(values, prices, strict=True))
    return grid, first_G, second_G


def _running(value_DO: Floats, price_O: Floats, grid_G: Floats) -> Floats:
    """The best value of each row at each price of the grid, shape (D, G)."""
    if not len(price_O):
        return np.full((len(value_DO), len(grid_G)), -np.inf)
    order = np.argsort(price_O, kind="stable")
    best_DO = np.maximum.accumulate(value_DO[:, order], axis=1)
    last_G = np.searchsorted(price_O[order], grid_G, side="right")
    best_DG: Floats = np.where(last_G > 0, best_DO[:, np.maximum(last_G - 1, 0)], -np.inf)
    return best_DG
