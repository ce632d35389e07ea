"""Frontiers against brute force, ties, resamplings, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.choice.break_even import lower_envelope
from breakeven.choice.choose import best, by_name, cheapest, least_of, value_of
from breakeven.choice.frontier import frontier, frontier_shares, resampled, undominated
from breakeven.choice.prices import lifetime, once, per_query
from breakeven.errors import ArgumentError
from breakeven.records import Made
from breakeven.records.options import Option, Quality

PROPERTY = settings(derandomize=True, max_examples=100)
FEW = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0])
VALUE = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
OPTIONS = st.lists(st.tuples(FEW, FEW, VALUE), min_size=1, max_size=8)


def made(rows):
    return [
        Option(name=str(place), train_flops=train, query_flops=query, quality=Quality(value=value))
        for place, (train, query, value) in enumerate(rows)
    ]


@PROPERTY
@given(OPTIONS, st.sampled_from([per_query, once, lifetime(3)]))
def test_on_the_frontier_is_what_nothing_betters(rows, price):
    options = made(rows)

    def betters(one, other):
        as_good = value_of(one) >= value_of(other) and price(one) <= price(other)
        differs = value_of(one) > value_of(other) or price(one) < price(other)
        return as_good and (differs or options.index(one) < options.index(other))

    expected = [each for each in options if not any(betters(one, each) for one in options)]
    assert frontier(options, price) == sorted(expected, key=price)


@PROPERTY
@given(OPTIONS, st.sampled_from([0.0, 0.3, 1.0, 2.5, 100.0]))
def test_the_envelope_is_the_cheapest_at_any_number_of_queries(rows, queries):
    options = made(rows)
    stretches = lower_envelope(options)
    assert stretches[0].queries == 0.0
    starts = [each.queries for each in stretches]
    assert starts == sorted(set(starts))
    here = [each.option for each in stretches if each.queries <= queries][-1]
    assert here.total(queries) == pytest.approx(min(each.total(queries) for each in options))


@PROPERTY
@given(OPTIONS, FEW, VALUE)
def test_the_cheapest_and_the_best_are_those_of_a_search_through_all(rows, budget, target):
    options = made(rows)
    reaching = [each for each in options if value_of(each) >= target]
    found = cheapest(options, reaches=lambda each: value_of(each) >= target, price=per_query)
    assert found is (min(reaching, key=per_query) if reaching else None)
    paid = [each for each in options if per_query(each) <= budget]
    found = best(options, budget=budget, price=per_query, value=value_of)
    if found is None:
        assert not paid
    else:
        assert value_of(found) == max(map(value_of, paid))
        assert per_query(found) == min(per_query(each) for each in paid if value_of(each) == value_of(found))


@settings(derandomize=True, max_examples=40)
@given(st.lists(st.tuples(st.floats(1, 1e3), st.floats(0, 1)), max_size=12))
def test_of_anything_priced_nothing_kept_is_beaten_and_all_that_is_not_is_kept(points):
    kept = undominated(points, price=lambda point: point[0], value=lambda point: point[1])
    for cost, accuracy in points:
        beaten = any(
            (other <= cost and better >= accuracy) and (other, better) != (cost, accuracy) for other, better in points
        )
        assert ((cost, accuracy) in kept) == (not beaten)
    assert kept == sorted(kept)


def paired(name, price, value_P):
    quality = Quality(value=float(np.mean(value_P)), value_P=tuple(value_P), problems="test")
    return Option(name=name, query_flops=price, quality=quality)


def test_a_share_is_that_of_the_resamplings_in_which_an_option_is_on_the_frontier():
    random = np.random.default_rng(0)
    options = [paired(str(place), float(random.integers(1, 4)), random.random(12)) for place in range(6)]
    shares = frontier_shares(options, per_query, draws=400, seed=3)
    weights = np.concatenate(list(resampled(np.eye(12), 400, 3)))
    counts = np.zeros(6)
    for weight_P in weights:
        drawn = [
            Option(name=each.name, query_flops=each.query_flops,
                   quality=Quality(value=float(weight_P @ each.quality.value_P)))
            for each in options
        ]  # fmt: skip
        for each in frontier(drawn, per_query):
            counts[int(each.name)] += 1
    assert shares == pytest.approx(counts / 400, abs=0.006)  # ties by rounding


def test_of_equal_options_the_first_has_the_place():
    options = [paired("a", 1.0, [1, 0]), paired("b", 1.0, [1, 0])]
    assert frontier_shares(options, per_query) == (1.0, 0.0)
    assert [each.name for each in frontier(options, per_query)] == ["a"]


def test_what_was_published_is_never_chosen_unless_asked_for():
    ours = Option(name="ours", query_flops=2.0, quality=Quality(value=0.5))
    theirs = Option(name="theirs", query_flops=1.0, quality=Quality(value=0.9, made=Made.PUBLISHED))
    assert frontier([ours, theirs], per_query) == [ours]
    assert frontier([ours, theirs], per_query, published=True) == [theirs]


def test_values_on_other_problems_are_not_paired():
    other = Option(name="b", quality=Quality(value=0.5, value_P=(0.5, 0.5, 0.5), problems="test"))
    with pytest.raises(ArgumentError, match="option b must be measured on the 2 problems of a"):
        frontier_shares([paired("a", 1.0, [1, 0]), other], per_query)
    plain = Option(name="c", quality=Quality(value=0.5))
    with pytest.raises(ArgumentError, match="option c must be known problem by problem; got 'one value'"):
        frontier_shares([paired("a", 1.0, [1, 0]), plain], per_query)
    assert frontier_shares([], per_query) == ()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"train_flops": -1.0}, "train_flops must be finite and at least 0; got -1.0"),
        ({"query_flops": float("nan")}, "query_flops must be finite and at least 0; got nan"),
        ({"one_off": {"verifier": float("inf")}}, "one_off['verifier'] must be finite and at least 0; got inf"),
        ({"one_off": {"training": 1.0}}, "one_off of x must not have a line training"),
        ({"name": ""}, "name must name the option; got ''"),
    ],
)
def test_costs_that_are_none_are_refused(fields, message):
    with pytest.raises(ArgumentError) as error:
        Option(**({"name": "x", "quality": Quality(value=0.5)} | fields))
    assert message in str(error.value)


def test_costs_can_be_left_out_line_by_line():
    option = Option(
        name="a", train_flops=10, one_off={"verifier": 5, "search": 1}, query_flops=2, reward_flops=3,
        quality=Quality(value=0.5, lo=0.4, hi=0.6),
    )  # fmt: skip
    assert option.lines == ("training", "verifier", "search", "model", "reward model")
    assert (option.once, option.per_query, option.total(10)) == (16, 5, 66)
    less = option.without("verifier", "reward model", "what it lacks")
    assert (less.once, less.per_query) == (11, 2)
    assert option.without("training", "model").total(1) == 9
    assert least_of(option) == 0.4


def test_an_unknown_name_gives_the_nearest():
    with pytest.raises(ArgumentError, match="Did you mean 10"):
        by_name(made([(0, 0, 0)] * 11), "100")
    assert by_name(made([(0, 0, 0)] * 11), "10").name == "10"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"value": float("nan")}, "quality must be finite; got nan"),
        ({"value": 0.5, "lo": 0.4}, "have both ends of its interval or neither"),
        ({"value": 0.5, "lo": 0.6, "hi": 0.7}, "be within its interval"),
        ({"value": 0.5, "value_P": (0.5, float("nan"))}, "value_P must hold finite numbers; got nan"),
    ],
)
def test_qualities_that_are_none_are_refused(fields, message):
    with pytest.raises(ArgumentError) as error:
        Quality(**fields)
    assert message in str(error.value)
