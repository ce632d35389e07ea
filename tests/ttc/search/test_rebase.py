"""REBASE alone: how the width is shared out, and that it is kept exactly."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.records import Problem
from breakeven.ttc.search.rebase import allocate, rebase

PROBLEM = Problem(id="p", prompt="12345")


@pytest.mark.parametrize(
    ("rewards", "width", "temperature", "expected"),
    [
        ([0.9, 0.8, 0.5, 0.1], 16, 0.2, [10, 5, 1, 0]),
        ([0.5, 0.5, 0.5], 16, 0.2, [6, 5, 5]),
        ([0.3] * 7, 7, 0.2, [1] * 7),
        ([0.3] * 3, 2, 0.2, [1, 1, 0]),
        ([0.9], 5, 0.2, [5]),
        ([0.9, 0.1], 0, 0.2, [0, 0]),
        ([], 3, 0.2, []),
        ([1.0, 0.0], 8, 1e-4, [8, 0]),  # exp(-10000) is 0: no division by it
        ([1e6, 0.0, 0.0], 8, 0.2, [8, 0, 0]),
        ([0.9, 0.1], 8, 1e9, [4, 4]),
    ],
)
def test_known_allocations(rewards, width, temperature, expected) -> None:
    assert allocate(rewards, width, temperature) == expected


def test_the_width_is_met_exactly_in_20_000_random_cases() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20_000):
        num, width = int(rng.integers(1, 65)), int(rng.integers(0, 257))
        rewards = np.sort(rng.choice([rng.random(num), rng.integers(0, 5, num) / 4]))[::-1]
        counts = allocate(rewards.tolist(), width, float(rng.choice([0.02, 0.2, 1.0])))
        assert sum(counts) == width
        assert min(counts) >= 0


@given(
    rewards=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20),
    width=st.integers(0, 300),
    temperature=st.floats(1e-3, 1e3),
)
def test_a_better_path_never_gets_fewer(rewards, width, temperature) -> None:
    counts = allocate(sorted(rewards, reverse=True), width, temperature)
    assert sum(counts) == width
    assert all(a >= b - 1 for a, b in pairwise(counts))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.1, 0.9], 4), "rewards must be finite and in descending order"),
        (([math.nan], 4), "rewards must be finite"),
        (([0.9], -1), "width must be at least 0"),
        (([0.9], 4, 0.0), "balance_temperature must be finite and above 0"),
        (([0.9], 4, math.inf), "balance_temperature must be finite and above 0"),
    ],
)
def test_bad_allocations_are_refused(arguments, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        allocate(*arguments)


def test_finished_solutions_take_from_the_width(scripted, scripted_reward, by_step) -> None:
    sampler = scripted({"": ["a;", "b;", "c.", "d;"], "a;": ["1.", "2."], "b;": ["1.", "2."]})
    rewards = {"a;": 0.9, "b;": 0.8, "c": 0.5, "d;": 0.1, "a;1": 0.1, "a;2": 0.2, "b;1": 0.3}
    (result,) = rebase(
        [PROBLEM], sampler, scripted_reward(rewards), num_candidates=4, segments=by_step, temperature=1.0, seed=0
    )
    assert allocate([0.9, 0.8, 0.1], 3) == [2, 1, 0]
    assert [(prefixes[0].text, num) for prefixes, num, _ in sampler.calls] == [("", 4), ("b;", 1), ("a;", 2)]
    assert [each.text for each in result.candidates] == ["c", "a;1", "a;2", "b;1"]
    assert result.cost.num_samples == 4 + 3


def test_the_balance_temperature_matters(digits, oracle, by_step) -> None:
    def distinct_first_steps(balance: float) -> int:
        results = rebase(
            digits.problems[:20],
            digits,
            oracle,
            num_candidates=8,
            segments=by_step,
            temperature=1.0,
            seed=0,
            balance_temperature=balance,
        )
        return sum(len({each.text[:2] for each in result.candidates}) for result in results)

    assert distinct_first_steps(10.0) > distinct_first_steps(0.01)


def test_bad_numbers_are_refused(digits, oracle, by_step) -> None:
    with pytest.raises(ArgumentError, match="num_candidates must be at least 1; got 0"):
        rebase(digits.problems, digits, oracle, num_candidates=0, segments=by_step, temperature=1.0, seed=0)
    with pytest.raises(ArgumentError, match="balance_temperature must be"):
        rebase(
            digits.problems,
            digits,
            oracle,
            num_candidates=4,
            segments=by_step,
            temperature=1.0,
            seed=0,
            balance_temperature=-1.0,
        )
