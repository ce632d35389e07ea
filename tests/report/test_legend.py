"""The legend names the method behind every number, whichever method it was."""

import dataclasses

import pytest

from breakeven.records import FitStatus
from breakeven.report.legend import legend


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "0.55 (1 - exp(-2.5 x)) + 0.02 through the 6 checkpoints its filter kept"),
        ({"parameters": (0.5, 2.0, -0.01)}, "0.5 (1 - exp(-2 x)) - 0.01 through"),
        ({"parameters": ()}, "Method paper, on the 6 checkpoints it kept. The method gives no interval."),
        ({"method": "power law", "lo": 0.4, "hi": 0.6}, "Method power law, on the 6 checkpoints it kept."),
        ({"status": FitStatus.NOT_CONVERGED}, "gave no projection at this checkpoint (not converged)"),
    ],
)
def test_forecast(checkpoint, forecast, changes, words):
    assert words in dict(legend(checkpoint(forecast=forecast(**changes))))["forecast"]


def test_extrapolated(checkpoint, curve):
    assert "0.9 / (1 + exp(-0.35 (K - 4.8)))" in dict(legend(checkpoint()))["extrapolated"]
    unfitted = curve(status=FitStatus.NO_SIGNAL)
    assert "method paper (no signal)" in dict(legend(checkpoint(k_curve=unfitted)))["extrapolated"]
    assert "none was fitted" in dict(legend(checkpoint(k_curve=None)))["extrapolated"]


def test_a_calibrated_checkpoint_says_how_its_numbers_were_made(calibrated, forecast):
    words = dict(legend(calibrated()))
    assert words["sure"].startswith("Forecast: the probability that what is served reaches")
    assert "less a margin of 0.010." in words["sure"]
    assert "margin" not in dict(legend(calibrated(margin=0.0)))["sure"]
    assert "Beta law" in words["extrapolated"]
    assert "is included" in words["forecast"]
    for decay, part in (("none", "was ahead"), ("unknown", "is not in it")):
        changed = forecast(lo=0.4, hi=0.6, method="calibrated", decay=decay)
        assert part in dict(legend(calibrated(forecast=changed)))["forecast"]


def test_a_curve_told_in_strata_is_said_to_be(calibrated, curve):
    told = dataclasses.replace(curve(), method="calibrated", parameters=(60.0, 0.1, 0.5, 60.0, 0.4, 0.5))
    assert "problems with like earlier answers" in dict(legend(calibrated(k_curve=told)))["extrapolated"]


@pytest.mark.parametrize("strategy", ["greedy", "majority_vote", "best_of_n", "dvts/weighted_vote"])
def test_what_is_never_extrapolated_is_said_so(calibrated, strategy):
    assert "never read beyond the samples drawn" in dict(legend(calibrated(strategy=strategy)))["extrapolated"]


def test_the_papers_legend_has_no_probability(checkpoint):
    assert "sure" not in dict(legend(checkpoint()))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["10"] * 4, "4 validation problems, 2 samples each at temperature 0.8, and one greedy sample each."),
        (["1010", "10", "1", "1"], "problems, up to 4 samples each at temperature 0.8 (8 in all), and one greedy"),
        (["1010", "10", "", ""], "up to 4 samples at temperature 0.8 of each of 2 of them (what these say is carried"),
        ([""] * 4, "4 validation problems, one greedy sample each."),
    ],
)
def test_measured_says_what_was_drawn(checkpoint, rows, words):
    each = checkpoint()
    bank = dataclasses.replace(each.observation.bank, correct_PN=tuple(rows), greedy_correct_P="1000")
    changed = dataclasses.replace(each, observation=dataclasses.replace(each.observation, bank=bank))
    assert words in dict(legend(changed))["measured"]


def test_measured_says_how_many_and_how_sure(checkpoint):
    text = dict(legend(checkpoint()))["measured"]
    assert "200 validation problems" in text
    assert "at most 0.035" in text


def test_failed_checks_are_counted_and_shown(calibrated):
    whole = calibrated()
    assert "crashed" not in dict(legend(whole))["measured"]
    bank = dataclasses.replace(whole.observation.bank, correct_PN=("1?", "?0"), greedy_correct_P="1?", answer_PN=())
    failed = dataclasses.replace(whole, observation=dataclasses.replace(whole.observation, bank=bank))
    text = dict(legend(failed))["measured"]
    assert "3 checks crashed or timed out" in text
    assert text.endswith("were they wrong, greedy accuracy would be 0.500 and that of a sample 0.250.")
