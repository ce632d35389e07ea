"""One of two processes of `test_ranks`: a Trainer whose model ZeRO-3 has sharded, and how it went as JSON.

RANK=0 WORLD_SIZE=2 ... python two_zero.py DIRECTORY
"""

import json
import sys

import deepspeed
import torch
import torch.distributed as dist
from transformers import DataCollatorForLanguageModeling, GPT2LMHeadModel, Trainer, TrainingArguments
from two_ranks import CONFIG, PAIRS, SETTINGS, tokenizer  # type: ignore[import-not-found]

from breakeven.adapters.transformers import EarlyStop
from breakeven.sampling.causal import is_sharded


def main() -> None:
    deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # else it is compiled first, for a minute or more
    arguments = TrainingArguments(
        output_dir=sys.argv[1], max_steps=40, per_device_train_batch_size=4, learning_rate=1e-2, use_cpu=True,
        report_to=[], disable_tqdm=True, save_strategy="no",
        deepspeed={
            "zero_optimization": {"stage": 3}, "zero_force_ds_cpu_optimizer": False,
            "train_micro_batch_size_per_gpu": 4, "gradient_accumulation_steps": 1,
        },
    )  # fmt: skip
    torch.manual_seed(0)
    model = GPT2LMHeadModel(CONFIG)
    stop = EarlyStop(mode="stop", **SETTINGS)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=[{"input_ids": tokenizer(f"{a} {b} = {b} <end>")["input_ids"]} for a, b in PAIRS],
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        processing_class=tokenizer,
        callbacks=[stop],
    )
    trainer.train()
    told = {"step": trainer.state.global_step, "sharded": is_sharded(model), "has_session": stop.session is not None}
    print(json.dumps(told))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
