"""Break-even: the paper's figures, the same count with every FLOP charged, and what is refused."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.choice.break_even import break_even, break_even_bound, break_even_queries, lower_envelope
from breakeven.errors import ArgumentError
from breakeven.records.options import UNRATED, Option

PROPERTY = settings(derandomize=True, max_examples=60)
PAPER = {"train_tokens": 3e12, "output_tokens": 1024, "used": 0.2, "cost_ratio": 1.2}
COSTS = {
    "budget_flops": 1000.0,
    "train_flops": 300.0,
    "evaluation_flops": 30.0,
    "query_flops": 65.0,
    "baseline_query_flops": 17.0,
}


# -- the bound from token counts --------------------------------------------------------------------------------------


def test_figures_of_the_paper() -> None:
    """arXiv 2601.01332: about 70 billion queries at 6 training FLOPs for one of inference; half of that at 3."""
    assert f"{break_even_bound(**PAPER):.2e}" == "7.03e+10"
    assert f"{break_even_bound(**PAPER, train_to_inference=3.0):.2e}" == "3.52e+10"


def test_samples_without_attention_and_prefill() -> None:
    """K samples cost K times one: Q = 3 dD / ((K - 1) T) = 1.67e9 for dD = 2.5e12, K = 16, T = 300."""
    bound = break_even_bound(train_tokens=2.5e12, output_tokens=300, used=0.0, cost_ratio=16.0, train_to_inference=3.0)
    assert f"{bound:.2e}" == "1.67e+09"


@pytest.mark.parametrize("cost_ratio", [0.5, 1.0])
@pytest.mark.parametrize("used", [0.0, 1.0])
def test_serving_that_costs_no_more_never_breaks_even(cost_ratio: float, used: float) -> None:
    assert break_even_bound(**PAPER | {"cost_ratio": cost_ratio, "used": used}) == math.inf


def test_nothing_saved_breaks_even_at_once() -> None:
    assert break_even_bound(**PAPER | {"used": 1.0}) == 0.0


@PROPERTY
@given(st.floats(0.0, 1.0), st.floats(1.001, 100.0), st.floats(1e3, 1e13), st.floats(1.0, 1e5))
def test_bound_is_the_explicit_count_at_2_flops_per_generated_token(
    used: float, cost_ratio: float, train_tokens: float, output_tokens: float
) -> None:
    """With 2 N FLOPs a generated token, 6 N a trained one and nothing else, both formulas are one."""
    params = 1e9
    bound = break_even_bound(
        train_tokens=train_tokens,
        output_tokens=output_tokens,
        used=used,
        cost_ratio=cost_ratio,
        train_to_inference=3.0,
    )
    explicit = break_even_queries(
        budget_flops=6 * params * train_tokens,
        train_flops=used * 6 * params * train_tokens,
        evaluation_flops=0.0,
        query_flops=cost_ratio * 2 * params * output_tokens,
        baseline_query_flops=2 * params * output_tokens,
    )
    assert bound == pytest.approx(explicit, rel=1e-9, abs=1e-3)


@pytest.mark.parametrize("name", ["train_tokens", "output_tokens", "cost_ratio", "train_to_inference"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_bound_refuses_what_is_no_count_or_ratio(name: str, value: float) -> None:
    with pytest.raises(ArgumentError) as error:
        break_even_bound(**PAPER | {name: value})
    assert str(error.value) == f"{name} must be finite and above 0; got {value}."


@pytest.mark.parametrize("used", [-0.1, 20.0, math.nan])
def test_bound_refuses_what_is_no_share(used: float) -> None:
    with pytest.raises(ArgumentError) as error:
        break_even_bound(**PAPER | {"used": used})
    assert str(error.value) == f"used must be a share from 0 to 1; got {used}. Divide percentages by 100."


# -- the count with every FLOP charged --------------------------------------------------------------------------------


def test_saved_flops_over_extra_flops_a_query() -> None:
    assert break_even_queries(**COSTS) == (1000 - 300 - 30) / (65 - 17)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"query_flops": 17.0}, math.inf),
        ({"query_flops": 16.0}, math.inf),
        ({"train_flops": 970.0}, 0.0),
        ({"train_flops": 1000.0}, 0.0),
        ({"evaluation_flops": 700.0}, 0.0),
        ({"evaluation_flops": 800.0, "query_flops": 16.0}, 0.0),  # nothing saved comes before nothing lost
        ({"baseline_query_flops": 0.0}, 670 / 65),
    ],
)
def test_edges(changed: dict[str, float], expected: float) -> None:
    assert break_even_queries(**COSTS | changed) == expected


@PROPERTY
@given(st.floats(0.0, 600.0), st.floats(0.0, 600.0))
def test_evaluating_more_never_pays_longer(evaluation: float, more: float) -> None:
    cheap = break_even_queries(**COSTS | {"evaluation_flops": evaluation})
    assert break_even_queries(**COSTS | {"evaluation_flops": evaluation + more}) <= cheap


@PROPERTY
@given(st.integers(-40, 40))
def test_unit_of_flops_changes_nothing(power: int) -> None:
    assert break_even_queries(**{name: value * 2.0**power for name, value in COSTS.items()}) == 670 / 48


@pytest.mark.parametrize("name", COSTS)
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_count_refuses_what_is_no_cost(name: str, value: float) -> None:
    with pytest.raises(ArgumentError) as error:
        break_even_queries(**COSTS | {name: value})
    assert str(error.value) == f"{name} must be finite and at least 0; got {value}."


# -- options ----------------------------------------------------------------------------------------------------------


def test_as_a_comparison_of_options_it_is_to_the_last_digit_what_its_formula_says() -> None:
    """20,000 draws over many orders of magnitude, some of them equal, of the formula written out."""
    random = np.random.default_rng(0)
    seen = set()
    for _ in range(20_000):
        budget, train, evaluation, query, baseline = random.lognormal(20.0, 4.0, 5).tolist()
        if random.random() < 0.2:
            query = baseline
        if random.random() < 0.2:
            train = budget - evaluation if budget > evaluation else budget
        saved = budget - train - evaluation
        expected = 0.0 if saved <= 0 else math.inf if query <= baseline else saved / (query - baseline)
        found = break_even_queries(
            budget_flops=budget,
            train_flops=train,
            evaluation_flops=evaluation,
            query_flops=query,
            baseline_query_flops=baseline,
        )
        assert found == expected
        seen.add("none" if found == 0.0 else "ever" if math.isinf(found) else "until")
    assert seen == {"none", "ever", "until"}


def option(name: str, once: float, query: float) -> Option:
    return Option(name=name, train_flops=once, query_flops=query, quality=UNRATED)


def test_on_either_side_of_the_break_even_another_is_the_cheaper() -> None:
    frugal, lavish = option("frugal", 10.0, 5.0), option("lavish", 110.0, 1.0)
    assert break_even(frugal, lavish) == 25.0
    assert frugal.total(24.0) < lavish.total(24.0)
    assert frugal.total(25.0) == lavish.total(25.0)
    assert break_even(frugal, frugal) == 0.0  # equal options: nothing is saved
    assert [(each.option.name, each.queries) for each in lower_envelope([lavish, frugal])] == [
        ("frugal", 0.0),
        ("lavish", 25.0),
    ]


def test_the_envelope_of_one_of_none_and_of_equal_options() -> None:
    one, same = option("one", 3.0, 2.0), option("same", 3.0, 2.0)
    assert lower_envelope([]) == ()
    for options in ([one], [one, same], [one, option("dearer", 4.0, 2.0), same]):
        assert [(each.option.name, each.queries) for each in lower_envelope(options)] == [("one", 0.0)]


def test_three_that_meet_in_one_point_leave_out_the_one_between() -> None:
    options = [option("a", 0.0, 3.0), option("b", 10.0, 2.0), option("c", 20.0, 1.0)]
    assert [each.option.name for each in lower_envelope(options)] == ["a", "c"]
