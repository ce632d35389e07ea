"""Objects of one's own by name, and strategies under the names they once had."""

from pathlib import Path

import pytest

from breakeven.errors import ArgumentError
from breakeven.names import load_object, strategy_name


def test_an_object_is_found_by_module_and_name() -> None:
    assert load_object("breakeven.names:load_object", "x") is load_object
    assert load_object("fractions:Fraction.limit_denominator", "x").__name__ == "limit_denominator"


def test_modules_of_the_working_directory_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine_alone.py").write_text("VALUE = 7\n")
    monkeypatch.chdir(tmp_path)
    assert load_object("mine_alone:VALUE", "x") == 7


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("math", "policy.strategies must be written package.module:name; got 'math'"),
        (":pi", "must be written package.module:name"),
        ("math:", "must be written package.module:name"),
        ("no_such_module_here:x", "as no_such_module_here cannot; got .*ModuleNotFoundError: No module named"),
        ("broken_here:x", "as broken_here cannot; got 'broken_here:x'. ZeroDivisionError: division by zero"),
        ("math:pii", "name something in math, which has no pii; got 'math:pii'. Did you mean pi"),
        ("math:qqqqqq", "which has no qqqqqq; got 'math:qqqqqq'.$"),
    ],
)
def test_what_cannot_be_found_is_said(spec: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_here.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArgumentError, match=message):
        load_object(spec, "policy.strategies")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dvts/naive", "dvts/best_of_n"),
        ("beam_search/weighted", "beam_search/weighted_vote"),
        ("revision/vote", "revision/majority_vote"),
        ("revision/last", "revision/last"),
        ("dvts/best_of_n", "dvts/best_of_n"),
        ("vote", "vote"),
        ("my.module:NAME", "my.module:NAME"),
    ],
)
def test_rules_of_choice_have_one_name(old: str, new: str) -> None:
    assert strategy_name(old) == new
