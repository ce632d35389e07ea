"""What the row draws from its models, and how settings do on it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from breakeven.config import RunConfig, load_recipe
from breakeven.cost.query import search_flops
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import answers_of
from breakeven.plan.by_difficulty.drawn import Scored, Split, population_of
from breakeven.plan.by_difficulty.population import Population, Setting
from breakeven.plan.cells import Cells
from breakeven.plan.models import model_at, sampler_of
from breakeven.records import Prefix, Problem, SegmentRule
from breakeven.sampling.collect import Collector, collect
from breakeven.session.searching import by_search, chances, graded_search
from breakeven.train.costs import cost_of
from breakeven.ttc.search.select import answers_of as answers_of_paths
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.strategy import Strategy, Tools


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What the row trains and draws."""

    seed: int
    recipe: str
    overrides: tuple[str, ...]
    small: tuple[str, ...]
    large: tuple[str, ...]
    steps: int
    num_problems: int
    num_samples: int
    """Of the small model, beside those that tell difficulty."""
    large_samples: int
    split: Split
    k_values: tuple[int, ...]
    searches: tuple[str, ...]
    search_k: tuple[int, ...]
    reward_problems: int
    reward_samples: int
    reward_epochs: int

    def config(self, size: Sequence[str]) -> RunConfig:
        """Of a model of one of the sizes."""
        given = (f"seed={self.seed}", f"train.steps={self.steps}", f"evaluate.every_steps={self.steps}")
        return load_recipe(self.recipe, [*given, *self.overrides, *size])


def measure_small(
    cells: Cells, recipe: Recipe, config: RunConfig, configs: Mapping[str, RunConfig], problems: Sequence[Problem]
) -> Population:
    """Samples scored by every reward model, and the searches that each of them steers."""
    from breakeven.train.reward_model.files import load_reward_model

    sampler = sampler_of(model_at(cells, "small", recipe.steps, config), config)
    collector = Collector(
        sampler,
        config.task,
        problems,
        temperature=config.evaluate.temperature,
        seed=recipe.seed,
        answers=answers_of(config.task),
    )
    collector.draw(len(problems), recipe.split.held + recipe.num_samples)
    bank = collector.bank()
    saved = {name: load_reward_model(cells.place(f"reward-{name}")) for name in configs}
    prefixes = [
        [Prefix(problem=problem.hidden, text=text) for batch in row for text in batch.texts]
        for problem, row in zip(problems, collector.samples.sampled, strict=True)
    ]
    scored = {}
    for name, each in saved.items():
        rewards = iter(each.reward_model.score([prefix for row in prefixes for prefix in row]))
        scored[name] = Scored(rewards_PN=[[next(rewards) for _ in row] for row in prefixes], cost=each.cost)
    cost = cost_of(config)
    population = population_of(
        bank,
        [each.id for each in problems],
        of=f"{len(problems)} test problems of {recipe.recipe}",
        model="small",
        cost=cost,
        scored=scored,
        split=recipe.split,
        k_values=recipe.k_values,
    )
    searches = [strategy_of(each, "searches") for each in recipe.searches]
    for name, each in saved.items():
        tools = Tools(
            sampler=sampler,
            temperature=config.evaluate.temperature,
            seed=recipe.seed + 2,
            answers=answers_of(config.task),
            reward_model=each.reward_model,
            segments=SegmentRule(ends=config.evaluate.segment_ends, max_tokens=config.evaluate.segment_tokens),
        )
        for strategies in by_search(searches):
            for k in strategies[0].sizes(recipe.search_k, width=tools.width):
                settings, spent = _searched(config, problems, strategies, k, tools, (name, each.cost))
                population = replace(
                    population,
                    settings=(*population.settings, *settings),
                    evaluation_flops=round(population.evaluation_flops + spent),
                )
    return population


def _searched(
    config: RunConfig,
    problems: Sequence[Problem],
    strategies: Sequence[Strategy],
    k: int,
    tools: Tools,
    reward_model: tuple[str, ModelCost],
) -> tuple[list[Setting], float]:
    """One search by all its rules of choice, and the FLOPs that it took on all problems."""
    name, reward_cost = reward_model
    results, verdicts = graded_search(strategies[0], problems, k, tools, config.task)
    flops = [search_flops(cost_of(config), reward_cost, each.cost) for each in results]
    answers = [answers_of_paths(each.candidates, tools.answers) for each in results]
    rewards_PN = [[path.reward for path in each.candidates] for each in results]
    settings = [
        Setting(
            strategy=strategy.name,
            k=k,
            reward_model=name,
            accuracy_P=tuple(round(each, 4) for each in chances(strategy, answers, rewards_PN, verdicts)),
            model_flops_P=tuple(float(round(each.model_flops)) for each in flops),
            reward_flops_P=tuple(float(round(each.reward_flops)) for each in flops),
        )
        for strategy in strategies
    ]
    return settings, math.fsum(each.total for each in flops)


def measure_large(cells: Cells, recipe: Recipe, config: RunConfig, problems: Sequence[Problem]) -> Population:
    """Greedy answers and votes of the large model; its samples tell no difficulty."""
    bank = collect(
        sampler_of(model_at(cells, "large", recipe.steps, config), config),
        config.task,
        problems,
        num_samples=recipe.large_samples + 1,
        temperature=config.evaluate.temperature,
        seed=recipe.seed,
        answers=answers_of(config.task),
    )
    return population_of(
        bank,
        [each.id for each in problems],
        of=f"{len(problems)} test problems of {recipe.recipe}",
        model="large",
        cost=cost_of(config),
        scored={},
        split=Split(held=1, probe=1),
        k_values=[each for each in recipe.k_values if each <= recipe.large_samples],
    )
