"""Which checkpoint a report leads with, and the numbers that its parts share."""

import pytest

from breakeven.errors import ArgumentError
from breakeven.report.words import headline, largest_measured


def test_headline_is_the_first_stop_else_the_last(run):
    assert headline(run(stop_at=600)) == 5
    assert headline(run(stop_at=9999)) == 24


def test_no_checkpoint_is_an_argument_error():
    with pytest.raises(ArgumentError, match=r"run-7 has no evaluations to report: train on until the first"):
        headline([], "run-7")


def test_largest_measured_k(curve):
    assert largest_measured(None) is None
    assert largest_measured(curve()) == (4, curve().accuracy_K[2])
