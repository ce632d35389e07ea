"""A cooldown in words: planned, left out, worth it or not."""

from dataclasses import replace

import pytest

from breakeven.records import Cooldown, Cooled, Made, ServingPoint
from breakeven.report import cooldown_words, outcome_words

PLAN = Cooldown(
    step=800,
    branch="cooldown/step-000800",
    steps=80,
    train_flops=8e11,
    evaluation_flops=1e11,
    expected=0.62,
    expected_lo=0.55,
    expected_hi=0.71,
    expected_by="average",
    least_queries=42_000.0,
)
COOLED = Cooled(
    evaluation_flops=1e11,
    baseline_accuracy=0.61,
    stopped_accuracy=0.7,
    accuracy=0.75,
    made=Made.EXTRAPOLATED,
    standard_error=0.02,
    serving=ServingPoint(
        step=880,
        strategy="pass@k",
        deployable=True,
        k=2,
        accuracy=0.71,
        made=Made.MEASURED,
        flops_per_query=3e6,
        expected_samples=1.4,
    ),
    net_saving=0.55,
    break_even_queries=120_000.0,
)


def test_before_it_is_run_its_price_and_what_is_expected_are_said() -> None:
    assert cooldown_words(PLAN) == [
        "A cooldown of 80 steps from the stop at step 800 costs 900 GFLOPs, its evaluation included (extrapolated), "
        "and is expected to reach 0.620 with one sample (forecast, 90 % interval 0.550 to 0.710; rests on what "
        "averaged weights had at the stop).",
        "It cannot pay for itself below 42,000 queries.",
    ]
    assert outcome_words(PLAN) == outcome_words(None) == cooldown_words(None) == []
    assert "no query cheaper" in cooldown_words(replace(PLAN, least_queries=None))[1]
    assert "usually brings, not on this run" in cooldown_words(replace(PLAN, expected_by="prior"))[0]


@pytest.mark.parametrize(("left_out", "words"), [("end", "costs no more"), ("queries", "fewer"), ("failed", "nothing")])
def test_why_it_came_to_nothing_is_said(left_out, words: str) -> None:
    plan = replace(PLAN, left_out=left_out)
    assert plan.is_over
    (said,) = outcome_words(plan)
    assert words in said
    assert cooldown_words(plan)[-1] == said


def test_afterwards_both_models_are_said_and_which_is_served() -> None:
    assert outcome_words(replace(PLAN, cooled=COOLED)) == [
        "Cooled down, the model has 0.610 with one sample (measured), and with what is served of the stop 0.750 for "
        "0.700 (extrapolated): +0.050 (standard error 0.020 on the samples that were drawn of both). Saved is then "
        "55 % of the training FLOPs, net of all evaluation.",
        "Serve the cooled model with at most 2 samples per query, 1.4 expected (measured), with pass@k (deployable) "
        "(0.710, measured), which has paid for the cooldown after 120,000 queries.",
    ]
    assert outcome_words(replace(PLAN, cooled=replace(COOLED, break_even_queries=None)))[1].endswith(
        ", which makes no query cheaper."
    )
    assert outcome_words(replace(PLAN, cooled=replace(COOLED, serving=None, standard_error=None)))[1:] == [
        "It does not reach the stop with as few samples: serve the stop."
    ]
