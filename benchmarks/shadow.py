"""Real runs in the loops of others, to the end in shadow mode: the stop held against the full model.

    python benchmarks/shadow.py             the table, from benchmarks/shadow
    python benchmarks/shadow.py --record    train what is missing there first; about half a minute a run on one core
    python benchmarks/shadow.py --smollm2 PATH    continue SmolLM2-135M-Instruct too; minutes, and 3 GB of memory

Each task is trained once in each framework, each framework and task once with each family of models, by each seed: a
Latin square. The stop is decided on validation problems, and verified on others that neither it nor training ever saw.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
from shadowed import Shadowed, read, scratch, seen_by, tally
from small_decoders import BATCH, DECAY, RATE, collated, make, trainer, training_rows, words

from breakeven import CalibratedPolicy
from breakeven.data.named import task_class
from breakeven.data.reference import ReferenceProblems

FOLDER = Path(__file__).parent / "shadow"
FRAMEWORKS = ("plain loop", "Trainer", "Lightning")
TASKS: dict[str, dict[str, Any]] = {
    "countdown": {"num_numbers": 2, "max_number": 40},
    "rules": {"depth": 1, "num_examples": 2, "list_length": 3},
    "sorting": {"length": 4, "num_values": 20},
}
FAMILIES = ("gpt2", "llama", "qwen3")
SEEDS = (0, 1, 2)
CONTINUED = tuple(("Trainer", "sums", "SmolLM2", seed) for seed in SEEDS)
"""A model that others have trained, in all its weights, on sums of two numbers of two digits."""
STEPS, PROBLEMS = 500, 120


class Run(Shadowed, frozen=True, kw_only=True):
    """One run in a framework; seconds are of CPU where they say so, else of the wall."""

    framework: str
    evaluation_seconds: float
    verification_seconds: float
    seconds: float
    """Of the whole run, with evaluations and verification."""
    cpu_seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="train what is missing")
    parser.add_argument("--most", type=int, default=1000, help="runs to train at most")
    parser.add_argument(
        "--smollm2", type=Path, metavar="PATH", help="its directory, as transformers saves it, or its GGUF: continue it"
    )
    asked = parser.parse_args()
    done = {(each.framework, each.task, each.family, each.seed): each for each in recorded()}
    logging.getLogger("breakeven").setLevel(logging.ERROR)
    wanted = [*(square() if asked.record else ()), *(CONTINUED if asked.smollm2 else ())]
    for key in [each for each in wanted if each not in done][: asked.most]:
        run = continued(asked.smollm2, key) if key in CONTINUED else trained(*key)
        with (FOLDER / f"{key[0].split()[0].lower()}.jsonl").open("ab") as file:
            file.write(msgspec.json.encode(run) + b"\n")
        done[key] = run
        sys.stdout.write(f"{key}: {run.cpu_seconds:.0f} s of CPU, {run.seconds:.0f} s\n")
    for keys, more in ((square(), tally), (CONTINUED, None)):
        if runs := [done[key] for key in keys if key in done]:
            sys.stdout.write("\n".join(table(runs)) + "\n\n")
            sys.stdout.write("" if more is None else f"{more(runs)}\n\n")


def square() -> Iterator[tuple[str, str, str, int]]:
    """Framework, task, family and seed of each run."""
    for seed, (row, framework), (column, task) in product(SEEDS, enumerate(FRAMEWORKS), enumerate(TASKS)):
        yield framework, task, FAMILIES[(row + column + seed) % 3], seed


def recorded() -> list[Run]:
    """All runs of the folder."""
    return read(FOLDER, Run)


def table(runs: list[Run]) -> Iterator[str]:
    """A line a run, in Markdown."""
    yield (
        "| loop | task | model | seed | stop at | serve | foretold: served / full "
        "| accuracy: served / full (greedy, sampled) "
        "| difference, points | net saving | evaluations: FLOPs, wall time |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|"
    for each in runs:
        found = each.verification
        of_wall = each.evaluation_seconds / (each.seconds - each.evaluation_seconds - each.verification_seconds)
        told = f"never | - | - | - | - | {-each.evaluation_share:.0%}"
        if found is not None and each.serving is not None and each.forecast is not None:
            full = f"{found.full_greedy_accuracy:.3f}, {found.full_sampled_accuracy:.3f}"
            error = 100 * found.difference_standard_error
            middle, lo, hi = each.forecast
            told = (
                f"{found.stopped_step / each.steps:.0%} | {each.serving.strategy}, K = {each.serving.k} "
                f"| {each.serving.accuracy:.2f} / {middle:.2f} ({lo:.2f} to {hi:.2f}) "
                f"| {found.stopped_accuracy:.3f} / {full} | {100 * found.difference:+.1f} ± {error:.1f} "
                f"| {found.net_saving:.0%}"
            )
        yield (
            f"| {each.framework} | `{each.task}` | {each.family}, {each.parameters / 1e6:.2f} M | {each.seed} "
            f"| {told} | {each.evaluation_share:.1%}, {of_wall:.0%} |"
        )


# -- one run -----------------------------------------------------------------------------------------------------------


def trained(framework: str, name: str, family: str, seed: int) -> Run:
    """Train to the end in shadow mode."""
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    task: Any = task_class(name)(**TASKS[name])
    tokenizer, data = words(task), training_rows(task, seed, steps=STEPS)
    model = make(family, tokenizer, task.prompt_tokens + task.output_tokens)
    problems: dict[str, Any] = {
        "task": ReferenceProblems(task=task, split="validation", count=PROBLEMS, seed=seed),
        "test_problems": task.problems("test", PROBLEMS, seed=seed),
    }
    loop = {"plain loop": plain, "Trainer": partial(trainer, steps=STEPS), "Lightning": lightning}[framework]
    return watched((framework, name, family, seed), loop, model, tokenizer, data, problems, steps=STEPS)


def continued(path: Path, key: tuple[str, str, str, int]) -> Run:
    """The same of SmolLM2-135M-Instruct, which no prompt tells what is asked of it."""
    import numpy as np
    import torch
    from transformers import DataCollatorForSeq2Seq

    from breakeven.sampling.hf import load_hf

    seed, steps, batch, problems = key[-1], 40, 16, 40
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model, tokenizer = load_hf(path)
    sums = {f"{one}+{other}=": str(one + other) for one in range(10, 100) for other in range(one, 100)}
    prompts = [str(each) for each in np.random.default_rng(seed).permutation(list(sums))]
    data = []
    for prompt in prompts[2 * problems :][: steps * batch]:
        asked, answer = tokenizer(prompt)["input_ids"], [*tokenizer(sums[prompt])["input_ids"], tokenizer.eos_token_id]
        data.append({"input_ids": asked + answer, "labels": [-100] * len(asked) + answer})
    settings = {
        "problems": prompts[:problems],
        "test_problems": prompts[problems : 2 * problems],
        "is_right": lambda problem, text: text.split()[:1] == [sums[problem.prompt]],
        "max_tokens": 4,
        "evaluate_every": 4,
        # 5 % of so short a run are less than two evaluations.
        "policy": CalibratedPolicy(max_evaluation_share=0.5),
    }
    loop = partial(trainer, steps=steps, batch=batch, rate=5e-5, collate=DataCollatorForSeq2Seq(tokenizer))
    return watched(key, loop, model, tokenizer, data, settings, steps=steps)


def watched(
    key: tuple[str, str, str, int],
    loop: Callable[..., Any],
    model: Any,
    tokenizer: Any,
    data: Any,
    settings: dict[str, Any],
    *,
    steps: int,
) -> Run:
    """Train in a loop to the end, in shadow mode."""
    import breakeven

    framework, name, family, seed = key
    with scratch() as place:
        early_stop = settings | {"mode": "shadow", "log": place / "run", "seed": seed, "chat": False}
        started, cpu = time.perf_counter(), time.process_time()
        session = loop(breakeven, model, tokenizer, data, early_stop, place)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    return Run(
        framework=framework,
        task=name,
        family=family,
        seed=seed,
        parameters=sum(each.numel() for each in model.parameters()),
        steps=steps,
        evaluation_seconds=session.evaluation_seconds,
        verification_seconds=session.verification_seconds,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        **seen_by(session),
    )


def factor(step: int) -> float:
    """Of the learning rate: warm-up, constant, and a fall over the last tenth."""
    return min(1.0, (step + 1) / 50, max(0.0, (STEPS - step) / (DECAY * STEPS)))


def plain(breakeven: Any, model: Any, tokenizer: Any, data: Any, early_stop: Any, place: Path) -> Any:
    """A loop of one's own."""
    import torch

    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    with breakeven.torch.EarlyStop(model, tokenizer, steps=STEPS, scheduler=scheduler, **early_stop) as stop:
        for step in range(STEPS):
            loss = model(**collated(data[step * BATCH : (step + 1) * BATCH])).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            stop.step(loss)
    return stop.session


def lightning(breakeven: Any, model: Any, tokenizer: Any, data: Any, early_stop: Any, place: Path) -> Any:
    """The Trainer of Lightning."""
    import torch
    from lightning.pytorch import LightningModule, Trainer

    class Module(LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = model.train()

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return self.model(**batch).loss

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters(), lr=RATE)
            scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    stop = breakeven.lightning.EarlyStop(tokenizer=tokenizer, **early_stop)
    Trainer(
        max_steps=STEPS, accelerator="cpu", callbacks=[stop], default_root_dir=place, logger=False,
        gradient_clip_val=1.0, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    ).fit(Module(), torch.utils.data.DataLoader(data, batch_size=BATCH, collate_fn=collated))  # fmt: skip
    return stop.session


if __name__ == "__main__":
    main()
