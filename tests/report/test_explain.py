"""Every decision is explained in plain sentences, and every number in them says how it was made."""

import dataclasses
import math
import re

import pytest

from breakeven.records import Action, FitStatus, Reason
from breakeven.report.explain import explain, progress_line


def test_stop_says_what_to_serve_and_what_it_is_worth(checkpoint):
    text = explain(checkpoint(600).decision)
    assert text == (
        "Stop at step 600 (24 % of the budget) and serve 8 samples per query with pass@k (deployable): accuracy 0.679 "
        "(extrapolated) against 0.525 (forecast) for the fully trained model with one greedy sample. Saves 73 % of the "
        "training FLOPs net of evaluation. Cheaper than full training until 21.9 million served queries."
    )


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("bare", [False, True])
def test_every_reason_in_one_to_three_sentences(checkpoint, reason, bare):
    nothing = {"forecast": None, "k_curve": None, "serving": None, "baseline_accuracy": None, "net_saving": None}
    text = explain(checkpoint(600, reason=reason, **(nothing if bare else {})).decision)
    assert "step 600" in text
    assert "24 %" in text
    assert 1 <= len(re.findall(r"\.(?= |$)", text)) <= 3
    assert text.endswith(".")
    assert "None" not in text
    for number in re.findall(r"0\.\d{3} (\(\w+)", text):
        assert number[1:] in ("measured", "forecast", "extrapolated")


def test_every_reason_has_its_own_words(checkpoint, calibrated):
    for make in (checkpoint, calibrated):
        texts = {explain(make(reason=reason).decision) for reason in Reason}
        lines = {progress_line(make(reason=reason)) for reason in Reason}
        assert len(texts) == len(lines) == len(Reason)


# -- policy "calibrated" ----------------------------------------------------------------------------------------------

GOAL = (
    "0.525 (forecast, 90 % interval 0.450 to 0.600) for the fully trained model with one greedy sample, less a margin "
    "of 0.010"
)


def test_a_calibrated_stop_says_how_surely_it_suffices(calibrated):
    assert explain(calibrated().decision) == (
        "Stop at step 600 (24 % of the budget) and serve at most 8 samples per query, 2.34 expected (extrapolated), "
        "with pass@k (deployable): accuracy 0.679 (extrapolated). With probability 0.93 (forecast) that reaches "
        f"{GOAL}. Saves 73 % of the training FLOPs net of evaluation. Cheaper than full training until 21.9 million "
        "served queries."
    )


@pytest.mark.parametrize(
    ("strategy", "served"),
    [
        ("greedy", "serve one greedy sample per query (deployable): accuracy 0.188 (measured)."),
        (
            "majority_vote",
            "serve at most 4 samples per query, 2.34 expected (measured), with majority vote (deployable): accuracy "
            "0.387 (measured).",
        ),
    ],
)
def test_a_calibrated_stop_names_its_strategy(calibrated, strategy, served):
    assert served in explain(calibrated(strategy=strategy, k=4).decision)


def test_samples_that_are_always_all_drawn_are_no_expectation(calibrated, checkpoint):
    served = calibrated().decision.serving
    assert served is not None
    decision = calibrated(serving=dataclasses.replace(served, expected_samples=8.0)).decision
    assert "serve 8 samples per query with pass@k" in explain(decision)


def test_a_stop_says_what_the_declared_queries_cost(calibrated):
    decision = calibrated(lifetime_flops=3e15, full_lifetime_flops=5e15).decision
    assert explain(decision).endswith(
        " Over the declared queries it costs 3 PFLOPs in all against 5 PFLOPs after full training, 40 % less "
        "(forecast)."
    )
    assert "declared queries" not in explain(calibrated(lifetime_flops=0.0, full_lifetime_flops=0.0).decision)


def test_an_unsure_decision_says_how_unsure(calibrated):
    assert explain(calibrated(reason=Reason.UNSURE).decision) == (
        "Train on: at step 600 (24 % of the budget), some number of samples with pass@k (deployable) is expected to "
        f"reach {GOAL}, but only with probability 0.62 (forecast), and the policy asks for more. Best: 0.900 "
        "(extrapolated) with 32 samples by pass@k (deployable)."
    )
    greedy = explain(calibrated(reason=Reason.UNSURE, strategy="greedy").decision)
    assert ", one greedy sample (deployable) is expected to reach " in greedy
    assert greedy.endswith("Best: 0.188 (measured) with one greedy sample (deployable).")


def test_out_of_reach_says_how_improbable(calibrated):
    decision = calibrated(reason=Reason.OUT_OF_REACH, confidence=0.123).decision
    assert (
        f"no number of samples up to the largest allowed is expected to reach {GOAL}; the probability is 0.12 "
        "(forecast) at most."
    ) in explain(decision)


def test_limits_that_allow_nothing_are_named(calibrated):
    decision = calibrated(reason=Reason.OUT_OF_REACH, confidence=None).decision
    assert f"no way to serve this model, within the declared limits on a query, can reach {GOAL}." in explain(decision)


def test_what_is_cheaper_later_is_said_to_suffice(calibrated):
    text = explain(calibrated(reason=Reason.CHEAPER_LATER).decision)
    assert f"reach accuracy 0.679 (extrapolated), which with probability 0.93 (forecast) is enough for {GOAL}." in text
    assert text.endswith("serving with less is expected to cost less over the declared queries.")


def test_too_costly_names_what_it_would_cost(calibrated):
    queries = {"lifetime_flops": 6e15, "full_lifetime_flops": 5e15}
    text = explain(calibrated(reason=Reason.TOO_COSTLY, **queries).decision)
    assert (
        "over the declared queries that costs 6 PFLOPs in all against 5 PFLOPs after full training, 20 % more" in text
    )
    spent = explain(calibrated(reason=Reason.TOO_COSTLY, net_saving=-0.1, **queries).decision)
    assert spent.endswith("But training so far and its evaluations cost as much as full training.")


