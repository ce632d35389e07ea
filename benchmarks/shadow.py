"""Real runs in the loops of others, to the end in shadow mode: the stop held against the full model.

    python benchmarks/shadow.py             the table, from benchmarks/shadow
    python benchmarks/shadow.py --record    train what is missing there first; about half a minute a run on one core
    python benchmarks/shadow.py --smollm2 PATH    continue SmolLM2-135M-Instruct too; minutes, and 3 GB of memory

Each task is trained once in each framework, each framework and task once with each family of models, by each seed: a
Latin square. The stop is decided on validation problems, and verified on others that neither it nor training ever saw.
"""

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
from scipy.stats import binomtest

from breakeven import CalibratedPolicy
from breakeven.data.named import task_class
from breakeven.data.reference import ReferenceProblems
from breakeven.records import CheckpointRecord, ServingPoint, Verification

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
STEPS, BATCH, SEQUENCES, RATE, DECAY = 500, 64, 10_000, 3e-3, 0.1
PROBLEMS, MARGIN = 120, 0.01


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run; seconds are of CPU where they say so, else of the wall."""

    framework: str
    task: str
    family: str
    seed: int
    parameters: int
    steps: int
    stop: int | None
    serving: ServingPoint | None
    """At the stop, as measured on the validation problems."""
    forecast: tuple[float, float, float] | None
    """At the stop, of the end: its middle and its 90 % interval."""
    verification: Verification | None
    evaluation_share: float
    """FLOPs of all evaluations to the end, over those of training."""
    evaluation_seconds: float
    verification_seconds: float
    seconds: float
    """Of the whole run, with evaluations and verification."""
    cpu_seconds: float
    curve: list[tuple[int, float]]
    """Steps, and greedy accuracy on the validation problems."""


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
    lines = (line for path in sorted(FOLDER.glob("*.jsonl")) for line in path.read_bytes().splitlines())
    return [msgspec.json.decode(line, type=Run) for line in lines]


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


def tally(runs: list[Run]) -> str:
    """How often the margin was violated, against the risk that all these runs declare, the default one."""
    stopped = [each.verification for each in runs if each.verification is not None]
    worse = [each for each in stopped if each.difference < -MARGIN]
    sure = [each for each in worse if each.difference + 1.645 * each.difference_standard_error < -MARGIN]
    lost = sum(each.evaluation_share for each in runs if each.verification is None)
    mean = (sum(each.net_saving for each in stopped) - lost) / len(runs)
    found = binomtest(len(worse), len(runs))
    lo, hi = found.proportion_ci(0.9, method="exact")
    return (
        f"{len(stopped)} of {len(runs)} runs stop; mean net saving of all {mean:.0%}; {len(worse)} violations of the "
        f"margin of one point, {len(sure)} by more than 1.645 standard errors: {found.statistic:.1%} of the runs "
        f"(exact binomial interval, 90 %: {lo:.1%} to {hi:.1%}), at a declared risk of {CalibratedPolicy().risk:.0%}."
    )


# -- one run -----------------------------------------------------------------------------------------------------------


def trained(framework: str, name: str, family: str, seed: int) -> Run:
    """Train to the end in shadow mode."""
    import numpy as np
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    task: Any = task_class(name)(**TASKS[name])
    tokenizer = words(task)
    rows = task.train_batch(SEQUENCES, (seed, 1))
    order = np.random.default_rng(seed)
    labels = rows.copy()
    labels[:, : task.prompt_tokens] = -100
    data = [
        {"input_ids": one, "labels": other}
        for _ in range(-(-STEPS * BATCH // SEQUENCES))
        for one, other in ((rows[at].tolist(), labels[at].tolist()) for at in order.permutation(SEQUENCES))
    ][: STEPS * BATCH]
    model = make(family, tokenizer, rows.shape[1])
    problems: dict[str, Any] = {
        "task": ReferenceProblems(task=task, split="validation", count=PROBLEMS, seed=seed),
        "test_problems": task.problems("test", PROBLEMS, seed=seed),
    }
    loop = {"plain loop": plain, "Trainer": trainer, "Lightning": lightning}[framework]
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
    place = Path(tempfile.mkdtemp())
    early_stop = settings | {"mode": "shadow", "log": place / "run", "seed": seed, "chat": False}
    started, cpu = time.perf_counter(), time.process_time()
    try:
        session = loop(breakeven, model, tokenizer, data, early_stop, place)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    finally:
        shutil.rmtree(place, ignore_errors=True)
    last: CheckpointRecord = session.checkpoints[-1]
    decision = None if session.stopped_at is None else session.stopped_at.decision
    forecast = None if decision is None else decision.forecast
    return Run(
        framework=framework,
        task=name,
        family=family,
        seed=seed,
        parameters=sum(each.numel() for each in model.parameters()),
        steps=steps,
        stop=None if decision is None else decision.step,
        serving=None if decision is None else decision.serving,
        forecast=None if forecast is None else (forecast.mean, forecast.lo, forecast.hi),
        verification=session.verification,
        evaluation_share=(last.decision.evaluation_flops or 0.0) / last.observation.train_flops,
        evaluation_seconds=session.evaluation_seconds,
        verification_seconds=session.verification_seconds,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        curve=[(each.observation.step, each.observation.bank.greedy_accuracy) for each in session.checkpoints],
    )


def words(task: Any) -> Any:
    """A tokenizer of the words of a task."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    listed = [task.decode([token]) if token != task.end_token else "<eos>" for token in range(task.vocab_size)]
    inner = Tokenizer(models.WordLevel({word: token for token, word in enumerate(listed)}))
    # A solution follows its prompt, which ends in "=", without a space.
    split = pre_tokenizers.Split("=", "isolated")
    inner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), split])
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token=listed[0], eos_token="<eos>")


