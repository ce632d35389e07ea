"""A stop that was gone on past is evidence on what was foreseen."""

import dataclasses

from breakeven.records import Action, Reason
from breakeven.report.hindsight import hindsight_words


def test_nothing_is_known_of_a_stop_that_ended_the_run(calibrated):
    assert hindsight_words([]) == []
    assert hindsight_words([calibrated(reason=Reason.REACHED)]) == []
    assert hindsight_words([calibrated(400, reason=Reason.UNSURE), calibrated(600, reason=Reason.UNSURE)]) == []


def later(calibrated, accuracy: float, reason: Reason):
    record = calibrated(2500, reason=reason, action=Action.CONTINUE)
    used = 1.0 if reason is Reason.BUDGET_SPENT else 0.5
    decision = dataclasses.replace(record.decision, baseline_accuracy=accuracy, used=used, serving=None)
    return dataclasses.replace(record, decision=decision)


def test_the_end_is_held_against_forecast_and_serving_point(calibrated):
    stop = calibrated(600, reason=Reason.REACHED)
    lines = hindsight_words([stop, later(calibrated, 0.58, Reason.BUDGET_SPENT)])
    assert lines[0] == (
        "Training went on to step 2500 after the stop at step 600: at the end one greedy sample reaches 0.580 "
        "(measured on the validation problems)."
    )
    assert lines[1] == "The forecast at the stop was 0.525, its 90 % interval 0.450 to 0.600: the end is inside."
    assert lines[2].startswith("The stop would have held: at most 8 samples per query")
    lines = hindsight_words([stop, later(calibrated, 0.8, Reason.BUDGET_SPENT)])
    assert lines[1].endswith("the end is outside.")
    assert lines[2].startswith("The stop would not have held")


def test_before_the_end_only_what_was_reached_is_said(calibrated):
    lines = hindsight_words([calibrated(600, reason=Reason.REACHED), later(calibrated, 0.58, Reason.UNSURE)])
    assert len(lines) == 2
    assert "at 50 % of the budget" in lines[0]
    assert lines[1].startswith("The stop holds so far")
