"""What a cooldown may bring, and which serving point of the cooled model stands in for that of the stop."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from breakeven.records import FitStatus, KCurve, LearningPoint, Made, QueryFlops, RunSpec, ServingPoint
from breakeven.stopping.cooldown import cheapest_as_good, decay_ahead, expected_accuracy, pays_from, serving_at

SPEC = RunSpec(budget_flops=1000.0)
POINT = LearningPoint(
    step=12,
    train_flops=300.0,
    evaluation_flops=1.0,
    query_flops=QueryFlops(prefill_flops=4.0, decode_flops=10.0),
    output_tokens=8.0,
    num_problems=100,
    num_drawn=800,
    greedy_accuracy=0.4,
    sampled_accuracy=0.4,
    disagreement=0.1,
)
STOPPED = ServingPoint(
    step=10,
    strategy="pass@k",
    deployable=True,
    k=4,
    accuracy=0.6,
    made=Made.MEASURED,
    flops_per_query=44.0,
    expected_samples=4.0,
)


def curve(*accuracy: float, strategy: str = "pass@k") -> KCurve:
    """Accuracy at K = 1, 2, 4, 8, ..."""
    return KCurve(
        strategy=strategy,
        deployable=strategy != "pass@k",
        k_values=tuple(2**power for power in range(len(accuracy))),
        accuracy_K=accuracy,
        lo_K=accuracy,
        hi_K=accuracy,
        made_K=(Made.MEASURED,) * len(accuracy),
        status=FitStatus.FITTED,
        method="calibrated",
    )


def chosen(*curves: KCurve, **spec: Any) -> tuple[str, int] | None:
    serving = cheapest_as_good(POINT, curves, replace(SPEC, **spec), STOPPED)
    return None if serving is None else (serving.strategy, serving.k)


def test_the_cheapest_that_is_as_good_with_as_few_samples_is_served() -> None:
    greedy = curve(0.55, strategy="greedy")
    assert chosen(greedy, curve(0.5, 0.6, 0.7, 0.8)) == ("pass@k", 2)
    assert chosen(greedy, curve(0.5, 0.59, 0.6, 0.8)) == ("pass@k", 4)
    assert chosen(greedy, curve(0.5, 0.55, 0.59, 0.8)) is None
    assert chosen(curve(0.6, strategy="greedy"), curve(0.5, 0.6, 0.7, 0.8)) == ("greedy", 1)
    assert chosen(curve(0.6, strategy="greedy"), curve(0.61, 0.7)) == ("pass@k", 1)  # as dear, and better
    assert chosen(greedy, curve(0.7, 0.8, 0.9, strategy="majority_vote")) is None  # nothing of the stop's is like it


def test_the_caps_of_the_spec_hold_for_it() -> None:
    curves = curve(0.5, 0.6, 0.7, 0.8)
    assert chosen(curves, max_query_flops=24.0) == ("pass@k", 2)
    assert chosen(curves, max_query_flops=23.0) is None
    assert chosen(curves, min_accuracy=0.65) == ("pass@k", 4)


def test_it_is_priced_and_deployable_as_the_stop_was() -> None:
    serving = cheapest_as_good(POINT, [curve(0.5, 0.6)], SPEC, STOPPED)
    assert serving == replace(STOPPED, step=12, k=2, flops_per_query=24.0, expected_samples=2.0)


def test_another_model_is_told_at_the_stops_own_k_or_where_its_curve_ends() -> None:
    other = serving_at(POINT, [curve(0.1, strategy="greedy"), curve(0.5, 0.6, 0.7, 0.8)], SPEC, STOPPED)
    assert other == replace(STOPPED, step=12, accuracy=0.7)
    short = serving_at(POINT, [curve(0.5, 0.6)], SPEC, STOPPED)
    assert (short.k, short.accuracy, short.flops_per_query) == (2, 0.6, 24.0)


def points(*losses: float | None, num_problems: int = 10_000) -> list[LearningPoint]:
    return [
        replace(POINT, train_flops=20.0 * place, validation_loss=loss, num_problems=num_problems)
        for place, loss in enumerate(losses, 1)
    ]


def test_what_is_expected_is_what_decays_bring_on_what_was_measured() -> None:
    median, lo, hi = expected_accuracy(0.5, points(None), SPEC)
    assert median == pytest.approx(0.562, abs=0.01)  # a quarter of a logit: nothing has 42 %, and this up to 54 %
    assert 0.48 < lo < 0.5
    assert hi > 0.731  # one logit, beyond which are 10 %
    assert expected_accuracy(0.0, points(None, num_problems=100), SPEC)[1] >= 0.0
    assert expected_accuracy(1.0, points(None, num_problems=100), SPEC)[2] <= 1.0


def test_of_averaged_weights_their_own_accuracy_is_expected_give_or_take_the_noise() -> None:
    found = expected_accuracy(0.5, points(None, num_problems=400), SPEC, is_average=True)
    assert found == pytest.approx((0.5, 0.5 - 1.645 * 0.025, 0.5 + 1.645 * 0.025), abs=0.002)


def test_little_is_expected_of_a_model_that_has_learnt_its_training_set_by_heart() -> None:
    by_heart = points(*(0.5 - 0.05 * place for place in range(5)), *(0.3 + 0.1 * place for place in range(15)))
    fresh = points(*(0.5 - 0.02 * place for place in range(20)))
    assert expected_accuracy(0.5, by_heart, SPEC)[2] < expected_accuracy(0.5, fresh, SPEC)[2]


def test_a_decay_that_is_under_way_is_ahead_in_part() -> None:
    ahead = {share: decay_ahead(replace(SPEC, decay_share=share), 800.0) for share in (None, 0.0, 0.1, 0.2, 0.4)}
    assert ahead == pytest.approx({None: 1.0, 0.0: 1.0, 0.1: 1.0, 0.2: 1.0, 0.4: 0.5})


def test_a_cooldown_pays_only_by_cheaper_queries() -> None:
    assert pays_from(100.0, 44.0, 24.0) == 5.0
    assert pays_from(100.0, 24.0, 44.0) is None
    assert pays_from(100.0, None, 24.0) is None


def test_the_stand_in_is_the_one_that_a_minimum_written_out_finds() -> None:
    """Of random curves, prices from equal to far apart."""
    random = np.random.default_rng(0)
    found = 0
    for _ in range(300):
        curves = [
            curve(*(np.sort(random.integers(4, 9, 4)) / 10).tolist()),
            curve(float(random.integers(4, 8)) / 10, strategy="greedy"),
        ]
        stopped = replace(STOPPED, k=int(random.integers(1, 9)))
        offered = [
            serving_at(POINT, [each], SPEC, replace(stopped, strategy=each.strategy, k=k))
            for each in curves
            for k in each.k_values
            if k <= stopped.k
        ]
        good = [each for each in offered if each.accuracy >= stopped.accuracy]
        wanted = min(good, key=lambda each: (each.flops_per_query, -each.accuracy), default=None)
        assert cheapest_as_good(POINT, curves, SPEC, stopped) == wanted
        found += wanted is not None
    assert 0 < found < 300


def test_it_has_paid_after_its_cost_over_what_a_query_saves() -> None:
    random = np.random.default_rng(0)
    for _ in range(1000):
        cost, query, cheaper = random.lognormal(10.0, 5.0, 3).tolist()
        assert pays_from(cost, query, cheaper) == (None if cheaper >= query else cost / (query - cheaper))
    assert pays_from(cost, query, query) is None
