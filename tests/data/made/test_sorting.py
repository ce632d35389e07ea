"""What the Sorting task promises: an exact checker, lists of every kind, splits that never mix."""

import numpy as np
import pytest

from breakeven.data.made.sorting import Sorting
from breakeven.data.splits import EOS, PAD, Split
from breakeven.errors import ArgumentError
from breakeven.records import Problem

TASK = Sorting(length=4, num_values=20)
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def test_numbers_in_order_are_right_and_nothing_else() -> None:
    problem = Problem(id="p", prompt="10 9 2 9 =")
    assert TASK.check(problem, "2 9 9 10")
    assert TASK.check(problem, " 2 9 9\n10 ")
    for completion in [
        "10 9 2 9",
        "2 9 10",
        "2 9 9 10 10",
        "10 2 9 9",
        "2 9 9 010",
        "2 9 9 10 =",
        "",
        "2 " * 1_000_000,
    ]:
        assert not TASK.check(problem, completion)


@pytest.mark.parametrize("task", [TASK, Sorting(), Sorting(length=2, num_values=2)])
def test_what_is_trained_on_is_right_and_as_long_as_it_says(task: Sorting) -> None:
    batch = task.train_batch(300, (1, 2))
    assert batch.shape == (300, task.prompt_tokens + task.output_tokens)
    assert (batch[:, -1] == EOS).all()
    assert (batch[:, :-1] != EOS).all()
    assert (batch != PAD).all()
    for row in batch:
        problem = task._problem(row)
        assert task.check(problem, task.decode(row[task.prompt_tokens :].tolist()))
        assert task.encode_prompt(problem) == row[: task.prompt_tokens].tolist()


def test_no_answer_is_in_two_splits() -> None:
    answers = []
    for split in SPLITS:
        rows = TASK._draw(3000, np.random.default_rng(0), split)
        answers.append({tuple(sorted(row[: TASK.length])) for row in rows.tolist()})
    assert all(answers)
    assert not (answers[0] & answers[1]) | (answers[0] & answers[2]) | (answers[1] & answers[2])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"length": 1}, "length must be from 2 to 32; got 1"),
        ({"length": 33}, "length must be from 2 to 32; got 33"),
        ({"num_values": 1}, "num_values must be from 2 to 999; got 1"),
        ({"num_values": 1000}, "num_values must be from 2 to 999; got 1000"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Sorting(**settings)
