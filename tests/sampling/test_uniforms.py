"""Uniforms that are hashes: pinned, so that recorded samples can be drawn again, and uniform."""

import numpy as np
import pytest

from breakeven.sampling.uniforms import sample_keys, uniforms

KEYS = [16221519817602901490, 882767273948644492, 1539299770272528667, 13258102100523628360]
UNIFORMS = [0.9624929517071652, 0.1270856962994129, 0.58297237908096, 0.013728329090133773]


def test_they_never_change() -> None:
    keys = sample_keys(3, ["a", "b"], 2)
    assert keys.tolist() == KEYS
    assert uniforms(keys, 0).tolist() == UNIFORMS


def test_a_key_is_of_its_seed_problem_and_number() -> None:
    keys = sample_keys(3, ["a", "b"], 4)
    assert (sample_keys(3, ["b", "a"], 2) == keys[[4, 5, 0, 1]]).all()
    assert len({*keys.tolist(), *sample_keys(4, ["a", "b"], 4).tolist()}) == 16


def test_numbers_may_begin_anywhere() -> None:
    keys = sample_keys(3, ["a", "b"], 16).reshape(2, 16)
    assert (sample_keys(3, ["a", "b"], 12, first=4).reshape(2, 12) == keys[:, 4:]).all()


@pytest.mark.parametrize("position", [0, 1, 500])
def test_they_are_uniform(position: int) -> None:
    drawn = uniforms(sample_keys(0, [str(number) for number in range(200)], 50), position)
    assert 0 <= drawn.min()
    assert drawn.max() < 1
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    assert ((counts - 500) ** 2 / 500).sum() < 52.4  # the value passed with a chance of 5e-5, 19 degrees of freedom
