"""The methods that are held against each other on a pipeline, and what its rules know of stages."""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.at_random import AtRandom
from breakeven.plan.trials.bayesian import Bayesian
from breakeven.plan.trials.exhaustive import Exhaustive
from breakeven.plan.trials.factorised import Factorised
from breakeven.plan.trials.method import Method
from breakeven.plan.trials.reinforce import Reinforce
from breakeven.plan.trials.rules import Move, Rules, beside, scaled
from breakeven.plan.trials.space import Configuration, Space

if TYPE_CHECKING:
    from breakeven.plan.pipelining.table import Stage, Table

SEEDED: Final = ("rules", "bayesian", "reinforce", "random")
"""With a seed of their own: at most so many trials."""
EXACT: Final = ("factorised", "stages", "exhaustive")
"""Made to their end; `stages` is factorised with the default as its base, whose trials may cost more than is chosen."""


def method_of(name: str, table: "Table", budget: float, seed: int) -> tuple[Space, Method]:
    """A method by name, one of `SEEDED` or `EXACT`, and what it may try."""
    space = table.space(math.inf if name == "stages" else budget)
    stages = [(each.model_choice, each.samples_choice) for each in table.stages]
    makers: Mapping[str, Callable[[], Method]] = {
        "rules": lambda: Rules(moves_of(table), seed=seed),
        "bayesian": lambda: Bayesian(space, seed=seed),
        "reinforce": lambda: Reinforce(space, seed=seed),
        "random": lambda: AtRandom(seed=seed),
        "factorised": lambda: Factorised(space, stages),
        "stages": lambda: Factorised(space, stages, base=table.default(), budget=budget),
        "exhaustive": lambda: Exhaustive(space),
    }
    return space, makers[name]()


def moves_of(table: "Table") -> tuple[Move, ...]:
    """What AgentTTS says of stages, as moves: a large model or many samples, more samples, a budget that is shared.

    Source:
        arXiv 2508.00890, insights 1 to 3, which a language model is told there.
    """
    names = [each.samples_choice for each in table.stages]
    return (
        partial(_other_models, table),
        *(scaled(name, 2.0) for name in names),
        partial(_shifts, table),
        *(scaled(name, 0.5) for name in names),
        beside(),
    )


def _left(table: "Table", stage: "Stage", at: Configuration, budget: float) -> float:
    """What the other stages leave of the budget."""
    return budget - (table.price(at) - stage.flops(at))


def _other_models(table: "Table", at: Trial, archive: Archive) -> Iterable[Configuration]:
    """Each other model of each stage, with all samples that the other stages leave it."""
    for stage in table.stages:
        left = _left(table, stage, at.configuration, archive.space.budget)
        for model in reversed(stage.models):
            if (samples := stage.most_samples(model, left)) is not None:
                yield {**at.configuration, stage.model_choice: model, stage.samples_choice: samples}


def _shifts(table: "Table", at: Trial, archive: Archive) -> Iterable[Configuration]:
    """Samples of one stage given up one step, for as many of another as that pays."""
    for giving in table.stages:
        place = giving.samples.index(int(at.configuration[giving.samples_choice]))
        for taking in table.stages:
            if taking is giving or not place:
                continue
            less = {**at.configuration, giving.samples_choice: giving.samples[place - 1]}
            left = _left(table, taking, less, archive.space.budget)
            model = str(less[taking.model_choice])
            if (samples := taking.most_samples(model, left)) is not None:
                yield {**less, taking.samples_choice: samples}
