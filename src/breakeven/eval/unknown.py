"""Accuracy were every sample wrong whose check failed: what such samples can hide at most, beside what is measured."""

from collections.abc import Sequence
from dataclasses import replace

from breakeven.records import CHECK_FAILED, Measurement, SampleBank


def wrong_if_unknown(bank: SampleBank) -> SampleBank:
    """The bank with every failed check taken for wrong."""
    return replace(
        bank,
        correct_PN=tuple(row.replace(CHECK_FAILED, "0") for row in bank.correct_PN),
        greedy_correct_P=bank.greedy_correct_P.replace(CHECK_FAILED, "0"),
    )


def beside(measurements: Sequence[Measurement], strictly: Sequence[Measurement]) -> tuple[Measurement, ...]:
    """Each measurement with its accuracy among those of `wrong_if_unknown`."""
    accuracy = {(each.strategy, each.k, each.num_verdicts): each.accuracy for each in strictly}
    return tuple(
        replace(each, accuracy_unknown_wrong=accuracy[each.strategy, each.k, each.num_verdicts])
        for each in measurements
    )
