"""The best setting per difficulty: chosen on one half and scored on the other, not on the same data."""

import math

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.ttc.search.compute_optimal import agreement, compute_optimal

EASY_HARD = np.repeat([0.9, 0.1], 20)
"""Difficulty of 20 easy and 20 hard problems."""


def two_settings() -> tuple[np.ndarray, np.ndarray]:
    """Setting 0 solves the easy ones, setting 1 the hard ones; 1 costs three times as much."""
    easy = EASY_HARD > 0.5
    return np.stack([easy, ~easy]).astype(float), np.repeat([[10.0], [30.0]], 40, axis=1)


def test_each_bin_gets_the_setting_that_suits_it() -> None:
    result = compute_optimal(*two_settings(), EASY_HARD, num_bins=2, difficulty_flops=4.0)
    assert result.accuracy == result.in_sample_accuracy == 1.0
    assert result.choice_FB == ((1, 0), (1, 0))  # low scores first: the hard ones
    assert result.in_sample_choice_B == (1, 0)
    assert result.mean_flops == result.in_sample_mean_flops == 4.0 + 20.0  # estimating the difficulty is charged
    assert result.fixed_accuracy_S == (0.5, 0.5)
    assert result.fixed_mean_flops_S == (10.0, 30.0)  # and not needed for one setting for all
    assert result.standard_error == 0.0
    assert set(result.accuracy_P) == {1.0}
    assert result.bin_P == (1,) * 20 + (0,) * 20


def test_the_budget_rules_settings_out() -> None:
    result = compute_optimal(*two_settings(), EASY_HARD, num_bins=2, budget_flops=33.0, difficulty_flops=4.0)
    assert result.choice_FB == ((0, 0), (0, 0))  # 30 + 4 is above it
    assert (result.accuracy, result.mean_flops) == (0.5, 14.0)


def test_a_bin_that_is_too_dear_takes_its_cheapest_setting() -> None:
    accuracy_SP, flops_SP = two_settings()
    flops_SP[0, 20:] = 100.0
    flops_SP[1] = 500.0
    result = compute_optimal(accuracy_SP, flops_SP, EASY_HARD, num_bins=2, budget_flops=60.0)
    assert result.in_sample_choice_B == (0, 0)
    assert result.mean_flops == 55.0


def test_equal_accuracies_take_the_cheaper_setting_then_the_first() -> None:
    result = compute_optimal(np.ones((3, 10)), [[5.0] * 10, [3.0] * 10, [3.0] * 10], np.arange(10.0), num_bins=1)
    assert result.choice_FB == ((1,), (1,))


def test_thresholds_make_absolute_bins() -> None:
    scores = [0.05, 0.1, 0.3, 0.5, 0.9, 1.0]
    result = compute_optimal(np.ones((1, 6)), np.ones((1, 6)), scores, thresholds=(0.1, 0.5))
    assert result.edge_B == (0.1, 0.5)
    assert result.bin_P == (0, 1, 1, 2, 2, 2)


def test_quantile_bins_keep_equal_scores_together() -> None:
    result = compute_optimal(np.ones((1, 8)), np.ones((1, 8)), [0.0] * 5 + [1.0] * 3, num_bins=4)
    assert len(set(result.bin_P[:5])) == len(set(result.bin_P[5:])) == 1
    assert len(result.choice_FB[0]) == 4


def test_a_bin_unknown_to_the_choosing_half_takes_what_suits_that_half() -> None:
    accuracy_SP = np.array([[1.0] * 9 + [0.0], [0.0] * 9 + [1.0]])
    scores = [0.9] * 9 + [0.1]  # the one hard problem is in one half only
    result = compute_optimal(accuracy_SP, np.ones((2, 10)), scores, thresholds=(0.5,))
    assert result.accuracy_P[-1] == 0.0
    assert result.in_sample_accuracy == 1.0


def test_the_choice_never_sees_the_problems_it_is_scored_on() -> None:
    rng = np.random.default_rng(0)
    accuracy_SP, scores = rng.random((4, 40)), rng.random(40)
    first = compute_optimal(accuracy_SP, np.ones((4, 40)), scores, num_bins=2, seed=5)
    fold_P = np.array(first.fold_P)
    assert sorted(np.bincount(fold_P)) == [20, 20]
    changed = np.where(fold_P == 0, rng.random((4, 40)), accuracy_SP)
    second = compute_optimal(changed, np.ones((4, 40)), scores, num_bins=2, seed=5)
    assert second.choice_FB[0] == first.choice_FB[0]
    assert second.choice_FB[1] != first.choice_FB[1]
    assert compute_optimal(accuracy_SP, np.ones((4, 40)), scores, num_bins=2, seed=6).fold_P != first.fold_P


