"""From what was measured to the row's answer: options, findings, tables and pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from breakeven.eval.intervals import mean_and_interval
from breakeven.plan.by_difficulty.exchange import Model
from breakeven.plan.by_difficulty.population import Population, Setting
from breakeven.plan.by_difficulty.published import published_by_flops, published_gains, published_options
from breakeven.plan.by_difficulty.recipe import Made
from breakeven.plan.by_difficulty.shown import Compared, choices, findings, pictures, worths
from breakeven.plan.by_difficulty.sizes import exchanges
from breakeven.plan.by_difficulty.worth import Bins, best_single, worth
from breakeven.records.options import EVALUATION, Option, Quality
from breakeven.records.plans import PlanAnswer

_LESS: Final = 0.01
"""By how much the target lies below the large model's greedy accuracy: a point, as for a stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is asked of a population."""

    bins: tuple[Bins, ...]
    """The first is the one that findings are of."""
    budgets: tuple[float, ...]
    """Per query, in samples."""
    ratios: tuple[float, ...]
    splits: int
    published: bool = False
    """Whether points of arXiv 2502.06703 are options."""


def answer_of(population: Population, asking: Asking, made: Made | None = None) -> PlanAnswer:
    """The answer on a population; with models that were trained for it, on the large one too."""
    rows = list(_rows(population, asking))
    options = [*_fixed(population, made), *_by_difficulty(population, rows, made)]
    if made is not None:
        options += _of_large(made)
    options += published_options() if asking.published else ()
    found = None if made is None else exchanges(made, asking.bins[0], asking.ratios, asking.splits)
    return PlanAnswer(
        options=tuple(options),
        findings=(*findings(rows), *(() if found is None else found.findings)),
        tables=(
            *(worths(rows), *choices(rows)),
            *(() if found is None else found.tables),
            *(published_by_flops(), published_gains()),
        ),
        target=None if made is None else round(float(np.mean(made.large.greedy_P)) - _LESS, 6),
        pictures=(*pictures(population, rows), *(() if found is None else found.pictures)),
        not_counted=(
            *(("training of the models, which the files do not tell",) if made is None else ()),
            "the samples behind the true difficulty, which takes gold answers and cannot be had when serving",
        ),
        notes=(
            "Intervals are over problems, paired, what was chosen being taken as given; of one training seed.",
            "Settings are chosen on one half of the problems and scored on the other, both ways, "
            f"mean of {asking.splits} halvings; so is the best single setting. In sample both are chosen and scored "
            "on all problems, which flatters the choice by difficulty.",
            "Difficulty is told by samples that no setting is scored with.",
            *(() if made is None else _on_reward_models(made)),
            *population.notes,
        ),
    )


def _on_reward_models(made: Made) -> Iterator[str]:
    for name, auc in made.rewards.auc.items():
        ranked = "unknown" if auc is None else f"{auc:.2f}"
        yield (
            f"The {name} reward model ranks a right sample above a wrong one of the same problem with a chance of "
            f"{ranked}, on training problems that it has not seen; one half is no better than a coin."
        )
    yield "The large reward model starts from the large model, whose training is charged to it."
    yield (
        "In the exchange a bin pays for the training of a reward model by its share of the queries: one that only some "
        "bins ask is not charged whole, which favours the small model."
    )


def _rows(population: Population, asking: Asking) -> Iterator[Compared]:
    for budget in asking.budgets:
        flops = budget * population.sample_flops
        single, single_alone = (
            best_single(population, budget_flops=flops, rewards_priced=priced, splits=asking.splits)
            for priced in (True, False)
        )
        for bins in asking.bins:
            for difficulty in population.difficulties:
                asked = partial(worth, population, difficulty, bins, budget_flops=flops, splits=asking.splits)
                full = asked(single=single)
                if full is None:
                    continue
                yield Compared(
                    budget=budget,
                    full=full,
                    free=full if difficulty.oracle else asked(charged=False, single=single),
                    model_alone=asked(rewards_priced=False, single=single_alone),
                )


# -- options ----------------------------------------------------------------------------------------------------------


def _fixed(population: Population, made: Made | None) -> Iterator[Option]:
    for setting in population.settings:
        small = None if made is None else made.small
        yield _option(population, setting, small, [setting.reward_model] if setting.reward_model else [])


def _of_large(made: Made) -> Iterator[Option]:
    for setting in made.large_population.settings:
        yield _option(made.large_population, setting, made.large, [])


def _option(population: Population, setting: Setting, model: Model | None, reward_models: Sequence[str]) -> Option:
    return Option(
        name=f"{population.model} {setting.name}".strip(),
        settings={"strategy": setting.strategy, "k": setting.k, "reward_model": setting.reward_model},
        train_flops=0.0 if model is None else model.train_flops,
        one_off=_one_off(population, model, reward_models),
        query_flops=float(np.mean(setting.model_flops_P)),
        reward_flops=float(np.mean(setting.reward_flops_P)),
        quality=_quality(population, setting.accuracy_P),
    )


def _one_off(population: Population, model: Model | None, reward_models: Sequence[str]) -> dict[str, float]:
    """Evaluation, and of the reward models those that are asked."""
    lines = {EVALUATION: population.evaluation_flops}
    if model is not None:
        for each in reward_models:
            lines |= model.lines(each)
    return lines


def _by_difficulty(population: Population, rows: Sequence[Compared], made: Made | None) -> Iterator[Option]:
    """Every FLOP charged; one for each score, cut in bins by quantiles, at each budget."""
    names = {each.reward_model for each in population.settings} - {""}
    for row in rows:
        each = row.full
        if each.bins.thresholds is not None or each.difficulty.oracle:  # which nobody can serve
            continue
        asked = {*each.reward_models}
        asked |= {name for name in names if f"({name} reward model)" in each.difficulty.name}
        yield Option(
            name=f"{population.model} by {each.difficulty.name}, budget of {row.budget:g} samples".strip(),
            settings={
                "difficulty": each.difficulty.name,
                "samples_for_difficulty": each.difficulty.num_samples,
                "budget_samples": row.budget,
            },
            train_flops=0.0 if made is None else made.small.train_flops,
            one_off=_one_off(population, None if made is None else made.small, sorted(asked)),
            query_flops=each.model_flops,
            reward_flops=each.reward_flops,
            quality=_quality(population, each.value_P),
        )


def _quality(population: Population, value_P: Sequence[float]) -> Quality:
    mean, _, lo, hi = mean_and_interval(np.clip(np.array(value_P), 0.0, 1.0))
    return Quality(value=mean, lo=lo, hi=hi, value_P=tuple(value_P), problems=population.of)
