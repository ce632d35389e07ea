"""Tables of trainings: read by several names, and refused by file, row and column."""

import json

import pytest

from breakeven.errors import LogError
from breakeven.readers.split_table import read_splits

HEADER = "N,D_fp,D_qat,bits,loss\n"


def read(tmp_path, text, name="splits.csv"):
    path = tmp_path / name
    path.write_text(text)
    return read_splits(path)


def test_a_row_is_a_training(tmp_path):
    (first, second) = read(tmp_path, HEADER + "1e8,9e9,1e9,2,2.5\n1e8,0,1e10,2,2.6\n")
    assert (first.params, first.fp_tokens, first.qat_tokens, first.bits, first.loss) == (1e8, 9e9, 1e9, 2, 2.5)
    assert second.fp_tokens == 0


def test_other_names_and_lines_of_json(tmp_path):
    row = {"parameters": 1e8, "fp_tokens": 9e9, "qat_tokens": 0, "bits": 4, "eval_loss": 2.5}
    (found,) = read(tmp_path, json.dumps(row) + "\n", "splits.jsonl")
    assert (found.bits, found.qat_tokens, found.loss) == (4, 0, 2.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("N,D_fp,D_qat,loss\n1,1,1,1\n", "row 1, must name the columns .*; missing: bits. It has N, D_fp, D_qat, loss"),
        (HEADER, "must hold at least one training; it has a header alone"),
        (HEADER + "0,1,1,2,2.5\n", "row 2.*N.*must be above 0"),
        (HEADER + "1e8,1,1,2,0\n", "row 2.*loss.*must be above 0"),
        (HEADER + "1e8,1,1,2,nan\n", "row 2.*loss.*must be a finite number"),
        (HEADER + "1e8,-1,1,2,2.5\n", "row 2.*D_fp.*must be a finite number of at least 0"),
        (HEADER + "1e8,0,0,2,2.5\n", "row 2.*D_qat.*must be above 0 where fp_tokens is 0"),
        (HEADER + "1e8,1,1,2.5,2.5\n", "row 2.*bits.*must be a whole number"),
        (HEADER + "1e8,1,1,33,2.5\n", "row 2.*bits.*must be from 1 to 32"),
        (HEADER + "1e8,1,1,0,2.5\n", "row 2.*bits.*must be from 1 to 32"),
        (HEADER + "1e8,1,1,2\n", "row 2"),
    ],
)
def test_what_is_no_training_is_refused_by_row_and_column(tmp_path, text, message):
    with pytest.raises(LogError, match=message):
        read(tmp_path, text)
