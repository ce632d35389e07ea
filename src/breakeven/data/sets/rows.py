"""Rows of a JSONL file, read strictly, and prompts made of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakeven.errors import ArgumentError, argument_error
from breakeven.records import Problem

MAX_LINE_BYTES = 4 << 20
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a file, which holds a JSON object."""

    path: str
    line: int
    fields: Mapping[str, Any]

    def refuse(self, name: str, rule: str, remedy: str = "") -> ArgumentError:
        """The error for one field."""
        return _refuse(self.path, self.line, f"{name!r} must {rule}", self.fields.get(name), remedy)

    def text(self, name: str) -> str:
        """A field that must be there and hold text, more than white space."""
        if name not in self.fields:
            rule = f"a row must have a field {name!r}"
            raise _refuse(self.path, self.line, rule, sorted(self.fields), "Is it a file of this layout?")
        value = self.fields[name]
        if not isinstance(value, str):
            raise self.refuse(name, "be text", "Put it in quotes.")
        if not value.strip():
            raise self.refuse(name, "not be empty", "Fill it in, or leave the row out.")
        return value

    def id(self, name: str, otherwise: str) -> str:
        """The row's name: field `name` if it has one, else `otherwise` and the line number."""
        return self.text(name) if name in self.fields else f"{otherwise}-{self.line}"


def read_rows(path: str) -> list[Row]:
    """The rows of a file. Blank lines are skipped, and count.

    Raises:
        ArgumentError: not a readable file, no rows, a line that is too long, not UTF-8, or not a JSON object.
    """
    rows: list[Row] = []
    try:
        with Path(path).open("rb") as file:
            line = 0
            while data := file.readline(MAX_LINE_BYTES + 1):
                line += 1
                if len(data) > MAX_LINE_BYTES:
                    rule = f"a line must be at most {MAX_LINE_BYTES >> 20} MiB long"
                    raise _refuse(path, line, rule, data[:_SHOWN], "Is it one JSON object a line?")
                fields = _fields(path, line, data.removeprefix(b"\xef\xbb\xbf") if line == 1 else data)
                if fields is not None:
                    rows.append(Row(path=path, line=line, fields=fields))
    except OSError as error:
        raise argument_error(path, "be a file that can be read", error.strerror or str(error)) from None
    if not rows:
        raise argument_error(path, "hold at least one row", "an empty file", "Write one JSON object a line.")
    return rows


def distinct(rows: Sequence[Row], problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems of the rows, one each.

    Raises:
        ArgumentError: two have the same id.
    """
    line_of: dict[str, int] = {}
    found: list[Problem] = []
    for row, problem in zip(rows, problems, strict=True):
        first = line_of.setdefault(problem.id, row.line)
        if first != row.line:
            rule = f"ids must differ, but line {first} has the same"
            raise _refuse(row.path, row.line, rule, problem.id, "Rename one, or leave it out.")
        found.append(problem)
    return tuple(found)


def fill(template: str, fields: Mapping[str, str], instruction: str) -> str:
    r"""`template` with `{name}` replaced by the field of this name, and `{instruction}`; other braces stay.

    Raises:
        ArgumentError: the template holds none of the fields, so that all problems would be the same.

    >>> fill("Q: {question}\n{instruction}", {"question": "What is {x}?"}, "Be brief.")
    'Q: What is {x}?\nBe brief.'
    """
    if not any(f"{{{name}}}" in template for name in fields):
        wanted = " or ".join(f"{{{name}}}" for name in fields)
        raise argument_error("template", f"hold {wanted}", template, "That is where the problem's text goes.")
    parts = {f"{{{name}}}": text for name, text in fields.items()} | {"{instruction}": instruction}
    prompt, rest = "", template
    while rest:
        # One pass from left to right: a problem's own text may hold braces, and is not filled in again.
        at, name = min(((rest.find(name), name) for name in parts if name in rest), default=(len(rest), ""))
        prompt += rest[:at] + parts.get(name, "")
        rest = rest[at + len(name) :]
    return prompt.rstrip() if not instruction else prompt


def _fields(path: str, line: int, data: bytes) -> dict[str, Any] | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        got = data[max(0, error.start - 10) : error.start + 10]
        raise _refuse(path, line, "a line must be UTF-8 text", got, "Save the file as UTF-8.") from None
    if not text.strip():
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refuse(path, line, "a line must be JSON", text, f"{error}.") from None
    if not isinstance(value, dict):
        raise _refuse(path, line, "a line must be a JSON object", text, "Write {...} on every line.")
    return value


def _refuse(path: str, line: int, rule: str, got: object, remedy: str) -> ArgumentError:
    shown = repr(got)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return ArgumentError(f"{path}, line {line}: {rule}; got {shown}.{' ' + remedy if remedy else ''}")
