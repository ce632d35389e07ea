"""The effects of thought, of REBASE and of both together, at equal FLOPs a query, with paired intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.choice.prices import per_query
from breakeven.plan.thinking.families import Family
from breakeven.plan.thinking.resampled import Floats, resampled

EFFECTS: Final = {
    "thought": (-0.5, -0.5, 0.5, 0.5),
    "REBASE": (-0.5, 0.5, -0.5, 0.5),
    "both beyond their sum": (1.0, -1.0, -1.0, 1.0),
}
"""Weights of the four families: at once with votes and with REBASE, after hidden steps with votes and with REBASE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One contrast of the four families at one budget."""

    name: str
    value: float
    lo: float
    """Lower end of the 90 % interval."""
    hi: float
    seed_values: tuple[float, ...]
    """With each seed alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """The best option that each of the four families has for so many FLOPs a query."""

    flops: float
    chosen: tuple[str, str, str, str]
    """Options by name."""
    accuracy: tuple[float, float, float, float]
    effects: tuple[Effect, ...]


def squares(families: Sequence[Family], num_seeds: int, *, draws: int, seed: int = 0) -> tuple[Square, ...]:
    """The 2x2 at each budget: prices of options, from the first at which all families have one to the last.

    Above the least of the dearest options of a family, that family would have FLOPs left over: no budget is beyond it.

    Args:
        families: four, as the weights of `EFFECTS`; the qualities of all hold the seeds one after another.
        num_seeds: of them.
        draws: resamplings of the seeds, and of the problems, with replacement.
        seed: of the resamplings.

    Estimator:
        Two-stage percentile bootstrap: seeds, then problems, the same for all four families. The best option of each is
        chosen anew in every resampling. With three seeds it knows little of how other seeds differ: too narrow.
    """
    prices = [np.array([per_query(each) for each in family.options]) for family in families]
    low, high = max(price_O.min() for price_O in prices), min(price_O.max() for price_O in prices)
    grid = [price for price in np.unique(np.concatenate(prices)).tolist() if low <= price <= high]
    values = [
        np.array([each.quality.value_P for each in family.options]).reshape(len(family.options), num_seeds, -1)
        for family in families
    ]
    weights = resampled(num_seeds, values[0].shape[2], draws, seed)
    drawn = [np.einsum("osp,dsp->do", value_OSP, weights) for value_OSP in values]
    by_seed = [value_OSP.mean(axis=2).T for value_OSP in values]
    whole = [value_OSP.mean(axis=(1, 2)) for value_OSP in values]
    return tuple(_square(families, prices, price, whole, by_seed, drawn) for price in grid)


def _square(
    families: Sequence[Family],
    prices: Sequence[Floats],
    budget: float,
    whole: Sequence[Floats],
    by_seed: Sequence[Floats],
    drawn: Sequence[Floats],
) -> Square:
    within = [np.flatnonzero(price_O <= budget) for price_O in prices]
    best = [int(places[np.argmax(value_O[places])]) for places, value_O in zip(within, whole, strict=True)]
    best_FD = np.array([value_DO[:, places].max(axis=1) for places, value_DO in zip(within, drawn, strict=True)])
    seed_FS = np.array([value_SO[:, place] for place, value_SO in zip(best, by_seed, strict=True)])
    value_F = np.array([value_O[place] for place, value_O in zip(best, whole, strict=True)])
    effects = []
    for name, weight_F in EFFECTS.items():
        lo, hi = np.quantile(np.array(weight_F) @ best_FD, (0.05, 0.95)).tolist()
        effects.append(
            Effect(
                name=name,
                value=float(np.array(weight_F) @ value_F),
                lo=lo,
                hi=hi,
                seed_values=tuple((np.array(weight_F) @ seed_FS).tolist()),
            )
        )
    names = [family.options[place].name for family, place in zip(families, best, strict=True)]
    return Square(
        flops=budget,
        chosen=(names[0], names[1], names[2], names[3]),
        accuracy=(float(value_F[0]), float(value_F[1]), float(value_F[2]), float(value_F[3])),
        effects=tuple(effects),
    )
