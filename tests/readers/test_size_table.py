"""Tables of models of several sizes: what is read, and what is refused by row, column and value."""

from pathlib import Path

import pytest

from breakeven.errors import LogError
from breakeven.readers.size_table import by_model, read_sizes


def write(tmp_path: Path, text: str, name: str = "sizes.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_the_papers_letters_and_our_names_are_read_alike(tmp_path: Path) -> None:
    losses = read_sizes(write(tmp_path, "N,D,loss\n1e6,2e7,3.5\n4e6,2e7,3.1\n"))
    assert [(each.params, each.train_tokens, each.loss, each.train_flops) for each in losses] == [
        (1e6, 2e7, 3.5, 1.2e14),
        (4e6, 2e7, 3.1, 4.8e14),
    ]
    lines = '{"params": 1e6, "tokens": 2e7, "k": 4, "accuracy": 0.5, "query_flops": 8e6}\n'
    (row,) = read_sizes(write(tmp_path, lines, "sizes.jsonl"))
    assert (row.params, row.k, row.accuracy, row.query_flops) == (1e6, 4, 0.5, 8e6)
    (row,) = read_sizes(write(tmp_path, "N,D,k,n,c\n10,20,1,4,3\n"))  # N and n are two columns
    assert (row.params, row.n, row.c) == (10.0, 4, 3)


def test_rows_of_a_model_belong_together(tmp_path: Path) -> None:
    rows = read_sizes(write(tmp_path, "N,D,problem,n,c\n10,20,a,4,3\n30,20,a,4,4\n10,20,b,4,0\n"))
    assert [(model, len(own)) for model, own in by_model(rows)] == [((10.0, 20.0), 2), ((30.0, 20.0), 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("N,D\n1,2\n", "row 1, must name the columns"),
        ("N,loss\n1,2\n", "missing: train_tokens. It has N, loss."),
        ("N,D,accuracy\n1,2,0.5\n", "missing: k"),
        ("N,D,loss\n", "at least one model"),
        ("N,D,loss\n0,2,3\n", "row 2, column N, must be above 0; got '0'."),
        ("N,D,loss\n1,,3\n", "row 2, column D, must be a number; got ''."),
        ("N,D,loss\n1,2,nan\n", "row 2, column loss, must be a finite number of at least 0; got 'nan'."),
        ("N,D,loss\n1,2,-3\n", "row 2, column loss, must be a finite number of at least 0; got '-3'."),
        ("N,D,loss\n1,2,\n", "row 2, column loss, must be a number; got ''."),
        ("N,D,k,accuracy\n1,2,1,50\n", "must be a share from 0 to 1; got '50'. Divide percentages by 100."),
        ("N,D,k,accuracy\n1,2,0,0.5\n", "row 2, column k, must be at least 1; got '0'."),
        ("N,D,k,accuracy\n1,2,1.5,0.5\n", "row 2, column k, must be a whole number; got '1.5'."),
        ("N,D,k,accuracy\n1,2,,0.5\n", "row 2, column k, must have a K beside it"),
        ("N,D,k,n,c\n1,2,1,4,5\n", "row 2, column c, must be at most the row's n, 4; got '5'."),
        ("N,D,k,n,c\n1,2,1,4,\n", "row 2, column c, must be given beside the other of n and c"),
    ],
)
def test_a_fault_is_named_by_row_column_and_value(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LogError) as caught:
        read_sizes(write(tmp_path, text))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("N,D,k,accuracy\n1,2,1,.5\n1,2,1,.6\n", "row 3, must be of another K than"),
        ("N,D,problem,n,c\n1,2,a,4,1\n1,2,a,4,1\n", "row 3, must be of another problem than"),
        ("N,D,k,accuracy,train_flops\n1,2,1,.5,12\n1,2,2,.6,13\n", "row 3, train_flops, must be 12, as in"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LogError) as caught:
        list(by_model(read_sizes(write(tmp_path, text))))
    assert message in str(caught.value)


def test_what_may_run_code_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "sizes.pkl"
    path.write_bytes(b"\x80\x04N.")
    with pytest.raises(LogError, match="a pickle"):
        read_sizes(path)
