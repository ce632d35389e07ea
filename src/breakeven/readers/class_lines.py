"""Recorded class passes as JSON lines, a problem a line: a file, or a folder of them, streamed.

    {"id": "mrpc-7", "label": 1, "plain": [0.2, 0.8], "probabilities": [[0.3, 0.7], [0.1, 0.9]]}

One block of problems and the ids are in memory at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from breakeven.errors import BreakevenError, argument_error
from breakeven.jsonl import json_rows, line_fault
from breakeven.readers.class_blocks import (
    DIMENSIONS,
    UNLABELLED,
    Floats,
    PassBlock,
    RecordedPasses,
    block_of,
    problems_a_block,
    recorded,
)
from breakeven.ttc.class_probabilities import fault_in

LINES: Final = (".jsonl", ".jsonl.gz")
_MOST: Final = 1 << 12
"""Problems of a block: each is some objects until they are joined."""
_Problem: TypeAlias = tuple[int, dict[str, Floats]]


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a file."""

    path: Path
    line: int
    fields: dict[str, Any]

    def refuse(self, name: str, rule: str, got: object, remedy: str = "") -> BreakevenError:
        return line_fault(self.path, self.line, f"{name!r} must {rule}", got, remedy)

    def arrays(self) -> dict[str, Floats]:
        """The class probabilities of each field that is there."""
        found = {}
        for name in DIMENSIONS:
            if self.fields.get(name) is not None:
                try:
                    found[name] = np.array(self.fields[name], dtype=np.float64)
                except (TypeError, ValueError, OverflowError):
                    rule = "hold numbers, as many of every pass"
                    raise self.refuse(name, rule, self.fields[name]) from None
        return found

    def label(self, num_classes: int) -> int:
        """The right class."""
        label = self.fields.get("label")
        if type(label) is not int or not 0 <= label < num_classes:
            rule = f"be a whole number from 0 to {num_classes - 1}"
            raise self.refuse("label", rule, label, UNLABELLED if label == -1 else "Number the classes from 0.")
        return label


def passes_of_lines(path: Path) -> RecordedPasses:
    """The passes of a file, or of all files of a folder in the order of their names.

    Raises:
        ArgumentError: no line, or a first line that breaks a rule; later lines are checked as they are read.
    """
    first = next(_rows(path), None)
    if first is None:
        raise argument_error(str(path), "hold at least one line", "none", "Write one problem a line.")
    shapes = {name: each.shape for name, each in first.arrays().items()}
    found = recorded(path, shapes, lambda: _blocks(path, shapes, len(found.classes)))
    return found


def files_of_lines(path: Path) -> list[Path]:
    """The files of lines at a path, a file or a folder."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.iterdir() if each.name.lower().endswith(LINES))


def _rows(path: Path) -> Iterator[_Row]:
    for file in files_of_lines(path):
        yield from (_Row(file, line, fields) for line, fields in json_rows(file))


def _blocks(path: Path, shapes: dict[str, tuple[int, ...]], num_classes: int) -> Iterator[PassBlock]:
    known: set[str] = set()

    def checked() -> Iterator[_Problem]:
        for row in _rows(path):
            name = str(row.fields.get("id", f"{row.path.name}, line {row.line}"))
            if name in known:
                raise row.refuse("id", "differ from those of earlier lines", name, "Each problem counts once.")
            known.add(name)
            arrays = row.arrays()
            if (got := {name: each.shape for name, each in arrays.items()}) != shapes:
                rule = f"must have fields of the shapes {_words(shapes)}"
                raise line_fault(row.path, row.line, rule, _words(got), "")
            for name, values in arrays.items():
                if (fault := fault_in(values[None])) is not None:
                    _, rule, wrong, remedy = fault
                    raise row.refuse(name, rule, wrong, remedy)
            yield row.label(num_classes), arrays

    problems = checked()
    step = min(_MOST, problems_a_block(shapes))
    while some := list(islice(problems, step)):
        stacked = {name: np.stack([arrays[name] for _, arrays in some]) for name in shapes}
        yield block_of(np.array([label for label, _ in some], dtype=np.int64), stacked)


def _words(shapes: dict[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
