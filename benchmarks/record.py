"""Record full training runs, with many samples per problem at dense checkpoints, on validation and on test problems.

    python benchmarks/record.py                    record what is missing in benchmarks/suite, two runs at a time
    python benchmarks/record.py countdown-seed0    record this run alone
    python benchmarks/record.py --set rising       what is missing in benchmarks/rising, one run at a time; --set late
    python benchmarks/record.py --set late mul2-wsd-seed0   this run of it alone
    python benchmarks/record.py --losses           the validation losses that runs of benchmarks/suite lack

benchmarks/rising and benchmarks/late hold recipes of runs that rise late or end at 1, and their recordings. On those
of benchmarks/late nothing is ever tuned. A recipe there whose name ends in -gpt2 or -llama trains that class of
transformers instead of the reference model. The suite was recorded before there were validation losses: they are
measured on a second training with the same seed, whose losses differ from the first in the last digits at first, on
another CPU, and later as those of two seeds do.

A run takes about 10 minutes on one core, one of the other sets 2. What is stored, and read back by `recorded.load`: a
first line with the configuration, the spec and what a token costs, then one line a checkpoint with the observations.
"""

import argparse
import dataclasses
import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import torch
from recorded import LATE, RISING, Losses, losses_path
from torch import nn

from breakeven.config import RunConfig, config_to_builtins, load_recipe
from breakeven.cost.evaluation import price_of
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import answers_of
from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import Observation
from breakeven.sampling.collect import collect
from breakeven.sampling.losses import validation_loss
from breakeven.sampling.transformer import TransformerSampler
from breakeven.train.costs import cost_of, sequence_tokens, spec_for
from breakeven.train.step import learning_rate, train_step, training_batches

SUITE = Path(__file__).parent / "suite"
RECIPES = ("countdown", "countdown-easy", "countdown-endless", "chain", "rules", "latin")
SEEDS = (0, 1, 2)
OTHERS = {"rising": RISING, "late": LATE}
OTHER_SEEDS = (0, 1)
NUM_SAMPLES = 64
OTHER_SAMPLES = 48
SHARES = (*(percent / 100 for percent in range(2, 30, 2)), *(percent / 100 for percent in range(30, 101, 5)))
"""Shares of the budget at which a checkpoint is measured: dense where a good rule stops."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", choices=OTHERS, help="the runs of benchmarks/rising or benchmarks/late")
    parser.add_argument("--losses", action="store_true", help="the validation losses that runs of the suite lack")
    parser.add_argument("run", nargs="?", help="RECIPE-seedN")
    asked = parser.parse_args()
    if asked.losses:
        for path in sorted(
            SUITE.glob(f"{asked.run or '*'}.jsonl.gz"), key=lambda path: path.name[-len("0.jsonl.gz") :]
        ):
            if not losses_path(path).exists():
                record_losses(path)
        return
    folder, seeds = (OTHERS[asked.set], OTHER_SEEDS) if asked.set else (SUITE, SEEDS)
    if asked.run:
        recipe, _, seed = asked.run.rpartition("-seed")
        config = load_recipe(str(folder / f"{recipe}.toml") if asked.set else recipe, [f"seed={seed}"])
        record(config, folder / f"{asked.run}.jsonl.gz", OTHER_SAMPLES if asked.set else NUM_SAMPLES)
        return
    recipes = sorted(path.stem for path in folder.glob("*.toml")) if asked.set else RECIPES
    runs = [f"{recipe}-seed{seed}" for seed in seeds for recipe in recipes]
    missing = [run for run in runs if not (folder / f"{run}.jsonl.gz").exists()]
    command = [sys.executable, __file__, *(["--set", asked.set] if asked.set else [])]
    with ThreadPoolExecutor(max_workers=1 if asked.set else 2) as pool:
        list(pool.map(lambda run: subprocess.run([*command, run], check=True), missing))


def record(config: RunConfig, path: Path, num_samples: int) -> None:
    """Train to the end and write `path` once the run is complete."""
    torch.set_num_threads(config.train.threads)
    torch.manual_seed(config.seed)
    model, new_cache, cost = model_of(config)
    tokens = sequence_tokens(config.task)
    budget_flops = cost.train_flops(config.train.steps * config.train.batch_size, tokens)
    spec = dataclasses.replace(spec_for(config), budget_flops=budget_flops)
    lines = [msgspec.json.encode({"config": config_to_builtins(config), "spec": spec, "cost": cost})]
    sampler = TransformerSampler(model, config.task, new_cache=new_cache)
    lines += [msgspec.json.encode(pair) for pair in measured(config, model, sampler, cost, num_samples)]
    write(path, lines)


def record_losses(path: Path) -> None:
    """Train a run of the suite again, for the validation losses that it was recorded without."""
    recipe, _, seed = path.name.removesuffix(".jsonl.gz").rpartition("-seed")
    config = load_recipe(recipe, [f"seed={seed}"])
    torch.set_num_threads(config.train.threads)
    torch.manual_seed(config.seed)
    model, new_cache, cost = model_of(config)
    sampler = TransformerSampler(model, config.task, new_cache=new_cache)
    problems = config.task.problems("validation", config.evaluate.num_problems)
    prompt_tokens = [len(config.task.encode_prompt(each)) for each in problems]
    lines = []
    for step, loss in trained(config, model):
        told = validation_loss(sampler, problems, prompt_tokens_P=prompt_tokens, cost=cost)
        assert told is not None
        lines.append(msgspec.json.encode(Losses(step, loss, told)))
        sys.stderr.write(f"{path.name} step {step} loss {loss:.3f} validation {told.mean:.3f}\n")
    write(losses_path(path), lines)


def write(path: Path, lines: Sequence[bytes]) -> None:
    """The recording, whole or not at all; the same lines make the same file."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".part")
    with open(partial, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        packed.writelines(line + b"\n" for line in lines)
    partial.rename(path)


def model_of(config: RunConfig) -> tuple[nn.Module, Callable[[], Any], ModelCost]:
    """The model to train, what makes an empty cache for it, and what a token costs on it."""
    shape = config.model.shape_for(config.task)
    architecture = config.name.rpartition("-")[2]
    if architecture not in ("gpt2", "llama"):
        return Transformer(shape), lambda: KVCache([], []), cost_of(config)
    import foreign  # transformers is slow to import

    model = foreign.Foreign(foreign.CLASSES[architecture](shape))
    return model, lambda: foreign.ForeignCache(foreign.DynamicCache()), model.cost


def trained(config: RunConfig, model: nn.Module) -> Iterator[tuple[int, float]]:
    """Train to the end; each step at which a checkpoint is measured, with its training loss."""
    task, train = config.task, config.train
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
    )
    batches = training_batches(task, train, config.seed)
    due = {round(share * train.steps) for share in SHARES}
    for step in range(1, train.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, train)
        loss = train_step(model, optimizer, batches(step), task.prompt_tokens, train.clip_norm)
        if step in due:
            yield step, loss


