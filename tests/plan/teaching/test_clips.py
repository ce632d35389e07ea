"""Moving digits: where they are, what is hidden of them, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from breakeven.data.labelled.examples import Examples
from breakeven.errors import ArgumentError
from breakeven.plan.teaching.clips import NUM_DIRECTIONS, Scene, clips_of

SCENE = Scene(canvas=12, frames=4, noise=0.0, patch=4, patch_frames=2, hidden=2)


def frames_of(patch_PND: np.ndarray, scene: Scene) -> np.ndarray:
    """The clips put together again, as pixels from 0 to 1."""
    times, side, _ = scene.grid
    cut = patch_PND.reshape(-1, times, side, side, scene.patch_frames, scene.patch, scene.patch)
    whole = cut.transpose(0, 1, 4, 2, 5, 3, 6).reshape(-1, scene.frames, scene.canvas, scene.canvas)
    return whole * 0.3 + 0.13


def test_a_digit_goes_one_pixel_a_frame_in_its_direction_and_stays_on_the_canvas(dots: Examples) -> None:
    clips = clips_of(dots, SCENE, 300, (0,))
    frames = frames_of(clips.patch_PND, SCENE)
    assert frames.sum((2, 3)) == pytest.approx(1, abs=1e-3)
    place_PF = frames.reshape(300, 4, -1).argmax(2)
    y_PF, x_PF = place_PF // 12, place_PF % 12
    assert {*zip(np.diff(y_PF).ravel(), np.diff(x_PF).ravel(), strict=True)} == {
        (dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0)
    }
    assert max(y_PF.max(), x_PF.max()) == 12 - 8
    for direction in range(NUM_DIRECTIONS):
        own = clips.direction_P == direction
        assert len({*zip(np.diff(y_PF[own]).ravel(), np.diff(x_PF[own]).ravel(), strict=True)}) == 1


def test_clips_are_a_function_of_the_seed(dots: Examples) -> None:
    scene = replace(SCENE, noise=0.3)
    first, again, other = (clips_of(dots, scene, 20, seed) for seed in ((1, 2), (1, 2), (1, 3)))
    assert np.array_equal(first.patch_PND, again.patch_PND)
    assert not np.array_equal(first.patch_PND, other.patch_PND)


def test_noise_has_its_standard_deviation(dots: Examples) -> None:
    clips = clips_of(dots, replace(SCENE, noise=0.25), 400, (0,))
    assert frames_of(clips.patch_PND, SCENE).std() == pytest.approx(np.hypot(0.25, 0.083), rel=0.02)


def test_a_square_is_hidden_in_all_frames_and_all_else_is_seen() -> None:
    seen, hidden = SCENE.masks()
    assert len(seen) == len(hidden) == 4  # a square of 2 in 3 x 3 patches
    for own, other in zip(seen, hidden, strict=True):
        assert sorted([*own, *other]) == list(range(SCENE.num_patches))
    assert hidden[0].tolist() == [0, 1, 3, 4, 9, 10, 12, 13]
    assert hidden.shape[1] == SCENE.num_hidden


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"canvas": 10}, "canvas must be at least 11, that a digit of 8 pixels stays on it for 4 frames; got 10"),
        ({"patch": 5}, "patch must divide 12, which patches have to fill; got 5"),
        ({"patch_frames": 3}, "patch_frames must divide 4, which patches have to fill; got 3"),
        ({"hidden": 3}, "hidden must be from 1 to 2, so that something is hidden and something is seen; got 3"),
        ({"hidden": 0}, "hidden must be from 1 to 2"),
    ],
)
def test_scenes_that_cannot_be_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        replace(SCENE, **given)


def test_images_of_another_size_are_refused(dots: Examples) -> None:
    larger = replace(dots, image_PHWC=np.zeros((2, 9, 9, 1), dtype=np.float32))
    with pytest.raises(
        ArgumentError, match=r"images of dots must be 8 x 8 and grey; got \(9, 9, 1\)\. Take the set digits"
    ):
        clips_of(larger, SCENE, 2, (0,))
