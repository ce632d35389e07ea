"""What the Calculation task promises: an exact checker, results of every kind, splits that never mix."""

import numpy as np
import pytest

from breakeven.data.made.calculation import Calculation
from breakeven.data.splits import EOS, PAD, Split
from breakeven.errors import ArgumentError
from breakeven.records import Problem

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
KINDS = [
    Calculation(num_digits=2),
    Calculation(num_digits=3, reverse=False),
    Calculation(operation="multiply", num_digits=2),
    Calculation(modulus=97),
    Calculation(operation="multiply", modulus=59),
]


@pytest.mark.parametrize(
    ("task", "prompt", "right", "wrong"),
    [
        (Calculation(num_digits=2), "4 7 + 3 8 =", "5 8 0", ["0 8 5", "5 8", "5 8 0 0", "5 8 1", "85", "5 8 0 ="]),
        (Calculation(num_digits=2, reverse=False), "4 7 + 3 8 =", "0 8 5", ["5 8 0", "8 5"]),
        (Calculation(operation="multiply", num_digits=2), "1 2 * 3 4 =", "8 0 4 0", ["0 4 0 8", "8 0 4"]),
        (Calculation(operation="multiply", num_digits=1, reverse=False), "9 * 9 =", "8 1", ["1 8"]),
        (Calculation(modulus=97), "60 + 40 =", "3", ["100", "03", "3 3", "-94"]),
        (Calculation(operation="multiply", modulus=97), "10 * 10 =", " 3\n", ["6", ""]),
    ],
)
def test_the_result_is_right_and_nothing_else(task: Calculation, prompt: str, right: str, wrong: list[str]) -> None:
    problem = Problem(id="p", prompt=prompt)
    assert task.check(problem, right)
    for completion in [*wrong, "", "=", "<pad>", "\N{FULLWIDTH DIGIT TWO}", "\ud800", "1 " * 1_000_000]:
        assert not task.check(problem, completion)


@pytest.mark.parametrize("task", KINDS)
def test_what_is_trained_on_is_right_and_as_long_as_it_says(task: Calculation) -> None:
    batch = task.train_batch(300, (1, 2))
    assert batch.shape == (300, task.prompt_tokens + task.output_tokens)
    assert (batch[:, -1] == EOS).all()
    assert (batch[:, :-1] != EOS).all()
    assert (batch != PAD).all()
    for row in batch:
        problem = task._problem(row)
        assert task.check(problem, task.decode(row[task.prompt_tokens :].tolist()))
        assert task.encode_prompt(problem) == row[: task.prompt_tokens].tolist()


@pytest.mark.parametrize("task", KINDS)
def test_no_problem_is_in_two_splits_in_either_order(task: Calculation) -> None:
    sign = "+" if task.operation == "add" else "*"
    ids = [{task._problem(row).id for row in task._draw(2000, np.random.default_rng(0), split)} for split in SPLITS]
    assert all(ids)
    assert not (ids[0] & ids[1]) | (ids[0] & ids[2]) | (ids[1] & ids[2])
    assert all(int(first) <= int(second) for found in ids for first, second in [next(iter(found)).split(sign)])


def test_every_pair_of_residues_is_somewhere() -> None:
    task = Calculation(modulus=7)
    found = {task._problem(row).id for split in SPLITS for row in task._draw(2000, np.random.default_rng(0), split)}
    assert len(found) == 7 * 8 / 2


def test_numbers_have_all_their_digits() -> None:
    rows = Calculation(num_digits=3).train_batch(2000, (0, 0))
    first = rows[:, :3] - 5
    assert first[:, 0].min() == 1
    assert (first.min(), first.max()) == (0, 9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"operation": "divide"}, "operation must be add or multiply; got 'divide'"),
        ({"num_digits": 0}, "num_digits must be from 1 to 6; got 0"),
        ({"num_digits": 7}, "num_digits must be from 1 to 6; got 7"),
        ({"modulus": 1}, "modulus must be from 2 to 999, or 0 for none; got 1"),
        ({"modulus": 1000}, "modulus must be from 2 to 999"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Calculation(**settings)


def test_more_problems_than_there_are_name_the_setting_that_gives_more() -> None:
    with pytest.raises(
        ArgumentError, match=r"Ask for fewer, or raise num_digits or modulus \(task.num_digits or modulus\)"
    ):
        Calculation(num_digits=1).problems("validation", 100)
