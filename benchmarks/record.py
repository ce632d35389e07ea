"""Record the suite: full training runs, with 64 samples per problem at dense checkpoints, on validation and on test.

    python benchmarks/record.py                    record what is missing in benchmarks/suite, two runs at a time
    python benchmarks/record.py countdown-seed0    record this run alone

A run takes about 10 minutes on one core. What is stored, and read back by `benchmarks/suite.py`: a first line with the
configuration and the plan, then one line a checkpoint with the observation on validation and on test problems.
"""

import argparse
import gzip
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import torch

from breakeven.config import RunConfig, config_to_builtins, load_recipe
from breakeven.cost.evaluation import price_of
from breakeven.data.task import answers_of
from breakeven.model.transformer import Transformer
from breakeven.records import Observation
from breakeven.sampling.collect import collect
from breakeven.sampling.losses import validation_loss
from breakeven.train.costs import cost_of, sequence_tokens, spec_for
from breakeven.train.loop import learning_rate, sampler_for, train_step, training_batches

SUITE = Path(__file__).parent / "suite"
RECIPES = ("countdown", "countdown-easy", "countdown-endless", "chain", "rules", "latin")
SEEDS = (0, 1, 2)
NUM_SAMPLES = 64
SHARES = (*(percent / 100 for percent in range(2, 30, 2)), *(percent / 100 for percent in range(30, 101, 5)))
"""Shares of the budget at which a checkpoint is measured: dense where a good rule stops."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="?", help="RECIPE-seedN")
    run = parser.parse_args().run
    if run:
        recipe, _, seed = run.rpartition("-seed")
        record(load_recipe(recipe, [f"seed={seed}"]), SUITE / f"{run}.jsonl.gz")
        return
    missing = [
        f"{recipe}-seed{seed}"
        for seed in SEEDS
        for recipe in RECIPES
        if not (SUITE / f"{recipe}-seed{seed}.jsonl.gz").exists()
    ]
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda name: subprocess.run([sys.executable, __file__, name], check=True), missing))


def record(config: RunConfig, path: Path) -> None:
    """Train to the end and write `path` once the run is complete."""
    lines = [msgspec.json.encode({"config": config_to_builtins(config), "spec": spec_for(config)})]
    lines += [msgspec.json.encode(pair) for pair in measured(config)]
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".part")
    with open(partial, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0) as packed:
        packed.writelines(line + b"\n" for line in lines)
    partial.rename(path)


def measured(config: RunConfig) -> Iterator[dict[str, Observation]]:
    """The observations of every checkpoint, by split."""
    torch.set_num_threads(config.train.threads)
    torch.manual_seed(config.seed)
    task, train, cost = config.task, config.train, cost_of(config)
    model = Transformer(config.model.shape_for(task))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
    )
    batches = training_batches(task, train, config.seed)
    due = {round(share * train.steps) for share in SHARES}
    for step in range(1, train.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, train)
        loss = train_step(model, optimizer, batches(step), task.prompt_tokens, train.clip_norm)
        if step not in due:
            continue
        train_tokens = step * train.batch_size * sequence_tokens(task)
        pair = {}
        for offset, split in enumerate(("validation", "test")):
            sampler, problems = sampler_for(model, task), task.problems(split, config.evaluate.num_problems)
            bank = collect(
                sampler,
                task,
                problems,
                num_samples=NUM_SAMPLES,
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
