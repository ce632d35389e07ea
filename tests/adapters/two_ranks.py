"""One of two processes of `test_ranks`: trains with `EarlyStop`, and says as JSON how it went.

RANK=0 WORLD_SIZE=2 ... python two_ranks.py DIRECTORY
"""

import hashlib
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    DataCollatorForLanguageModeling,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

import breakeven
from breakeven import CalibratedPolicy
from breakeven.adapters.classes import Classification
from breakeven.adapters.ranks import RankSampler, agreed, everywhere, gathered, summed
from breakeven.adapters.transformers import EarlyStop
from breakeven.errors import RunStorageError
from breakeven.records import Prefix, Problem
from breakeven.sampling.average import WeightAverage
from breakeven.sampling.hf import HFSampler
from breakeven.session.steering import ask
from breakeven.store import RunLog

LETTERS = "abcdefgh"


PAIRS = [(one, other) for one in LETTERS for other in LETTERS]
CONFIG = GPT2Config(vocab_size=11, n_positions=16, n_embd=32, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=1)
SETTINGS: dict[str, Any] = {
    "problems": [f"{one} {other} =" for one, other in PAIRS],
    "is_right": lambda problem, text: text.split()[:1] == [problem.prompt.split()[-2]],
    "max_tokens": 3, "num_samples": 4, "evaluate_every": 10, "target": 0.1,
    "policy": CalibratedPolicy(max_evaluation_share=1e9),
}  # fmt: skip
inner = Tokenizer(models.WordLevel({word: at for at, word in enumerate(["<pad>", "<end>", "=", *LETTERS])}))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")


def fail(error: Exception) -> None:
    raise error


def digest(model: Any) -> str:
    weights = b"".join(each.detach().numpy().tobytes() for each in model.parameters())
    return hashlib.sha256(weights).hexdigest()


