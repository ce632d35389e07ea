"""The legend names the method behind every number, whichever method it was."""

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


def test_measured_says_how_many_and_how_sure(checkpoint):
    text = dict(legend(checkpoint()))["measured"]
    assert "200 validation problems" in text
    assert "at most 0.035" in text
