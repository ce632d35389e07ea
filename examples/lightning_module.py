"""A run of Lightning that says where training may stop: two lines, marked below.

    python examples/lightning_module.py OUTPUT_DIRECTORY

A tiny GPT-2 learns to name the last of two numbers. With mode="stop" it would save a checkpoint there, and end.
"""

import logging
import sys
import tempfile

import torch
from lightning.pytorch import LightningModule, Trainer
from tokenizers import Tokenizer, models, pre_tokenizers
from torch.utils.data import DataLoader
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

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
config = GPT2Config(vocab_size=len(words), n_positions=16, n_embd=32, n_layer=2, n_head=2,
                    bos_token_id=1, eos_token_id=1)  # fmt: skip
loader = DataLoader([tokenizer(text) for text in texts], batch_size=128, shuffle=True,
                    collate_fn=lambda some: tokenizer.pad(some, return_tensors="pt"))  # fmt: skip


def is_right(problem, text):
    return text.split()[:1] == [problem.prompt.split()[1]]


class Module(LightningModule):
    def __init__(self):
        super().__init__()
        self.model, self.tokenizer = GPT2LMHeadModel(config), tokenizer

    def training_step(self, batch, batch_idx):
        return self.model(**batch, labels=batch["input_ids"]).loss

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


directory = sys.argv[1] if sys.argv[1:] else tempfile.mkdtemp()
early_stop = breakeven.lightning.EarlyStop(problems=problems, is_right=is_right, max_tokens=3)  # line 2
trainer = Trainer(max_steps=100, accelerator="cpu", callbacks=[early_stop], default_root_dir=directory, logger=False,
                  enable_checkpointing=False, enable_progress_bar=False)  # fmt: skip
trainer.fit(Module(), loader)
print(f"trained for {trainer.global_step} steps")
