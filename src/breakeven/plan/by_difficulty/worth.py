"""Choosing a setting for each difficulty, against the best single one: chosen on one half, scored on the other."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.plan.by_difficulty.population import Difficulty, Floats, Population
from breakeven.report.paired import difference
from breakeven.ttc.search.compute_optimal import ComputeOptimal, compute_optimal

MODEL_AND_REWARD: Final = "model and reward models"
MODEL_ALONE: Final = "model alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """How a score of difficulty is cut in bins, from hard to easy."""

    name: str
    num_bins: int
    thresholds: tuple[float, ...] | None = None
    """None: quantiles of the problems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """A difference of accuracies, with its 90 % interval over problems, what was chosen being taken as given."""

    value: float
    lo: float | None
    hi: float | None
    """None where every problem differs by the same, or there is but one."""

    def __str__(self) -> str:
        if self.lo is None or self.hi is None:
            return f"{self.value:+.3f}"
        return f"{self.value:+.3f} [{self.lo:+.3f}, {self.hi:+.3f}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Of one way to tell difficulty, at one budget, in one accounting."""

    difficulty: Difficulty
    bins: Bins
    budget_flops: float
    charged: bool
    """Whether the estimate of difficulty is paid out of the budget."""
    gain: Gain
    """Cross-fitted: by difficulty, minus the best single setting; mean over the splits."""
    accuracy: float
    single_accuracy: float
    in_sample_gain: float
    """Both chosen and scored on all problems: optimistic."""
    value_P: tuple[float, ...]
    """Held out, mean over the splits."""
    model_flops: float
    """Per query, held out; the estimate included where it is charged. Likewise:"""
    reward_flops: float
    choice_B: tuple[str, ...]
    """Setting most often chosen for each bin, from hard to easy; "" where it has no problem."""
    num_problems_B: tuple[int, ...]
    reward_models: tuple[str, ...]
    """Those that any chosen setting asks, in whatever split: `value_P` and `reward_flops` rest on them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """The best single setting within a budget, chosen on one half and scored on the other."""

    accuracy_P: tuple[float, ...]
    """Held out, mean over the splits."""
    in_sample_accuracy: float


def best_single(
    population: Population, *, budget_flops: float, rewards_priced: bool = True, splits: int = 20
) -> Single | None:
    """What choosing by difficulty is held against; None where every setting costs more. Arguments as of `worth`."""
    if not budget_flops >= float(_prices(population, rewards_priced).mean(axis=1).min()):
        return None
    prices_SP, alike_P = _prices(population, rewards_priced), [0.0] * len(population.ids)
    fits = cross_fitted(population, prices_SP, alike_P, _ONE, budget=budget_flops, splits=splits)
    return Single(accuracy_P=tuple(_mean_P(fits).tolist()), in_sample_accuracy=fits[0].in_sample_accuracy)


def worth(
    population: Population,
    difficulty: Difficulty,
    bins: Bins,
    *,
    budget_flops: float,
    rewards_priced: bool = True,
    charged: bool = True,
    splits: int = 20,
    single: Single | None = None,
) -> Worth | None:
    """What choosing by difficulty gains within a budget per query; None where the estimate leaves too little of it.

    Args:
        population: settings on the same problems.
        difficulty: by which problems are told apart.
        bins: of its score.
        budget_flops: per query, for either.
        rewards_priced: whether the FLOPs of reward models count.
        charged: whether those of the estimate do; of an oracle they never do.
        splits: halvings of the problems, over which held-out accuracies are averaged.
        single: what `best_single` gives for the same arguments, where it is known already.

    Estimator:
        Two-fold cross-fitting, both sides on the same halves. The interval is over problems, by the normal
        distribution of their mean difference.

    Source:
        Snell et al., arXiv 2408.03314, section 3.2; that the estimate is charged is ours.
    """
    model_flops, reward_flops = (difficulty.model_flops, difficulty.reward_flops) if charged else (0.0, 0.0)
    estimate = 0.0 if difficulty.oracle else model_flops + (reward_flops if rewards_priced else 0.0)
    if budget_flops < float(_prices(population, rewards_priced).mean(axis=1).min()) + estimate:
        return None
    single = single or best_single(population, budget_flops=budget_flops, rewards_priced=rewards_priced, splits=splits)
    assert single is not None, "what pays for the estimate too pays for a setting"
    prices_SP, score_P = _prices(population, rewards_priced), difficulty.score_P
    fits = cross_fitted(population, prices_SP, score_P, bins, budget=budget_flops, estimate=estimate, splits=splits)
    single_P, value_P = np.array(single.accuracy_P), _mean_P(fits)
    setting_DP = np.stack([np.array(each.choice_FB)[each.fold_P, each.bin_P] for each in fits])
    problem_P, bin_P = np.arange(len(population.ids)), np.array(fits[0].bin_P)
    all_bins = range(len(fits[0].edge_B) + 1)
    return Worth(
        difficulty=difficulty,
        bins=bins,
        budget_flops=budget_flops,
        charged=charged and not difficulty.oracle,
        gain=gain_of(single_P, value_P),
        accuracy=float(value_P.mean()),
        single_accuracy=float(single_P.mean()),
        in_sample_gain=fits[0].in_sample_accuracy - single.in_sample_accuracy,
        value_P=tuple(value_P.round(6).tolist()),
        model_flops=float(population.model_SP[setting_DP, problem_P].mean()) + (model_flops if estimate else 0.0),
        reward_flops=float(population.reward_SP[setting_DP, problem_P].mean()) + (reward_flops if estimate else 0.0),
        choice_B=tuple(_often(population, setting_DP[:, bin_P == each]) for each in all_bins),
        num_problems_B=tuple(int((bin_P == each).sum()) for each in all_bins),
        reward_models=tuple(
            sorted({population.settings[place].reward_model for place in np.unique(setting_DP)} - {""})
        ),
    )


_ONE: Final = Bins(name="one", num_bins=1)


def _prices(population: Population, rewards_priced: bool) -> Floats:
    return population.model_SP + population.reward_SP if rewards_priced else population.model_SP


def cross_fitted(
    population: Population,
    price_SP: Floats,
    score_P: Sequence[float],
    bins: Bins,
    *,
    budget: float,
    estimate: float = 0.0,
    splits: int,
) -> list[ComputeOptimal]:
    """The best setting of each bin, once for each halving of the problems; prices, budget and estimate in one unit."""
    return [
        compute_optimal(
            population.accuracy_SP,
            price_SP,
            score_P,
            budget_flops=budget,
            num_bins=bins.num_bins,
            thresholds=bins.thresholds,
            seed=seed,
            difficulty_flops=estimate,
        )
        for seed in range(splits)
    ]


def gain_of(first_P: Floats, second_P: Floats) -> Gain:
    """The second less the first, paired over problems."""
    found = difference(first_P, second_P, paired=True)
    lo, hi = (None, None) if found is None or found.interval is None else found.interval
    return Gain(value=float((second_P - first_P).mean()), lo=lo, hi=hi)


def interval_of(gain: Gain) -> tuple[float, float]:
    """The ends of its interval; the value twice, where there is none."""
    return (gain.value, gain.value) if gain.lo is None or gain.hi is None else (gain.lo, gain.hi)


def _mean_P(fits: Sequence[ComputeOptimal]) -> Floats:
    mean_P: Floats = np.mean([each.accuracy_P for each in fits], axis=0)
    return mean_P


def _often(population: Population, setting_DP: npt.NDArray[np.intp]) -> str:
    """The setting that most problems of a bin were scored with, over all splits."""
    found = Counter(setting_DP.ravel().tolist())
    return population.settings[min(found, key=lambda each: (-found[each], each))].name if found else ""
