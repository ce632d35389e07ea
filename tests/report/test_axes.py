"""Axes that hold whatever a record holds."""

import math

import pytest

from breakeven.report.axes import Axis, make_scale

TINY, HUGE = 5e-324, 1.7e308


@pytest.mark.parametrize("axis", [Axis(label="x"), Axis(label="x", lo=0.0), Axis(label="x", log2=True)])
@pytest.mark.parametrize(
    "values",
    [[], [0.0, TINY], [TINY], [1.0, math.nextafter(1.0, 2)], [HUGE], [-HUGE, HUGE], [1.0, HUGE], [1e299, TINY]],
)
def test_the_ends_of_what_a_float_holds_have_an_axis(axis: Axis, values: list[float]) -> None:
    scale = make_scale(axis, [*values, math.inf, -math.inf, math.nan], 10.0, 90.0, 5)
    assert scale.lo < scale.hi < math.inf
    assert 2 <= len(scale.ticks) <= 12
    for value in filter(scale.shows, values):
        assert 9.9 <= scale(value) <= 90.1
    assert not scale.shows(HUGE)
