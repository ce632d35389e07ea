"""Rows of a JSONL file, read strictly, and prompts made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from breakeven.errors import BreakevenError, argument_error
from breakeven.jsonl import json_rows, line_fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a file, which holds a JSON object."""

    path: str
    line: int
    fields: Mapping[str, Any]

    def refuse(self, name: str, rule: str, remedy: str = "") -> BreakevenError:
        """The error for one field."""
        return line_fault(self.path, self.line, f"{name!r} must {rule}", self.fields.get(name), remedy)

    def text(self, name: str, *, empty: bool = False) -> str:
        """A field that must be there and hold text, more than white space unless it may be `empty`."""
        if name not in self.fields:
            rule = f"must have a field {name!r}"
            raise line_fault(self.path, self.line, rule, sorted(self.fields), "Is it a file of this layout?")
        value = self.fields[name]
        if not isinstance(value, str):
            raise self.refuse(name, "be text", "Put it in quotes.")
        if not (empty or value.strip()):
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
    rows = [Row(path=path, line=number, fields=fields) for number, fields in json_rows(path)]
    if not rows:
        raise argument_error(path, "hold at least one row", "an empty file", "Write one JSON object a line.")
    return rows


def refuse_repeated(rows: Sequence[Row], ids: Sequence[str]) -> None:
    """Nothing, where all `ids`, one a row, differ.

    Raises:
        ArgumentError: two are the same.
    """
    line_of: dict[str, int] = {}
    for row, name in zip(rows, ids, strict=True):
        first = line_of.setdefault(name, row.line)
        if first != row.line:
            rule = f"must have an id of its own, but line {first} has the same"
            raise line_fault(row.path, row.line, rule, name, "Rename one, or leave it out.")


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
