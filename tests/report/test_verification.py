"""The check of a decision, as lines for the terminal and rows for the page."""

import pytest

from breakeven.report.verification import verification_lines, verification_rows, verification_words


def test_lines_and_rows_hold_the_same_numbers(verification, checkpoint):
    checked = verification()
    lines = " ".join(verification_lines(checked))
    rows = verification_rows(checked, checkpoint().decision)
    numbers = [number for _, number, _ in rows]
    assert numbers[:4] == ["0.562", "0.281", "0.541", "0.462"]
    for number in ("0.562", "0.541", "0.462", "+0.021", "0.019", "76 %", "73 %", "310 TFLOPs"):
        assert number in lines
        assert any(number in cell for cell in numbers)
    assert all(how.startswith(("measured", "counted", "paired", "pass@k, deployable, measured")) for *_, how in rows)


def test_rows_without_a_serving_point(verification, checkpoint):
    assert verification_rows(verification(), checkpoint(serving=None).decision)[0][2].startswith("measured")


@pytest.mark.parametrize(("difference", "words"), [(0.03, "not below"), (-0.03, "below")])
def test_lines_say_which_is_ahead(verification, difference, words):
    assert f", {words} the fully trained model" in " ".join(verification_lines(verification(difference)))


def test_within_two_standard_errors_nothing_is_claimed(verification):
    for difference in (-0.04, 0.0, 0.04):
        assert "cannot be told apart" in verification_words(verification(difference, 0.02))
