"""Metrics of counts, by hand, and their names."""

import numpy as np
import pytest

from breakeven.data.labelled import examples
from breakeven.errors import ArgumentError
from breakeven.ttc.class_metrics import METRICS, ClassCounts, check_metrics


def counts(hits, served, labelled):
    """Of two sets: the counts given, and ten times as many of each."""
    hits_C1, served_C1, labelled_C1 = (np.array(row, dtype=float)[:, None] for row in (hits, served, labelled))
    sets = np.array([1.0, 10.0])
    return ClassCounts(hits_CR=hits_C1 * sets, served_CR=served_C1 * sets, labelled_CR=labelled_C1 * sets)


def test_metrics_are_of_shares_and_of_each_set_alone():
    # Of 6: class 0 hit 2 of 3 served and 3 right, class 1 likewise.
    found = counts(hits=[2, 2], served=[3, 3], labelled=[3, 3])
    assert METRICS["accuracy"](found) == pytest.approx([4 / 6] * 2)
    assert METRICS["f1"](found) == pytest.approx([2 / 3] * 2)
    assert METRICS["macro_f1"](found) == pytest.approx([2 / 3] * 2)
    assert METRICS["matthews"](found) == pytest.approx([1 / 3] * 2)


def test_what_is_neither_served_nor_right_is_0_or_left_out():
    found = counts(hits=[4, 0, 0], served=[4, 0, 0], labelled=[4, 0, 0])
    assert METRICS["f1"](found).tolist() == [0.0, 0.0]
    assert METRICS["macro_f1"](found).tolist() == [1.0, 1.0], "of the one class that is there"
    assert METRICS["matthews"](found).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("metric", "num_classes", "words"),
    [
        ("macro-f1", 2, "metric must be one of accuracy, f1, macro_f1, matthews; got 'macro-f1'. Did you mean"),
        ("f1", 3, "metric must be one of 3 classes; got 'f1'. F1 is that of class 1 of two"),
    ],
)
def test_metrics_that_are_refused(metric, num_classes, words):
    with pytest.raises(ArgumentError, match=words):
        check_metrics([metric], num_classes)


def test_what_benchmarks_of_labelled_sets_report_can_be_asked_for():
    assert set(examples.METRICS) <= set(METRICS)
