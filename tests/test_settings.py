"""Plain settings made into records: what is wrong is named by where it stands."""

from dataclasses import dataclass
from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.settings import as_record, key_value, override, refuse_unknown, types_of


@dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 1


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner
    names: tuple[str, ...] = ()


def test_records_are_made_of_nested_values() -> None:
    assert as_record({"inner": {"size": 3}, "names": ["a"]}, Outer) == Outer(inner=Inner(size=3), names=("a",))
    assert as_record(3, int, "patience") == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"inner": {"size": "3"}}, r"run\.inner\.size must be of its type: expected int, got str; got '3'"),
        (
            {"inner": {}, "names": ["a", 1]},
            r"run\.names\[1\] must be of its type: expected str, got int; got \['a', 1\]",
        ),
        ({}, "run must be of its type: object missing required field inner"),
    ],
)
def test_a_wrong_type_is_named_by_its_place(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        as_record(settings, Outer, "run")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iner": 1}, r"iner must be a setting or section; got 'iner'\. Did you mean inner\?"),
        ({"x": 1}, r"x must be a setting or section; got 'x'\. Known: inner, names\."),
        ({"inner": {"siz": 1}}, r"inner\.siz must be a setting of \[inner\]; got 'siz'\. Did you mean size\?"),
    ],
)
def test_unknown_names_are_refused(settings: dict[str, Any], message: str) -> None:
    refuse_unknown({"inner": {"size": 1}, "names": []}, types_of(Outer))
    with pytest.raises(ArgumentError, match=message):
        refuse_unknown(settings, types_of(Outer))


def test_overrides_go_into_their_section() -> None:
    settings: dict[str, Any] = {"inner": {"size": 1}}
    override(settings, "inner.size = 2")
    override(settings, "new.name=plain words")
    assert settings == {"inner": {"size": 2}, "new": {"name": "plain words"}}
    with pytest.raises(ArgumentError, match=r"--set must name a setting inside a section; got 'inner\.size\.x'"):
        override(settings, "inner.size.x=1")


@pytest.mark.parametrize("text", ["", "size", "=1", " =1"])
def test_what_is_no_key_value_is_refused(text: str) -> None:
    with pytest.raises(
        ArgumentError, match=r"--task-set must be key=value; got '.*'\. For example --task-set size=2\."
    ):
        key_value("--task-set", text, "size=2")