@pytest.mark.parametrize(("per_bin", "inflation"), [(100, 0.05), (26, 0.10), (6, 0.20)])
def test_choosing_among_equal_strategies_feigns_a_gain_in_sample_only(per_bin: int, inflation: float) -> None:
    """6 strategies that are one and the same, a draw for each problem, solve rates uniform, 5 bins."""
    rng = np.random.default_rng(0)
    in_sample, held_out = [], []
    for seed in range(40_000 // (5 * per_bin)):
        rate_P = rng.random(5 * per_bin)
        right_SP = (rng.random((6, 5 * per_bin)) < rate_P).astype(float)
        result = compute_optimal(right_SP, np.ones_like(right_SP), rate_P, seed=seed)
        in_sample.append(result.in_sample_accuracy - rate_P.mean())
        held_out.append(result.accuracy - rate_P.mean())
    assert np.mean(in_sample) == pytest.approx(inflation, abs=0.15 * inflation)
    assert np.mean(held_out) == pytest.approx(0.0, abs=4 * 0.41 / 40_000**0.5)


@pytest.mark.parametrize(("answers", "expected"), [(["7", "7", None, "8"], 0.5), ([None, None], 0.0), (["7"], 1.0)])
def test_agreement(answers, expected) -> None:
    assert agreement(answers) == expected


GOOD = {"accuracy_SP": np.ones((2, 4)), "flops_SP": np.ones((2, 4)), "difficulty_P": np.arange(4.0)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"accuracy_SP": np.ones(4)}, "accuracy_SP must have a row a setting and a column a problem"),
        ({"accuracy_SP": np.ones((0, 4))}, "accuracy_SP must have a row a setting"),
        ({"accuracy_SP": np.full((2, 4), 1.5)}, "accuracy_SP must be from 0 to 1"),
        ({"accuracy_SP": np.full((2, 4), math.nan)}, "accuracy_SP must be from 0 to 1"),
        (
            {"accuracy_SP": np.ones((2, 1)), "flops_SP": np.ones((2, 1)), "difficulty_P": [0.0]},
            "accuracy_SP must have at least 2 problems",
        ),
        ({"flops_SP": np.ones((2, 3))}, r"flops_SP must have the shape of accuracy_SP, \(2, 4\)"),
        ({"flops_SP": np.full((2, 4), math.inf)}, "flops_SP must be finite and at least 0"),
        ({"difficulty_P": [0.0, 1.0]}, "difficulty_P must be 4 finite scores"),
        ({"difficulty_P": [0.0, 1.0, 2.0, math.nan]}, "difficulty_P must be 4 finite scores"),
        ({"difficulty_flops": -1.0}, "difficulty_flops must be finite and at least 0"),
        ({"budget_flops": 0.5}, "budget_flops must be at least 1, what the cheapest setting costs in all; got 0.5"),
        ({"budget_flops": math.nan}, "budget_flops must be at least 1"),
        ({"num_bins": 0}, "num_bins must be at least 1"),
        ({"thresholds": (0.5, 0.1)}, "thresholds must be finite scores in ascending order"),
    ],
)
def test_bad_arguments_are_refused(change, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        compute_optimal(**(GOOD | change))


def test_no_answers_have_no_agreement() -> None:
    with pytest.raises(ArgumentError, match="answers must hold at least one sample"):
        agreement([])


def test_random_tables_choose_the_setting_that_the_former_rule_did(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 tables of 4 bins, with ties in accuracy and price: in every field, to the last digit."""

    def written_out(accuracy_SP, flops_SP, row_P, budget_flops):
        accuracy_S, flops_S = accuracy_SP[:, row_P].mean(axis=1), flops_SP[:, row_P].mean(axis=1)
        paid = np.flatnonzero(flops_S <= budget_flops)
        if not len(paid):
            return int(flops_S.argmin())
        return int(min(paid.tolist(), key=lambda each: (-accuracy_S[each], flops_S[each], each)))

    random = np.random.default_rng(0)
    too_dear = 0
    for number in range(200):
        accuracy_SP = random.integers(0, 3, (6, 24)) / 2
        flops_SP = random.integers(1, 4, (6, 1)) * np.where(random.random(24) < 0.3, 1.0, random.integers(1, 3, 24))
        budget = float(flops_SP.mean(axis=1).min()) * random.uniform(1.0, 2.0)
        asked = accuracy_SP, flops_SP, random.random(24)
        found = compute_optimal(*asked, budget_flops=budget, num_bins=4, seed=number)
        with monkeypatch.context() as patch:
            patch.setattr("breakeven.ttc.search.compute_optimal._best_setting", written_out)
            assert found == compute_optimal(*asked, budget_flops=budget, num_bins=4, seed=number)
        too_dear += any((flops_SP[:, np.array(found.bin_P) == each].mean(axis=1) > budget).all() for each in range(4))
    assert too_dear  # in some tables a bin's settings all cost more than the budget
