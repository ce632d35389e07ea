"""Models of some sizes, each trained once at a constant learning rate and sampled at some of its checkpoints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from breakeven import check
from breakeven.config import RunConfig, load_recipe
from breakeven.cost.evaluation import price_of
from breakeven.errors import argument_error
from breakeven.plan.cells import Cells
from breakeven.plan.models import Trained, drawn, layers_and_width, train_to
from breakeven.records import Problem
from breakeven.seeds import bank_seed
from breakeven.train.costs import cost_of, sequence_tokens
from breakeven.ttc.evaluate import evaluate
from breakeven.ttc.tally import tally_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """What is trained and sampled. The defaults take 10 minutes of one core."""

    recipe: str = "latin"
    """Of task, batches and optimizer, as `breakeven run` takes it."""
    overrides: tuple[str, ...] = (
        "task.num_clues=11",
        "train.num_sequences=0",
        "train.batch_size=64",
        "train.decay_share=0.0",
    )
    """Settings of it, key=value each: fresh problems at every step, and a rate that stays, so that every checkpoint is
    a run of its own duration."""
    sizes: tuple[str, ...] = ("2x8", "2x16", "2x32", "2x56", "2x96")
    """Layers x embedding, from the smallest to the largest; a feed-forward layer is twice as wide as the embedding."""
    train_flops: tuple[float, ...] = (8e9, 1.45e10, 2.6e10, 4.7e10, 8.5e10, 1.5e11, 2.7e11, 4.9e11, 8.9e11, 1.6e12)
    """Durations, in training FLOPs: the smallest size takes the first of them, the largest the last, and the others
    what lies between, so that sizes can be held against each other at equal training."""
    durations: int = 6
    """Of each size."""
    num_problems: int = 400
    """Test problems, the same for all."""
    num_samples: int = 32
    """Of each, at temperature; a greedy one besides."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("num_problems", "num_samples", "durations"):
            check.whole(name, getattr(self, name), 2)
        check.between("seed", self.seed, 0, 2**31 - 1)
        check.numbers("train_flops", self.train_flops, "hold finite FLOPs of at least 1", 1)
        if list(self.train_flops) != sorted({*self.train_flops}) or len(self.train_flops) < self.durations:
            rule = f"ascend, and be at least the durations of a size, {self.durations}"
            raise argument_error("train_flops", rule, list(self.train_flops))
        if not self.sizes:
            raise argument_error("sizes", "hold at least one size", [])
        for each in self.sizes:
            layers_and_width(each)

    def config(self, size: str) -> RunConfig:
        """The run of a size, to the last of its durations."""
        layers, width = layers_and_width(size)
        own = (f"model.num_layers={layers}", f"model.embedding={width}", f"model.feed_forward={2 * width}")
        return load_recipe(self.recipe, (*self.overrides, *own, f"seed={self.seed}", "evaluate.every_steps=1"))

    def levels(self, size: str) -> tuple[float, ...]:
        """The durations of a size, in training FLOPs."""
        spare, place = len(self.train_flops) - self.durations, self.sizes.index(size)
        first = round(place * spare / max(len(self.sizes) - 1, 1))
        return self.train_flops[first:][: self.durations]

    def steps(self, size: str) -> tuple[int, ...]:
        """The steps at which a size is sampled: those nearest to its durations.

        Raises:
            ArgumentError: two durations are nearest to one step.
        """
        config = self.config(size)
        a_step = cost_of(config).train_flops(config.train.batch_size, sequence_tokens(config.task))
        found = tuple(max(1, round(flops / a_step)) for flops in self.levels(size))
        if len({*found}) < len(found):
            rule = f"lie further apart than a step of {size}, {a_step:.3g} FLOPs"
            raise argument_error("train_flops", rule, list(self.train_flops))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The graded samples of a checkpoint, counted, and what they cost."""

    correct_P: tuple[int, ...]
    """Right samples of each problem."""
    greedy_P: str
    """Whether the greedy sample of each is right, `1` or `0`."""
    k_values: tuple[int, ...]
    query_flops_K: tuple[float, ...]
    """Of a query that draws until a sample is right, or K."""
    greedy_flops: float
    """Of a query that is answered greedily."""
    output_tokens: float
    """Of a sample, on average."""
    evaluation_flops: float
    """Of drawing all this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A size after some training, as it was measured."""

    size: str
    trained: Trained
    level: float
    """Of `Grid.train_flops`: what it stands for."""
    params: float
    """Matrix-multiply parameters, those that FLOPs are counted of: all but the embedding and the norms."""
    counted: Counted


def checkpoints_of(grid: Grid, cells: Cells) -> Iterator[Checkpoint]:
    """All checkpoints of the grid, each trained and sampled in a cell, from the smallest size to the largest."""
    task = grid.config(grid.sizes[0]).task
    problems = task.problems("test", grid.num_problems, seed=grid.seed)  # refused before anything is trained
    all_steps = [grid.steps(size) for size in grid.sizes]
    for size, steps in zip(grid.sizes, all_steps, strict=True):
        config = grid.config(size)
        config = replace(config, train=replace(config.train, steps=steps[-1]))
        cost, name = cost_of(config), f"size-{size}"
        trained = train_to(cells, name, config, steps)
        for step, level in zip(steps, grid.levels(size), strict=True):
            how = partial(_count, cells, name, step, config, problems, grid)
            yield Checkpoint(
                size=size,
                trained=trained[step],
                level=level,
                params=cost.body_params + cost.head_params,
                counted=cells.of(f"count {name} step={step} {grid.num_problems}x{grid.num_samples}", Counted, how),
            )


def _count(cells: Cells, name: str, step: int, config: RunConfig, problems: Sequence[Problem], grid: Grid) -> Counted:
    bank = drawn(
        cells,
        name,
        step,
        config,
        problems=problems,
        num_samples=grid.num_samples,
        seed=bank_seed(grid.seed, step),
    )
    price = price_of(bank, cost_of(config))
    greedy, until_right = evaluate(tally_of(bank, price.costs), max_k=grid.num_samples, strategies=("greedy", "pass@k"))
    shown = until_right.some_places
    return Counted(
        correct_P=bank.num_correct_P,
        greedy_P=bank.greedy_correct_P,
        k_values=tuple(until_right.k_values[place] for place in shown),
        query_flops_K=tuple(round(until_right.flops_K[place], 1) for place in shown),
        greedy_flops=round(greedy.flops_K[0], 1),
        output_tokens=bank.output_tokens / bank.num_drawn,
        evaluation_flops=round(price.evaluation_flops),
    )
