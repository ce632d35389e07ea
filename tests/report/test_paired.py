"""Differences of two models, by hand."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest

from breakeven.records import NORMAL_95, SearchOutcome
from breakeven.report.paired import Difference, accuracy_of, difference


def told(first: Sequence[float], second: Sequence[float], *, paired: bool = True) -> Difference:
    found = difference(np.array(first, float), np.array(second, float), paired=paired)
    assert found is not None
    return found


def test_a_paired_difference_has_the_standard_error_of_the_mean_difference_of_a_problem():
    first, second = [1, 1, 0, 0], [1, 1, 1, 0]
    found = told(first, second)
    # the differences are 0, 0, 1, 0: mean 1/4, variance 1/4, over 4 problems
    assert (found.mean, found.standard_error, found.num_problems) == (0.25, 0.25, (4, 4))
    assert found.interval == pytest.approx((0.25 - NORMAL_95 / 4, 0.25 + NORMAL_95 / 4))
    swapped = told(second, first)
    assert (swapped.mean, swapped.standard_error) == (-0.25, 0.25)


def test_one_that_is_not_paired_has_that_of_two_means():
    found = told([1, 1, 0, 0], [1, 1, 1, 0, math.nan], paired=False)
    # variances 1/3 and 1/4, each over 4 problems
    assert found.standard_error == pytest.approx(math.sqrt((1 / 3 + 1 / 4) / 4))
    assert (found.mean, found.num_problems, found.paired) == (0.25, (4, 4), False)


def test_problems_that_one_of_the_two_lacks_are_left_out_of_pairs():
    found = told([1, math.nan, 0, 0], [0, 1, math.nan, 0])
    assert (found.first, found.second, found.num_problems) == (0.5, 0.0, (2, 2))
    assert difference(np.array([1.0, math.nan]), np.array([0.0, 1.0]), paired=True) is None


def test_where_all_problems_differ_alike_there_is_no_interval():
    found = told([1, 0], [1, 0])
    assert (found.mean, found.standard_error, found.interval) == (0.0, None, None)


def test_accuracy_a_problem_is_expected_over_samples_and_unknown_where_too_few_were_drawn(checkpoint):
    bank = dataclasses.replace(
        checkpoint().observation.bank,
        correct_PN=("1000", "1100", "0000", "11", ""),
        greedy_correct_P="10?11",
    )
    observation = dataclasses.replace(checkpoint().observation, bank=bank)
    assert accuracy_of(observation, "greedy", 1) == pytest.approx([1, 0, math.nan, 1, 1], nan_ok=True)
    # some of two right: 1 - C(3, 2) / C(4, 2), 1 - C(2, 2) / C(4, 2), no verdict to stand by, both, none drawn
    assert accuracy_of(observation, "pass@k", 2) == pytest.approx([0.5, 5 / 6, math.nan, 1, math.nan], nan_ok=True)
    assert np.isnan(accuracy_of(observation, "pass@k", 8)).all()
    assert np.isnan(accuracy_of(observation, "majority_vote", 2)).all()  # no answers were recorded


def test_a_search_is_as_it_was_found_and_a_strategy_of_ones_own_is_never_loaded(checkpoint):
    outcome = SearchOutcome(strategy="dvts/weighted_vote", k=4, accuracy_P=(0.5, 1.0), query_flops=1.0)
    observation = dataclasses.replace(checkpoint().observation, searches=(outcome,))
    assert accuracy_of(observation, "dvts/weighted_vote", 4).tolist() == [0.5, 1.0]
    assert np.isnan(accuracy_of(observation, "no_such_module:choose", 2)).all()
