"""Quantized weights in training: rounded in the forward pass, with gradients as if they were not (torchao)."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from breakeven import check
from breakeven.errors import argument_error

if TYPE_CHECKING:
    from breakeven.model.transformer import Transformer

LEAST_BITS: Final = 2
MOST_BITS: Final = 8


def check_bits(name: str, bits: object) -> int:
    """A bit width that weights can be trained at.

    Raises:
        ArgumentError: it is no whole number from 2 to 8. With 1 bit all weights of torchao's symmetric grid are 0.
    """
    number = check.whole(name, bits, 1)
    if not LEAST_BITS <= number <= MOST_BITS:
        remedy = "With 1 bit all weights are 0." if number < LEAST_BITS else "With more nothing is lost by rounding."
        raise argument_error(name, f"be from {LEAST_BITS} to {MOST_BITS}", bits, remedy)
    return number


def fake_quantize(model: "Transformer", bits: int) -> None:
    """Have the matrices of the blocks round their weights in every forward pass, a scale for each row; in place.

    Weights themselves stay as they are, names included. Embedding, norms and head are left alone.

    Args:
        model: not quantized yet.
        bits: from 2 to 8; 2 are the levels -1, 0 and 1, and -2 where a row's largest weight is negative.

    Raises:
        ModuleNotFoundError: torchao is not installed.

    Source:
        Straight-through gradients: Bengio et al. 1308.3432. Symmetric integers by channel: torchao.
    """
    import torch

    name = f"int{check_bits('bits', bits)}"
    with _quietly():
        from torchao.quantization import quantize_
        from torchao.quantization.qat import IntxFakeQuantizeConfig, QATConfig

        weights = IntxFakeQuantizeConfig(getattr(torch, name), granularity="per_channel")
        quantize_(
            model,
            QATConfig(weight_config=weights, step="prepare"),
            filter_fn=lambda module, path: isinstance(module, torch.nn.Linear) and path != "head",
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what torchao says of kernels that this machine cannot use, and of its own future."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
