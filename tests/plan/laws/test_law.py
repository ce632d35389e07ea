"""Points and what is held out of them: what is refused, by name, rule, value and remedy."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.law import last_part, points_of


@pytest.mark.parametrize(
    ("columns", "values", "groups", "message"),
    [
        ({"k": []}, [], (), "values must hold at least one point"),
        ({"k": [1.0]}, [1.0, 2.0], (), r"k must hold 2 entries, one for each of the values; got 1"),
        ({"k": [1.0, 2.0]}, [1.0, 2.0], ("a",), r"groups must hold 2 entries, one for each of the values; got 1"),
        (
            {"k": [1.0, float("nan")]},
            [1.0, 2.0],
            (),
            r"k\[1\] must be finite and above 0; got nan. Laws are fitted in log",
        ),
        ({"k": [1.0, -2.0]}, [1.0, 2.0], (), r"k\[1\] must be finite and above 0; got -2.0"),
        ({"k": [1.0, 2.0]}, [0.0, 2.0], (), r"values\[0\] must be finite and above 0; got 0.0"),
        ({"k": [1.0, 2.0]}, [1.0, float("inf")], (), r"values\[1\] must be finite and above 0; got inf"),
        ({"k": [1.0, "2"]}, [1.0, 2.0], (), r"k\[1\] must be a number; got '2'"),
        ({"k": np.array([1.0, np.nan])}, np.array([1.0, 2.0]), (), r"k\[1\] must be finite and above 0; got nan"),
    ],
)
def test_points_that_no_law_can_read_are_refused(columns, values, groups, message):
    with pytest.raises(ArgumentError, match=message):
        points_of(columns, values, groups=groups)


def test_the_last_part_of_two_axes_is_what_is_large_on_either():
    params, tokens = np.meshgrid([1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0])
    points = points_of({"params": params.ravel(), "tokens": tokens.ravel()}, np.ones(12))
    held = last_part(points, "params", "tokens")
    assert (held == ((params == 4) | (tokens == 30)).ravel()).all()
    assert points.where(~held).columns["params"].max() == 3
    assert last_part(points, "params", share=1.0).sum() == 9  # one value is kept


def test_an_axis_that_is_not_there_is_named():
    with pytest.raises(ArgumentError, match="axis must be one of k; got 'tokens'"):
        last_part(points_of({"k": [1, 2]}, [1, 2]), "tokens")
