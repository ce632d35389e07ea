"""Every decision is explained in plain sentences, and every number in them says how it was made."""

import math
import re

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Action, FitStatus, Reason
from breakeven.report.explain import explain, headline, largest_measured, progress_line


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


def test_every_reason_has_its_own_words(checkpoint):
    texts = {explain(checkpoint(reason=reason).decision) for reason in Reason}
    lines = {progress_line(checkpoint(reason=reason)) for reason in Reason}
    assert len(texts) == len(lines) == len(Reason)


def test_an_oracle_and_an_interval_are_named(checkpoint, forecast):
    decision = checkpoint(deployable=False, forecast=forecast(lo=0.45, hi=0.6)).decision
    assert "pass@k (oracle, an upper bound)" in explain(decision)
    assert "0.525 (forecast, 90 % interval 0.450 to 0.600)" in explain(decision)


def test_the_sampled_baseline_is_named(checkpoint):
    assert "one sample at temperature (Pass@1)" in explain(checkpoint(baseline="sampled").decision)


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


def test_headline_is_the_first_stop_else_the_last(run):
    assert headline(run(stop_at=600)) == 5
    assert headline(run(stop_at=9999)) == 24


def test_no_checkpoint_is_an_argument_error():
    with pytest.raises(ArgumentError, match=r"run-7 has no evaluations to report: train on until the first"):
        headline([], "run-7")


def test_largest_measured_k(curve):
    assert largest_measured(None) is None
    assert largest_measured(curve()) == (4, curve().accuracy_K[2])
