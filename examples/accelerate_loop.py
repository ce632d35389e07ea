"""A loop under Accelerate that says where training may stop: the lines marked with <- are all that is added.

    accelerate launch --cpu --num_processes 2 examples/accelerate_loop.py, or without Accelerate's launcher

A tiny GPT-2 learns to name the last of two numbers. With mode="stop" the loop would end there.
"""

import logging
import tempfile

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils.data import DataLoader
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

import breakeven  # <-

logging.basicConfig(level=logging.INFO, format="%(message)s")
for noisy in ("httpx", "transformers"):
    logging.getLogger(noisy).setLevel(logging.ERROR)
torch.manual_seed(0)
words = ["<pad>", "<end>", "=", *map(str, range(20))]
inner = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
pairs = [(one, other) for one in range(20) for other in range(20)]
texts = [f"{one} {other} = {other} <end>" for one, other in pairs if (one + other) % 3]
problems = [f"{one} {other} =" for one, other in pairs if (one + other) % 3 == 0]  # none of them trained on
config = GPT2Config(vocab_size=len(words), n_positions=16, n_embd=32, n_layer=2, n_head=2,
                    bos_token_id=1, eos_token_id=1)  # fmt: skip
loader = DataLoader([tokenizer(text) for text in texts], batch_size=128, shuffle=True,
                    collate_fn=lambda some: tokenizer.pad(some, return_tensors="pt"))  # fmt: skip


def is_right(problem, text):
    return text.split()[:1] == [problem.prompt.split()[1]]


accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
model = GPT2LMHeadModel(config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
steps, (log,) = 0, broadcast_object_list([tempfile.mkdtemp()])
with breakeven.torch.EarlyStop(
    model, tokenizer, steps=100, log=log, problems=problems, is_right=is_right, max_tokens=3
) as early_stop:  # <-
    while steps < 100:
        for batch in loader:
            with accelerator.accumulate(model):
                loss = model(**batch, labels=batch["input_ids"]).loss
                accelerator.backward(loss)
                optimizer.step()
                optimizer.zero_grad()
            steps += accelerator.sync_gradients
            if steps == 100 or (accelerator.sync_gradients and early_stop.step(loss)):  # <-
                break
print(f"trained for {steps} steps")