def measured(
    config: RunConfig, model: nn.Module, sampler: TransformerSampler, cost: ModelCost, num_samples: int
) -> Iterator[dict[str, Observation]]:
    """The observations of every checkpoint, by split."""
    task, train = config.task, config.train
    for step, loss in trained(config, model):
        train_tokens = step * train.batch_size * sequence_tokens(task)
        pair = {}
        for offset, split in enumerate(("validation", "test")):
            problems = task.problems(split, config.evaluate.num_problems)
            bank = collect(
                sampler,
                task,
                problems,
                num_samples=num_samples,
                temperature=config.evaluate.temperature,
                seed=(config.seed << 32) + 2 * step + offset,
                answers=answers_of(task),
            )
            price = price_of(bank, cost)
            told = validation_loss(sampler, problems, prompt_tokens_P=bank.prompt_tokens_P, cost=cost)
            pair[split] = Observation(
                step=step,
                train_tokens=train_tokens,
                train_flops=cost.train_flops(train_tokens / sequence_tokens(task), sequence_tokens(task)),
                evaluation_flops=price.evaluation_flops + (0.0 if told is None else told.flops),
                query_flops=price.query,
                model_cost={name: float(value) for name, value in dataclasses.asdict(cost).items()},
                loss=loss,
                bank=bank,
                validation_loss=told,
            )
        sys.stderr.write(
            f"{config.name} seed {config.seed} step {step} loss {loss:.3f} "
            + ", ".join(
                f"{split} greedy {each.bank.greedy_accuracy:.3f} sampled {each.bank.sampled_accuracy:.3f}"
                for split, each in pair.items()
            )
            + "\n"
        )
        yield pair


if __name__ == "__main__":
    main()
