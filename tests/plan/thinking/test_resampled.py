"""Seeds and problems, resampled: weights that add up, and intervals that seeds widen."""

import numpy as np
import pytest

from breakeven.plan.thinking.resampled import interval, resampled


def test_weights_add_up_and_all_seeds_have_the_same_problems():
    weights = resampled(3, 20, 50)
    assert weights.shape == (50, 3, 20)
    assert weights.sum(axis=(1, 2)) == pytest.approx(np.ones(50))
    shares_DSP = weights / np.maximum(weights.sum(axis=2, keepdims=True), 1e-12)
    drawn = weights.sum(axis=2) > 0
    for shares_SP, drawn_S in zip(shares_DSP, drawn, strict=True):
        assert np.allclose(shares_SP[drawn_S], shares_SP[drawn_S][0])


def test_seeds_that_differ_widen_an_interval():
    weights = resampled(3, 200, 400)
    alike = np.tile(np.arange(200) % 2, (3, 1)).astype(float)
    differing = np.array([np.zeros(200), alike[0], np.ones(200)])
    mean, lo, hi = interval(alike, weights)
    other, low, high = interval(differing, weights)
    assert mean == other == 0.5
    assert hi - lo < 0.2 < high - low
    assert interval(np.ones((3, 200)), weights) == pytest.approx((1.0, 1.0, 1.0))
