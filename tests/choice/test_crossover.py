"""Where one family of options overtakes another, and by how much: against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.choice.crossover import crossover, gaps
from breakeven.choice.frontier import resampled
from breakeven.choice.prices import per_query
from breakeven.errors import ArgumentError
from breakeven.records import Option, Quality

PROPERTY = settings(derandomize=True, max_examples=200)
FAMILY = st.lists(st.tuples(st.sampled_from([1.0, 2.0, 3.0, 5.0, 8.0]), st.sampled_from([0.2, 0.4, 0.6])), max_size=5)


def family(points) -> list[Option]:
    return [
        Option(name=f"{place}", query_flops=price, quality=Quality(value=value))
        for place, (price, value) in enumerate(points)
    ]


def best_at(points, price: float) -> float:
    return max((value for paid, value in points if paid <= price), default=-np.inf)


@PROPERTY
@given(FAMILY, FAMILY)
def test_it_is_the_least_price_from_which_the_second_never_falls_behind(first, second):
    prices = sorted({price for price, _ in (*first, *second)})
    ahead = [
        price
        for price in prices
        if all(best_at(second, later) >= best_at(first, later) for later in prices if later >= price)
    ]
    assert crossover(family(first), family(second), per_query) == (ahead[0] if ahead else None)


def test_an_early_lead_that_is_lost_again_is_no_crossover() -> None:
    vote = [(1.0, 0.5), (4.0, 0.7), (16.0, 0.75)]
    verdicts = [(2.0, 0.6), (8.0, 0.65), (32.0, 0.8)]
    assert crossover(family(vote), family(verdicts), per_query) == 32.0
    assert crossover(family(vote), family(verdicts[:2]), per_query) is None
    assert crossover(family(vote), family(vote), per_query) == 1.0
    assert crossover([], [], per_query) is None


def paired(name: str, price: float, value_P, problems: str = "test") -> Option:
    values = tuple(float(each) for each in value_P)
    return Option(
        name=name, query_flops=price, quality=Quality(value=float(np.mean(values)), value_P=values, problems=problems)
    )


def test_gaps_choose_the_best_of_each_anew_in_every_resampling() -> None:
    random = np.random.default_rng(1)
    first = [paired(f"a{price}", price, random.random(15) < 0.5) for price in (1.0, 2.0, 4.0)]
    second = [paired(f"b{price}", price, random.random(15) < 0.6) for price in (2.0, 3.0, 4.0)]
    found = gaps(first, second, per_query, draws=300, seed=5)
    assert [each.price for each in found] == [2.0, 3.0, 4.0]  # at 1 the second has nothing to offer
    for gap in found:

        def best_of(options, weight_P, at=gap.price):
            return max(weight_P @ np.array(each.quality.value_P) for each in options if each.query_flops <= at)

        weights = np.concatenate(list(resampled(np.eye(15), 300, 5)))
        drawn = [best_of(second, each) - best_of(first, each) for each in weights]
        assert (gap.lo, gap.hi) == pytest.approx(tuple(np.quantile(drawn, (0.05, 0.95))))
        assert gap.value == pytest.approx(best_of(second, np.full(15, 1 / 15)) - best_of(first, np.full(15, 1 / 15)))


def test_families_on_other_problems_have_no_gap() -> None:
    with pytest.raises(ArgumentError, match="option b must be measured on the 2 problems of a, to be paired with it"):
        gaps([paired("a", 1.0, [0, 1])], [paired("b", 1.0, [1, 1], "others")], per_query)
    with pytest.raises(ArgumentError, match="option 0 must be known problem by problem"):
        gaps([paired("a", 1.0, [0, 1])], family([(1.0, 0.5)]), per_query)