def test_no_margin_no_word_of_one(calibrated):
    assert "margin" not in explain(calibrated(margin=0.0).decision)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_decay_that_the_projection_does_not_know_is_said(calibrated, forecast, reason):
    words = "A learning-rate decay still ahead, if there is one, is not in the projection."
    texts = {
        decay: explain(
            calibrated(reason=reason, forecast=forecast(lo=0.4, hi=0.6, method="calibrated", decay=decay)).decision
        )
        for decay in ("none", "included", "unknown")
    }
    assert texts["none"] == texts["included"]
    assert texts["unknown"] in (texts["none"], f"{texts['none']} {words}")
    rests_on_it = "(forecast" in texts["none"] and reason is not Reason.NO_K_CURVE
    assert (words in texts["unknown"]) == rests_on_it


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("strategy", ["greedy", "pass@k", "majority_vote"])
def test_every_number_of_a_calibrated_decision_says_how_it_was_made(calibrated, reason, strategy):
    decision = calibrated(reason=reason, strategy=strategy, k=4).decision
    for text in (explain(decision), progress_line(calibrated(reason=reason, strategy=strategy, k=4))):
        assert "None" not in text
        assert "_" not in text
        for number in re.findall(r"probability 0\.\d\d(.{10})", text):
            assert "forecast" in number
    for number in re.findall(r"(?<!margin of )(?<!interval )(?<!to )\b0\.\d{3} \(?(\w+)", explain(decision)):
        assert number in ("measured", "forecast", "extrapolated", "to")


def test_a_little_solved_is_not_nothing(checkpoint):
    assert "solves too little yet" in explain(checkpoint(reason=Reason.NO_SIGNAL, accuracy=0.01).decision)
    assert "solves nothing yet" in explain(checkpoint(reason=Reason.NO_SIGNAL, accuracy=0.0).decision)
    assert "greedy solves too little yet" in progress_line(checkpoint(reason=Reason.NO_SIGNAL, accuracy=0.01))


def test_an_oracle_and_an_interval_are_named(checkpoint, forecast):
    decision = checkpoint(deployable=False, forecast=forecast(lo=0.45, hi=0.6)).decision
    assert "pass@k (oracle, an upper bound)" in explain(decision)
    assert "0.525 (forecast, 90 % interval 0.450 to 0.600)" in explain(decision)


@pytest.mark.parametrize(
    ("baseline", "words"),
    [
        ("sampled", "one sample at temperature (Pass@1)"),
        ("best", "one sample, greedy or at temperature, whichever is better"),
    ],
)
def test_the_baseline_is_named(checkpoint, baseline, words):
    assert words in explain(checkpoint(baseline=baseline).decision)


@pytest.mark.parametrize("queries", [None, math.inf])
def test_a_stop_that_stays_cheaper_forever(checkpoint, queries):
    assert explain(checkpoint(break_even_queries=queries).decision).endswith("however many queries are served.")


def test_a_stop_that_never_pays(checkpoint):
    assert "Not cheaper" in explain(checkpoint(break_even_queries=-3.0).decision)


def test_a_spent_budget_is_no_early_stop(checkpoint):
    for action in Action:
        text = explain(checkpoint(2500, reason=Reason.BUDGET_SPENT, action=action, serving=None).decision)
        assert text.startswith("The full budget is used at step 2500 (100 % of the budget)")


def test_out_of_reach_names_the_smallest_of_equally_good_ks(checkpoint):
    text = explain(checkpoint(reason=Reason.OUT_OF_REACH, serving=None).decision)
    assert text.endswith("Best: 0.900 (extrapolated) with 32 samples by pass@k (deployable).")


def test_an_unfitted_curve_offers_only_measured_numbers(checkpoint, curve):
    unfitted = curve(status=FitStatus.NO_SIGNAL)
    text = explain(checkpoint(reason=Reason.NO_K_CURVE, k_curve=unfitted).decision)
    assert "with 4 samples" in text
    assert "extrapolated)" not in text


def test_progress_line_is_one_short_line(checkpoint):
    line = progress_line(checkpoint(600, reason=Reason.WAITING, streak=2), 2500)
    assert line == (
        "step 600/2500 | loss 1.324 | measured: greedy 0.261, pass@k at K=4 0.387 (deployable) | "
        "full run 0.525 (forecast) | K=8 suffices (2 checkpoints in a row), waiting"
    )


def test_progress_line_without_a_projection(checkpoint, forecast):
    fallback = forecast(FitStatus.TOO_FEW_POINTS)
    line = progress_line(checkpoint(100, reason=Reason.TOO_FEW_CHECKPOINTS, forecast=fallback, k_curve=None))
    assert "full run" not in line
    assert "K=" not in line


def test_progress_line_reads_the_bank_where_the_decision_has_no_accuracy(checkpoint):
    assert "greedy 0.500" in progress_line(checkpoint(accuracy=0.5, baseline_accuracy=None))
    assert "sampled 0.249" in progress_line(checkpoint(baseline="sampled", baseline_accuracy=None))
    assert "best 0.500" in progress_line(checkpoint(accuracy=0.5, baseline="best", baseline_accuracy=None))
    assert "best 0.249" in progress_line(checkpoint(accuracy=0.1, baseline="best", baseline_accuracy=None))


def test_progress_line_does_not_say_the_greedy_accuracy_twice(calibrated):
    assert "measured: greedy 0.261 | full run" in progress_line(calibrated(strategy="greedy"))
    assert "majority vote at K=4 0.387 (deployable)" in progress_line(calibrated(strategy="majority_vote"))
