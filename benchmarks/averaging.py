"""What averaged weights and a cooldown buy, beside more samples of the raw model.

    python benchmarks/averaging.py             the table, from benchmarks/averaging
    python benchmarks/averaging.py --record    record what is missing there first; about 4 minutes a recipe on one core

At some shares of the budget a run is measured as it is, with the average of its weights in their place, and as a branch
whose learning rate falls to the end over a tenth of the tokens used: on the same test problems, with the same seeds.
Recorded is a first line with configuration and costs, then one line a branch point with the three observations.
"""

import argparse
import copy
import gzip
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import torch

from breakeven.config import RunConfig, config_to_builtins, load_recipe
from breakeven.data.task import answers_of
from breakeven.model.transformer import Transformer
from breakeven.records import KCurve, Observation
from breakeven.sampling.average import WeightAverage
from breakeven.sampling.collect import collect
from breakeven.sampling.losses import validation_loss
from breakeven.session.live import observation_of
from breakeven.session.step import curves_of, measured_of
from breakeven.stopping.cooldown import cooldown_factor, pays_from
from breakeven.stopping.course import Needs
from breakeven.train.costs import cost_of, sequence_tokens
from breakeven.train.loop import sampler_for
from breakeven.train.step import learning_rate, train_step, training_batches

FOLDER = Path(__file__).parent / "averaging"
RECIPES = ("countdown-endless", "rules", "latin", "chain")
SHARES = (0.15, 0.3, 0.5)
"""Of the budget; all before the recipes' own decays."""
COOLDOWN = 0.1
NUM_PROBLEMS, NUM_SAMPLES = 200, 8
VOLUME = 0.01
"""Queries whose single samples cost this share of the budget: the workload at which equal FLOPs are compared."""


class Point(msgspec.Struct, frozen=True):
    """One branch point."""

    steps: int
    """Of the cooldown."""
    raw: Observation
    average: Observation
    cooled: Observation


class Head(msgspec.Struct, frozen=True):
    """The first line."""

    config: dict[str, object]
    budget_flops: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="record what is missing first")
    parser.add_argument("recipe", nargs="*", default=RECIPES)
    asked = parser.parse_args()
    for recipe in asked.recipe:
        path = FOLDER / f"{recipe}.jsonl.gz"
        if asked.record and not path.exists():
            record(load_recipe(recipe), path)
    print(table({recipe: load(FOLDER / f"{recipe}.jsonl.gz") for recipe in asked.recipe}))


# -- recording --------------------------------------------------------------------------------------------------------


