"""Differences with intervals, and choices made apart, against numbers worked out by hand."""

import numpy as np
import pytest

from breakeven.plan.quantizing.over import chosen_apart, mean_over


def test_several_seeds_are_what_the_interval_is_over():
    """Means 1, 2 and 3: standard error 1 / sqrt(3), Student's 2.92 at two degrees of freedom."""
    found = mean_over(np.array([[0.0, 2.0], [2.0, 2.0], [3.0, 3.0]]))
    assert found.value == 2.0
    assert found.hi == pytest.approx(2 + 2.920 / 3**0.5, abs=1e-3)
    assert found.lo == pytest.approx(2 - 2.920 / 3**0.5, abs=1e-3)
    assert (found.over, found.is_above) == ("3 seeds", True)


def test_one_seed_has_an_interval_over_its_problems():
    found = mean_over(np.array([[1.0, 2.0, 3.0]]))
    assert found.over == "3 problems of one seed"
    assert found.lo == pytest.approx(2 - 2.920 / 3**0.5, abs=1e-3)


def test_one_number_has_none():
    found = mean_over(np.array([[1.0]]))
    assert (found.value, found.lo, found.hi, found.is_above) == (1.0, None, None, False)


def test_each_seed_is_chosen_by_the_others():
    """The first split is by far the best of seed 0 alone: the others choose it, and lose by it; seed 0 does not."""
    loss_FSP = np.array([[[0.0], [3.0], [3.0]], [[4.0], [1.0], [1.0]]])
    chosen_SP, picks = chosen_apart(loss_FSP)
    assert picks == (1, 0, 0)
    assert chosen_SP.tolist() == [[4.0], [3.0], [3.0]]


def test_problems_of_one_seed_are_chosen_by_the_other_half():
    """Even problems say the first, odd ones the second; each is measured where the other was chosen."""
    loss_FSP = np.array([[[0.0, 9.0, 0.0, 9.0]], [[1.0, 1.0, 1.0, 1.0]]])
    chosen_SP, picks = chosen_apart(loss_FSP)
    assert picks == (1, 0)
    assert chosen_SP.tolist() == [[1.0, 9.0, 1.0, 9.0]]


def test_of_single_numbers_the_least_is_chosen():
    chosen_SP, picks = chosen_apart(np.array([[[2.0]], [[1.0]]]))
    assert (chosen_SP.tolist(), picks) == ([[1.0]], (1,))
