"""Votes and REBASE of each arm, as options: qualities of all seeds side by side, costs as their mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.cost.samples import SampleCosts
from breakeven.cost.tokens import ModelCost
from breakeven.plan.thinking.arms import Arm, Recipe
from breakeven.plan.thinking.recipe import Model
from breakeven.plan.thinking.resampled import interval, resampled
from breakeven.plan.thinking.searched import Searched
from breakeven.records.options import Option, Quality
from breakeven.train.costs import cost_of
from breakeven.ttc.pool import pool_of
from breakeven.ttc.strategies.majority_vote import majority_vote

KEPT_LINE: Final = "own steps drawn"
LABELS_LINE: Final = "labelled samples"
SCORER_LINE: Final = "scorer"
_DRAWS: Final = 1000
"""Resamplings of an option's interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What one arm reaches with one way to spend FLOPs on a query."""

    arm: Arm
    name: str
    options: tuple[Option, ...]


def powers(most: int) -> tuple[int, ...]:
    """1, 2, 4, ... up to the most.

    >>> powers(5)
    (1, 2, 4)
    """
    return tuple(1 << power for power in range(most.bit_length()))


def votes(models: Sequence[Model], recipe: Recipe, problems: str) -> Family:
    """One greedy sample, one at temperature, and the vote of more, of an arm.

    Args:
        models: of one arm, one a seed.
        recipe: that they were trained by.
        problems: which are tested on.
    """
    arm, k_values = models[0].arm, powers(recipe.num_samples)
    cost = cost_of(recipe.trained(arm, 0))
    costs = [_costs(each, cost) for each in models]
    greedy = [np.array([float(mark) for mark in each.answered.bank.greedy_correct_P]) for each in models]
    base = _Base(arm=arm, models=models, problems=problems)
    options = [base.option("greedy", 1, greedy, fmean(each.greedy_flops for each in costs))]
    voted_SPK = [_vote(each, k_values) for each in models]
    for place, k in enumerate(k_values):
        flops = fmean(
            float(each.query_flops_K(np.full((recipe.num_problems, 1), float(k)), shared_prefill=True)[0])
            for each in costs
        )
        options.append(base.option("vote", k, [each[:, place] for each in voted_SPK], flops))
    return Family(arm=arm, name=f"{arm.name}, vote", options=tuple(options))


def rebased(models: Sequence[Model], searched: Sequence[Searched], problems: str) -> Family:
    """REBASE of each size, of an arm; its scorer is charged once, and what it reads per query."""
    base = _Base(arm=models[0].arm, models=models, problems=problems, searched=searched)
    options = [
        base.option(
            "rebase",
            trees[0].size,
            [np.array(each.right_P) for each in trees],
            fmean(each.model_flops for each in trees),
            fmean(each.reward_flops for each in trees),
        )
        for trees in zip(*(each.trees for each in searched), strict=True)
    ]
    return Family(arm=models[0].arm, name=f"{models[0].arm.name}, REBASE", options=tuple(options))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Base:
    """What the options of a family share."""

    arm: Arm
    models: Sequence[Model]
    problems: str
    searched: Sequence[Searched] = ()

    def option(
        self,
        strategy: str,
        k: int,
        right_SP: Sequence[npt.NDArray[np.float64]],
        query_flops: float,
        reward_flops: float = 0.0,
    ) -> Option:
        value_SP = np.clip(np.array(right_SP), 0.0, 1.0)
        mean, lo, hi = interval(value_SP, resampled(value_SP.shape[0], value_SP.shape[1], _DRAWS))
        named = {"greedy": "greedy", "vote": "one sample" if k == 1 else f"vote of {k}", "rebase": f"REBASE {k}"}
        return Option(
            name=f"{self.arm.name}, {named[strategy]}",
            settings={"arm": self.arm.name, "strategy": strategy, "k": k},
            train_flops=fmean(each.train_flops for each in self.models),
            one_off=dict(self._one_off()),
            query_flops=query_flops,
            reward_flops=reward_flops,
            quality=Quality(value=mean, lo=lo, hi=hi, value_P=tuple(value_SP.ravel().tolist()), problems=self.problems),
        )

    def _one_off(self) -> Iterator[tuple[str, float]]:
        kept = [each.kept.flops for each in self.models if each.kept is not None]
        if kept:
            yield KEPT_LINE, fmean(kept)
        if self.searched:
            yield LABELS_LINE, fmean(each.label_flops for each in self.searched)
            yield SCORER_LINE, fmean(each.train_flops for each in self.searched)


def _costs(model: Model, cost: ModelCost) -> SampleCosts:
    found = SampleCosts.of(model.answered.bank, cost)
    assert found is not None
    return found


def _vote(model: Model, k_values: Sequence[int]) -> npt.NDArray[np.float64]:
    pool = pool_of(model.answered.bank)
    assert pool is not None
    accuracy_PK = majority_vote(pool, k_values).accuracy_PK.copy()
    accuracy_PK[:, 0] = pool.correct_PN.mean(axis=1)
    return accuracy_PK
