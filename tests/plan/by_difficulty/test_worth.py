"""Choosing by difficulty: a planted rule is found, what is in sample flatters, and what leaves nothing to choose."""

import math
from typing import Any

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.by_difficulty.population import Difficulty, Population, Setting
from breakeven.plan.by_difficulty.worth import Bins, Worth, gain_of, worth

QUANTILES = Bins(name="5 quantiles", num_bins=5)
HALVES = Bins(name="at 0.5", num_bins=2, thresholds=(0.5,))


def setting(strategy: str, accuracy_P: list[float], *, flops: float = 8.0, reward: float = 0.0, k: int = 8) -> Setting:
    size = len(accuracy_P)
    return Setting(
        strategy=strategy,
        k=k,
        reward_model="" if not reward else "small",
        accuracy_P=tuple(accuracy_P),
        model_flops_P=(flops,) * size,
        reward_flops_P=(reward,) * size,
    )


def population(settings: list[Setting], *difficulties: Difficulty) -> Population:
    size = len(settings[0].accuracy_P)
    return Population(
        of="made problems",
        ids=tuple(map(str, range(size))),
        settings=tuple(settings),
        difficulties=difficulties,
        sample_flops=1.0,
    )


def asked(made: Population, difficulty: Difficulty, bins: Bins, **others: Any) -> Worth:
    found = worth(made, difficulty, bins, **others)
    assert found is not None
    return found


def two_types(size: int = 40) -> Population:
    """Revising solves the easy half alone, voting the hard half alone: a setting for each solves all."""
    easy = [float(place % 2) for place in range(size)]
    hard = [1.0 - each for each in easy]
    told = Difficulty(name="agreement", num_samples=4, score_P=tuple(0.2 + 0.6 * each for each in easy), model_flops=4)
    true = Difficulty(name="solve rate", num_samples=32, score_P=tuple(easy), oracle=True)
    return population([setting("revise", easy), setting("vote", hard)], told, true)


def test_the_planted_rule_is_found() -> None:
    """By hand: each alone solves half, both together all, so that the gain is half, whichever single one is best."""
    made = two_types()
    for difficulty in made.difficulties:
        found = asked(made, difficulty, HALVES, budget_flops=12.0)
        assert found.accuracy == 1.0
        assert found.single_accuracy == pytest.approx(0.5, abs=0.1)
        assert found.gain.value == found.accuracy - found.single_accuracy
        assert (found.choice_B, found.num_problems_B) == (("vote K=8", "revise K=8"), (20, 20))
        assert found.in_sample_gain == 0.5


def test_the_estimate_is_charged_unless_it_is_an_oracle() -> None:
    made = two_types()
    told, true = made.difficulties
    paid = asked(made, told, HALVES, budget_flops=12.0)
    free = asked(made, told, HALVES, budget_flops=12.0, charged=False)
    oracle = asked(made, true, HALVES, budget_flops=12.0)
    assert (paid.model_flops, free.model_flops, oracle.model_flops) == (12.0, 8.0, 8.0)
    assert (paid.charged, free.charged, oracle.charged) == (True, False, False)
    assert worth(made, told, HALVES, budget_flops=11.0) is None
    assert worth(made, told, HALVES, budget_flops=11.0, charged=False) is not None


def test_reward_models_are_left_out_where_they_are_free() -> None:
    """The judged setting is the better, and too dear where its reward model counts."""
    size = 10
    made = population(
        [setting("vote", [0.0] * size), setting("judged", [1.0] * size, reward=8.0)],
        Difficulty(name="agreement", num_samples=1, score_P=(0.0,) * size),
    )
    full = asked(made, made.difficulties[0], QUANTILES, budget_flops=8.0)
    alone = asked(made, made.difficulties[0], QUANTILES, budget_flops=8.0, rewards_priced=False)
    assert (full.accuracy, full.reward_flops) == (0.0, 0.0)
    assert (alone.accuracy, alone.reward_flops) == (1.0, 8.0)  # said all the same


