"""The row's own models: a small and a large one on the same tokens, two reward models, and the samples of all."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from breakeven.config import RunConfig
from breakeven.cost.query import sampling_flops
from breakeven.plan.by_difficulty.exchange import REWARD_SAMPLES, Model
from breakeven.plan.by_difficulty.measuring import Recipe, measure_large, measure_small
from breakeven.plan.by_difficulty.population import Population
from breakeven.plan.cells import Cells
from breakeven.plan.models import Trained, model_at, sampler_of, train_to
from breakeven.train.costs import cost_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardModels:
    """What the reward models of the row cost."""

    samples_flops: float
    """Of drawing the graded samples that all are trained on."""
    train_flops: dict[str, float]
    """Of each, by its name, its held-out samples included; the model that it starts from not."""
    auc: dict[str, float | None]
    """How surely each tells right from wrong among the samples of one problem, on problems that it has not seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What the recipe gave."""

    population: Population
    small: Model
    large: Model
    large_population: Population
    """Of the large model, without reward models."""
    rewards: RewardModels


def made(cells: Cells, recipe: Recipe) -> Made:
    """Trained, sampled and measured; every piece a cell."""
    configs = {"small": recipe.config(recipe.small), "large": recipe.config(recipe.large)}
    trained = {name: train_to(cells, name, config, [recipe.steps])[recipe.steps] for name, config in configs.items()}
    rewards = cells.of("reward models", RewardModels, partial(_reward_models, cells, recipe, configs))
    task = configs["small"].task
    problems = task.problems("test", recipe.num_problems, seed=recipe.seed)
    population = cells.of(
        "measure small", Population, partial(measure_small, cells, recipe, configs["small"], configs, problems)
    )
    large_population = cells.of(
        "measure large", Population, partial(measure_large, cells, recipe, configs["large"], problems)
    )
    one_off = {f"{name} reward model": flops for name, flops in rewards.train_flops.items()}
    one_off["large reward model"] += trained["large"].train_flops  # which it starts from, and the small one has itself
    one_off[REWARD_SAMPLES] = rewards.samples_flops
    return Made(
        population=population,
        small=_model(trained["small"], population, one_off, task.output_tokens),
        large=_model(trained["large"], large_population, {}, task.output_tokens),
        large_population=large_population,
        rewards=rewards,
    )


def _model(trained: Trained, population: Population, one_off: dict[str, float], query_tokens: float) -> Model:
    greedy = next(each for each in population.settings if each.strategy == "greedy")
    return Model(
        params=trained.params,
        train_tokens=trained.train_tokens,
        train_flops=trained.train_flops,
        one_off=one_off,
        query_flops=float(np.mean(greedy.model_flops_P)),
        query_tokens=query_tokens,
        greedy_P=greedy.accuracy_P,
    )


def _reward_models(cells: Cells, recipe: Recipe, configs: Mapping[str, RunConfig]) -> RewardModels:
    """Of either shape, from the weights of that size, on graded samples of the small model for training problems."""
    from breakeven.train.reward_model.files import save_reward_model
    from breakeven.train.reward_model.fit import RewardModelSettings
    from breakeven.train.reward_model.train import train_reward_model

    config = configs["small"]
    task, model = config.task, model_at(cells, "small", recipe.steps, config)
    problems = task.problems("train", recipe.reward_problems, seed=recipe.seed)
    draws = sampler_of(model, config).sample(
        [each.hidden for each in problems],
        recipe.reward_samples,
        temperature=config.evaluate.temperature,
        seed=recipe.seed + 1,
    )
    cost = cost_of(config)
    samples = [
        (problem, each.text, task.check(problem, each.text))
        for problem, draw in zip(problems, draws, strict=True)
        for each in draw.completions
    ]
    spent = 0.0
    for draw in draws:
        lengths = [each.output_tokens for each in draw.completions]
        spent += sampling_flops(cost, draw.prompt_tokens, lengths, num_samples=len(lengths)).total
    flops, auc = dict[str, float](), dict[str, float | None]()
    for name, each in configs.items():
        trained = train_reward_model(
            samples,
            task,
            each.model.shape_for(task),
            start=model_at(cells, name, recipe.steps, each).state_dict(),
            settings=RewardModelSettings(epochs=recipe.reward_epochs),
            seed=recipe.seed,
        )
        save_reward_model(cells.place(f"reward-{name}"), trained, task)
        flops[name] = trained.report.train_flops + trained.report.heldout_flops
        auc[name] = trained.report.problem_auc
    return RewardModels(samples_flops=round(spent), train_flops=flops, auc=auc)
