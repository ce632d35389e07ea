"""Columns cut out of bytes hold what `csv.reader` reads, whatever the cells."""

import csv
import gzip
import io
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from breakeven.errors import LogError
from breakeven.readers import ReadOptions, lines, plain, read_evals

CELLS = st.text(st.sampled_from(["0", "7", "a", "é", " ", ".", "\t", "\U0001f600"]), max_size=4)
ROWS = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), block=st.integers(8, 200), last=st.booleans(), odd=st.booleans())
def test_cells_and_row_numbers_are_those_of_the_csv_reader(tmp_path_factory, rows, end, block, last, odd) -> None:
    text = "".join(",".join(each) + end for each in [("x", "y", "z"), *rows])
    text += f'"quoted, {end}",1,2{end}' if odd else ""
    path = tmp_path_factory.mktemp("plain") / "log.csv"
    path.write_bytes(text.encode() if last else text.removesuffix(end).encode())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plain, "_BLOCK", block)
        chunks = list(lines.read_chunks(path, ("x", "y", "z")))
    read = [cells for chunk in chunks for cells in zip(*(chunk.columns[each] for each in "xyz"), strict=True)]
    assert read == [tuple(each) for each in csv.reader(io.StringIO(text, newline=""))][1:]
    assert [number for chunk in chunks for number in chunk.row_R] == list(range(2, 2 + len(read)))


@given(st.lists(st.text("0179", min_size=1, max_size=10) | st.sampled_from(["", "-1", "1.0"]), min_size=1, max_size=9))
def test_numbers_are_those_of_int_or_left_to_others(cells: list[str]) -> None:
    column = made(cells)
    simply = all(0 < len(each) <= 9 and each.isdigit() for each in cells)
    numbers = column.numbers()
    assert (None if numbers is None else numbers.tolist()) == ([int(each) for each in cells] if simply else None)


@given(st.lists(st.sampled_from(["", "a", "ab", "b", "aé", "é"]), min_size=1, max_size=9))
def test_cells_are_compared_as_texts_are(cells: list[str]) -> None:
    column = made(cells)
    assert column.changes().tolist() == [one != other for one, other in pairwise(cells)]
    assert (list(column), column[-1:], column[0]) == (cells, cells[-1:], cells[0])
    assert (column.count("a"), column.count(None)) == (cells.count("a"), 0)
    assert column.text_R.tolist() == [each.encode() for each in cells]
    texts = plain.texts_of(cells)
    assert texts is not None
    assert texts.tolist() == column.text_R.tolist()
    assert plain.texts_of([*cells, "a\0"]) is None


def made(cells: list[str]) -> plain.Column:
    data = [each.encode() for each in cells]
    ends = np.cumsum([len(each) + 1 for each in data]) - 1
    return plain.Column(b"\n".join(data) + b"\n", ends - [len(each) for each in data], ends)


def rows_of(checkpoints: int, problems: int, names: str = "p{}") -> str:
    rows = (
        f"{step},{step}e15,{names.format(problem)},4,{(step + problem) % 5},{problem % 2}\n"
        for step in range(1, checkpoints + 1)
        for problem in range(problems)
    )
    return "step,train_flops,problem,n,c,greedy\n" + "".join(rows)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_a_log_is_the_same_in_blocks_and_through_the_csv_reader(tmp_path: Path, monkeypatch, suffix: str) -> None:
    path = tmp_path / f"log{suffix}"
    written = rows_of(9, 30)
    opened = gzip.open if suffix.endswith(".gz") else open
    with opened(path, "wt") as file:
        file.write(written)
    monkeypatch.setattr(plain, "_BLOCK", 700)
    blocks = list(read_evals(path, ReadOptions()))
    with opened(path, "wt") as file:  # one quote has all that follows read by csv.reader
        file.write(written.replace("p0,", '"p0",', 1))
    slowly = list(read_evals(path, ReadOptions()))
    assert [each.train_flops for each in blocks] == [each.train_flops for each in slowly]
    for one, other in zip(blocks, slowly, strict=True):
        assert one.tally.correct_P.tolist() == other.tally.correct_P.tolist()
        assert one.tally.greedy_accuracy == other.tally.greedy_accuracy


def test_problems_in_another_order_at_some_checkpoint_are_told_apart(tmp_path: Path) -> None:
    head, *rows = rows_of(3, 4).splitlines(keepends=True)
    rows[8:] = [rows[9], rows[8], *rows[10:]]  # the third checkpoint begins with the second problem
    (tmp_path / "log.csv").write_text(head + "".join(rows))
    last = list(read_evals(tmp_path / "log.csv", ReadOptions()))[-1]
    assert last.tally.correct_P.tolist() == [3, 4, 0, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2,2e15,p1,4,9,0\n", "row 4, column c, must be at most the row's n, 4; got '9'"),
        ("2,2e15,,4,1,0\n", "row 4, column problem, must not be empty; got ''"),
        ("2,2e15,p1,4,1,2\n", "row 4, column greedy, must be 0 or 1, or true or false; got '2'"),
        ("2,2e15,p1,4,1,01\n", "row 4, column greedy, must be 0 or 1, or true or false; got '01'"),
        ("2,2e15,p1,4,1\n", "row 4, must have one value for each of the 6 columns; got 5"),
        ("2,2e15,p1,4,-1,0\n", "row 4, column c, must be a whole number from 0 to 2147483647; got '-1'"),
    ],
)
def test_a_fault_is_told_by_its_row_in_blocks_and_by_the_csv_reader(tmp_path: Path, row: str, message: str) -> None:
    for written in (rows_of(1, 2), rows_of(1, 2).replace("p0,", '"p0",', 1)):
        (tmp_path / "log.csv").write_text(written + row)
        with pytest.raises(LogError, match=message):
            read_evals(tmp_path / "log.csv", ReadOptions())


def test_bytes_that_are_no_text_are_told_by_their_line(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_bytes(rows_of(1, 2).encode() + b"2,2e15,\xff,4,1,0\n")
    with pytest.raises(LogError, match="line 4, must be UTF-8 text"):
        read_evals(tmp_path / "log.csv", ReadOptions())
