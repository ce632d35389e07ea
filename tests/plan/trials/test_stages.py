"""Dynamic programming over a budget against brute force, and counting against a count."""

from fractions import Fraction
from itertools import product
from math import inf, prod

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.plan.trials.stages import StageOption, best_of_stages, count_within, in_units

PROPERTY = hypothesis_settings(derandomize=True, max_examples=60, deadline=None)
STAGES = st.lists(
    st.lists(
        st.builds(StageOption, price=st.integers(0, 9), value=st.integers(0, 8).map(float)), min_size=1, max_size=4
    ),
    min_size=1,
    max_size=4,
)


def value(options: tuple[StageOption, ...], combine: str) -> float:
    return prod(each.value for each in options) if combine == "product" else sum(each.value for each in options)


@PROPERTY
@given(stages=STAGES, budget=st.integers(0, 30), combine=st.sampled_from(["product", "sum"]))
def test_it_is_the_best_of_all_that_the_budget_allows(stages: list, budget: int, combine: str) -> None:
    allowed = [each for each in product(*stages) if sum(option.price for option in each) <= budget]
    best = max((value(each, combine) for each in allowed), default=-inf)
    places = best_of_stages(stages, budget, combine=combine)
    if places is None:
        assert not allowed
        return
    chosen = tuple(stage[place] for stage, place in zip(stages, places, strict=True))
    price = sum(option.price for option in chosen)
    assert price <= budget
    assert value(chosen, combine) == best
    assert price == min(sum(o.price for o in each) for each in allowed if value(each, combine) == best)


@PROPERTY
@given(stages=STAGES, budget=st.integers(0, 20), more=st.integers(0, 10))
def test_a_larger_budget_never_lowers_the_best(stages: list, budget: int, more: int) -> None:
    found = []
    for each in (budget, budget + more):
        places = best_of_stages(stages, each)
        chosen = [stage[place] for stage, place in zip(stages, places or (), strict=False)]
        found.append(-1.0 if places is None else value(tuple(chosen), "product"))
    assert found[0] <= found[1]


@PROPERTY
@given(
    prices=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=5), min_size=1, max_size=4),
    budget=st.integers(0, 30),
)
def test_the_count_is_the_number_there_are(prices: list, budget: int) -> None:
    assert count_within(prices, budget) == sum(sum(each) <= budget for each in product(*prices))


def test_a_count_beyond_64_bits_is_exact() -> None:
    assert count_within([[0, 1]] * 70, 70) == 2**70
    assert count_within([[0, 1]] * 70, 1) == 71


def test_prices_in_units_are_exact_where_they_have_a_common_part() -> None:
    assert in_units([[0.5, 1.25], [2.0]], 3.0) == ([[2, 5], [8]], 12)
    assert in_units([[0.0], [0.0]], 5.0)[0] == [[0], [0]]


def test_prices_without_one_are_rounded_up_so_that_nothing_over_the_budget_seems_within_it() -> None:
    prices = [[1 / 3, 0.7], [0.6666, 0.1]]
    (whole, budget), unit = in_units(prices, 1.0), Fraction(1, 10_000)
    assert budget == 10_000
    for stage, units in zip(prices, whole, strict=True):
        assert all(
            Fraction(price) <= each * unit < Fraction(price) + unit for price, each in zip(stage, units, strict=True)
        )


@pytest.mark.parametrize(
    ("stages", "budget", "options", "words"),
    [
        ([], 1, {}, "stages must be at least one"),
        ([[]], 1, {}, "stages must be at least one"),
        ([[StageOption(price=-1, value=1.0)]], 1, {}, "price of an option of stage 0"),
        ([[StageOption(price=1, value=1.0)]], -1, {}, "budget must be a whole number"),
        ([[StageOption(price=1, value=1.0)]], 10**9, {}, "budget must be at most 10000000 units"),
        ([[StageOption(price=1, value=-1.0)]], 1, {}, "values of stages must be at least 0"),
        ([[StageOption(price=1, value=1.0)]], 1, {"combine": "least"}, "combine must be one of product, sum"),
    ],
)
def test_what_is_refused(stages: list, budget: int, options: dict, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        best_of_stages(stages, budget, **options)
