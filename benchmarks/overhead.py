"""What an `EarlyStop` costs beside the sampling, in CPU time, at an evaluation every 50 steps.

    python benchmarks/overhead.py    about 90 s on one core

A small GPT-2 is trained twice at once, with and without, a step of the one after a step of the other, so that both meet
the same machine; pairs begin with either in turn. Then a Trainer with it, whose hooks are timed. The sampler is timed
and taken off. What is left is counting tokens, grading, deciding, recording and reporting.
"""

import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast, Trainer, TrainingArguments

import breakeven
from breakeven.adapters.tokens import TokenCount
from breakeven.sampling.hf import HFSampler

EVERY, EVALUATIONS, TRAINER_EVALUATIONS, BATCH, LENGTH = 50, 4, 2, 16, 64
PROBLEMS = 200
WORDS = ["<pad>", "<end>", "=", *map(str, range(60))]


class Clock:
    """CPU seconds spent in some methods, calls of one from another not counted twice."""

    def __init__(self, *methods: tuple[type, str]) -> None:
        self.seconds, self._depth = 0.0, 0
        for owner, name in methods:
            setattr(owner, name, self._timed(getattr(owner, name)))

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            began, self._depth = time.process_time(), self._depth + 1
            try:
                return method(*arguments, **options)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.process_time() - began

        return timed


def main() -> None:
    logging.getLogger("breakeven").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    sampling = Clock((HFSampler, "sample"), (HFSampler, "solution_losses"))
    sys.stdout.write(
        "| loop | steps | a step without, ms | beside sampling, ms a step | of step time | an evaluation's share, ms "
        "| sampling, of step time |\n|---|---|---|---|---|---|---|\n"
    )
    with tempfile.TemporaryDirectory() as place:
        interleaved(place, sampling)
        hooked(place, sampling)


def interleaved(place: str, sampling: Clock) -> None:
    """With and without in turn, and the difference."""
    steps = EVERY * EVALUATIONS
    rows, (bare, watched) = data(steps), (model(), model())
    bare_step, watched_step = (trained(each) for each in (bare, watched))
    stop = breakeven.torch.EarlyStop(watched, tokenizer(), steps=steps, log=f"{place}/loop", **settings())
    seconds: dict[str, list[float]] = {"bare": [], "watched": []}

    def without(batch: Any) -> None:
        bare_step(batch)

    def with_it(batch: Any) -> None:
        stop.step(watched_step(batch))

    began = sampling.seconds
    with stop:
        for step in range(steps):
            batch = torch.tensor(rows[step * BATCH : (step + 1) * BATCH])
            pair = [("bare", without), ("watched", with_it)]
            for name, run in pair if step % 2 else reversed(pair):
                before, started = sampling.seconds, time.process_time()
                run(batch)
                seconds[name].append(time.process_time() - started - (sampling.seconds - before))
    differences = [one - other for one, other in zip(seconds["watched"], seconds["bare"], strict=True)]
    quiet = [each for at, each in enumerate(differences, 1) if at % EVERY]
    whole = differences[EVERY - 1 :: EVERY]  # the steps with an evaluation
    written("plain, with against without", seconds["bare"], quiet, whole, sampling.seconds - began)


def hooked(place: str, sampling: Clock) -> None:
    """In a Trainer, whose time without is the rest."""
    steps = EVERY * TRAINER_EVALUATIONS
    kind = breakeven.transformers.EarlyStop
    hooks = ("on_step_end", "on_pre_optimizer_step", "on_evaluate", "on_save", "on_train_end")
    own = Clock(*((kind, each) for each in hooks), (TokenCount, "_count"))
    step_end, beside = kind.on_step_end, list[float]()

    def on_step_end(stop: Any, *arguments: Any, **options: Any) -> None:
        """Closes a step: all that was its own, but for the sampling."""
        step_end(stop, *arguments, **options)
        beside.append(own.seconds - sampling.seconds - sum(beside) - before)

    kind.on_step_end = on_step_end
    rows = data(steps)
    arguments = TrainingArguments(
        f"{place}/trainer", max_steps=steps, per_device_train_batch_size=BATCH, use_cpu=True, report_to=[],
        disable_tqdm=True, save_strategy="no", logging_steps=steps, lr_scheduler_type="constant",
    )  # fmt: skip
    trainer = Trainer(
        model=model(), args=arguments, train_dataset=[{"input_ids": row, "labels": row} for row in rows],
        data_collator=lambda some: {name: torch.tensor([each[name] for each in some]) for name in some[0]},
        processing_class=tokenizer(), callbacks=[kind(**settings())],
    )  # fmt: skip
    before, sampled, started = own.seconds - sampling.seconds, sampling.seconds, time.process_time()
    trainer.train()
    bare = (time.process_time() - started - own.seconds) / steps
    quiet, whole = [each for at, each in enumerate(beside, 1) if at % EVERY], beside[EVERY - 1 :: EVERY]
    written("Trainer, its hooks", [bare] * steps, quiet, whole, sampling.seconds - sampled)


def written(loop: str, bare: list[float], quiet: list[float], whole: list[float], sampling_seconds: float) -> None:
    """A row of the table.

    Args:
        loop: its name.
        bare: seconds of the steps without.
        quiet: seconds more of those with, but for the ones that end with an evaluation; their median counts.
        whole: seconds more of these, sampling left out; their mean counts.
        sampling_seconds: of all.
    """
    step, once = statistics.fmean(bare), statistics.fmean(whole)
    more = (statistics.median(quiet) * (EVERY - 1) + once) / EVERY
    sys.stdout.write(
        f"| {loop} | {len(bare)} | {1e3 * step:.1f} | {1e3 * more:.3f} | {100 * more / step:.2f} % | {1e3 * once:.0f} "
        f"| {sampling_seconds / len(bare) / step:.0%} |\n"
    )
    sys.stdout.flush()


def settings() -> dict[str, Any]:
    """Problems as many and samples as many as by default, on prompts of two numbers."""
    pairs = [(one, other) for one in range(60) for other in range(60)][:: 3600 // PROBLEMS][:PROBLEMS]
    return {
        "problems": [f"{one} {other} =" for one, other in pairs],
        "is_right": lambda problem, text: text.split()[:1] == problem.prompt.split()[1:2],
        "max_tokens": 4, "evaluate_every": EVERY, "decay_share": 0.0,
    }  # fmt: skip


def tokenizer() -> Any:
    inner = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")


def model() -> Any:
    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(WORDS), n_positions=LENGTH, n_embd=128, n_layer=3, n_head=4, bos_token_id=1, eos_token_id=1
        )
    ).train()


def trained(model: Any) -> Callable[[Any], Any]:
    """A step of training, which returns its loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)

    def step(batch: Any) -> Any:
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return loss

    return step


def data(steps: int) -> list[list[int]]:
    """Rows of many small texts, as long as each other: two numbers, and the last of them again."""
    torch.manual_seed(1)
    numbers = torch.randint(3, len(WORDS), (steps * BATCH, LENGTH // 4, 2))
    ends = torch.tensor([2]).expand(*numbers.shape[:2], 1)
    return torch.cat([numbers, ends, numbers[..., 1:]], dim=-1).flatten(1).tolist()


if __name__ == "__main__":
    main()