def record(config: RunConfig, path: Path) -> None:
    """Write `path` once all its points are measured."""
    budget_flops = cost_of(config).train_flops(
        config.train.steps * config.train.batch_size, sequence_tokens(config.task)
    )
    lines = [Head(config=config_to_builtins(config), budget_flops=budget_flops), *points(config)]
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".part")
    with open(partial, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        packed.writelines(msgspec.json.encode(line) + b"\n" for line in lines)
    partial.rename(path)


def points(config: RunConfig) -> Iterator[Point]:
    """Train to the last branch point, with a branch at each."""
    task, train = config.task, config.train
    torch.set_num_threads(1)
    torch.manual_seed(config.seed)
    model = Transformer(config.model.shape_for(task))
    optimizer, average = optimizer_of(model, config), WeightAverage(model)
    batches = training_batches(task, train, config.seed)
    due = [round(share * train.steps) for share in SHARES]
    for step in range(1, due[-1] + 1):
        one_step(model, optimizer, learning_rate(step, train), batches(step), config)
        average.update(step)
        if step not in due:
            continue
        raw = observed(config, model, step, step)
        with average.swapped():
            averaged = observed(config, model, step, step)
        steps, rate = max(1, round(COOLDOWN * step)), learning_rate(step, train)
        branch = copy.deepcopy(model)
        cooling = optimizer_of(branch, config)
        cooling.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        for each in range(1, steps + 1):
            one_step(branch, cooling, rate * cooldown_factor(each, steps), batches(step + each), config)
        point = Point(steps=steps, raw=raw, average=averaged, cooled=observed(config, branch, step + steps, step))
        accuracies = (each.bank.greedy_accuracy for each in (point.raw, point.average, point.cooled))
        sys.stderr.write(f"{config.name} step {step}: {', '.join(f'{each:.3f}' for each in accuracies)}\n")
        yield point


def optimizer_of(model: Transformer, config: RunConfig) -> torch.optim.Optimizer:
    train = config.train
    return torch.optim.AdamW(
        model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
    )


def one_step(
    model: Transformer, optimizer: torch.optim.Optimizer, rate: float, batch: torch.Tensor, config: RunConfig
) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    train_step(model, optimizer, batch, config.task.prompt_tokens, config.train.clip_norm)


def observed(config: RunConfig, model: Transformer, step: int, branch_step: int) -> Observation:
    """A model on the test problems; the seed is that of the branch point."""
    task, cost, tokens = config.task, cost_of(config), sequence_tokens(config.task)
    problems, sampler = task.problems("test", NUM_PROBLEMS), sampler_for(model, task)
    bank = collect(
        sampler,
        task,
        problems,
        num_samples=NUM_SAMPLES,
        temperature=config.evaluate.temperature,
        seed=(config.seed << 32) + 2 * branch_step + 1,
        answers=answers_of(task),
    )
    train_tokens = step * config.train.batch_size * tokens
    observation, _ = observation_of(
        bank,
        cost=cost,
        reward_cost=None,
        step=step,
        train_tokens=train_tokens,
        train_flops=cost.train_flops(train_tokens / tokens, tokens),
        loss=None,
        validation_loss=validation_loss(sampler, problems, prompt_tokens_P=bank.prompt_tokens_P, cost=cost),
    )
    return observation


# -- reading ----------------------------------------------------------------------------------------------------------


def load(path: Path) -> tuple[Head, list[Point]]:
    """A recording."""
    with gzip.open(path) as file:
        return msgspec.json.decode(next(file), type=Head), [msgspec.json.decode(line, type=Point) for line in file]


def served(observation: Observation) -> KCurve:
    """What more samples of a model bring that can be served: Pass@K by the task's checker, or the majority vote."""
    curves = curves_of(measured_of(observation).tally, Needs(max_k=NUM_SAMPLES), shared_prefill=True)
    return next(each for each in curves if each.deployable and each.strategy != "greedy")


def greedy_P(observation: Observation) -> np.ndarray:
    return np.array([each == "1" for each in observation.bank.greedy_correct_P], float)


def loss_of(observation: Observation) -> float:
    return math.nan if observation.validation_loss is None else observation.validation_loss.mean


def table(runs: dict[str, tuple[Head, list[Point]]]) -> str:
    """One row a branch point, then what the rows say together."""
    rows = [
        "| recipe | used | greedy: raw | averaged | cooled | apart | validation loss: raw, averaged, cooled "
        f"| raw at K, as many FLOPs at volume {VOLUME} | with {NUM_SAMPLES} samples: raw, averaged, cooled "
        "| K of raw that reaches cooled "
        "| volume at which cooling pays |",
        "| --- " * 11 + "|",
    ]
    gains: dict[str, list[tuple[float, float, float]]] = {}
    for recipe, (head, found) in runs.items():
        for point in found:
            raw, averaged, cooled = (greedy_P(each) for each in (point.raw, point.average, point.cooled))
            apart = averaged - cooled
            error = apart.std(ddof=1) / len(apart) ** 0.5
            curve, extra = served(point.raw), point.cooled.train_flops - point.raw.train_flops
            one = point.raw.query_flops.total(1)
            volume_flops = VOLUME * head.budget_flops
            affordable = [each for each, flops in enumerate(curve.flops_K) if flops <= one * (1 + extra / volume_flops)]
            k = affordable[-1] if affordable else 0
            enough = next((each for each, value in enumerate(curve.accuracy_K) if value >= cooled.mean()), None)
            pays = (
                "never reached"
                if enough is None
                else "always"
                if (queries := pays_from(extra, curve.flops_K[enough], one)) is None
                else f"{queries * one / head.budget_flops:.3f}"
            )
            gains.setdefault(recipe, []).append((raw.mean(), averaged.mean(), cooled.mean()))
            with_all = ", ".join(
                f"{served(each).accuracy_K[-1]:.3f}" for each in (point.raw, point.average, point.cooled)
            )
            losses = ", ".join(f"{loss_of(each):.3f}" for each in (point.raw, point.average, point.cooled))
            rows.append(
                f"| {recipe} | {point.raw.train_flops / head.budget_flops:.0%} | {raw.mean():.3f} "
                f"| {averaged.mean():.3f} | {cooled.mean():.3f} | {apart.mean():+.3f} ± {error:.3f} | {losses} "
                f"| {curve.accuracy_K[k]:.3f} (K = {curve.k_values[k]}) | {with_all} "
                f"| {'more than ' + str(NUM_SAMPLES) if enough is None else curve.k_values[enough]} | {pays} |"
            )
    for recipe, triples in gains.items():
        raw_, averaged_, cooled_ = map(np.array, zip(*triples, strict=True))
        apart_ = averaged_ - cooled_
        rows.append(
            f"\n{recipe}: a cooldown gains {(cooled_ - raw_).mean():+.3f} in the mean, the average "
            f"{(averaged_ - raw_).mean():+.3f}; farthest apart {apart_[np.abs(apart_).argmax()]:+.3f}"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    main()
