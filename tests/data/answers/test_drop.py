"""DROP's exact match and F1, against values that follow by hand from its rules."""

import pytest

from breakeven.data.answers.drop import exact_match, f1, normal_span


@pytest.mark.parametrize(
    ("predicted", "gold", "exact", "score"),
    [
        (["td"], ["the td"], True, 1.0),
        (["the a NOT an ARTICLE the an a"], ["NOT ARTICLE"], True, 1.0),
        (["This was a triumph"], ["tHIS Was A TRIUMPH"], True, 1.0),
        (["78-yard"], ["78 yard"], True, 1.0),
        (["Per.,.fection"], ["Perfection"], True, 1.0),
        (["5"], ["5.0"], True, 1.0),
        (["12,000"], ["12000"], True, 1.0),
        (["-5"], ["5"], True, 1.0),  # a hyphen parts words, so that no number is negative
        (["John Elton"], ["Elton John"], False, 1.0),
        (["David Thomas"], ["Thomas David Arquette"], False, 0.8),
        (["unprofessional", "athlete"], ["athlete", "unprofessional"], True, 1.0),
        (["athlete"], ["athlete", "unprofessional"], False, 0.5),
        (["athlete", "athlete"], ["athlete"], False, 0.5),
        (["13 yards"], ["12 yards"], False, 0.0),
        (["12 and 13 yards"], ["12 yards"], False, 0.67),
        (["cat", "x y"], ["x", "cat dog"], False, 0.67),
        (["Bears"], ["Packers"], False, 0.0),
        (["the"], ["a"], True, 1.0),  # both are empty once articles are gone
        ([], ["x"], False, 0.0),
    ],
)
def test_metric(predicted: list[str], gold: list[str], exact: bool, score: float) -> None:
    assert exact_match(predicted, gold) is exact
    assert f1(predicted, gold) == score


def test_a_matching_of_spans_is_the_best_one() -> None:
    assert f1(["a1 b1", "a1"], ["a1", "a1 b1"]) == 1.0


def test_very_many_spans_cost_little_and_count_as_wrong() -> None:
    assert f1(["x"] + ["y"] * 5000, ["x"]) == 0.0


def test_other_scripts_are_words() -> None:
    assert normal_span("Владимир  Путин") == "владимир путин"
