"""Decoders, dense and of experts, on generation and on structured output, for families.py.

    python benchmarks/families_decoders.py          train what is missing in benchmarks/families/decoders.jsonl

A run takes some minutes on one core.
"""

import argparse
import logging
import sys
from itertools import product
from typing import Any

import msgspec
import torch
from families import FOLDER, NUM_SAMPLES, Record, compact, recorded
from shadowed import scratch, seen_by
from small_decoders import make, trainer, training_rows, words

import breakeven
from breakeven.cost.families import network_of_config
from breakeven.data.named import task_class
from breakeven.data.reference import ReferenceProblems
from breakeven.records import SampleBank
from breakeven.sampling.collect import collect
from breakeven.seeds import verification_seed
from breakeven.store import RunLog

TASKS: dict[str, dict[str, Any]] = {
    "countdown": {"num_numbers": 3, "max_number": 20},
    "latin": {"size": 4, "num_clues": 6},
}
OUTPUT = {"countdown": "generation", "latin": "structured output"}
FAMILIES = ("qwen3", "qwen3_moe")
SEEDS = (0, 1, 2)
STEPS = {"countdown": 2000, "latin": 1500}
PROBLEMS = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=1000, help="runs to train at most")
    asked = parser.parse_args()
    logging.getLogger("breakeven").setLevel(logging.ERROR)
    done = {(each.task, each.seed, each.family) for each in recorded()}
    missing = [each for each in product(TASKS, SEEDS, FAMILIES) if each not in done]
    for key in missing[: asked.most]:
        record = trained(*key)
        with (FOLDER / "decoders.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(record) + b"\n")
        sys.stdout.write(f"{key}: stop at {record.stop}\n")


def trained(name: str, seed: int, family: str) -> Record:
    """Train to the end in shadow mode."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    task: Any = task_class(name)(**TASKS[name])
    steps = STEPS[name]
    tokenizer, data = words(task), training_rows(task, seed, steps=steps)
    model = make(family, tokenizer, task.prompt_tokens + task.output_tokens)
    early_stop = {
        "task": ReferenceProblems(task=task, split="validation", count=PROBLEMS, seed=seed),
        "test_problems": task.problems("test", PROBLEMS, seed=seed),
        "mode": "shadow",
        "seed": seed,
        "chat": False,
    }
    with scratch() as place:
        session = trainer(breakeven, model, tokenizer, data, early_stop | {"log": place / "run"}, place, steps=steps)
        bank = bank_of(session, early_stop["test_problems"])
    network = network_of_config(model.config)
    parameters = sum(each.numel() for each in model.parameters())
    return Record(
        task=name,
        family=family,
        output=OUTPUT[name],
        seed=seed,
        parameters=parameters,
        active_parameters=round(parameters - (network.total_params - network.active_params)),
        steps=steps,
        bank=compact(bank),
        **seen_by(session),
    )


def bank_of(session: Any, problems: Any) -> SampleBank:
    """Samples of the test problems: of the stop as it was verified, or of the end where there was none."""
    log: RunLog = session.log
    if log.stop_test is not None:
        return log.stop_test.bank
    return collect(
        session.sampler,
        session.verifier,
        problems,
        num_samples=NUM_SAMPLES,
        temperature=session.temperature,
        seed=verification_seed(session.seed, 1),
        answers=session.answers,
    )


if __name__ == "__main__":
    main()
