"""Settings on the same problems: what is refused, and how those on others are matched."""

import math
from dataclasses import replace
from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.by_difficulty.population import Difficulty, Population, Setting, joined


def population(of: str, ids: str, *names: str) -> Population:
    """Settings whose accuracy on a problem is 1 / (1 + its place in the alphabet)."""
    accuracy = tuple(1 / (ord(each) - 96) for each in ids)
    flat = (1.0,) * len(ids)
    return Population(
        of=of,
        ids=tuple(ids),
        settings=tuple(
            Setting(strategy=each, k=2, accuracy_P=accuracy, model_flops_P=flat, reward_flops_P=flat) for each in names
        ),
        difficulties=(Difficulty(name="solve rate", num_samples=2, score_P=accuracy, oracle=True),),
        sample_flops=1.0,
        evaluation_flops=10.0,
    )


def test_problems_are_matched_and_what_is_left_out_is_said() -> None:
    found = joined([population("one", "abcd", "vote"), population("two", "dbe", "search")])
    assert found.ids == ("b", "d")
    assert [each.accuracy_P for each in found.settings] == [(0.5, 0.25), (0.5, 0.25)]
    assert found.difficulties[0].score_P == (0.5, 0.25)
    assert found.evaluation_flops == 20.0
    assert [each[:31] for each in found.notes] == ["one: matched on the 2 problems ", "two: matched on the 2 problems "]


def test_equal_problems_need_no_matching() -> None:
    one = population("one", "ab", "vote")
    assert joined([one]) is one
    assert joined([one, population("two", "ab", "search")]).notes == ()


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"one, two must share at least 2 problems, to be compared; got .1 shared"):
        joined([population("one", "ab", "vote"), population("two", "bc", "search")])
    with pytest.raises(ArgumentError, match="be there once each; got 'vote K=2'"):
        joined([population("one", "ab", "vote"), population("two", "ab", "vote")])
    with pytest.raises(ArgumentError, match="have at least 2 problems"):
        population("one", "a", "vote")
    with pytest.raises(ArgumentError, match="the settings of one must be at least one"):
        population("one", "ab")


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("accuracy_P", (0.5, 1.5), "accuracy_P of vote K=2"),
        ("accuracy_P", (0.5, math.nan), "accuracy_P of vote K=2"),
        ("model_flops_P", (1.0, -1.0), "hold finite numbers of at least 0"),
        ("reward_flops_P", (1.0, math.inf), "hold finite numbers of at least 0"),
        ("reward_flops_P", (1.0,), "have a number for each of the 2 problems"),
    ],
)
def test_numbers_that_are_none(field: str, value: tuple[float, ...], rule: str) -> None:
    (setting,) = population("one", "ab", "vote").settings
    wrong: dict[str, Any] = {field: value}
    with pytest.raises(ArgumentError, match=rule):
        replace(setting, **wrong)


def test_scores_and_prices_that_are_none() -> None:
    made = population("one", "ab", "vote")
    with pytest.raises(ArgumentError, match="solve rate must hold finite scores"):
        replace(made, difficulties=(replace(made.difficulties[0], score_P=(0.0, math.nan)),))
    with pytest.raises(ArgumentError, match="sample_flops"):
        replace(made, sample_flops=0.0)
