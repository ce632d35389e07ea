"""Numbers in text: thousands marks of every sort, and the one form of a number."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.data.answers.numbers import first_number, last_number, number_form, number_value, with_commas


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("12 apples and 3.50 pears", "12", "3.50"),
        ("$1,234.50.", "1,234.50", "1,234.50"),
        ("-5 or \u22127", "-5", "\u22127"),
        ("10-3", "10", "3"),
        ("1,23", "1", "23"),
        ("version 1.2.3", "1.2", "1.2"),
        ("٣ 三", None, None),
        ("", None, None),
    ],
)
def test_numbers_in_text(text: str, first: str | None, last: str | None) -> None:
    assert (first_number(text), last_number(text)) == (first, last)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1,000", "1000"),
        ("1,00", None),
        ("18.0", "18"),
        ("18.", "18"),
        (".5", "1/2"),
        ("+007", "7"),
        ("-0", "0"),
        ("\u22123", "-3"),
        ("6/4", "3/2"),
        ("1 / 3", "1/3"),
        ("1/0", None),
        ("50%", None),
        ("$5", None),
        ("1e5", None),
        ("nan", None),
        ("٣", None),
        ("five", None),
        ("", None),
        ("9" * 201, None),
    ],
)
def test_number_form(text: str, form: str | None) -> None:
    assert number_form(text) == form


@given(st.fractions(max_denominator=10**6))
def test_a_number_form_is_the_form_of_its_value(value: Fraction) -> None:
    form = number_form(str(value))
    assert form == str(value)
    assert number_value(form) == value


@pytest.mark.parametrize(
    "written",
    [
        "70,000",
        "70{,}000",
        r"70\,000",
        r"70\;000",
        r"70\ 000",
        r"70,\!000",
        r"70{\,}000",
        r"70\thinspace 000",
        "70~000",
        "70'000",
        "70\u2019000",
        "70_000",
        "70\u00a0000",
        "70\u2009000",
        "70\u202f000",
        "70\uff0c000",
    ],
)
def test_every_thousands_mark_is_one(written: str) -> None:
    assert number_form(written) == "70000"
    assert with_commas(written) == "70,000"
    assert first_number(f"She pays ${written}.50 for 2") == "70,000.50"
    assert last_number(rf"2 cost \${written}") == "70,000"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,00,000", "100000"),  # lakh
        ("12,34,56,789.5", "123456789.5"),
        ("1,23", "1"),
        ("-$5", "-5"),
        (r"-\$5", "-5"),
        ("\u20ac70,000", "70,000"),
        ("\u00a33", "3"),
        ("70 000", "70,000"),
        ("1 050 300", "1,050,300"),
        ("70 100", "70"),
        ("1.234,50", "1234.50"),
        ("1.234.567", "1234567"),
        ("70.000", "70.000"),
        ("1.234,567", "1.234"),
        ("f'123", "123"),
        ("2024'1234", "2024"),
    ],
)
def test_marks_currencies_and_what_only_looks_like_them(text: str, number: str) -> None:
    assert first_number(text) == number


def test_a_space_marks_thousands_only_where_one_number_is_expected() -> None:
    assert with_commas("70 000 and 1 234 567.5", spaces=True) == "70,000 and 1,234,567.5"
    assert with_commas("2024 100", spaces=True) == "2024 100"
    assert last_number("70 100") == "100"
    assert number_form("70 000") is None