def test_a_reward_model_that_only_some_splits_ask_is_named() -> None:
    """Noise alone decides between the two: the one most often chosen is not the only one that the means rest on."""
    random = np.random.default_rng(0)
    judged, vote = (random.integers(0, 2, 30).astype(float).tolist() for _ in range(2))
    made = population(
        [setting("vote", vote), setting("judged", judged, reward=1e-3)],
        Difficulty(name="agreement", num_samples=1, score_P=(0.0,) * 30),
    )
    found = asked(made, made.difficulties[0], Bins(name="one", num_bins=1), budget_flops=9.0)
    assert 0 < found.reward_flops < 1e-3
    assert found.reward_models == ("small",)
    free = population([setting("vote", vote)], *made.difficulties)
    assert asked(free, free.difficulties[0], Bins(name="one", num_bins=1), budget_flops=9.0).reward_models == ()


def test_equally_hard_problems_share_a_bin() -> None:
    size = 12
    made = population(
        [setting("a", [0.5] * size), setting("b", [0.25] * size, k=4)],
        Difficulty(name="agreement", num_samples=4, score_P=(1.0,) * size),
    )
    found = asked(made, made.difficulties[0], QUANTILES, budget_flops=8.0)
    assert (found.gain.value, found.gain.lo, found.gain.hi) == (0.0, None, None)
    assert sorted(found.num_problems_B) == [0, 0, 0, 0, size]
    assert sorted(found.choice_B) == ["", "", "", "", "a K=8"]


def test_a_bin_that_one_fold_lacks_takes_what_suits_that_fold() -> None:
    """One problem alone is hard: the half without it cannot know what it takes, and takes what suits its own."""
    size = 9
    hard = [1.0] + [0.0] * (size - 1)
    made = population(
        [setting("for hard", hard), setting("for easy", [1.0 - each for each in hard])],
        Difficulty(name="agreement", num_samples=4, score_P=tuple(1.0 - each for each in hard)),
    )
    found = asked(made, made.difficulties[0], HALVES, budget_flops=8.0)
    assert found.value_P == (0.0,) + (1.0,) * (size - 1)
    assert found.in_sample_gain == pytest.approx(1 / size)


def test_cross_fitted_is_not_above_in_sample_on_average() -> None:
    """Settings of pure noise: nothing is gained held out, and something always seems to be in sample."""
    gains, optimistic = [], []
    for seed in range(12):
        random = np.random.default_rng(seed)
        settings = [setting(f"s{each}", random.integers(0, 2, 40).astype(float).tolist()) for each in range(6)]
        difficulty = Difficulty(name="agreement", num_samples=4, score_P=tuple(random.random(40).tolist()))
        found = asked(population(settings), difficulty, QUANTILES, budget_flops=8.0, splits=4)
        gains.append(found.gain.value)
        optimistic.append(found.in_sample_gain)
        assert found.in_sample_gain >= 0
    error = np.std(gains, ddof=1) / math.sqrt(len(gains))
    assert np.mean(gains) < np.mean(optimistic)
    assert abs(np.mean(gains)) < 3 * error


def test_the_interval_is_that_of_the_mean_difference() -> None:
    """By hand: 3 of 4 problems gain nothing and one 1, whose mean is .25 with a standard error of .25."""
    gain = gain_of(np.zeros(4), np.array([0.0, 0.0, 0.0, 1.0]))
    assert (gain.value, gain.lo, gain.hi) == pytest.approx((0.25, 0.25 - 1.6449 * 0.25, 0.25 + 1.6449 * 0.25), abs=1e-4)
    assert str(gain) == "+0.250 [-0.161, +0.661]"


def test_settings_over_other_problems_are_refused() -> None:
    with pytest.raises(ArgumentError, match="be measured on the 3 problems"):
        population([setting("a", [0.0] * 3), setting("b", [0.0] * 4)])
    with pytest.raises(ArgumentError, match="agreement must be measured on the 3 problems"):
        population([setting("a", [0.0] * 3)], Difficulty(name="agreement", num_samples=1, score_P=(0.0,) * 2))
