"""The real run: models that read attempts, trained, and what every node of every graph answers, node by node."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from breakeven.config import EvaluateConfig, ModelConfig, RunConfig, TrainConfig
from breakeven.data.made.chain import Chain
from breakeven.data.made.revision import Revision
from breakeven.data.splits import Split
from breakeven.errors import ArgumentError
from breakeven.plan.agents.answers import Answers, Asked
from breakeven.plan.agents.space import all_dags
from breakeven.plan.agents.table import Agent, Graphs
from breakeven.plan.cells import Cells
from breakeven.plan.models import layers_and_width, model_at, sampler_of, train_to
from breakeven.records import Problem
from breakeven.train.costs import cost_of

if TYPE_CHECKING:
    import torch

_TRIALS: Final[Split] = "validation"
_FRESH: Final[Split] = "test"
"""Splits of the problems that trials are made on, and of those that no trial sees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Sizes of the real run."""

    num_digits: int
    sizes: tuple[str, ...]
    """Layers x embedding of each, from the cheapest to the dearest; equal ones are checkpoints of one run."""
    steps: tuple[int, ...]
    """Training steps of each."""
    learning_rates: tuple[float, ...]
    """Of each; checkpoints of one run have that of the last."""
    plain_steps: int
    """Of these, the first, without attempts to read."""
    batch_size: int
    threads: int
    nodes: int
    """Of a graph, at most."""
    trial_problems: int
    fresh_problems: int
    temperature: float
    seed: int
    tokens_per_second: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models: their size, and the step where one size has several."""
        return tuple(
            size if self.sizes.count(size) == 1 else f"{size}@{step}"
            for size, step in zip(self.sizes, self.steps, strict=True)
        )

    @property
    def task(self) -> Revision:
        """Chains of two products, with as many attempts as a node may have parents."""
        return Revision(solved=Chain(num_terms=2, num_digits=self.num_digits), most_attempts=self.nodes - 1)

    def steps_of(self, size: str) -> tuple[int, ...]:
        """The checkpoints of the run of a size."""
        return tuple(sorted(step for own, step in zip(self.sizes, self.steps, strict=True) if own == size))

    def config(self, size: str) -> RunConfig:
        """The training of a size."""
        layers, embedding = layers_and_width(size)
        steps = self.steps_of(size)[-1]
        (rate, *_) = [
            each
            for own, step, each in zip(self.sizes, self.steps, self.learning_rates, strict=True)
            if (own, step) == (size, steps)
        ]
        return RunConfig(
            name="graph",
            seed=self.seed,
            task=self.task,
            model=ModelConfig(
                num_layers=layers, embedding=embedding, num_heads=max(1, embedding // 16), feed_forward=2 * embedding
            ),
            train=TrainConfig(steps=steps, batch_size=self.batch_size, learning_rate=rate, threads=self.threads),
            evaluate=EvaluateConfig(every_steps=steps, temperature=self.temperature),
        )


@dataclass(frozen=True, kw_only=True)
class Run:
    """The real run, each piece computed when it is asked for."""

    recipe: Recipe
    cells: Cells

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Those that trials are made on first."""
        recipe, found = self.recipe, list[Problem]()
        splits: tuple[tuple[str, Split], ...] = (("trial_problems", _TRIALS), ("fresh_problems", _FRESH))
        for name, split in splits:
            try:
                found += recipe.task.problems(split, getattr(recipe, name), seed=recipe.seed)
            except ArgumentError as error:
                raise ArgumentError(str(error).replace("num_problems", name, 1)) from None
        return tuple(found)

    def table(self) -> Graphs:
        """All graphs, measured."""
        recipe = self.recipe
        _ = self.problems  # too many are refused before anything is trained
        agents = tuple(self._agent(place) for place in range(len(recipe.sizes)))
        dags = tuple(all_dags(recipe.nodes, recipe.names, fusers_vote=True))
        answers = Answers(task=recipe.task, problems=self.problems, num_nodes=recipe.nodes, sample=self._sample)
        right_CP = answers.right(dags)
        return Graphs(
            agents=agents,
            dags=dags,
            num_nodes=recipe.nodes,
            trial_CP=right_CP[:, : recipe.trial_problems],
            fresh_CP=right_CP[:, recipe.trial_problems :],
            problems=f"chain 2x{recipe.num_digits}, {recipe.fresh_problems} of {_FRESH}, seed {recipe.seed}",
            notes=NOTES,
            not_counted=("what all graphs answer to all problems, of which the truth is made: no method needs it",),
        )

    def _agent(self, place: int) -> Agent:
        """A model, trained here, and what a node of it costs."""
        recipe = self.recipe
        size, step = recipe.sizes[place], recipe.steps[place]
        config, task = recipe.config(size), recipe.task
        cost, speeds = cost_of(config), recipe.tokens_per_second
        train_to(self.cells, size, config, recipe.steps_of(size), batches=self._batches)
        read = [task.prompt_tokens_of(count) for count in range(recipe.nodes)]
        return Agent(
            name=recipe.names[place],
            node_flops_D=tuple(
                cost.prefill_flops(each) + cost.decode_flops(each, task.output_tokens - 1) for each in read
            ),
            run=size,
            train_flops=sum(
                cost.train_flops(recipe.batch_size, task.prompt_tokens_of(self._shown(at)) + task.output_tokens - 1)
                for at in range(1, step + 1)
            ),
            output_tokens=task.output_tokens,
            tokens_per_second=speeds[place] if speeds else None,
        )

    def _shown(self, step: int) -> int:
        """Attempts in the batch of a step: none at first, then each number in turn."""
        return 0 if step <= self.recipe.plain_steps else step % self.recipe.nodes

    def _batches(self, step: int) -> "torch.Tensor":
        import torch

        recipe = self.recipe
        return torch.from_numpy(recipe.task.rows(recipe.batch_size, (recipe.seed, step), self._shown(step)))

    def _sample(self, node: int, model: str, asked: Sequence[Asked]) -> list[str]:
        """Solutions of a model at a node to problems with attempts, as a cell: empty where one cannot be shown."""
        recipe = self.recipe
        size = recipe.sizes[recipe.names.index(model)]

        def sample() -> Solutions:
            config, task = recipe.config(size), recipe.task
            step = recipe.steps[recipe.names.index(model)]
            sampler = sampler_of(model_at(self.cells, size, step, config), config)
            problems = [
                Problem(
                    id=" | ".join((self.problems[at].id, f"node {node}", *attempts)),
                    prompt=task.prompt(self.problems[at], attempts),
                )
                for at, attempts in asked
            ]
            draws = sampler.sample(problems, 1, temperature=recipe.temperature, seed=recipe.seed)
            texts = [draw.completions[0].text for draw in draws]
            return Solutions.of([each if task.can_be_shown(each) else "" for each in texts])

        return self.cells.of(f"answer node={node} model={model}", Solutions, sample).texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Solutions:
    """Texts, in order: a cell."""

    distinct: tuple[str, ...]
    """Each once, without its spaces."""
    places: str
    """Of each text among them, in base 36, with a comma between."""

    @staticmethod
    def of(texts: Sequence[str]) -> "Solutions":
        """Of some texts whose words are single characters."""
        place = {each: at for at, each in enumerate(dict.fromkeys(texts))}
        return Solutions(
            distinct=tuple(each.replace(" ", "") for each in place),
            places=",".join(_base_36(place[each]) for each in texts),
        )

    @property
    def texts(self) -> list[str]:
        """As they were."""
        distinct = [" ".join(each) for each in self.distinct]
        return [distinct[int(each, 36)] for each in self.places.split(",")] if self.places else []


def _base_36(number: int) -> str:
    """As `int(..., 36)` reads it.

    >>> _base_36(37)
    '11'
    """
    return np.base_repr(number, 36)


NOTES: Final = (
    "An assistant reads the solutions of its parents and solves anew, in whole; the models were trained to read "
    "solutions of which half are wrong in one digit. A fuser is a vote on its parents' answers, of equals the first, "
    "and runs no model. What is no whole solution is handed on by nobody.",
    "A node whose answer does not reach the last is not run. Nodes in different places draw different samples; graphs "
    "that ask a model the same in the same place have the same answer.",
    "A query is priced with solutions of full length, and each assistant as if all its parents had one.",
    "Models were trained once. Seeds are those of the methods, and of which problems their trials see.",
)
"""What a reader has to know of the real run."""
