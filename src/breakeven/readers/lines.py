"""CSV and JSONL files as chunks of columns, read line by line: plain or gzip, with or without BOM and CRLF."""

import csv
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from breakeven import jsonl
from breakeven.errors import LogError

CHUNK_ROWS = 1 << 12
_SHOWN = 60
_DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some neighbouring rows of one file, by column. A column the file does not have is missing."""

    path: Path
    row_R: Sequence[int]
    """Numbers of the rows in the file, the first line (a header, if there is one) being 1."""
    columns: dict[str, Sequence[Any]]

    def refuse(self, index: int, name: str, rule: str, remedy: str = "") -> LogError:
        """The error for one cell, by file, row and column."""
        got = repr(self.columns[name][index])
        got = got if len(got) <= _SHOWN else f"{got[:_SHOWN]}..."
        where = f"{self.path}, row {self.row_R[index]}, column {name},"
        return LogError(f"{where} must {rule}; got {got}.{' ' + remedy if remedy else ''}")


lines_of = partial(jsonl.lines_of, fault=LogError)
json_object = partial(jsonl.json_object, fault=LogError)


def first_row(path: Path) -> dict[str, Any]:
    """The first object of a JSONL file, or the names of a CSV file's header with None for each.

    Raises:
        LogError: nothing in it, or JSON that is no object.
    """
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            if line.lstrip()[0] in '{["':
                return json_object(line, path, number)
            return dict.fromkeys(_header(line, path)[0])
    raise LogError(f"{path} must hold at least one row; it is empty.")


def is_jsonl(path: Path) -> bool:
    """Whether the first line with anything on it opens a JSON value."""
    return next((line.lstrip()[0] in '{["' for line in lines_of(path) if line.strip()), False)


def read_chunks(path: Path, wanted: Collection[str]) -> Iterator[Chunk]:
    """The columns `wanted`, as far as the file has them, in chunks of rows. JSONL: None where a row has no such key."""
    return _jsonl_chunks(path, wanted) if is_jsonl(path) else _csv_chunks(path, wanted)


def _jsonl_chunks(path: Path, wanted: Collection[str]) -> Iterator[Chunk]:
    rows = jsonl.json_rows(path, LogError)
    while batch := list(islice(rows, CHUNK_ROWS)):
        columns: dict[str, Sequence[Any]] = {name: [row.get(name) for _, row in batch] for name in wanted}
        yield Chunk(path, [number for number, _ in batch], columns)


def _csv_chunks(path: Path, wanted: Collection[str]) -> Iterator[Chunk]:
    lines = lines_of(path)
    start = 1
    for line in lines:
        if line.strip():
            break
        start += 1
    header, delimiter = _header(line, path)
    kept = [(place, name) for place, name in enumerate(header) if name in wanted]
    reader = csv.reader(lines, delimiter=delimiter)
    row = start
    try:
        while rows := list(islice(reader, CHUNK_ROWS)):
            numbers: Sequence[int] = range(row + 1, row + 1 + len(rows))
            row += len(rows)
            if set(map(len, rows)) != {len(header)}:
                numbers = [number for number, cells in zip(numbers, rows, strict=True) if cells]
                rows = [cells for cells in rows if cells]
                _refuse_ragged(path, numbers, rows, len(header))
            if rows:
                columns = list(zip(*rows, strict=True))
                yield Chunk(path, numbers, {name: columns[place] for place, name in kept})
    except csv.Error as error:
        raise LogError(f"{path}, after row {row}: {error}.") from error


def _refuse_ragged(path: Path, numbers: Sequence[int], rows: list[list[str]], width: int) -> None:
    for number, row in zip(numbers, rows, strict=True):
        if len(row) != width:
            raise LogError(
                f"{path}, row {number}, must have one value for each of the {width} columns; got {len(row)}."
            )


def _header(line: str, path: Path) -> tuple[list[str], str]:
    """Column names and the delimiter that gives the most of them."""
    delimiter = max(_DELIMITERS, key=line.count)
    names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise LogError(f"{path}, row 1, must name each column once; got {min(twice)!r} twice.")
    return names, delimiter
