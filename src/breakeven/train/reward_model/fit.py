"""The training loop of a reward model: weighted cross-entropy at every token, early stop on held-out problems."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from breakeven import check
from breakeven.errors import DivergedError, argument_error
from breakeven.model.transformer import Transformer

MAX_ROWS = 1024
"""Held-out rows computed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardModelSettings:
    """How a reward model is trained.

    Args:
        epochs: passes over the samples, at most.
        patience: epochs in a row without a better held-out loss after which training ends; the best weights are kept.
        heldout_share: share of the problems that is held out, in (0, 1).
        balanced: whether right and wrong samples weigh as much in all. The values are calibrated either way: what
            the weights shift them by is taken off again.
    """

    epochs: int = 8
    patience: int = 2
    batch_size: int = 256
    learning_rate: float = 5e-4
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    heldout_share: float = 0.2
    balanced: bool = True

    def __post_init__(self) -> None:
        for name in ("epochs", "patience", "batch_size"):
            check.at_least(name, getattr(self, name), 1)
        if not 0 < self.heldout_share < 1:
            raise argument_error("heldout_share", "be between 0 and 1", self.heldout_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRow:
    """A distinct sample."""

    problem: str
    prompt_tokens: int
    tokens: list[int]
    right: bool
    count: int


def fit(
    model: Transformer,
    train_rows: Sequence[SampleRow],
    heldout_rows: Sequence[SampleRow],
    settings: RewardModelSettings,
    seed: int,
    on_epoch: Callable[[int, float], None] = lambda epoch, heldout_loss: None,
) -> tuple[int, int, float]:
    """Train `model` and leave it with its best weights; returns epochs trained, the best one and its held-out loss.

    `on_epoch` is told the number of every epoch and its held-out loss.

    Raises:
        DivergedError: the loss became NaN or infinite.
    """
    right = sum(row.count for row in train_rows if row.right)
    wrong = sum(row.count for row in train_rows if not row.right)
    # Weights of right and wrong samples shift the fitted log odds by the log of their ratio.
    shift = math.log(wrong / right) if settings.balanced else 0.0
    weight = {True: math.exp(shift / 2), False: math.exp(-shift / 2)}
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, betas=(0.9, 0.95), weight_decay=settings.weight_decay
    )
    best_loss, best_epoch, best_weights = math.inf, 0, model.state_dict()
    epoch = 0
    while epoch < settings.epochs and epoch - best_epoch < settings.patience:
        epoch += 1
        model.train()
        order = np.random.default_rng((seed, epoch)).permutation(len(train_rows))
        for start in range(0, len(order), settings.batch_size):
            batch = [train_rows[index] for index in order[start : start + settings.batch_size]]
            loss_B = _losses(model, batch, 0.0)
            weight_B = torch.tensor([row.count * weight[row.right] for row in batch])
            loss = (loss_B * weight_B).sum() / weight_B.sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
            if not torch.isfinite(loss * norm):
                raise DivergedError(
                    f"The reward model's loss became {loss.item()} in epoch {epoch}. Lower learning_rate "
                    f"({settings.learning_rate:g})."
                )
            optimizer.step()
        heldout = _heldout_loss(model, heldout_rows, shift)
        on_epoch(epoch, heldout)
        if heldout < best_loss:
            best_loss, best_epoch = heldout, epoch
            best_weights = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(best_weights)
    with torch.no_grad():
        model.head.bias.sub_(shift)
    model.eval()
    return epoch, best_epoch, best_loss


def _heldout_loss(model: Transformer, rows: Sequence[SampleRow], shift: float) -> float:
    model.eval()
    total = 0.0
    with torch.inference_mode():
        for start in range(0, len(rows), MAX_ROWS):
            part = rows[start : start + MAX_ROWS]
            total += float((_losses(model, part, shift) * torch.tensor([row.count for row in part])).sum())
    return total / sum(row.count for row in rows)


def _losses(model: Transformer, rows: Sequence[SampleRow], shift: float) -> Tensor:
    """Cross-entropy of each row, mean over its last prompt token and its solution's tokens, shape (B,)."""
    tokens_BT = nn.utils.rnn.pad_sequence([torch.tensor(row.tokens) for row in rows], batch_first=True)
    place_T = torch.arange(tokens_BT.shape[1])
    first_B1 = torch.tensor([[row.prompt_tokens - 1] for row in rows])
    length_B1 = torch.tensor([[len(row.tokens)] for row in rows])
    mask_BT = ((place_T >= first_B1) & (place_T < length_B1)).float()
    logits_BT = model(tokens_BT)[..., 0] - shift
    right_BT = torch.tensor([[float(row.right)] for row in rows]).expand_as(logits_BT)
    loss_BT = F.binary_cross_entropy_with_logits(logits_BT, right_BT, reduction="none")
    return (loss_BT * mask_BT).sum(dim=1) / mask_BT.sum(dim=1)
