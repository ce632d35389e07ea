"""Rows of a table with named columns: TSV without quoting, CSV with it, or JSONL, by the end of the file's name."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from breakeven import check
from breakeven.errors import argument_error
from breakeven.jsonl import json_rows, line_fault, lines_of

ENDS: Final = (".tsv", ".txt", ".csv", ".jsonl")
Row = tuple[int, Mapping[str, Any]]
"""The number of a line, from 1, and its fields by column."""


def table_rows(path: Path, headerless: tuple[str, ...] = (), *, may_break: bool = False) -> Iterator[Row]:
    """The rows of a table, whose first line names the columns.

    In TSV a quotation mark is a character as any other, as GLUE has it.

    Args:
        path: a file plain or gzip, whose name ends in one of `ENDS`.
        headerless: names of the columns of a TSV whose first line names none of them, but is a row.
        may_break: a row of TSV or CSV that has more or fewer fields than there are columns is given without any.

    Raises:
        ArgumentError: it cannot be read, ends in something else, or a row has not one field a column.
    """
    end = Path(path.name.removesuffix(".gz")).suffix
    check.one_of(f"the end of {path.name}", end, ENDS, "Write it as TSV, CSV or JSONL.")
    if end == ".jsonl":
        yield from json_rows(path)
        return
    rows = _csv_rows(path) if end == ".csv" else _tsv_rows(path)
    number, columns = next(rows, (1, []))
    if headerless and not set(headerless) & set(columns):
        yield number, _fields(path, number, columns, list(headerless), may_break)
        columns = list(headerless)
    for number, cells in rows:
        if cells not in ([], [""]):
            yield number, _fields(path, number, cells, columns, may_break)


def _tsv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines_of(path), 1):
        yield number, line.rstrip("\r\n").split("\t")


def _csv_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(lines_of(path), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        got = f"{error} after line {reader.line_num}"
        raise argument_error(str(path), "be a CSV file", got, "Quote fields that hold commas or quotes.") from error


def _fields(path: Path, number: int, cells: list[str], columns: list[str], may_break: bool) -> dict[str, str]:
    if len(cells) == len(columns):
        return dict(zip(columns, cells, strict=True))
    if may_break:
        return {}
    rule = f"must have {len(columns)} fields, one a column"
    raise line_fault(path, number, rule, f"{len(cells)}", "Is a tab or comma missing, or one too many?")
