"""Columns by --column, in any case, and by the names of other tools."""

import pytest

from breakeven.errors import ArgumentError, LogError
from breakeven.readers.columns import names_in, renaming


def test_columns_are_found_in_any_case_and_by_the_names_of_other_tools() -> None:
    assert names_in(["Step", "Wall time", "C"], {}, "log") == {"step": "Step", "wall_time": "Wall time", "c": "C"}
    assert names_in(["_step", "_runtime"], {}, "log") == {"step": "_step", "seconds": "_runtime"}
    assert names_in(["step", "Step"], {}, "log") == {"step": "step"}


def test_a_column_that_was_named_is_taken_and_is_nothing_else_then() -> None:
    names = names_in(["problem", "n", "Correct", "correct"], {"c": "correct"}, "log")
    assert names == {"problem": "problem", "n": "n", "c": "correct", "correct": "Correct"}
    assert names_in(["Eval Acc"], {"accuracy": "eval acc"}, "log") == {"accuracy": "Eval Acc"}
    with pytest.raises(LogError, match=r"^log must have the column x \(--column c=x\); it has n, c\.$"):
        names_in(["n", "c"], {"c": "x"}, "log")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("accuracy", "--column must be ours=theirs; got 'accuracy'. For example"),
        ("accuracy=", "--column must be ours=theirs; got 'accuracy='"),
        ("acuracy=x", "got 'acuracy=x'. Did you mean accuracy?"),
    ],
)
def test_what_names_no_column_of_ours_is_refused(given: str, message: str) -> None:
    assert renaming(["Accuracy=eval=acc"]) == {"accuracy": "eval=acc"}
    with pytest.raises(ArgumentError) as caught:
        renaming([given])
    assert message in str(caught.value)
