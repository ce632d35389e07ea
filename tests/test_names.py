"""Objects of one's own by name, and strategies under the names they once had."""

import sys
from pathlib import Path

import pytest

from breakeven.errors import ArgumentError
from breakeven.names import load_object, named_in, strategy_name


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


# -- names in a file that may be somebody else's ----------------------------------------------------------------------


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that leaves a mark when it is imported."""
    (tmp_path / "trap_here.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()\nVALUE = 7\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "trap_here", raising=False)
    return tmp_path / "sprung"


def test_what_a_file_names_is_not_even_imported(trap: Path) -> None:
    with named_in("log.jsonl"):
        for name in ("trap_here:VALUE", "os:system", "breakeven.names:load_object"):
            with pytest.raises(ArgumentError) as error:
                load_object(name, "policy.name")
            assert str(error.value) == (
                "policy.name must name what breakeven ships, for it stands in log.jsonl, which may be somebody else's; "
                f"got {name!r}. To run that code, read it and give --trust-recipe."
            )
        assert load_object("breakeven.names:load_object", "x", shipped=True) is load_object
    assert not trap.exists()


def test_a_trusted_file_is_told_of_before_its_code_runs(trap: Path) -> None:
    told: list[tuple[str, bool]] = []
    with named_in("log.jsonl", lambda sentence: told.append((sentence, trap.exists()))):
        assert load_object("trap_here:VALUE", "x") == 7
    assert told == [("log.jsonl names trap_here:VALUE, which is run as it is trusted (--trust-recipe).", False)]
    assert load_object("trap_here:VALUE", "x") == 7
    assert len(told) == 1


def test_trust_holds_for_the_files_that_a_trusted_one_leads_to_and_ends_with_it(trap: Path) -> None:
    told: list[str] = []
    with named_in("", told.append):
        assert load_object("math:pi", "x") > 3  # the user's own words
        assert told == []
        with named_in("serving.json"):
            load_object("math:pi", "x")
    assert len(told) == 1
    with named_in(""), named_in("serving.json"), pytest.raises(ArgumentError, match=r"it stands in serving\.json"):
        load_object("math:pi", "x")
