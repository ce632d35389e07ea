"""What there is to choose: counted, drawn, repaired, and what is no configuration told from what is."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.plan.trials.space import Choice, Configuration, Space, boolean, categorical, integers
from breakeven.plan.trials.synthetic import graph

GRAPH = graph().space
COSTS = {"small": 1.0, "large": 10.0}


def price(configuration: Configuration) -> float:
    return COSTS[str(configuration["model"])] * float(configuration["samples"])


def space(budget: float = 20.0, samples: int = 8) -> Space:
    choices = (categorical("model", "small", "large"), integers("samples", 1, samples), boolean("shuffled"))
    return Space(choices=choices, price=price, budget=budget)


def test_all_configurations_are_listed_once() -> None:
    listed = [space().key(each) for each in space().iterate()]
    assert len(listed) == len(set(listed)) == space().size == 2 * 8 * 2
    assert listed[:3] == [("small", 1, False), ("small", 1, True), ("small", 2, False)]


def test_neighbours_differ_in_one_choice_and_by_one_place_where_it_is_ordered() -> None:
    at: Configuration = {"model": "small", "samples": 1, "shuffled": False}
    found = [space().key(each) for each in space().neighbours(at)]
    assert found == [("large", 1, False), ("small", 2, False), ("small", 1, True)]


def test_draws_are_even_among_what_the_budget_allows() -> None:
    random = np.random.default_rng(0)
    drawn = [space().key(space().draw(random)) for _ in range(3000)]
    allowed = {space().key(each) for each in space().iterate() if space().allows(each)}
    assert set(drawn) == allowed
    assert len(allowed) == 16 + 4
    counts = np.array([drawn.count(each) for each in allowed])
    assert ((counts - 150) ** 2 / 150).sum() < 36.2  # chi-square with 19 degrees of freedom, 99 %


@hypothesis_settings(derandomize=True, max_examples=60, deadline=None)
@given(places=st.lists(st.integers(0, 1), min_size=14, max_size=14), share=st.floats(0.35, 1.2))
def test_what_is_repaired_keeps_the_budget(places: list[int], share: float) -> None:
    problem = replace(GRAPH, budget=share * GRAPH.budget)
    at = {each.name: each.values[place] for each, place in zip(problem.choices, places, strict=True)}
    repaired = problem.repair(at)
    assert problem.fault(repaired) == ""
    assert problem.allows(repaired)
    assert repaired == at or not problem.allows(at)


def test_a_draw_finds_what_the_budget_allows_where_hardly_anything_is() -> None:
    """Of 8,000 configurations 4 cost at most 4: three ones, and one two in any place."""
    numbers = tuple(integers(name, 1, 20) for name in "abc")
    tight = Space(choices=numbers, price=lambda each: float(sum(map(int, each.values()))), budget=4.0)
    random = np.random.default_rng(0)
    assert all(tight.allows(tight.draw(random)) for _ in range(5))


def test_repair_reaches_the_cheapest_past_what_cannot_be_built() -> None:
    """Any 4 and more cannot be built: no neighbour of 8 is cheaper."""
    few = (integers("n", 1, 8),)
    broken = Space(choices=few, price=lambda each: math.inf if int(each["n"]) > 3 else 1.0 * int(each["n"]))
    assert broken.repair({"n": 8}) == {"n": 1}


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"model": "small", "samples": 4}, "It says nothing of shuffled."),
        ({"model": "huge", "samples": 4, "shuffled": True}, "model cannot be 'huge'."),
        ({"model": "small", "samples": 4.5, "shuffled": True}, "samples cannot be 4.5."),
        ({"model": "small", "samples": True, "shuffled": True}, "samples cannot be True."),
        ({"model": "small", "samples": 1, "shuffled": 1}, "shuffled cannot be 1."),
        ({"model": ["small"], "samples": 1, "shuffled": True}, "model cannot be ['small']."),
        ({"model": "small", "samples": 4, "shuffled": True, "depth": 3}, "There is no choice depth."),
        ({"model": "small", "samples": 8, "shuffled": True}, ""),
    ],
)
def test_what_is_no_configuration_says_why(said: dict, fault: str) -> None:
    assert space().fault(said) == fault


def test_a_budget_that_nothing_meets_names_the_cheapest() -> None:
    rule = "budget must be at least 1 FLOPs per query, the price of the cheapest, model=small samples=1 shuffled=False"
    with pytest.raises(ArgumentError, match=rule):
        space(budget=0.5).cheapest()
    with pytest.raises(ArgumentError, match="the cheapest found, model=small samples=1"):
        space(budget=0.5, samples=30_000).cheapest()


def test_the_cheapest_is_found_where_choices_depend_on_each_other() -> None:
    """Each change of one alone costs more: a descent stays at (0, 0), a list finds (1, 1)."""
    prices = {(0, 0): 2.0, (0, 1): 3.0, (1, 0): 3.0, (1, 1): 1.0}
    both = (integers("a", 0, 1), integers("b", 0, 1))
    tied = Space(choices=both, price=lambda each: prices[int(each["a"]), int(each["b"])], budget=1.5)
    assert tied.cheapest() == {"a": 1, "b": 1}


@pytest.mark.parametrize("wrong", [-1.0, math.nan])
def test_a_price_below_0_or_nan_is_named(wrong: float) -> None:
    with pytest.raises(ArgumentError, match="price of n=1 must be at least 0"):
        Space(choices=(integers("n", 1, 2),), price=lambda _: wrong).cheapest()


def test_what_cannot_be_built_at_all() -> None:
    with pytest.raises(ArgumentError, match="choices must have a configuration that can be built"):
        Space(choices=(integers("n", 1, 2),), price=lambda _: math.inf).cheapest()


def test_choices_and_spaces_that_are_none() -> None:
    with pytest.raises(ArgumentError, match="choice model must have at least one value"):
        categorical("model")
    with pytest.raises(ArgumentError, match="choice model must have each value once"):
        Choice(name="model", values=("a", "a"))
    for choices in ((), (boolean("a"), boolean("a"))):
        with pytest.raises(ArgumentError, match="choices must be at least one, each with a name"):
            Space(choices=choices, price=price)
    with pytest.raises(ArgumentError, match="budget must be at least 0"):
        space(budget=math.nan)


def test_configurations_that_come_to_the_same_are_known_by_one() -> None:
    """Shuffled or not, where there is one sample."""

    def same_as(configuration: Configuration) -> Configuration:
        return configuration if configuration["samples"] != 1 else {**configuration, "shuffled": False}

    distinct = [each for each in space().iterate() if same_as(each) == each]
    known = replace(space(), same_as=same_as, distinct=distinct)
    assert known.key({"model": "small", "samples": 1, "shuffled": True}) == ("small", 1, False)
    assert known.key({"model": "small", "samples": 2, "shuffled": True}) == ("small", 2, True)
    assert known.size == len(list(known.iterate())) == 2 * 8 * 2 - 2
    assert known.cheapest()["samples"] == 1
