"""A measurement of eval and what a checkpoint offers, as options."""

from dataclasses import replace

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Made, Measurement, Quality, ServingPoint
from breakeven.records.as_options import option_of_measurement, option_of_serving

MEASURED = Measurement(
    strategy="generative_verification",
    deployable=True,
    k=4,
    num_verdicts=2,
    accuracy=0.6,
    standard_error=0.05,
    lo=0.52,
    hi=0.68,
    num_problems=100,
    expected_samples=4.0,
    output_tokens=32.0,
    model_flops=40.0,
    model_flops_unshared=70.0,
    reward_flops=16.0,
)
OFFERED = ServingPoint(
    step=120,
    strategy="pass@k",
    deployable=False,
    k=64,
    accuracy=0.9,
    made=Made.EXTRAPOLATED,
    flops_per_query=500.0,
    expected_samples=20.0,
)


def test_a_measurement_keeps_its_interval_and_both_of_its_prices() -> None:
    option = option_of_measurement(MEASURED, name="verified", train_flops=1e6, settings={"model": "small"})
    assert (option.name, option.train_flops) == ("verified", 1e6)
    assert (option.query_flops, option.reward_flops, option.per_query) == (40.0, 16.0, MEASURED.flops)
    assert option.quality == Quality(value=0.6, lo=0.52, hi=0.68)
    assert option.settings == {
        "model": "small",
        "strategy": "generative_verification",
        "k": 4,
        "deployable": True,
        "num_verdicts": 2,
    }
    assert "num_verdicts" not in option_of_measurement(replace(MEASURED, num_verdicts=0), name="vote").settings


def test_what_a_checkpoint_offers_is_charged_what_it_took_to_get_there() -> None:
    option = option_of_serving(OFFERED, name="early", train_flops=1e6, one_off={"evaluation": 1e3})
    assert option.total(10) == 1e6 + 1e3 + 10 * 500.0
    assert option.quality == Quality(value=0.9, made=Made.EXTRAPOLATED)
    assert option.settings == {"step": 120, "strategy": "pass@k", "k": 64, "deployable": False}


def test_what_has_no_price_is_no_option() -> None:
    message = "option x must have FLOPs per query; got None. Say what a token costs"
    with pytest.raises(ArgumentError, match=message):
        option_of_serving(replace(OFFERED, flops_per_query=None), name="x", train_flops=0.0, one_off={})
    for unpriced in (replace(MEASURED, model_flops=None), replace(MEASURED, reward_flops=None)):
        with pytest.raises(ArgumentError, match=message):
            option_of_measurement(unpriced, name="x")
