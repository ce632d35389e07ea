"""The cheapest and the best: of any kind of thing, as the minima and maxima that were written out before them."""

from typing import Any

import numpy as np
import pytest

from breakeven.choice.choose import best, cheapest, choosable, least_of, value_of
from breakeven.choice.prices import lifetime, per_query
from breakeven.errors import ArgumentError
from breakeven.records import Made, Option, Quality


def drawn(random: np.random.Generator) -> list[tuple[float, int, float]]:
    """(price, K, confidence) of some candidates, with many ties."""
    size = int(random.integers(0, 9))
    columns = random.integers(1, 5, size) / 2, random.integers(1, 4, size), random.integers(0, 5, size) / 4
    return [(float(price), int(k), float(sure)) for price, k, sure in zip(*columns, strict=True)]


def test_random_candidates_are_chosen_from_as_by_a_minimum_written_out() -> None:
    random = np.random.default_rng(0)
    for _ in range(2000):
        items = drawn(random)
        level, budget = float(random.random()), float(random.uniform(0, 3))
        sure = [each for each in items if each[2] >= level]
        expected = min(sure, key=lambda each: (each[0], each[1]), default=None)
        assert cheapest(items, reaches=sure.__contains__, price=lambda each: each[:2]) is expected
        assert cheapest(items, price=lambda each: each[0]) is min(items, key=lambda each: each[0], default=None)
        expected = max(items, key=lambda each: (each[2], -each[0]), default=None)
        assert best(items, price=lambda each: each[0], value=lambda each: each[2]) is expected
        paid = [each for each in items if each[0] <= budget]
        expected = min(paid, key=lambda each: (-each[2], each[0]), default=None)
        assert best(items, budget=budget, price=lambda each: each[0], value=lambda each: each[2]) is expected


def test_no_more_is_asked_than_whether_the_cheaper_ones_suffice() -> None:
    asked = list[int]()

    def reaches(item: int) -> bool:
        asked.append(item)
        return item >= 3

    assert cheapest([5, 1, 4, 3, 2], reaches=reaches, price=float) == 3
    assert asked == [1, 2, 3]


def option(name: str, query: float, value: float, **fields: Any) -> Option:
    return Option(name=name, query_flops=query, quality=Quality(value=value, **fields))


def test_a_target_that_nothing_reaches_and_a_budget_that_nothing_meets_choose_nothing() -> None:
    options = [option("a", 2.0, 0.5), option("b", 3.0, 0.7)]
    assert cheapest(options, reaches=lambda each: value_of(each) >= 0.8, price=per_query) is None
    assert best(options, budget=1.0, price=per_query, value=value_of) is None
    assert cheapest([], price=per_query) is None
    assert best([], price=per_query, value=value_of) is None


def test_of_equal_options_the_first_and_of_one_that_one() -> None:
    first, same = option("a", 2.0, 0.5), option("b", 2.0, 0.5)
    for options in ([first], [first, same]):
        assert cheapest(options, reaches=lambda each: value_of(each) >= 0.5, price=per_query) is first
        assert best(options, price=per_query, value=value_of) is first


def test_by_the_lower_end_of_the_interval_the_surer_may_be_chosen() -> None:
    wide, narrow = option("wide", 1.0, 0.7, lo=0.4, hi=0.9), option("narrow", 2.0, 0.65, lo=0.6, hi=0.7)
    plain = option("plain", 3.0, 0.62)
    options = [wide, narrow, plain]
    assert cheapest(options, reaches=lambda each: value_of(each) >= 0.6, price=per_query) is wide
    assert cheapest(options, reaches=lambda each: least_of(each) >= 0.6, price=per_query) is narrow
    assert best(options, price=per_query, value=least_of) is plain  # nobody says how unsure it is


def test_published_points_are_chosen_from_where_that_is_asked_for() -> None:
    ours, theirs = option("ours", 2.0, 0.5), option("theirs", 1.0, 0.9, made=Made.PUBLISHED)
    assert choosable([ours, theirs]) == [ours]
    assert choosable([ours, theirs], published=True) == [ours, theirs]


@pytest.mark.parametrize("queries", [-1.0, float("nan"), float("inf")])
def test_a_life_of_no_number_of_queries_is_refused(queries: float) -> None:
    with pytest.raises(ArgumentError, match="queries must be finite and at least 0"):
        lifetime(queries)
