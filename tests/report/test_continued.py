"""What a continued run began with, in words and in the ledger."""

from breakeven.records import Spent, Start
from breakeven.report.continued import start_rows, start_words

START = Start(
    weights="runs/base/full",
    crc32="0123abcd",
    spent=Spent(steps=1500, train_tokens=5_000_000, train_flops=2.5e12),
)


def test_what_was_spent_before_is_said_and_that_it_is_not_charged() -> None:
    assert start_words(START) == [
        "Training began with the weights in runs/base/full (checksum 0123abcd). 2.5 TFLOPs of training were spent on "
        "them before (1,500 steps, 5,000,000 tokens), and are no part of the budget: budget, shares and savings are of "
        "this run alone."
    ]
    assert start_rows(START) == [("Before this run, on the model it began with", "2.5 TFLOPs", "no part of the budget")]


def test_what_is_not_recorded_is_said_to_be_so() -> None:
    unknown = Start(weights="runs/base/full", crc32="0123abcd", spent=None)
    assert "What was spent on them before is not recorded, and is no part of the budget" in start_words(unknown)[0]
    assert start_rows(unknown)[0][1:] == ("not recorded", "no part of the budget")


def test_a_run_from_random_weights_has_nothing_to_say() -> None:
    assert start_words(None) == []
    assert start_rows(None) == []
