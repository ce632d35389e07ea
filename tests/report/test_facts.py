"""The numbers that a report opens with: each with how it was made, none where nothing is known."""

import dataclasses

import pytest

from breakeven.records import Action, Reason, WallTime
from breakeven.report.charts.workload import workload_of
from breakeven.report.facts import change_words, fact_rows, lead_words, verdict_words, wrong_words


def facts(checkpoint, queries=None) -> dict[str, tuple[str, str]]:
    return {each.what: (each.number, each.how) for each in fact_rows(checkpoint, workload_of(checkpoint, queries))}


def test_a_stop_says_what_to_deploy_what_it_saves_how_sure_that_is_and_until_when(calibrated):
    assert facts(calibrated(600)) == {
        "What to deploy": (
            "at most 8 samples",
            "per query, pass@k (deployable): the first that a checker accepts, which must run at serving time too; "
            "2.34 expected; accuracy 0.679 (extrapolated, 90 % interval 0.649 to 0.709)",
        ),
        "What it saves": ("73 %", "of the training FLOPs, net of evaluation; 76 % before it"),
        "How sure": (
            "0.93",
            "probability to reach the fully trained model, 0.525, 90 % interval 0.450 to 0.600, less 0.010 (forecast)",
        ),
        "Cheaper until": ("21.9 million", "served queries; from then on full training would have been cheaper"),
    }


def test_the_interval_of_the_break_even_stands_beside_it_and_holds_it(priced):
    shown = priced(500)
    load = workload_of(shown, None)
    assert load is not None
    assert load.break_even_lo is not None
    assert load.break_even is not None
    assert load.break_even_hi is not None
    number, how = facts(shown)["Cheaper until"]
    assert number == "51.6 million"  # (4.2e15 x 0.8 - 1e14) / (2e7 x (1 - 0.8^8) / 0.2 - 2e7)
    assert how.endswith("; 90 % interval 49.4 million to 54 million")
    assert load.break_even_lo < load.break_even < load.break_even_hi


def test_declared_queries_have_a_saving_of_their_own(priced):
    number, how = facts(priced(500))["Saved over the declared queries"]
    assert (number, how) == ("40 %", "forecast; all FLOPs, training to last query")  # 1 - 3e15 / 5e15


def test_hours_and_money_stand_beside_the_saving_where_they_are_known(calibrated):
    wall = WallTime(
        train_seconds=3600.0,
        evaluation_seconds=60.0,
        full_hours=4.2,
        full_hours_are="declared",
        saved_hours=3.1,
        price_per_hour=2.0,
        saved_money=6.2,
    )
    assert facts(calibrated(600, wall=wall))["What it saves"][1].endswith("; 3.1 hours, 6.2 in money")


def test_a_saving_whose_evaluation_is_not_known_says_so(checkpoint):
    number, how = facts(checkpoint(net_saving=None))["What it saves"]
    assert (number, how) == ("76 %", "of the training FLOPs; evaluation not charged, its FLOPs unknown")


def test_a_run_that_goes_on_says_where_it_stands(calibrated):
    assert facts(calibrated(300, reason=Reason.UNSURE)) == {
        "Accuracy now": ("0.177", "measured; one greedy sample"),
        "Fully trained model": ("0.525", "forecast; one greedy sample, 90 % interval 0.450 to 0.600"),
        "How sure": (
            "0.62",
            "probability to reach the fully trained model, 0.525, 90 % interval 0.450 to 0.600, less 0.010 (forecast)",
        ),
        "Budget used": ("12 %", "training FLOPs, counted"),
    }
    waits = facts(calibrated(600, reason=Reason.WAITING, action=Action.CONTINUE))
    assert {"What would be deployed", "Saved if stopped here"} <= set(waits)


def test_without_a_price_the_break_even_is_unknown(checkpoint):
    shown = checkpoint()
    decision = dataclasses.replace(
        shown.decision, serving=dataclasses.replace(shown.decision.serving, flops_per_query=None)
    )
    assert facts(dataclasses.replace(shown, decision=decision))["Cheaper until"] == (
        "unknown",
        "served queries; nobody said what a token costs",
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Stop at step 600, serve 8 samples per query"),
        ({"serving": None}, "Stop at step 600"),
        ({"reason": Reason.WAITING}, "Train on after step 600"),
        ({"reason": Reason.BUDGET_SPENT, "action": Action.CONTINUE}, "The full budget is used at step 600"),
    ],
)
def test_the_verdict(checkpoint, changes, words):
    assert verdict_words(checkpoint(**changes).decision) == words


def test_the_lead_says_what_matches_what(calibrated, checkpoint, forecast):
    assert lead_words(calibrated(600).decision) == (
        "Training may stop: this checkpoint, with at most 8 samples per query, is as accurate as the fully trained "
        "model with one, with probability 0.93 (forecast)."
    )
    asked = checkpoint(forecast=forecast(method="target", mean=0.5)).decision
    assert lead_words(asked).endswith("is at the accuracy of 0.500 that was asked for (forecast).")


def test_what_a_wrong_decision_costs(calibrated, checkpoint):
    assert wrong_words(calibrated(600).decision) == (
        "If it is wrong, which has probability 0.07 (forecast), the fully trained model would have been more accurate "
        "than what is served by more than 0.010. Training can be taken up again where it stopped; to the end it costs "
        "the other 76 % of the budget."
    )
    assert wrong_words(checkpoint().decision).startswith("If it is wrong: this method gives no probability of that.")
    goes_on = calibrated(300, reason=Reason.UNSURE).decision
    assert wrong_words(goes_on).endswith("it costs FLOPs and no accuracy: the other 88 % of the budget at most.")
    assert wrong_words(checkpoint(reason=Reason.BUDGET_SPENT).decision) == ""


def test_what_the_policy_asks_for_stands_beside_what_was_found(calibrated):
    (sure,) = [each for each in fact_rows(calibrated(600), None, 0.9) if each.what == "How sure"]
    assert sure.how.startswith("0.90 was required; probability to reach")


def test_a_stop_says_on_which_conditions_it_rests(calibrated):
    words = change_words(calibrated(600).decision, 0.9)
    assert words[:3] == [
        "If more than 21.9 million queries will be served, full training is the cheaper choice.",
        "If a probability above 0.93 were required in place of 0.90, training would go on.",
        "If no checker can run at serving time, this way to serve is not there.",
    ]
    greedy = change_words(calibrated(600, strategy="greedy").decision, None)
    assert not any("checker" in each or "required" in each for each in greedy)