def draws(model: Any) -> dict[str, Any]:
    """Whether both draw what one draws; and what becomes of an error in the second."""
    alone = HFSampler(model, tokenizer, max_tokens=6, chat=False)
    both = RankSampler(alone)
    # Of several lengths, each of two; one more than the processes can share evenly.
    problems = [Problem(id=str(at), prompt=" ".join(LETTERS[: at // 2 + 1]) + " =") for at in range(9)]
    prefixes = [Prefix(problem=each, text=f" {LETTERS[at % 8]}") for at, each in enumerate(problems)]
    average = WeightAverage(model)
    for each in average.state_dict().values():
        each.mul_(1.5)

    def every(sampler: Any) -> list[Any]:
        ask: dict[str, Any] = {"temperature": 0.9, "seed": 7}
        return [
            sampler.sample(problems, 5, **ask),
            sampler.sample(problems, 3, **ask, first=2),
            sampler.sample(problems, 1, **ask | {"temperature": 0.0}),
            sampler.sample(problems[:1], 2, **ask),  # of which the second has none
        ]

    def compared() -> list[bool]:
        same = [one == other for one, other in zip(every(both), every(alone), strict=True)]
        losses = zip(both.solution_losses(prefixes), alone.solution_losses(prefixes), strict=True)
        same.append(all(np.allclose(one, other, rtol=1e-5) for one, other in losses))
        with both.lending(average.swapped):
            averaged = every(both)
        with average.swapped():
            same += [one == other for one, other in zip(averaged, every(alone), strict=True)]
        return [*same, averaged[0] != every(alone)[0]]

    before, state = digest(model), torch.get_rng_state()
    same = agreed(compared, both)
    untouched = digest(model) == before and torch.equal(torch.get_rng_state(), state)
    errors = []
    for rank in range(2):
        mean = RankSampler(alone)
        mean.of_each_process = alone if dist.get_rank() != rank else Failing()
        try:
            agreed(partial(mean.sample, problems, 1, temperature=0.0, seed=0), mean)
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
    return {"same": same, "untouched": untouched, "errors": errors}


class Failing:
    def sample(self, problems: Any, *rest: Any, **options: Any) -> Any:
        raise UnsendableError(len(problems), "out of memory")


class UnsendableError(RuntimeError):
    def __init__(self, count: int, what: str) -> None:
        super().__init__(f"{what} with {count} problems")


def loop(place: Path, watched: bool = True, shard: bool = False, ask_at: int = 0, **changes: Any) -> dict[str, Any]:
    """Both train the same model on the same rows, with dropout."""
    torch.manual_seed(0)
    model: Any = GPT2LMHeadModel(CONFIG).train()
    if shard:
        from torch.distributed.fsdp import fully_shard

        for block in model.transformer.h:
            fully_shard(block)
        fully_shard(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    settings = {"log": place, "mode": "stop", **SETTINGS} | changes
    step = 0
    with breakeven.torch.EarlyStop(model, tokenizer, steps=40, decay_share=0.0, **settings) as stop:
        while step < 40:
            rows = [f"{a} {b} = {b} <end>" for a, b in (PAIRS[(7 * step + at) % 64] for at in range(8))]
            batch = tokenizer(rows, return_tensors="pt")
            loss = model(**batch, labels=batch["input_ids"]).loss
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            step += 1
            if step == ask_at and dist.get_rank() == 0:
                ask(place, "stop", "enough")
            if watched and stop.step(loss):
                break
    verified = stop.session is not None and stop.session.verification is not None
    whole = model.state_dict() if not shard else {name: each.full_tensor() for name, each in model.state_dict().items()}
    weights = hashlib.sha256(b"".join(each.numpy().tobytes() for each in whole.values())).hexdigest()
    return {"step": step, "weights": weights, "verified": verified, "measured_at": stop.metrics_step}


def classifier(place: Path, watched: bool = True) -> dict[str, Any]:
    """Both train the same classifier on the same rows, with dropout and running statistics."""
    torch.manual_seed(0)
    nn = torch.nn
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 3)).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rows = [(torch.randn(4) + 2 * torch.eye(4)[at % 3], at % 3) for at in range(101)]
    stop: Any = breakeven.torch.EarlyStop(
        model, steps=20, decay_share=0.0, log=place, evaluate_every=5, num_samples=4, policy=SETTINGS["policy"],
        classification=Classification(rows[60:], dropout=True, snapshots=2),
    )  # fmt: skip
    with stop:
        for step in range(20):
            some = [rows[(7 * step + at) % 60] for at in range(8)]
            given, label = torch.stack([each for each, _ in some]), torch.tensor([each for _, each in some])
            nn.functional.cross_entropy(model(given), label).backward()
            optimizer.step()
            optimizer.zero_grad()
            if watched:
                stop.step()
    weights = hashlib.sha256(b"".join(each.numpy().tobytes() for each in model.state_dict().values())).hexdigest()
    return {"weights": weights, "measured_at": stop.metrics_step}


def full_disk(place: Path) -> dict[str, Any]:
    """The disk of the first process is full from the second checkpoint on."""
    runs: Any = RunLog
    write = runs.append

    def append(log: Any, record: Any) -> None:
        if len(log.checkpoints) == 1:
            raise RunStorageError("no space left on device")
        write(log, record)

    runs.append = append
    try:
        return loop(place, mode="advise")
    finally:
        runs.append = write


def main() -> None:
    torch.manual_seed(0)
    model = GPT2LMHeadModel(CONFIG)
    stop = EarlyStop(mode="stop", **SETTINGS)
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=sys.argv[1], max_steps=40, per_device_train_batch_size=4, learning_rate=1e-2, use_cpu=True,
            report_to=[], disable_tqdm=True, save_strategy="no",
        ),
        train_dataset=[{"input_ids": tokenizer(f"{a} {b} = {b} <end>")["input_ids"]} for a, b in PAIRS],
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        processing_class=tokenizer,
        callbacks=[stop],
    )  # fmt: skip
    trainer.train()
    error = ""
    try:
        agreed(lambda: fail(OSError("no space")))
    except OSError as raised:
        error = str(raised)
    try:
        everywhere(lambda: fail(ValueError("no template")) if dist.get_rank() else None)
    except ValueError as raised:
        error += f", {raised}"
    place = Path(sys.argv[1])
    told = {
        "step": trainer.state.global_step,
        "weights": digest(model),
        "has_session": stop.session is not None,
        "summed": summed([dist.get_rank(), 10], "cpu"),
        "gathered": gathered([f"of {dist.get_rank()}"]),
        "error": error,
        "draws": draws(model),
        "loops": {
            "stop": loop(place / "stop"),
            "unwatched": loop(place / "unwatched", watched=False),
            "advise": loop(place / "advise", mode="advise"),
            "shadow": loop(place / "shadow", mode="shadow", test_problems=SETTINGS["problems"][:8]),
            "full_disk": full_disk(place / "full"),
            "asked": loop(place / "asked", mode="advise", evaluate_every=15, ask_at=16),
            "sharded": loop(place / "sharded", shard=True),
        },
        "classifier": [classifier(place / f"classes-{watched}", watched) for watched in (True, False)],
    }
    print(json.dumps(told))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
