"""A decision printed as it is: two sentences, each number with how it was made."""

from dataclasses import replace

import pytest

from breakeven.records import Action, Decision, FitStatus, Forecast, Made, Member, Reason, ServingPoint
from breakeven.records.words import GOING_ON, in_passes
from breakeven.report import brief, explain
from breakeven.report.facts import lead_words

FORECAST = Forecast(mean=0.488, lo=0.317, hi=0.735, status=FitStatus.FITTED, method="calibrated", num_points=8)
POINT = ServingPoint(
    step=320,
    strategy="majority_vote",
    deployable=True,
    k=6,
    accuracy=0.695,
    made=Made.EXTRAPOLATED,
    flops_per_query=1.0,
)
STOP = Decision(
    action=Action.STOP,
    reason=Reason.REACHED,
    step=320,
    used=0.16,
    policy="calibrated",
    forecast=FORECAST,
    serving=POINT,
    confidence=0.91,
    margin=0.01,
    baseline_accuracy=0.346,
)


def test_a_stop_says_what_to_serve_and_how_sure_it_is() -> None:
    assert str(STOP) == (
        "Stop at step 320 (16% of the budget) and serve up to 6 samples per query with majority vote: accuracy 0.695 "
        "(extrapolated). With probability 0.91 that reaches 0.488 (forecast, 90 % interval 0.317 to 0.735) for the "
        "fully trained model, less a margin of 0.01."
    )


def test_earlier_runs_that_were_heard_are_named_with_their_weight() -> None:
    told = Member(name="witnesses", weight=0.8, median=0.5)
    for number, words in ((1, "1 earlier run with weight 0.80"), (2, "2 earlier runs with weight 0.80")):
        forecast = replace(FORECAST, members=(told,), num_witnesses=number)
        decision = replace(STOP, forecast=forecast)
        for text in (str(decision), explain(decision)):
            assert f"90 % interval 0.317 to 0.735, {words})" in text


def test_going_on_says_why() -> None:
    early = replace(STOP, action=Action.CONTINUE, reason=Reason.TOO_FEW_CHECKPOINTS, forecast=None, serving=None)
    assert str(early) == (
        "Train on at step 320 (16% of the budget): there are too few checkpoints to project full training. "
        "One sample has accuracy 0.346 (measured)."
    )
    unsure = replace(STOP, action=Action.CONTINUE, reason=Reason.UNSURE, serving=None)
    assert str(unsure).endswith(
        "The projection is 0.488 (forecast, 90 % interval 0.317 to 0.735) for the fully trained model."
    )
    bare = Decision(action=Action.CONTINUE, reason=Reason.NOT_DUE, step=1, used=0.0, policy="paper")
    assert str(bare) == "Train on at step 1 (0% of the budget): no evaluation is due."


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    assert reason in GOING_ON


@pytest.mark.parametrize(
    ("of_samples", "of_passes"),
    [
        ("serve one greedy sample per query", "serve one plain pass per query"),
        (
            "One sample has accuracy 0.3; 16 samples, some problem.",
            "One pass has accuracy 0.3; 16 passes, some example.",
        ),
        ("measured: greedy 0.8, by their greedy answers", "measured: plain pass 0.8, by their plain passes"),
        ("16 samples each at temperature 1, Solid: measured, at temperature 0.7.", "16 passes each, Solid: measured."),
        (
            "runs/samples, samples.jsonl, samples-1, given.problems",
            "runs/samples, samples.jsonl, samples-1, given.problems",
        ),
        ("pass@k, soft vote, sampling, resampled", "pass@k, soft vote, sampling, resampled"),
    ],
)
def test_a_classifier_is_spoken_of_in_passes_over_examples(of_samples: str, of_passes: str) -> None:
    assert in_passes(of_samples) == of_passes
    assert in_passes(of_passes) == of_passes


def test_every_sentence_on_a_classifiers_decision_speaks_of_passes() -> None:
    stop = replace(STOP, of_passes=True, serving=replace(POINT, strategy="greedy", k=1), baseline_accuracy=0.7)
    for decision in (stop, replace(stop, action=Action.CONTINUE, reason=Reason.UNSURE, serving=None)):
        said = [str(decision), explain(decision), lead_words(decision), *(text for _, text in brief(decision))]
        assert any("one plain pass" in text for text in said)
        assert not any(word in text for text in said for word in ("sample", "greedy"))
