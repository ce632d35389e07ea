"""The rules of arguments: what each lets through, and what it says of the rest."""

import math
from typing import Any

import numpy as np
import pytest

from breakeven import check
from breakeven.errors import ArgumentError

NUMERIC = {
    "at_least": lambda value: check.at_least("x", value, 1),
    "above": lambda value: check.above("x", value, 0),
    "finite": lambda value: check.finite("x", value),
    "number": lambda value: check.number("x", value),
    "positive": lambda value: check.positive("x", value),
    "between": lambda value: check.between("x", value, 0, 2),
    "share": lambda value: check.share("x", value),
    "share below 1": lambda value: check.share("x", value, below_1=True),
    "whole": lambda value: check.whole("x", value, 1),
}


def refusal(rule: str, value: Any) -> str:
    with pytest.raises(ArgumentError) as error:
        NUMERIC[rule](value)
    return str(error.value)


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        ("at_least", [1, 1.0, math.inf, np.int64(1), np.float32(1.5)]),
        ("above", [1e-300, 1, math.inf]),
        ("finite", [0, 1e308]),
        ("number", [-1e308, 0]),
        ("positive", [5e-324, 1, np.float64(1e308)]),
        ("between", [0, 1.5, 2]),
        ("share", [0, 0.5, 1]),
        ("share below 1", [0, 0.5, math.nextafter(1, 0)]),
        ("whole", [1, 7.0, np.int64(3), 10**30]),
    ],
)
def test_numbers_in_range_pass(rule: str, values: list) -> None:
    for value in values:
        NUMERIC[rule](value)


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        ("at_least", 0, "x must be at least 1; got 0."),
        ("above", 0.0, "x must be above 0; got 0.0."),
        ("finite", -1, "x must be finite and at least 0; got -1."),
        ("finite", math.inf, "x must be finite and at least 0; got inf."),
        ("number", -math.inf, "x must be finite; got -inf."),
        ("positive", 0, "x must be finite and above 0; got 0."),
        ("positive", math.inf, "x must be finite and above 0; got inf."),
        ("between", 2.5, "x must be from 0 to 2; got 2.5."),
        ("share", 48.8, "x must be a share from 0 to 1; got 48.8."),
        ("share", -1e-9, "x must be a share from 0 to 1; got -1e-09."),
        ("share below 1", 1, "x must be a share from 0 up to 1; got 1."),
        ("whole", 0, "x must be a whole number of at least 1; got 0."),
        ("whole", 2.5, "x must be a whole number of at least 1; got 2.5."),
        ("whole", math.inf, "x must be a whole number of at least 1; got inf."),
        ("whole", "4", "x must be a whole number of at least 1; got '4'."),
        ("whole", True, "x must be a whole number of at least 1; got True."),
    ],
)
def test_numbers_out_of_range_are_refused(rule: str, value: Any, message: str) -> None:
    assert refusal(rule, value) == message


@pytest.mark.parametrize("rule", NUMERIC)
def test_nan_and_nothing_break_every_rule(rule: str) -> None:
    assert refusal(rule, math.nan).endswith("; got nan.")
    assert refusal(rule, np.float64("nan")).startswith("x must ")
    assert refusal(rule, None).endswith("; got None.")


@pytest.mark.parametrize("value", [True, False, "1", np.bool_(True), [1], 1j])
@pytest.mark.parametrize("rule", [each for each in NUMERIC if each != "whole"])
def test_what_is_no_number_is_refused_as_such(rule: str, value: object) -> None:
    assert refusal(rule, value) == f"x must be a number; got {value!r}."


def test_rounding_may_carry_what_was_computed_a_little_too_far() -> None:
    check.share("x", 1 + 1e-10, slack=1e-9)
    check.share("x", -1e-10, slack=1e-9)
    with pytest.raises(ArgumentError, match=r"got 1\.00000001"):
        check.share("x", 1 + 1e-8, slack=1e-9)


def test_a_remedy_follows_the_value() -> None:
    with pytest.raises(ArgumentError, match=r"^used must be a share .* got 20\. Divide percentages by 100\.$"):
        check.share("used", 20, "Divide percentages by 100.")


def test_whole_numbers_come_back_as_such() -> None:
    assert [type(check.whole("k", value, 1)) for value in (4, 4.0, np.int64(4))] == [int] * 3


@pytest.mark.parametrize("values", [[1], (1, 2, 4), range(1, 65), [1.0, 2.0], np.array([1, 8])])
def test_counts_that_increase(values: Any) -> None:
    assert check.increasing("k", values) == tuple(map(int, values))


@pytest.mark.parametrize(
    "values", [[0, 1], [2, 1], [1, 1], [1, 2.5], [math.nan], [1, math.nan], [1, math.inf], [True, 2], ["1"], [None]]
)
def test_counts_that_do_not(values: list) -> None:
    with pytest.raises(ArgumentError, match=r"^k must be increasing whole numbers from 1 up; got \["):
        check.increasing("k", values)


def test_no_count_at_all() -> None:
    with pytest.raises(ArgumentError, match=r"^k must hold at least one K; got \[\]\. Try \[1, 2, 4\]\.$"):
        check.increasing("k", [], "Try [1, 2, 4].")


@pytest.mark.parametrize("value", ["c", None, 5, ["a"]])
def test_names_are_taken_from_a_list(value: object) -> None:
    check.one_of("x", "a", {"a": 1, "b": 2})
    with pytest.raises(ArgumentError, match=r"^x must be one of a, b; got .*\. So\.$"):
        check.one_of("x", value, {"a": 1, "b": 2}, "So.")
    check.either("x", "a", "a", "b")
    with pytest.raises(ArgumentError, match=r'^x must be "a" or "b"; got .*\. So\.$'):
        check.either("x", value, "a", "b", remedy="So.")


@pytest.mark.parametrize("wrong", [-1.0, math.nan, math.inf, "0", True, None])
def test_one_bad_number_among_many_is_named(wrong: object) -> None:
    check.numbers("x", (0, 0.5, np.float64(1)), "hold what it should")
    check.numbers("x", (), "hold what it should")
    with pytest.raises(ArgumentError) as error:
        check.numbers("x", (0.0, 0.5, wrong, 1.0), "hold what it should")
    assert str(error.value) == f"x must hold what it should; got {wrong!r}."
