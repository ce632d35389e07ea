"""A Trainer of transformers that says where training may stop: two lines, marked below.

    python examples/transformers_trainer.py OUTPUT_DIRECTORY

A tiny GPT-2 learns to name the last of two numbers. With mode="stop" it would save a checkpoint there, and end.
"""

import logging
import sys
import tempfile

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    DataCollatorForLanguageModeling,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    Trainer,
    TrainingArguments,
)

import breakeven  # line 1

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


def is_right(problem, text):
    return text.split()[:1] == [problem.prompt.split()[1]]


trainer = Trainer(
    model=GPT2LMHeadModel(GPT2Config(vocab_size=len(words), n_positions=16, n_embd=32, n_layer=2, n_head=2,
                                     bos_token_id=1, eos_token_id=1)),
    args=TrainingArguments(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp(), max_steps=200, learning_rate=1e-2,
                           per_device_train_batch_size=128, use_cpu=True, report_to=[], disable_tqdm=True,
                           logging_steps=50, save_strategy="no"),
    train_dataset=[tokenizer(text) for text in texts],
    data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
    processing_class=tokenizer,
    callbacks=[breakeven.transformers.EarlyStop(problems=problems, is_right=is_right, max_tokens=3)],  # line 2
)  # fmt: skip
trainer.train()
