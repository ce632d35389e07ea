"""Sums of powers and power laws by hand, and where their fits begin."""

import numpy as np
import pytest

from breakeven.plan.laws.powers import power_law, power_sum


def test_a_sum_of_powers_by_hand():
    law = power_sum("params", "k")
    parameters = np.array([np.log(2.0), np.log(9.0), np.log(8.0), 0.5, 1.0])
    assert law.at(parameters[None], {"params": np.array([9.0, 81.0]), "k": np.array([4.0, 8.0])}).tolist() == [
        pytest.approx([2 + 9 / 3 + 8 / 4, 2 + 9 / 9 + 8 / 8])
    ]


def test_many_parameters_give_as_many_rows():
    law = power_law("x")
    told = law.at(np.array([[0.0, 1.0], [0.0, 2.0], [np.log(3.0), 0.0]]), {"x": np.array([2.0, 4.0])})
    assert told == pytest.approx(np.array([[2, 4], [4, 16], [3, 3]]))


@pytest.mark.parametrize("law", [power_sum("x"), power_law("x")])
def test_a_start_meets_the_middle_of_the_points(law):
    x, values = {"x": np.geomspace(1, 100, 9)}, np.full(9, 7.0)
    for seed in range(5):
        start = np.array([law.start(np.random.default_rng(seed), x, values)])
        assert law.at(start, {"x": np.array([10.0])})[0] == pytest.approx([7.0])
