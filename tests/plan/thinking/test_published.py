"""The published table: accuracies that follow from counts, and what they can bear."""

import pytest

from breakeven.plan.thinking.published import (
    BOTH,
    NUM_QUESTIONS,
    REBASE,
    THOUGHT,
    difference,
    published_findings,
    published_table,
)
from breakeven.records import Made


def test_the_counts_give_the_printed_accuracies():
    assert [each.num_right for each in (THOUGHT, REBASE, BOTH)] == [41, 14, 12]
    for each in (THOUGHT, REBASE, BOTH):
        assert round(100 * each.num_right / NUM_QUESTIONS, 2) == pytest.approx(each.percent, abs=0.0051)


def test_no_smaller_number_of_questions_does():
    def near(count: int, percent: float) -> bool:
        return abs(100 * round(count * percent / 100) / count - percent) <= 0.0051

    fitting = [n for n in range(1, 257) if all(near(n, each.percent) for each in (THOUGHT, REBASE, BOTH))]
    assert fitting[0] == NUM_QUESTIONS


def test_the_flops_are_of_one_question():
    assert THOUGHT.tokens == pytest.approx(879, abs=1)
    assert REBASE.tokens == pytest.approx(162, abs=1)
    assert BOTH.tokens is None


def test_the_lead_is_beyond_chance_and_the_harm_is_not():
    value, lo, hi = difference(REBASE, THOUGHT)
    assert value == pytest.approx(27 / 128)
    assert lo > 0.1
    value, lo, hi = difference(REBASE, BOTH)
    assert value == pytest.approx(-2 / 128)
    assert lo < 0 < hi
    lead, harm = published_findings()
    assert lead.made is harm.made is Made.PUBLISHED
    assert "no difference beyond chance" in harm.text
    assert "beyond chance" not in lead.text
    assert published_table().rows[2][3] == "not given"
