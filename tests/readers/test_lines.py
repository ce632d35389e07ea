"""Files in chunks of columns: the short ways for plain rows give what the long ways give."""

import csv
import io
import json
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import LogError
from breakeven.readers import lines
from breakeven.readers.rows import _runs
from breakeven.readers.table import Table

CELL = st.text('ab 1."\n\r,;', max_size=3)
LINE = st.sampled_from(['{"a":1}', '{"a":NaN}', "{}", "", ' {"a":"}"} ', '{"a":', "2}", '{"a":1} {"a":2}', "7"])
ENDS = st.sampled_from(["\n", "\r\n"])


def columns(directory: Path, text: str, *names: str) -> list[tuple[object, ...]]:
    """Number and cells of each row, read in chunks of three."""
    path = directory / "log"
    path.write_bytes(text.encode())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lines, "CHUNK_ROWS", 3)
        chunks = list(lines.read_chunks(path, names))
    rows = (zip(chunk.row_R, *(chunk.columns[name] for name in names), strict=True) for chunk in chunks)
    return list(chain.from_iterable(rows))


@given(st.lists(st.lists(CELL, min_size=2, max_size=3), max_size=7), ENDS, st.booleans())
def test_csv_rows_are_those_of_csv_reader(tmp_path_factory, rows: list[list[str]], end: str, last: bool) -> None:
    directory = tmp_path_factory.mktemp("csv")
    text = end.join(",".join(row) for row in [["a", "b"], *rows]) + end * last
    try:
        read = [(number, *row) for number, row in enumerate(csv.reader(io.StringIO(text, "\n")), 1) if row][1:]
        plain = all(len(row) == 3 for row in read)
    except csv.Error:
        plain = False
    if plain:
        assert columns(directory, text, "a", "b") == read
    else:
        with pytest.raises(LogError):
            columns(directory, text, "a", "b")


@given(st.lists(LINE, max_size=7), ENDS)
def test_json_rows_are_those_of_json(tmp_path_factory, rows: list[str], end: str) -> None:
    directory = tmp_path_factory.mktemp("json")
    text = end.join(['{"a":0}', *rows])
    try:
        objects = [(number, json.loads(row)) for number, row in enumerate(text.split(end), 1) if row]
        read = [(number, None if row.get("a") != row.get("a") else row.get("a")) for number, row in objects]
    except (ValueError, AttributeError):
        with pytest.raises(LogError):
            columns(directory, text, "a")
    else:
        assert columns(directory, text, "a") == read


def test_a_cell_that_csv_refuses_for_its_length_is_refused(tmp_path) -> None:
    with pytest.raises(LogError, match="after row 1: field larger than field limit"):
        columns(tmp_path, "a,b\n1," + "2" * 200_000, "a", "b")


@given(st.lists(st.sampled_from("abcd"), max_size=12), st.lists(st.sampled_from("abcde"), max_size=12))
def test_problems_are_numbered_in_the_order_they_are_met(first: list[str], later: list[str]) -> None:
    table = Table(Path("log.csv"), single=False)
    met = list(dict.fromkeys(first + later))
    for names in (first, later, first):
        assert table.problem_codes(names).tolist() == [met.index(name) for name in names]


def test_problems_of_one_order_are_numbered_across_the_end_of_a_checkpoint() -> None:
    table = Table(Path("log.csv"), single=False)
    for names, codes in (("abc", [0, 1, 2]), ("cabcab", [2, 0, 1, 2, 0, 1]), ("bc", [1, 2]), ("bad", [1, 0, 3])):
        assert np.array_equal(table.problem_codes(list(names)), codes)


def test_runs_begin_where_a_row_differs_from_the_one_before() -> None:
    assert _runs("aabbb", [1, 1, 1, 2, 2]) == [0, 2, 3]
    assert _runs([[1], [1], [2]], "bbb") == [0, 2]


@pytest.mark.parametrize(("before", "row"), [("", '{{"a":1,"b":"{}"}}'), ("a,b\n", "1,{}"), ("a,b\n", '1,"{}"')])
def test_of_long_rows_fewer_are_held_at_once(tmp_path: Path, monkeypatch, before: str, row: str) -> None:
    monkeypatch.setattr(lines, "_CHUNK_CHARACTERS", 10_000)
    (tmp_path / "log").write_text(before + "".join(row.format("x" * 900) + "\n" for _ in range(100)))
    sizes = [len(chunk.row_R) for chunk in lines.read_chunks(tmp_path / "log", ("a",))]
    assert sum(sizes) == 100
    assert max(sizes) <= 12
