"""CSV and JSONL files as chunks of columns, read line by line: plain or gzip, with or without BOM and CRLF."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Sized
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from breakeven import jsonl
from breakeven.errors import LogError
from breakeven.readers.plain import plain_columns

CHUNK_ROWS = 1 << 12
_CHUNK_CHARACTERS = 16 << 20
_SHOWN = 60
_DELIMITERS = (",", "\t", ";")
_Row = TypeVar("_Row", bound=Sized)
_OBJECTS = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some neighbouring rows of one file, by column. A column the file does not have is missing."""

    path: Path
    row_R: Sequence[int]
    """Numbers of the rows in the file, the first line (a header, if there is one) being 1."""
    columns: dict[str, Sequence[Any]]
    names: Mapping[str, str] = field(default_factory=dict)
    """What the file calls columns of ours."""

    def refuse(self, index: int, name: str, rule: str, remedy: str = "") -> LogError:
        """The error for one cell, by file, row and column."""
        got = repr(self.columns[name][index])
        got = got if len(got) <= _SHOWN else f"{got[:_SHOWN]}..."
        where = f"{self.path}, row {self.row_R[index]}, column {self.names.get(name, name)},"
        return LogError(f"{where} must {rule}; got {got}.{' ' + remedy if remedy else ''}")


lines_of = partial(jsonl.lines_of, fault=LogError)


def json_value(text: str) -> Any:
    """What a JSON text holds, also one that Python's json wrote: NaN, which nothing could be measured for, is None.

    Raises:
        ValueError: not JSON.
    """
    try:
        return msgspec.json.decode(text)
    except ValueError:
        if "NaN" not in text and "Infinity" not in text:
            raise
        lenient = json.loads(text, parse_constant=lambda name: None if name == "NaN" else name)
        return msgspec.json.decode(json.dumps(lenient))


def json_object(line: str, path: Path, number: int) -> dict[str, Any]:
    """One line as a JSON object.

    Raises:
        LogError: it is none.
    """
    try:
        return jsonl.json_object(line, path, number, LogError)
    except LogError:
        try:
            value = json_value(line)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise
        return value


def first_row(path: Path) -> dict[str, Any]:
    """The first object of a JSONL file, or the names of a CSV file's header with None for each.

    Raises:
        LogError: nothing in it, or JSON that is no object.
    """
    for number, line in enumerate(lines_of(path), 1):
        if line.strip():
            if line.lstrip()[0] == "[" and (rows := _array(path)):
                return rows[0]
            if line.lstrip()[0] in "{[":
                return json_object(line, path, number)
            return dict.fromkeys(_header(line, path)[0])
    raise LogError(f"{path} must hold at least one row; it is empty.")


def is_jsonl(path: Path) -> bool:
    """Whether the first line with anything on it opens a JSON value."""
    return next((line.lstrip()[0] in "{[" for line in lines_of(path) if line.strip()), False)


def _array(path: Path) -> list[dict[str, Any]]:
    """The objects of a file that is one JSON array; none where it is something else."""
    try:
        return msgspec.convert(json_value("".join(lines_of(path))), list[dict[str, Any]])
    except (ValueError, RecursionError):
        return []


def read_chunks(path: Path, wanted: Collection[str], names: Mapping[str, str] | None = None) -> Iterator[Chunk]:
    """The columns `wanted`, as far as the file has them, in chunks of rows. JSON: None where a row has no such key.

    Args:
        path: a CSV file, a JSONL file, or one JSON array.
        wanted: names of ours.
        names: what the file calls them, where it is otherwise.
    """
    theirs = {each: (names or {}).get(each, each) for each in wanted}
    return _json_chunks(path, theirs) if is_jsonl(path) else _csv_chunks(path, theirs)


def _json_chunks(path: Path, theirs: dict[str, str]) -> Iterator[Chunk]:
    array = next(line.lstrip()[0] for line in lines_of(path) if line.strip()) == "["
    for numbers, rows in _numbered(iter(enumerate(_array(path), 1))) if array else _json_rows(path):
        yield Chunk(path, numbers, {ours: [row.get(name) for row in rows] for ours, name in theirs.items()}, theirs)


def _json_rows(path: Path) -> Iterator[tuple[Sequence[int], Sequence[dict[str, Any]]]]:
    """Some rows and their numbers; one by one where one of the lines is not simply an object."""
    number, lines = 1, lines_of(path)
    while batch := _some(lines):
        text = "".join(batch).replace("\r\n", "\n")
        rows = []
        if text.count("}\n{") == len(batch) - 1:  # no object ends on another line than it began
            with suppress(ValueError, RecursionError):
                rows = _OBJECTS.decode_lines(text)
        if len(rows) == len(batch):
            yield range(number, number + len(batch)), rows
        else:
            numbered = [each for each in enumerate(batch, number) if not each[1].isspace()]
            yield from _numbered((each, json_object(line, path, each)) for each, line in numbered)
        number += len(batch)


def _some(rows: Iterator[_Row], size: Callable[[_Row], int] = len) -> list[_Row]:
    """The next rows: CHUNK_ROWS of them, or fewer where they are long, since they are held at once."""
    some, left = list[_Row](), _CHUNK_CHARACTERS
    for row in islice(rows, CHUNK_ROWS):
        some.append(row)
        left -= size(row)
        if left < 0:
            break
    return some


def _numbered(
    rows: Iterator[tuple[int, dict[str, Any]]],
) -> Iterator[tuple[Sequence[int], Sequence[dict[str, Any]]]]:
    while batch := list(islice(rows, CHUNK_ROWS)):
        yield [number for number, _ in batch], [row for _, row in batch]


def _csv_chunks(path: Path, theirs: dict[str, str]) -> Iterator[Chunk]:
    lines = lines_of(path)
    row = 1
    for line in lines:
        if line.strip():
            break
        row += 1
    header, delimiter = _header(line, path)
    width = len(header)
    place = {name: at for at, name in enumerate(header)}
    kept = [(place[name], ours) for ours, name in theirs.items() if name in place]
    for columns in plain_columns(path, skipped=row, delimiter=delimiter, width=width, most=_CHUNK_CHARACTERS):
        if columns is None:
            break
        size = len(columns[0])
        yield Chunk(path, range(row + 1, row + 1 + size), {ours: columns[at] for at, ours in kept}, theirs)
        row += size
    else:
        return
    reader = csv.reader(islice(lines_of(path), row, None), delimiter=delimiter)
    try:
        while rows := _some(reader, lambda row: sum(map(len, row))):
            numbers: Sequence[int] = range(row + 1, row + 1 + len(rows))
            row += len(rows)
            if set(map(len, rows)) != {width}:
                numbers = [number for number, each in zip(numbers, rows, strict=True) if each]
                rows = [each for each in rows if each]
                _refuse_ragged(path, numbers, rows, width)
            if rows:
                cells = list(zip(*rows, strict=True))
                yield Chunk(path, numbers, {ours: cells[at] for at, ours in kept}, theirs)
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
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error as error:
        raise LogError(f"{path}, row 1: {error}.") from error
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise LogError(f"{path}, row 1, must name each column once; got {min(twice)!r} twice.")
    return names, delimiter
