"""An exponential moving average of a model's weights, kept beside them while it trains."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor

HORIZON: Final = 0.05
"""Share of the steps so far over which weights are averaged."""


def rate(step: int) -> float:
    """The weight of the newest weights in the average after `step` steps: until 1 / HORIZON steps it is they alone.

    >>> rate(1), rate(20), rate(200)
    (1.0, 1.0, 0.1)
    """
    return 1.0 / max(1.0, HORIZON * step)


class WeightAverage:
    """The average of the trained weights of a torch module; it starts as they are.

    It stands for the model after a decay of its learning rate, which averages over the noise of the last steps too.
    Weights of less than 32 bits are averaged in 32. Buffers and frozen weights are not averaged.

    Source:
        That averages stand for decays: arXiv 2505.12082. Horizon and rate: ours, benchmarks/averaging.py.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        self._weights = {name: each for name, each in model.named_parameters() if each.requires_grad}
        self._average = {name: _wide(each.detach()).clone() for name, each in self._weights.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimizer step `step`, counted from 1."""
        averages = list(self._average.values())
        torch._foreach_lerp_(averages, [_wide(each.detach()) for each in self._weights.values()], rate(step))

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """The model has the average in place of its weights; afterwards these again, bit for bit."""
        with torch.no_grad():
            raw = {name: each.detach().clone() for name, each in self._weights.items()}
            try:
                for name, each in self._weights.items():
                    each.data.copy_(self._average[name])
                yield
            finally:
                for name, each in self._weights.items():
                    each.data.copy_(raw[name])

    def state_dict(self) -> dict[str, Tensor]:
        """The average by the names of the weights, to be saved with a checkpoint."""
        return dict(self._average)

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with a saved average.

        Raises:
            ValueError: it is of a model with other weights; nothing was taken over.
        """
        other = [name for name, each in self._average.items() if name not in state or state[name].shape != each.shape]
        if other:
            raise ValueError(f"no average of these weights: {other[0]} is missing or of another shape")
        for name, each in self._average.items():
            each.copy_(state[name])


def _wide(weights: Tensor) -> Tensor:
    return weights.float() if weights.dtype.itemsize < 4 else weights
