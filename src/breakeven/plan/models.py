"""Reference models that a row trains and samples: checkpoints of one run, each a cell with its weights beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from breakeven.config import RunConfig
from breakeven.data.task import answers_of
from breakeven.errors import argument_error
from breakeven.plan.cells import Cells
from breakeven.records import Problem, SampleBank
from breakeven.train.costs import cost_of, sequence_tokens

if TYPE_CHECKING:
    import torch

    from breakeven.model.transformer import Transformer
    from breakeven.sampling.transformer import TransformerSampler


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A checkpoint of a reference run."""

    step: int
    train_flops: float
    """Spent up to it, from what it started with."""
    params: int
    """All of the model."""
    train_tokens: int


def layers_and_width(size: str) -> tuple[int, int]:
    """A size as rows name it, such as "2x32": layers, and width of the embedding.

    Raises:
        ArgumentError: it is not two whole numbers above 0.
    """
    layers, times, width = size.partition("x")
    if not (times and layers.isdecimal() and width.isdecimal() and int(layers) and int(width)):
        raise argument_error("sizes", "hold layers x embedding each, such as 2x32", size)
    return int(layers), int(width)


def train_to(
    cells: Cells,
    name: str,
    config: RunConfig,
    steps: Sequence[int],
    *,
    start: Mapping[str, "torch.Tensor"] | None = None,
    batches: Callable[[int], "torch.Tensor"] | None = None,
) -> dict[int, Trained]:
    """Train the configured model, and keep its weights at some steps: one run, as many cells.

    Args:
        cells: of the plan.
        name: of this run in it, a directory: "size-M-seed-0".
        config: model, task, schedule and seed; a function of these alone.
        steps: ascending, the last at most `config.train.steps`.
        start: weights to start from, in place of those of the seed.
        batches: token ids (B, T) of each step, in place of the task's own: prompts of any length, as long in a batch.
            Tokens and FLOPs are still counted as of the task's own.

    Returns:
        By step. `sampler_of` samples them.

    Raises:
        DivergedError: the loss became NaN or infinite.
    """
    import math

    import torch

    from breakeven.model.transformer import Transformer
    from breakeven.session.failing import diverged
    from breakeven.train.checkpoint import load_state, save_state, save_weights
    from breakeven.train.step import learning_rate, train_step, training_batches

    task, train, folder = config.task, config.train, cells.place(name)
    if list(steps) != sorted({*steps}) or not steps or steps[-1] > train.steps or steps[0] < 1:
        raise argument_error("steps", f"be ascending, from 1 to train.steps, {train.steps}", list(steps))
    torch.set_num_threads(train.threads)
    torch.manual_seed(config.seed)
    model = Transformer(config.model.shape_for(task))
    if start is not None:
        model.load_state_dict(dict(start))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
    )
    batch_of = batches or training_batches(task, train, config.seed)
    loaded = False

    def train_on(step: int) -> Trained:
        nonlocal loaded
        folder.mkdir(parents=True, exist_ok=True)
        if not loaded:
            at, loaded = load_state(folder, model, optimizer), True
        else:
            at = max((each for each in steps if each < step), default=0)
        for each in range(at + 1, step + 1):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(each, train)
            rows_BT = batch_of(each)
            loss = train_step(model, optimizer, rows_BT, rows_BT.shape[1] - task.output_tokens, train.clip_norm)
            if not math.isfinite(loss):
                raise diverged(each, loss)
        save_weights(weights_of(cells, name, step), model, {"task": asdict(task), "model": asdict(model.shape)})
        save_state(folder, model, optimizer, step)
        tokens = step * train.batch_size * sequence_tokens(task)
        return Trained(
            step=step,
            train_flops=cost_of(config).train_flops(step * train.batch_size, sequence_tokens(task)),
            params=sum(each.numel() for each in model.parameters()),
            train_tokens=tokens,
        )

    return {step: cells.of(f"train {name} step={step}", Trained, partial(train_on, step)) for step in steps}


def weights_of(cells: Cells, name: str, step: int) -> Path:
    """The folder with the weights of a checkpoint of `train_to`."""
    return cells.place(name) / f"step-{step:06d}"


def model_at(cells: Cells, name: str, step: int, config: RunConfig) -> "Transformer":
    """The model of a checkpoint, in evaluation mode."""
    from breakeven.model.transformer import Transformer
    from breakeven.train.checkpoint import load_weights

    model = Transformer(config.model.shape_for(config.task))
    load_weights(weights_of(cells, name, step), model)
    return model.eval()


def sampler_of(model: "Transformer", config: RunConfig) -> "TransformerSampler":
    """What samples it."""
    from breakeven.train.loop import sampler_for

    return sampler_for(model, config.task)


def sampled(
    cells: Cells,
    name: str,
    step: int,
    config: RunConfig,
    *,
    problems: Sequence[Problem],
    num_samples: int,
    of: str,
    seed: int,
) -> SampleBank:
    """The graded samples of a checkpoint, with its greedy ones: a cell.

    Args:
        cells: of the plan.
        name: of the run.
        step: of the checkpoint.
        config: of the run; gives task and temperature.
        problems: to be solved.
        num_samples: drawn for each.
        of: what the problems are, in a word or two, for the key: "test", "selection".
        seed: of the samples.
    """
    how = partial(drawn, cells, name, step, config, problems=problems, num_samples=num_samples, seed=seed)
    return cells.of(f"sample {name} step={step} {of} {len(problems)}x{num_samples}", SampleBank, how)


def drawn(
    cells: Cells,
    name: str,
    step: int,
    config: RunConfig,
    *,
    problems: Sequence[Problem],
    num_samples: int,
    seed: int,
) -> SampleBank:
    """`sampled` without the cell, for a row that keeps only what it counts of the samples."""
    from breakeven.sampling.collect import collect

    return collect(
        sampler_of(model_at(cells, name, step, config), config),
        config.task,
        problems,
        num_samples=num_samples,
        temperature=config.evaluate.temperature,
        seed=seed,
        answers=answers_of(config.task),
    )


def widened(model: "Transformer", config: RunConfig) -> dict[str, "torch.Tensor"]:
    """Weights of a model as the start of one whose task has more words: those of new words are drawn by its seed.

    Args:
        model: of the same sizes, but for the words.
        config: of the model that is to start from it.
    """
    import torch

    from breakeven.model.transformer import Transformer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        weights: dict[str, torch.Tensor] = Transformer(config.model.shape_for(config.task)).state_dict()
    for name, value in model.state_dict().items():
        weights[name][: len(value)] = value
    return weights
