"""More samples of a small model, or a large one answered greedily: for each difficulty, at equal FLOPs in all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from breakeven.plan.by_difficulty.population import Difficulty, Floats, Population
from breakeven.plan.by_difficulty.worth import Bins, Gain, cross_fitted, gain_of

REWARD_SAMPLES: Final = "reward models' samples"
"""The cost line of drawing what reward models are trained on."""
COUNTED: Final = "counted here"
"""The accounting in which every FLOP is counted as it was spent, reward models and their training included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model of either size, trained on as many tokens."""

    params: int
    train_tokens: int
    train_flops: float
    one_off: dict[str, float]
    """Of what else is trained for it, by line: "small reward model", ..., and REWARD_SAMPLES."""
    query_flops: float
    """Of one greedy answer."""
    query_tokens: float
    """Generated in one greedy answer."""
    greedy_P: tuple[float, ...]

    def lines(self, reward_model: str) -> dict[str, float]:
        """What asking a reward model takes before the first query, by line; none where its name is empty."""
        asked = (f"{reward_model} reward model", REWARD_SAMPLES) if reward_model else ()
        return {line: flops for line, flops in self.one_off.items() if line in asked}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The small model by the best setting for each difficulty, minus the large one greedily, in one accounting."""

    ratio: float
    """D_inf / D_pre: tokens served over tokens trained on."""
    accounting: str
    allowed: float
    """What the small model may spend on a query: samples, or as COUNTED FLOPs over those of one of its own."""
    most: float
    """The most of it that a measured setting takes."""
    gain: Gain
    gain_B: tuple[Gain | None, ...]
    """Of each bin, from hard to easy; None where it is empty."""


def exchange(
    population: Population,
    large: Model,
    difficulty: Difficulty,
    bins: Bins,
    *,
    ratio: float,
    accounting: str,
    samples: float,
    splits: int = 20,
) -> Exchange | None:
    """By samples: each setting costs its K, as the papers count; None where not even one is allowed.

    Args:
        population: of the small model.
        large: what it is held against, on the same problems.
        difficulty: of the small model; a predicted one takes its samples out of those allowed.
        bins: of its score.
        ratio: D_inf / D_pre.
        accounting: by which `samples` follow from it.
        samples: allowed per query of the small model.
        splits: halvings of the problems.
    """
    k_SP = np.array([[float(each.k)] * len(population.ids) for each in population.settings])
    estimate = 0.0 if difficulty.oracle else float(difficulty.num_samples)
    return _held_against(
        population, large, difficulty, bins, k_SP, samples, estimate, 1.0, ratio, accounting, splits=splits
    )


def counted_exchange(
    population: Population,
    small: Model,
    large: Model,
    difficulty: Difficulty,
    bins: Bins,
    *,
    ratio: float,
    splits: int = 20,
) -> Exchange | None:
    """By all FLOPs: a query of the small model may cost what makes both lives cost the same.

    With Q = ratio D_pre / tokens of an answer queries: (T_large + Q I_large - T_small) / Q. A setting that asks a
    reward model pays its training, and the samples for it, over these queries; in a bin, over its share of them.

    Not counted:
        The rest of that training where only some bins ask the reward model, which favours the small model.
    """
    queries = ratio * large.train_tokens / large.query_tokens
    allowed = large.query_flops + (large.train_flops - small.train_flops) / queries
    once_S = np.array([sum(small.lines(each.reward_model).values()) for each in population.settings])
    price_SP = population.model_SP + population.reward_SP + once_S[:, None] / queries
    estimate = 0.0 if difficulty.oracle else difficulty.model_flops + difficulty.reward_flops
    unit = population.sample_flops
    return _held_against(
        population, large, difficulty, bins, price_SP, allowed, estimate, unit, ratio, COUNTED, splits=splits
    )


def _held_against(
    population: Population,
    large: Model,
    difficulty: Difficulty,
    bins: Bins,
    price_SP: Floats,
    budget: float,
    estimate: float,
    unit: float,
    ratio: float,
    accounting: str,
    *,
    splits: int,
) -> Exchange | None:
    mean_S = price_SP.mean(axis=1)
    if budget < float(mean_S.min()) + estimate:
        return None
    fits = cross_fitted(population, price_SP, difficulty.score_P, bins, budget=budget, estimate=estimate, splits=splits)
    small_P = np.mean([each.accuracy_P for each in fits], axis=0)
    large_P, bin_P = np.array(large.greedy_P), np.array(fits[0].bin_P)
    in_bin_BP = [bin_P == each for each in range(len(fits[0].edge_B) + 1)]
    return Exchange(
        ratio=ratio,
        accounting=accounting,
        allowed=budget / unit,
        most=float(mean_S[mean_S + estimate <= budget].max() + estimate) / unit,
        gain=gain_of(large_P, small_P),
        gain_B=tuple(gain_of(large_P[each], small_P[each]) if each.any() else None for each in in_bin_BP),
    )


def ahead(gains: Sequence[Gain | None]) -> tuple[int, ...]:
    """Bins, from 0 for the hardest, in which the small model is ahead and its interval leaves out 0."""
    return tuple(place for place, each in enumerate(gains) if each is not None and each.lo is not None and each.lo > 0)
