"""A decision in three short lines: what to do, what it gives, what it rests on."""

import dataclasses
import re

import pytest

from breakeven.records import Reason
from breakeven.report.brief import brief


def test_a_stop_says_what_to_serve_what_that_gives_and_how_surely(calibrated):
    assert brief(calibrated().decision) == [
        (
            "Decision",
            "Stop at step 600 (24 % of the budget) and serve at most 8 samples per query with pass@k (deployable).",
        ),
        (
            "Gives",
            "0.679  accuracy (extrapolated); saves 73 % of the training FLOPs, net of evaluation; cheaper than full "
            "training until 21.9 million served queries.",
        ),
        (
            "Rests on",
            "0.93   probability (forecast) to reach full training's 0.525 (greedy, forecast, 90 % interval 0.450 to "
            "0.600) less 0.010.",
        ),
    ]


def test_going_on_says_why_and_what_there_is_so_far(calibrated, checkpoint, forecast):
    what, gives, rests = brief(calibrated(reason=Reason.UNSURE).decision)
    assert what[1] == "Train on at step 600 (24 % of the budget): what may reach the projection is not sure enough."
    assert gives[1].startswith("0.")
    assert gives[1].endswith("accuracy so far (measured) with one greedy sample.")
    assert rests[1].startswith("0.62   probability (forecast) to reach full training's 0.525 (greedy, forecast, ")
    papers = brief(checkpoint(reason=Reason.WAITING).decision)
    assert papers[2] == ("Rests on", "0.525  accuracy of full training (greedy, forecast).")
    assert len(brief(dataclasses.replace(checkpoint(reason=Reason.NO_SIGNAL).decision, forecast=None))) == 2


def test_a_target_is_asked_for_and_not_forecast(calibrated, checkpoint, forecast):
    asked = forecast(method="target", lo=0.525, hi=0.525)
    assert "to reach the 0.525 asked for less 0.010." in brief(calibrated(forecast=asked).decision)[2][1]
    assert brief(checkpoint(forecast=asked).decision)[2][1] == "0.525  accuracy asked for."


def test_a_decay_that_the_projection_does_not_know_is_said(calibrated, forecast):
    unknown = forecast(lo=0.4, hi=0.6, method="calibrated", decay="unknown")
    assert brief(calibrated(forecast=unknown).decision)[2][1].endswith(
        "; a learning-rate decay still ahead is not in it."
    )


def test_what_declared_queries_cost_and_what_is_not_charged_is_said(calibrated):
    decision = calibrated(lifetime_flops=3e15, full_lifetime_flops=5e15).decision
    assert "with the declared queries 3 PFLOPs in all against 5 PFLOPs" in brief(decision)[1][1]
    uncharged = dataclasses.replace(decision, net_saving=None)
    assert "of the training FLOPs, evaluation not charged" in brief(uncharged)[1][1]


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("strategy", ["greedy", "pass@k", "majority_vote"])
def test_every_number_says_how_it_was_made(calibrated, reason, strategy):
    decision = calibrated(reason=reason, strategy=strategy, k=4).decision
    lines = brief(decision)
    text = " ".join(sentence for _, sentence in lines)
    assert "None" not in text
    assert "_" not in text
    for label, sentence in lines[1:]:
        assert re.match(r"0\.\d{2,3} +\w", sentence), label
        assert re.search(r"measured|extrapolated|forecast", sentence), label
    starts = {re.match(r"\S+ +", sentence).end() for _, sentence in lines[1:]}  # type: ignore[union-attr]
    assert len(starts) <= 1, "the words begin below each other"
    spent = reason is Reason.BUDGET_SPENT
    assert lines[0][1].startswith("The full budget" if spent else "Stop at" if decision.stop else "Train on at")