def make(family: str, tokenizer: Any, positions: int) -> Any:
    """A small model of a family."""
    import transformers

    ids = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    shape = {"vocab_size": len(tokenizer), "max_position_embeddings": positions} | ids
    wide = {"hidden_size": 64, "intermediate_size": 176, "num_hidden_layers": 2, "num_attention_heads": 4}
    if family == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=len(tokenizer), n_positions=positions, n_embd=64, n_layer=2, n_head=4,
            resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, **ids,
        )  # fmt: skip
        return transformers.GPT2LMHeadModel(config)
    if family == "llama":
        return transformers.LlamaForCausalLM(transformers.LlamaConfig(**shape, **wide, num_key_value_heads=4))
    config = transformers.Qwen3Config(**shape, **wide, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True)
    return transformers.Qwen3ForCausalLM(config)


def factor(step: int) -> float:
    """Of the learning rate: warm-up, constant, and a fall over the last tenth."""
    return min(1.0, (step + 1) / 50, max(0.0, (STEPS - step) / (DECAY * STEPS)))


def collated(some: Any) -> Any:
    """A batch; its rows are as long as each other."""
    import torch

    return {name: torch.tensor([each[name] for each in some]) for name in ("input_ids", "labels")}


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


def trainer(
    breakeven: Any,
    model: Any,
    tokenizer: Any,
    data: Any,
    early_stop: Any,
    place: Path,
    *,
    steps: int = STEPS,
    batch: int = BATCH,
    rate: float = RATE,
    collate: Any = collated,
) -> Any:
    """The Trainer of transformers."""
    from transformers import Trainer, TrainingArguments

    stop = breakeven.transformers.EarlyStop(**early_stop)
    arguments = TrainingArguments(
        str(place), max_steps=steps, per_device_train_batch_size=batch, learning_rate=rate, warmup_steps=steps // 10,
        lr_scheduler_type="warmup_stable_decay", use_cpu=True, report_to=[], disable_tqdm=True, save_strategy="no",
        lr_scheduler_kwargs={"num_decay_steps": round(DECAY * steps), "decay_type": "linear"}, logging_steps=steps,
        adam_beta2=0.999, weight_decay=0.01, seed=early_stop["seed"],
    )  # fmt: skip
    Trainer(
        model=model, args=arguments, train_dataset=data, data_collator=collate, processing_class=tokenizer,
        callbacks=[stop],
    ).train()  # fmt: skip
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
