"""The real run: models of three sizes for products and for their sum, and every configuration of both measured."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from breakeven.config import EvaluateConfig, ModelConfig, RunConfig, TrainConfig
from breakeven.data.made.chain_parts import ChainProduct, ChainSum
from breakeven.data.task import Task
from breakeven.errors import ArgumentError
from breakeven.plan.cells import Cells
from breakeven.plan.models import Trained, layers_and_width, model_at, sampler_of, train_to
from breakeven.plan.pipelining.table import Stage, Table
from breakeven.plan.trials.measured import Floats
from breakeven.plan.trials.space import Configuration
from breakeven.records import Problem
from breakeven.records.asking import draw_from
from breakeven.train.costs import longest_query

PRODUCTS, SUM = "products", "sum"
_PER_QUERY: Final = {PRODUCTS: 2, SUM: 1}
"""Calls of a stage for a query, each with samples of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Sizes of the real run."""

    num_digits: int
    sizes: tuple[str, ...]
    """Layers x embedding of each model, from the cheapest to the dearest: called S, M, L."""
    product_steps: tuple[int, ...]
    """Training steps of each, as one that solves products."""
    sum_steps: tuple[int, ...]
    learning_rates: tuple[float, ...]
    batch_size: int
    threads: int
    samples: tuple[int, ...]
    trial_problems: int
    fresh_problems: int
    temperature: float
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models, as a person calls them."""
        usual = ("S", "M", "L")
        return usual if len(self.sizes) == len(usual) else self.sizes

    def config(self, stage: str, model: int) -> RunConfig:
        """The training of one model for one stage."""
        layers, embedding = layers_and_width(self.sizes[model])
        task: Task = (ChainProduct if stage == PRODUCTS else ChainSum)(num_digits=self.num_digits)
        steps = (self.product_steps if stage == PRODUCTS else self.sum_steps)[model]
        return RunConfig(
            name="pipeline",
            seed=self.seed,
            task=task,
            model=ModelConfig(
                num_layers=layers,
                embedding=embedding,
                num_heads=max(1, embedding // 16),
                feed_forward=2 * embedding,
            ),
            train=TrainConfig(
                steps=steps,
                batch_size=self.batch_size,
                learning_rate=self.learning_rates[model],
                threads=self.threads,
            ),
            evaluate=EvaluateConfig(every_steps=steps, temperature=self.temperature),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """One configuration on all problems: a cell."""

    right_P: str
    """`1` or `0` for each, those that trials are made on first."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The real run, each piece computed when it is asked for."""

    recipe: Recipe
    cells: Cells

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Chains of two products, those that trials are made on first."""
        recipe = self.recipe
        whole = ChainProduct(num_digits=recipe.num_digits).whole
        try:
            return whole.problems("test", recipe.trial_problems + recipe.fresh_problems, seed=recipe.seed)
        except ArgumentError as error:
            raise ArgumentError(f"trial_problems and fresh_problems together, as {error}") from None

    def trained(self, stage: str, model: int) -> Trained:
        """A model of a stage."""
        config, name = self.recipe.config(stage, model), self._name(stage, model)
        return train_to(self.cells, name, config, [config.train.steps])[config.train.steps]

    def stage(self, name: str) -> Stage:
        """A stage with its models and their prices, which are trained here."""
        recipe = self.recipe
        models = range(len(recipe.sizes))
        queries = [longest_query(recipe.config(name, model)) for model in models]
        return Stage(
            name=name,
            models=recipe.names,
            samples=recipe.samples,
            flops_MK=tuple(tuple(_PER_QUERY[name] * query.total(k) for k in recipe.samples) for query in queries),
            train_flops_M=tuple(self.trained(name, model).train_flops for model in models),
        )

    def table(self) -> Table:
        """All configurations, each measured in a cell of its own."""
        recipe = self.recipe
        _ = self.problems  # too many are refused before anything is trained
        stages = (self.stage(PRODUCTS), self.stage(SUM))
        empty = np.zeros((len(stages[0].models) * len(stages[0].samples)) ** 2)[:, None]
        listed = Table(stages=stages, trial_CP=empty, fresh_CP=empty)
        right_CP: Floats = np.array(
            [
                [float(each) for each in self.solved(listed.words(configuration), configuration).right_P]
                for configuration in listed.configurations
            ]
        )
        return Table(
            stages=stages,
            trial_CP=right_CP[:, : recipe.trial_problems],
            fresh_CP=right_CP[:, recipe.trial_problems :],
            problems=f"chain 2x{recipe.num_digits}, {recipe.fresh_problems} of test after {recipe.trial_problems}, "
            f"seed {recipe.seed}",
            notes=NOTES,
            not_counted=(
                "measuring all configurations on all problems, of which the truth is made: no method needs it",
            ),
        )

    def solved(self, words: str, configuration: Configuration) -> Solved:
        """Which problems a configuration solves."""

        def solve() -> Solved:
            at = [
                (recipe.names.index(str(configuration[f"{name}_model"])), int(configuration[f"{name}_samples"]))
                for name in (PRODUCTS, SUM)
            ]
            answers = self._sums[at[1][0]]
            right = [
                handed is not None and _vote(answers[handed][: at[1][1]]) == problem.reference
                for handed, problem in zip(self._handed[at[0]], self.problems, strict=True)
            ]
            return Solved(right_P="".join("1" if each else "0" for each in right))

        recipe = self.recipe
        return self.cells.of(f"solve {words}", Solved, solve)

    # -- what stages answer: drawn anew where a cell needs it ------------------------------------------------------

    @cached_property
    def _handed(self) -> dict[tuple[int, int], list[str | None]]:
        """By model and samples of the products: the prompt of the sum of each problem; None where one has no answer."""
        task, recipe = ChainProduct(num_digits=self.recipe.num_digits), self.recipe
        following = ChainSum(num_digits=recipe.num_digits)
        asked = [
            Problem(id=f"{problem.id} {place}", prompt=prompt)
            for problem in self.problems
            for place, prompt in enumerate(task.prompts(problem))
        ]
        handed: dict[tuple[int, int], list[str | None]] = {}
        for model in range(len(recipe.sizes)):
            answers = self._answers(PRODUCTS, model, asked)
            for k in recipe.samples:
                voted = [_vote(each[:k]) for each in answers]
                pairs = zip(voted[::2], voted[1::2], strict=True)
                handed[model, k] = [
                    None if one is None or other is None else following.prompt(one, other) for one, other in pairs
                ]
        return handed

    @cached_property
    def _sums(self) -> list[dict[str, list[str | None]]]:
        """By model of the sum: its answers to every prompt that any products hand on."""
        prompts = dict.fromkeys(each for row in self._handed.values() for each in row if each is not None)
        asked = [Problem(id=prompt, prompt=prompt) for prompt in prompts]
        return [
            dict(zip(prompts, self._answers(SUM, model, asked), strict=True)) for model in range(len(self.recipe.sizes))
        ]

    def _answers(self, stage: str, model: int, asked: Sequence[Problem]) -> list[list[str | None]]:
        """All samples of a model to each prompt, as answers; None where a completion is none."""
        recipe, config = self.recipe, self.recipe.config(stage, model)
        task = config.task
        assert isinstance(task, ChainProduct | ChainSum)
        sampler = sampler_of(model_at(self.cells, self._name(stage, model), config.train.steps, config), config)
        most = recipe.samples[-1]
        draws = draw_from(sampler, asked, most, temperature=recipe.temperature, seed=recipe.seed)
        return [[task.answer(each.text) for each in draw.completions] for draw in draws]

    def _name(self, stage: str, model: int) -> str:
        return f"{stage}-{self.recipe.names[model]}"


NOTES: Final = (
    "A query is priced with answers of full length; its two products are two calls. A vote is of the samples in the "
    "order in which they were drawn: that of 8 is of the first 8 of 32.",
    "The truth is the accuracy on the fresh problems: the best of it is the luckiest of many, too, and a point is of "
    "the order of its noise.",
    "Seeds are those of the methods, and of which problems their trials see. Models were trained once.",
)
"""What a reader has to know of the real run."""


def _vote(answers: Sequence[str | None]) -> str | None:
    """The most frequent answer, of equals the first; None where no completion is one."""
    counts = Counter(each for each in answers if each is not None)
    return max(counts, key=lambda each: counts[each]) if counts else None
