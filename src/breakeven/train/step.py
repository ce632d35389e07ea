"""One optimizer step of the reference run: its batch and its learning rate are functions of (seed, step)."""

import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from breakeven.config import TrainConfig
from breakeven.data.task import Task
from breakeven.model.transformer import Transformer
from breakeven.stopping.cooldown import cooldown_factor


def training_batches(task: Task, train: TrainConfig, seed: int) -> Callable[[int], Tensor]:
    """The batch of each step, (B, T) token ids, as a function of the step: resuming needs no other state."""
    if not train.num_sequences:
        return lambda step: torch.from_numpy(task.train_batch(train.batch_size, (seed, step)))
    train_set = torch.from_numpy(task.train_batch(train.num_sequences, (seed, 0)))

    def batch(step: int) -> Tensor:
        rows = np.random.default_rng((seed, step)).integers(0, len(train_set), train.batch_size)
        return train_set[torch.from_numpy(rows)]

    return batch


def train_step(
    model: Transformer, optimizer: torch.optim.Optimizer, tokens_BT: Tensor, prompt_tokens: int, clip_norm: float
) -> float:
    """One optimizer step; returns the mean cross-entropy of the solution tokens before it, in nats.

    NaN where it, or the gradient, is NaN or infinite; the weights are then left as they were.
    """
    logits_BTV = model(tokens_BT[:, :-1])[:, prompt_tokens - 1 :]
    loss: Tensor = F.cross_entropy(logits_BTV.flatten(0, 1), tokens_BT[:, prompt_tokens:].flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
    if not torch.isfinite(loss * norm):
        return math.nan
    optimizer.step()
    return loss.item()


def learning_rate(step: int, train: TrainConfig) -> float:
    """Warm-up, stable, decay (arXiv 2404.06395): linear up, flat, down towards `decay_to` over the last `decay_share`.

    A cosine over all steps is the usual schedule with warm-up (arXiv 1608.03983, without restarts).
    """
    decay_steps = train.decay_share * train.steps
    factor = min(1.0, step / train.warmup_steps) if train.warmup_steps else 1.0
    if decay_steps and train.decay == "1-sqrt":
        steps = max(1, round(decay_steps))
        if (into := step - (train.steps - steps)) > 0:
            factor = min(factor, train.decay_to + (1 - train.decay_to) * cooldown_factor(into, steps))
    elif decay_steps:
        left = min(1.0, (train.steps - step + 1) / decay_steps)
        falling = left if train.decay == "linear" else (1 - math.cos(math.pi * left)) / 2
        factor = min(factor, train.decay_to + (1 - train.decay_to) * falling)
    return train.learning_rate * factor
