"""Tables of configurations: what is read, and what does not fit."""

from pathlib import Path

import pytest

from breakeven.errors import LogError
from breakeven.readers.configurations import read_configurations

SHARES = """a.model,a.samples,a.flops,b.model,b.samples,b.flops,accuracy
S,1,10,S,1,5,0.25
S,2,20,S,1,5,0.5
L,1,40,S,1,5,0.75
L,2,80,S,1,5,0.8
"""
PROBLEMS = """a.model;a.samples;problem;correct
S;1;one;1
S;1;two;0
S;2;two;true
S;2;one;1
"""


def read(tmp_path: Path, text: str, name: str = "cells.csv"):
    path = tmp_path / name
    path.write_text(text)
    return read_configurations(path)


def test_accuracies_and_prices_by_stage_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, SHARES)
    assert found.stages == ("a", "b")
    assert found.accuracy_P[("L", 1), ("S", 1)].tolist() == [0.75]
    assert found.flops == ({("S", 1): 10, ("S", 2): 20, ("L", 1): 40, ("L", 2): 80}, {("S", 1): 5})


def test_problems_are_brought_into_one_order(tmp_path: Path) -> None:
    found = read(tmp_path, PROBLEMS)
    assert found.accuracy_P[(("S", 1),)].tolist() == [1, 0]
    assert found.accuracy_P[(("S", 2),)].tolist() == [1, 1]
    assert found.flops == ({},)


def test_jsonl_is_read_too(tmp_path: Path) -> None:
    found = read(tmp_path, '{"a.model": "S", "a.samples": 1, "accuracy": 0.5}\n', "cells.jsonl")
    assert found.accuracy_P[(("S", 1),)].tolist() == [0.5]


@pytest.mark.parametrize(
    ("text", "before", "after", "message"),
    [
        (
            SHARES,
            "accuracy\n",
            "score\n",
            "row 1, must name the columns STAGE.model and STAGE.samples for each stage, and",
        ),
        (SHARES, "b.samples", "b.k", "missing: b.samples. It has a.model,"),
        (SHARES, "b.flops", "b.cost", "missing: b.flops"),
        (SHARES, "a.model,a.samples,a.flops,b.model", "a,n,f,b", "missing: STAGE.model"),
        (SHARES, "0.25", "25", "row 2, column accuracy, must be a share from 0 to 1; got '25'. Divide percentages by"),
        (SHARES, "0.25", "nan", "row 2, column accuracy, must be a finite number of at least 0; got 'nan'."),
        (SHARES, "S,2,20,", "S,0,20,", "row 3, column a.samples, must be at least 1; got '0'."),
        (SHARES, "S,2,20,S,1,5", "S,2,20,S,1,6", "column b.flops, must be 5, as in an earlier row of S with 1 samples"),
        (SHARES, "S,2,20,S,1,5,0.5", "S,1,10,S,1,5,0.5", "row 3, must be the only one of a S x 1, b S x 1."),
        (SHARES, SHARES[SHARES.index("\n") + 1 :], "", "must hold at least one configuration; it has a header alone."),
        (PROBLEMS, "S;2;one;1\n", "", "must hold every configuration on the same problems; one is missing of a S x 2."),
        (PROBLEMS, "S;1;two;0\n", "", "must hold every configuration on the same problems; two is missing of a S x 1."),
        (PROBLEMS, "S;1;two;0", "S;1;one;0", "row 3, must be the only one of problem one of a S x 1."),
        (PROBLEMS, "S;1;two;0", "S;1;two;2", "row 3, column correct, must be 0 or 1, or true or false; got '2'."),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, before: str, after: str, message: str) -> None:
    assert before in text
    with pytest.raises(LogError) as caught:
        read(tmp_path, text.replace(before, after, 1))
    assert str(caught.value).startswith(str(tmp_path / "cells.csv"))
    assert message in str(caught.value)
