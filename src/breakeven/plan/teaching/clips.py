"""Moving digits: an image of a digit that goes straight through a small, noisy canvas."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.data.labelled.examples import Examples
from breakeven.data.splits import IntArray
from breakeven.errors import argument_error

Floats = npt.NDArray[np.float32]
_STEP_AD: Final = np.array([(0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1)])
"""Pixels down and right between two frames, of each direction."""
NUM_DIRECTIONS: Final = len(_STEP_AD)
_SIDE: Final = 8
_MEAN, _SCALE = 0.13, 0.3
"""Of the pixels of a canvas with a digit on it, about: what models read is centred and scaled by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a clip is, and how it is cut.

    Args:
        canvas: pixels a side.
        frames: of a clip; a digit moves by one pixel between two.
        noise: standard deviation of what is added to each pixel, of a digit's 0 to 1.
        patch: pixels a side of a patch.
        patch_frames: frames of a patch.
        hidden: patches a side of the square that is hidden in all frames.

    Raises:
        ArgumentError: the digit leaves the canvas, patches do not fill the clip, or all of it would be hidden.
    """

    canvas: int
    frames: int
    noise: float
    patch: int
    patch_frames: int
    hidden: int

    def __post_init__(self) -> None:
        least = _SIDE + self.frames - 1
        if self.canvas < least:
            rule = f"be at least {least}, that a digit of {_SIDE} pixels stays on it for {self.frames} frames"
            raise argument_error("canvas", rule, self.canvas)
        for name, size, whole in (("patch", self.patch, self.canvas), ("patch_frames", self.patch_frames, self.frames)):
            if size < 1 or whole % size:
                raise argument_error(name, f"divide {whole}, which patches have to fill", size)
        if not 1 <= self.hidden < self.canvas // self.patch:
            rule = f"be from 1 to {self.canvas // self.patch - 1}, so that something is hidden and something is seen"
            raise argument_error("hidden", rule, self.hidden)

    @property
    def grid(self) -> tuple[int, int, int]:
        """Patches in time, down and across."""
        side = self.canvas // self.patch
        return self.frames // self.patch_frames, side, side

    @property
    def num_patches(self) -> int:
        """Of a clip."""
        times, rows, columns = self.grid
        return times * rows * columns

    @property
    def num_hidden(self) -> int:
        """Patches of a clip that are predicted."""
        return self.grid[0] * self.hidden**2

    @property
    def patch_pixels(self) -> int:
        """D, numbers in a patch."""
        return self.patch_frames * self.patch**2

    def masks(self) -> tuple[IntArray, IntArray]:
        """For every place of the hidden square: patches that are seen, and those that are hidden, (places, n) each."""
        side = self.grid[1]
        patch_TRC = np.arange(self.num_patches).reshape(self.grid)
        seen, hidden = [], []
        for row in range(side - self.hidden + 1):
            for column in range(side - self.hidden + 1):
                inside = np.zeros(self.grid, dtype=bool)
                inside[:, row : row + self.hidden, column : column + self.hidden] = True
                seen.append(patch_TRC[~inside])
                hidden.append(patch_TRC[inside])
        return np.stack(seen), np.stack(hidden)

    def patches(self, clip_PFHW: Floats) -> Floats:
        """The clips cut up, (P, N, D)."""
        times, side, _ = self.grid
        cut = clip_PFHW.reshape(-1, times, self.patch_frames, side, self.patch, side, self.patch)
        return np.ascontiguousarray(cut.transpose(0, 1, 3, 5, 2, 4, 6)).reshape(-1, self.num_patches, self.patch_pixels)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clips:
    """Cut up, and what they show."""

    patch_PND: Floats
    digit_P: IntArray
    direction_P: IntArray
    """0 to `NUM_DIRECTIONS` - 1."""


def clips_of(digits: Examples, scene: Scene, count: int, seed: tuple[int, ...]) -> Clips:
    """So many clips, each of a digit, a direction, a place and a noise of its own: a function of the seed.

    Args:
        digits: grey images of 8 x 8, from 0 to 1.
        scene: where they move.
        count: of clips.
        seed: whole numbers.

    Raises:
        ArgumentError: other images.
    """
    images = digits.image_PHWC
    if images is None or images.shape[1:] != (_SIDE, _SIDE, 1):
        got = "texts" if images is None else images.shape[1:]
        rule = f"be {_SIDE} x {_SIDE} and grey"
        raise argument_error(f"images of {digits.name}", rule, got, "Take the set digits.")
    rng = np.random.default_rng(seed)
    example_P = rng.integers(0, len(digits), count)
    direction_P = rng.integers(0, NUM_DIRECTIONS, count)
    step_PA = _STEP_AD[direction_P]
    way = scene.frames - 1
    first = np.where(step_PA < 0, way, 0)
    last = scene.canvas - _SIDE - np.where(step_PA > 0, way, 0)
    start_PA = rng.integers(first, last + 1)
    corner_PFA = start_PA[:, None] + step_PA[:, None] * np.arange(scene.frames)[:, None]
    clip_PFHW = rng.normal(0.0, scene.noise, (count, scene.frames, scene.canvas, scene.canvas)).astype(np.float32)
    inside = np.arange(_SIDE)
    y_PFI, x_PFI = (corner_PFA[..., axis, None] + inside for axis in (0, 1))
    p, f = np.arange(count)[:, None, None, None], np.arange(scene.frames)[None, :, None, None]
    clip_PFHW[p, f, y_PFI[..., :, None], x_PFI[..., None, :]] += images[example_P, None, :, :, 0]
    patch_PND = scene.patches((clip_PFHW - np.float32(_MEAN)) / np.float32(_SCALE))
    return Clips(patch_PND=patch_PND, digit_P=digits.label_P[example_P], direction_P=direction_P)
