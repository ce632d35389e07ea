"""One of two processes of `test_ranks`: trains with `EarlyStop`, and says as JSON how it went.

RANK=0 WORLD_SIZE=2 ... python two_ranks.py DIRECTORY
"""

import hashlib
import json
import sys

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

from breakeven import CalibratedPolicy
from breakeven.adapters.ranks import agreed, gathered, summed
from breakeven.adapters.transformers import EarlyStop

LETTERS = "abcdefgh"


def fail() -> None:
    raise OSError("no space")


def main() -> None:
    inner = Tokenizer(models.WordLevel({word: at for at, word in enumerate(["<pad>", "<end>", "=", *LETTERS])}))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=11, n_positions=16, n_embd=32, n_layer=1, n_head=2, eos_token_id=1))
    pairs = [(one, other) for one in LETTERS for other in LETTERS]
    stop = EarlyStop(
        problems=[f"{one} {other} =" for one, other in pairs],
        is_right=lambda problem, text: text.split()[:1] == [problem.prompt.split()[-2]],
        mode="stop", max_tokens=3, num_samples=4, evaluate_every=10, target=0.1,
        policy=CalibratedPolicy(max_evaluation_share=1e9),
    )  # fmt: skip
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=sys.argv[1], max_steps=40, per_device_train_batch_size=4, learning_rate=1e-2, use_cpu=True,
            report_to=[], disable_tqdm=True, save_strategy="no",
        ),
        train_dataset=[{"input_ids": tokenizer(f"{a} {b} = {b} <end>")["input_ids"]} for a, b in pairs],
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        processing_class=tokenizer,
        callbacks=[stop],
    )  # fmt: skip
    trainer.train()
    error = ""
    try:
        agreed(fail)
    except OSError as raised:
        error = str(raised)
    weights = b"".join(each.detach().numpy().tobytes() for each in model.parameters())
    print(
        json.dumps(
            {
                "step": trainer.state.global_step,
                "weights": hashlib.sha256(weights).hexdigest(),
                "has_session": stop.session is not None,
                "summed": summed([dist.get_rank(), 10], "cpu"),
                "gathered": gathered([f"of {dist.get_rank()}"]),
                "error": error,
            }
        )
    )
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
