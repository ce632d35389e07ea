"""Prices of a query under the plan's caps, and what training on a little would cost in all."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.records import FitStatus, KCurve, LearningPoint, Made, QueryFlops, RunSpec
from breakeven.stopping.lifetime import later_flops, mean_flops, query_price

PROPERTY = settings(derandomize=True, max_examples=80, deadline=None)
PLAN = RunSpec(budget_flops=1000.0)
POINT = LearningPoint(
    step=1,
    train_flops=250.0,
    evaluation_flops=1.0,
    query_flops=QueryFlops(prefill_flops=4.0, decode_flops=10.0),
    output_tokens=8.0,
    num_problems=100,
    num_drawn=0,
    greedy_accuracy=0.4,
    sampled_accuracy=0.4,
    disagreement=0.1,
)


def curve(*accuracy: float, samples: tuple[float, ...] = (), strategy: str = "pass@k") -> KCurve:
    """Accuracy at K = 1, 2, 4, 8, ..."""
    return KCurve(
        strategy=strategy,
        deployable=True,
        k_values=tuple(2**power for power in range(len(accuracy))),
        accuracy_K=accuracy,
        lo_K=accuracy,
        hi_K=accuracy,
        made_K=(Made.MEASURED,) * len(accuracy),
        status=FitStatus.FITTED,
        method="calibrated",
        expected_samples_K=samples,
        until_right=strategy == "pass@k",
    )


CURVE = curve(0.4, 0.5, 0.6, 0.7, samples=(1.0, 1.6, 2.5, 3.9))


def later(k_curve: KCurve = CURVE, point: LearningPoint = POINT, spec: RunSpec = PLAN, **changed: float) -> float:
    known = {"queries": 10.0, "now_accuracy": 0.4, "full_accuracy": 0.6, "slack": 0.0}
    return later_flops(point, [k_curve], spec, max_k=64, **(known | changed))


TO_THE_END = 750.0 + 10 * 14.0


# -- the price of a query ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "flops", "samples", "allowed"),
    [
        ({}, [14.0, 20.0, 29.0, 43.0], [1.0, 1.6, 2.5, 3.9], [True] * 4),
        ({"shared_prefill": False}, [14.0, 22.4, 35.0, 54.6], [1.0, 1.6, 2.5, 3.9], [True] * 4),
        ({"max_query_flops": 29.0}, [14.0, 20.0, 29.0, 43.0], [1.0, 1.6, 2.5, 3.9], [True, True, True, False]),
        ({"max_sequential_tokens": 16.0}, [14.0, 20.0, 44.0, 84.0], [1.0, 1.6, 4.0, 8.0], [True] * 4),
        ({"max_sequential_tokens": 7.0}, [14.0, 24.0, 44.0, 84.0], [1.0, 2.0, 4.0, 8.0], [False] * 4),
        (
            {"max_sequential_tokens": 16.0, "max_query_flops": 43.0},
            [14.0, 20.0, 44.0, 84.0],
            [1.0, 1.6, 4.0, 8.0],
            [True, True, False, False],
        ),
    ],
)
def test_a_query_is_priced_at_its_expected_samples(
    changes: dict, flops: list[float], samples: list[float], allowed: list[bool]
) -> None:
    flops_K, expected_samples_K, allowed_K = query_price(POINT, CURVE, replace(PLAN, **changes))
    assert flops_K is not None
    assert flops_K.tolist() == pytest.approx(flops)
    assert expected_samples_K.tolist() == samples
    assert allowed_K.tolist() == allowed


def test_without_expected_samples_all_are_drawn() -> None:
    flops_K, expected_samples_K, _ = query_price(POINT, replace(CURVE, expected_samples_K=()), PLAN)
    assert flops_K is not None
    assert expected_samples_K.tolist() == [1.0, 2.0, 4.0, 8.0]
    assert flops_K.tolist() == [14.0, 24.0, 44.0, 84.0]


def test_one_sample_costs_what_the_baseline_does() -> None:
    for shared in (True, False):
        spec = replace(PLAN, shared_prefill=shared)
        flops_K = mean_flops(POINT, CURVE, np.array([1.0]), spec)
        assert flops_K is not None
        assert POINT.query_flops is not None
        assert flops_K.tolist() == [POINT.query_flops.total(1)]


def test_a_reward_model_is_paid_for_every_sample() -> None:
    flops_K, _, allowed_K = query_price(POINT, replace(CURVE, reward_flops=5.0), replace(PLAN, max_query_flops=30.0))
    assert flops_K is not None
    assert flops_K.tolist() == pytest.approx([19.0, 28.0, 41.5, 62.5])
    assert allowed_K.tolist() == [True, True, False, False]


def test_what_was_measured_is_the_price() -> None:
    flops_K, _, _ = query_price(POINT, replace(CURVE, flops_K=(20.0, 30.0, 50.0, 90.0)), PLAN)
    assert flops_K is not None
    assert flops_K.tolist() == [20.0, 30.0, 50.0, 90.0]


def test_an_unknown_price_is_none_and_cannot_be_capped() -> None:
    unknown = replace(POINT, query_flops=None, evaluation_flops=None, output_tokens=None)
    flops_K, expected_samples_K, allowed_K = query_price(unknown, CURVE, PLAN)
    assert flops_K is None
    assert allowed_K.all()
    assert expected_samples_K.tolist() == list(CURVE.expected_samples_K)
    with pytest.raises(ArgumentError, match=r"^max_query_flops must come with what a query costs; got 5"):
        query_price(unknown, CURVE, replace(PLAN, max_query_flops=5.0))
    with pytest.raises(ArgumentError, match=r"^max_sequential_tokens must come with the tokens of a sample; got 5"):
        query_price(unknown, CURVE, replace(PLAN, max_sequential_tokens=5.0))


# -- training on ------------------------------------------------------------------------------------------------------


def test_training_to_the_end_is_always_possible() -> None:
    assert later(curve(0.1, 0.1)) == pytest.approx(TO_THE_END)


@PROPERTY
@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6).map(sorted),
    st.floats(0.0, 1e4),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(-0.1, 0.3),
)
def test_the_least_further_cost_is_between_nothing_and_that_of_the_end(
    accuracy: list[float], queries: float, now: float, full: float, slack: float
) -> None:
    cost = later(curve(*accuracy), queries=queries, now_accuracy=now, full_accuracy=full, slack=slack)
    assert queries * 14.0 <= cost * (1 + 1e-12)
    assert cost <= (750.0 + queries * 14.0) * (1 + 1e-12)


def test_the_first_later_moment_by_hand() -> None:
    """A twelfth of the log FLOPs on, where K = 1 suffices already: nothing later can be cheaper."""
    level = curve(0.9, 0.95)
    further = 250.0 * (4 ** (1 / 12) - 1)
    assert later(level) == pytest.approx(further + 10 * 14.0)


def test_expected_samples_of_pass_at_k_shrink_as_the_model_improves() -> None:
    """Half way to 0.6 in logits a curve of 0.5 and 0.6 rises; a vote, whose samples do not shrink, costs more."""
    shrinking = curve(0.4, 0.55, samples=(1.0, 1.6))
    fixed = replace(shrinking, strategy="majority_vote", until_right=False)
    assert later(shrinking, queries=50.0, slack=-0.04) < later(fixed, queries=50.0, slack=-0.04)


def test_more_slack_never_makes_it_cheaper() -> None:
    costs = [later(slack=slack) for slack in (-0.1, -0.01, 0.0, 0.05, 0.1, 0.3)]
    assert costs == sorted(costs)
    assert costs[-1] <= TO_THE_END


def test_limits_hold_later_too() -> None:
    free, capped = later(), later(spec=replace(PLAN, max_query_flops=14.0))
    assert free < capped <= TO_THE_END
    small = later_flops(POINT, [CURVE], PLAN, queries=10.0, now_accuracy=0.4, full_accuracy=0.6, slack=0.0, max_k=1)
    assert small == pytest.approx(capped)


@pytest.mark.parametrize(("now", "full"), [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0)])
def test_certainties_stay_finite(now: float, full: float) -> None:
    cost = later(curve(0.0, 1.0, samples=(1.0, 2.0)), now_accuracy=now, full_accuracy=full)
    assert math.isfinite(cost)
    assert math.isfinite(later(curve(1.0, 1.0, samples=(1.0, 1.0)), now_accuracy=now, full_accuracy=full))
