"""A GRPOTrainer of TRL whose own evaluation says where training may stop: three lines, marked below.

    python examples/grpo_trainer.py OUTPUT_DIRECTORY

A tiny GPT-2 is rewarded where it names the second of two letters. The samples that it is trained on are charged.
"""

import logging
import sys
import tempfile

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

import breakeven  # line 1

logging.basicConfig(level=logging.INFO, format="%(message)s")
for noisy in ("httpx", "transformers"):
    logging.getLogger(noisy).setLevel(logging.ERROR)
torch.manual_seed(0)
words = ["<pad>", "<end>", "=", *"abcdefgh"]
inner = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}))
inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<end>")
rows = [{"prompt": f"{one} {other} =", "answer": other} for one in "abcdefgh" for other in "abcdefgh"]


def exact(completions, answer, **_):
    return [float(text == right) for text, right in zip(completions, answer, strict=True)]


exact = breakeven.transformers.RecordedReward(exact, threshold=1.0)  # line 2
trainer = GRPOTrainer(
    model=GPT2LMHeadModel(GPT2Config(vocab_size=len(words), n_positions=8, n_embd=32, n_layer=1, n_head=2,
                                     bos_token_id=1, eos_token_id=1, pad_token_id=0)),
    reward_funcs=exact,
    args=GRPOConfig(sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp(), max_steps=60, learning_rate=1e-2,
                    per_device_train_batch_size=128, num_generations=16, max_completion_length=1, use_cpu=True,
                    bf16=False, eval_strategy="steps", eval_steps=6, per_device_eval_batch_size=512,
                    num_generations_eval=8, report_to=[], disable_tqdm=True, logging_steps=60, save_strategy="no"),
    train_dataset=Dataset.from_list([row for place, row in enumerate(rows) if place % 3]),
    eval_dataset=Dataset.from_list(rows[::3]),
    processing_class=tokenizer,
    callbacks=[breakeven.transformers.EarlyStop(rewards=exact, extract=str.strip)],  # line 3
)  # fmt: skip
trainer.train()
