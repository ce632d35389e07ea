"""One of two processes of `test_two_loops`: trains loops of three kinds, and says of each as JSON how it went.

RANK=0 WORLD_SIZE=2 ... python two_loops.py DIRECTORY
"""

import hashlib
import json
import sys
from typing import Any

import torch
import torch.distributed as dist
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

import breakeven
from breakeven import CalibratedPolicy
from breakeven.adapters import watching

LETTERS = "abcdefgh"
PAIRS = [(one, other) for one in LETTERS for other in LETTERS]
CONFIG = GPT2Config(vocab_size=11, n_positions=16, n_embd=32, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=1)
inner = Tokenizer(models.WordLevel({word: at for at, word in enumerate(["<pad>", "<end>", "=", *LETTERS])}))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
ROWS: Any = [tokenizer(f"{a} {b} = {b} <end>") for a, b in PAIRS]
loader: Any = torch.utils.data.DataLoader(
    ROWS,
    batch_size=4, collate_fn=lambda some: tokenizer.pad(some, return_tensors="pt"),
)  # fmt: skip
settings: dict[str, Any] = {
    "problems": [f"{one} {other} =" for one, other in PAIRS],
    "is_right": lambda problem, text: text.split()[:1] == [problem.prompt.split()[-2]],
    "mode": "stop", "max_tokens": 3, "num_samples": 4, "evaluate_every": 10, "target": 0.1,
    "policy": CalibratedPolicy(max_evaluation_share=1e9),
}  # fmt: skip


def lightning(place: str) -> tuple[int, Any, Any]:
    """The LightningModule is itself the model."""
    from lightning.pytorch import LightningModule, Trainer

    class Module(GPT2LMHeadModel, LightningModule):  # type: ignore[misc]
        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return self(**batch, labels=batch["input_ids"]).loss

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters(), lr=1e-2)

    stop = breakeven.lightning.EarlyStop(tokenizer=tokenizer, **settings)
    trainer = Trainer(
        max_steps=40, accelerator="cpu", devices=2, strategy="ddp", callbacks=[stop], default_root_dir=place,
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    model = Module(CONFIG)
    trainer.fit(model, loader)
    return trainer.global_step, model, stop


def accelerate(place: str, loader: Any = loader) -> tuple[int, Any, Any]:
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    model: Any = GPT2LMHeadModel(CONFIG)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler: Any = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, 2 - step / 40))
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    step = 0
    with breakeven.torch.EarlyStop(
        model, tokenizer, steps=40, scheduler=scheduler, log=f"{place}/breakeven", **settings
    ) as stop:
        while step < 40:
            for batch in loader:
                loss = model(**batch, labels=batch["input_ids"]).loss
                accelerator.backward(loss)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
                step += 1
                if step == 40 or stop.step(loss):
                    return step, model.module, stop
    raise AssertionError


def alone(place: str) -> tuple[int, Any, Any]:
    """The first process decides for itself, and the other is not told."""
    vars(watching)["agreed"] = lambda decide, sampler=None: decide() if dist.get_rank() == 0 else False
    return accelerate(place)


def main() -> None:
    for loop in (lightning, accelerate, alone):
        torch.manual_seed(0)
        step, model, stop = loop(f"{sys.argv[1]}/{loop.__name__}")
        weights = b"".join(each.detach().numpy().tobytes() for each in model.parameters())
        has_session, tokens = stop.session is not None, stop._count.so_far[0]
        print(json.dumps([step, hashlib.sha256(weights).hexdigest(), has_session, tokens]), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
