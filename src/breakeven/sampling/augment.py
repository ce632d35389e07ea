"""Augmentations at test time for `ClassSampler`: each makes other inputs of a batch, and every example its own way.

All draw on the CPU, so that a pass is the same on every device. They change tensors of floating numbers alone, those of
images (examples, channels, height, width) or of signals (examples, ..., time).
"""

import inspect
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from breakeven import check
from breakeven.errors import argument_error

__all__ = ["Augmentation", "flips", "moves", "shifts", "together"]

Augmentation = Callable[[dict[str, Any], Generator], dict[str, Any]]
"""Other inputs of a batch, from its inputs and a generator on the CPU. A bare tensor goes by the name "inputs"."""


def moves(*, degrees: float = 10.0, shift: float = 0.07) -> Augmentation:
    """Images turned and shifted a little, by bilinear interpolation; what comes in from outside is 0.

    Args:
        degrees: most that one is turned, either way.
        shift: most that one is shifted in each direction, as a share of its height or width.

    Raises:
        ArgumentError: a negative angle, or a share that is none.
    """
    check.finite("degrees", degrees)
    check.share("shift", shift)
    return partial(_changed, partial(_moved, radians=math.radians(degrees), shift=shift), _is_image)


def flips(*, share: float = 0.5) -> Augmentation:
    """Images mirrored left to right.

    Args:
        share: probability of each.

    Raises:
        ArgumentError: one that is no share.
    """
    check.share("share", share)
    return partial(_changed, partial(_flipped, share=share), _is_image)


def shifts(*, most: int) -> Augmentation:
    """Signals of any rank shifted along their last dimension, around its end: nothing is lost.

    Args:
        most: places, either way.

    Raises:
        ArgumentError: below 1.
    """
    check.whole("most", most, 1)
    return partial(_changed, partial(_shifted, most=most), _is_signal)


def together(*augmentations: Augmentation) -> Augmentation:
    """One after the other."""
    return partial(_in_turn, augmentations)


def check_augmentation(augment: Any) -> None:
    """The rule of what is given as an augmentation: it can be called with inputs and a generator.

    Raises:
        ArgumentError: it cannot, as a transform of one image.
    """
    try:
        inspect.signature(getattr(augment, "forward", augment)).bind({}, None)
    except TypeError:
        got = augment if isinstance(augment, str) else getattr(augment, "__name__", type(augment).__name__)
        remedy = "breakeven.sampling.augment has some; one of your own takes the inputs of a batch, a dict of tensors."
        raise argument_error("augment", "be called as augment(inputs, generator)", got, remedy) from None


def _in_turn(augmentations: tuple[Augmentation, ...], inputs: dict[str, Any], generator: Generator) -> dict[str, Any]:
    for each in augmentations:
        inputs = each(inputs, generator)
    return inputs


def _changed(
    change: Callable[[Tensor, Generator], Tensor],
    is_meant: Callable[[Tensor], bool],
    inputs: dict[str, Any],
    generator: Generator,
) -> dict[str, Any]:
    return {
        name: change(each, generator)
        if isinstance(each, Tensor) and each.is_floating_point() and is_meant(each)
        else each
        for name, each in inputs.items()
    }


def _is_image(given: Tensor) -> bool:
    return given.ndim == 4


def _is_signal(given: Tensor) -> bool:
    return given.ndim >= 2


def _moved(image_BCHW: Tensor, generator: Generator, *, radians: float, shift: float) -> Tensor:
    rows, _, height, width = image_BCHW.shape
    angle_B, across_B, down_B = (2 * torch.rand(3, rows, generator=generator) - 1) * torch.tensor(
        [[radians], [2 * shift], [2 * shift]]  # the grid is 2 wide
    )
    cosine_B, sine_B = angle_B.cos(), angle_B.sin()
    turn_B23 = torch.stack(
        [
            torch.stack([cosine_B, -sine_B * height / width, across_B], dim=1),
            torch.stack([sine_B * width / height, cosine_B, down_B], dim=1),
        ],
        dim=1,
    )
    grid = F.affine_grid(turn_B23.to(image_BCHW.device), list(image_BCHW.shape), align_corners=False)
    return F.grid_sample(image_BCHW.float(), grid, align_corners=False).to(image_BCHW.dtype)


def _flipped(image_BCHW: Tensor, generator: Generator, *, share: float) -> Tensor:
    is_flipped_B = (torch.rand(len(image_BCHW), generator=generator) < share).to(image_BCHW.device)
    return torch.where(is_flipped_B[:, None, None, None], image_BCHW.flip(-1), image_BCHW)


def _shifted(signal_BT: Tensor, generator: Generator, *, most: int) -> Tensor:
    places_B = torch.randint(-most, most + 1, (len(signal_BT),), generator=generator)
    return torch.stack([each.roll(places, dims=-1) for each, places in zip(signal_BT, places_B.tolist(), strict=True)])
