"""Examples that a classifier is trained on, counted at its batches."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from breakeven.cost.tokens import ModelCost


class RowCount:
    """A `Count` of what a torch module is given in training mode with gradients: one row is one token, and a sequence.

    Micro-batches of an accumulated gradient add up. What is given without gradients is not counted.
    """

    def __init__(self) -> None:
        self._rows = 0
        self._hook: Any = None

    @property
    def so_far(self) -> tuple[int, int, int]:
        """Tokens, sequences and rows in this process since `attach`: the same number."""
        return self._rows, self._rows, self._rows

    def rollout_flops(self, cost: ModelCost, generated_elsewhere: float = 0.0) -> float:
        """None: nothing is sampled to be trained on."""
        return 0.0

    def attach(self, module: Any) -> None:
        """Count from now on, from 0."""
        self.detach()
        self._rows = 0
        self._hook = module.register_forward_pre_hook(self._count, with_kwargs=True)

    def detach(self) -> None:
        """Count no more; what was counted stays."""
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

    def _count(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not module.training or not torch.is_grad_enabled():
            return
        if len(args) > 1 and isinstance(args[1], int):
            return  # DDP of Lightning calls a module with (batch, batch_idx), which then calls itself
        self._rows += next((len(each) for each in _tensors((*args, kwargs)) if each.ndim), 0)


def _tensors(given: Any) -> Iterator[torch.Tensor]:
    if isinstance(given, torch.Tensor):
        yield given
    elif isinstance(given, Mapping):
        for each in given.values():
            yield from _tensors(each)
    elif isinstance(given, list | tuple):
        for each in given:
            yield from _tensors(each)
