"""What the Rules task promises: a checker that runs the program, problems with a program, splits that never mix."""

import itertools

import numpy as np
import pytest

from breakeven.data.made.rules import OPERATIONS, Rules
from breakeven.data.splits import EOS, PAD, Split
from breakeven.errors import ArgumentError
from breakeven.records import Problem

TASK = Rules(depth=2, num_examples=2, list_length=3)
PROBLEM = Problem(id="p", prompt="3 1 4 > 5 2 4 ; 7 0 9 > 0 1 8 =")  # reverse increment
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def ids_of(task: Rules, rows: np.ndarray) -> set[str]:
    return {task._problem(row).id for row in rows}


# -- the checker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "completion", ["reverse increment", "increment reverse", "swap increment", " swap\nincrement "]
)
def test_a_program_is_right_however_it_is_written(completion: str) -> None:
    assert TASK.check(PROBLEM, completion)


@pytest.mark.parametrize(
    "completion",
    [
        "reverse",  # right on neither example
        "increment increment",
        "reverse reverse",
        "sort increment",
        "reverse increment swap",  # longer than any program of this depth
        "reverse reverse reverse increment",
    ],
)
def test_another_program_is_wrong(completion: str) -> None:
    assert not TASK.check(PROBLEM, completion)


def test_a_program_must_explain_every_example() -> None:
    first_only = Problem(id="p", prompt="1 2 3 > 1 2 3 ; 3 1 2 > 3 1 2 =")
    assert not TASK.check(first_only, "sort")
    assert TASK.check(first_only, "reverse reverse")


def test_a_shorter_program_will_do() -> None:
    assert TASK.check(Problem(id="p", prompt="3 1 4 > 4 1 3 ; 7 0 9 > 9 0 7 ="), "reverse")


@pytest.mark.parametrize(
    "completion",
    [
        "",
        " ",
        "=",
        "<pad>",
        "reverse <pad>",
        "reverse, increment",
        "Reverse increment",
        "5 2 4 ; 0 1 8",
        "reverse increment ;",
        "__import__('os')",
        "\ud800",
        "reverse " * 1_000_000,
    ],
)
def test_garbage_is_wrong_and_never_an_exception(completion: str) -> None:
    assert not TASK.check(PROBLEM, completion)
    assert not TASK.check(Problem(id="p", prompt="3 1 4 > 3 1 4 ; 7 0 9 > 7 0 9 ="), completion)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reverse", [5, 8, 1, 3]),
        ("sort", [1, 3, 5, 8]),
        ("rotate", [1, 8, 5, 3]),
        ("swap", [5, 1, 8, 3]),
        ("increment", [4, 2, 9, 6]),
        ("double", [6, 2, 6, 0]),
        ("halve", [1, 0, 4, 2]),
        ("negate", [7, 9, 2, 5]),
        ("sum", [3, 4, 2, 7]),
        ("difference", [3, 8, 7, 7]),
    ],
)
def test_what_an_operation_does(name: str, expected: list[int]) -> None:
    assert OPERATIONS[name](np.array([3, 1, 8, 5])).tolist() == expected
    assert OPERATIONS[name](np.array([[[3, 1, 8, 5]], [[0, 0, 0, 0]]]))[0, 0].tolist() == expected


def test_every_operation_gives_digits() -> None:
    digits = np.array(list(itertools.product(range(10), repeat=3)))
    assert len(OPERATIONS) == 10
    for operation in OPERATIONS.values():
        after = operation(digits)
        assert after.shape == digits.shape
        assert after.min() >= 0
        assert after.max() <= 9


# -- generation -------------------------------------------------------------------------------------------------------


@pytest.mark.untraced
@pytest.mark.parametrize(("depth", "num_examples", "list_length"), [(1, 1, 2), (2, 3, 4), (3, 3, 5), (6, 8, 8)])
def test_every_program_that_is_trained_on_is_right(depth: int, num_examples: int, list_length: int) -> None:
    task = Rules(depth=depth, num_examples=num_examples, list_length=list_length)
    batch = task.train_batch(300, (1, 2))
    assert batch.shape == (300, task.prompt_tokens + task.output_tokens)
    assert batch.dtype == np.int64
    assert 0 <= batch.min()
    assert batch.max() < task.vocab_size
    assert PAD not in batch
    assert (batch[:, -1] == EOS).all()
    assert (batch[:, :-1] != EOS).all()
    for row in batch:
        prompt, program = task.decode(row[: task.prompt_tokens]), task.decode(row[task.prompt_tokens :])
        assert len(program.split()) == depth
        assert task.check(Problem(id="p", prompt=prompt), program), (prompt, program)


@pytest.mark.untraced
@pytest.mark.parametrize("split", SPLITS)
def test_problems_are_distinct_and_solvable(split: Split) -> None:
    problems = TASK.problems(split, 40)
    assert len({problem.id for problem in problems}) == len(problems) == 40
    for problem in problems:
        assert problem.reference is None
        assert any(TASK.check(problem, " ".join(program)) for program in itertools.product(OPERATIONS, repeat=2))


def test_tokens_round_trip() -> None:
    for problem in TASK.problems("validation", 50):
        tokens = TASK.encode_prompt(problem)
        assert len(tokens) == TASK.prompt_tokens
        assert TASK.decode(tokens) == problem.prompt
    assert TASK.decode([*TASK.encode_prompt(PROBLEM)[:4], EOS, PAD]) == "3 1 4 >"
    assert TASK.end_token == EOS


# -- splits -----------------------------------------------------------------------------------------------------------


@pytest.mark.untraced
def test_no_training_problem_is_evaluated_or_tested() -> None:
    """On a difficulty so small that the splits are drawn dry, so that any leak would show."""
    task = Rules(depth=1, num_examples=1, list_length=2)
    validation, test = ({each.id for each in task.problems(split, 90)} for split in ("validation", "test"))
    train = ids_of(task, np.concatenate([task.train_batch(2000, (seed, 0)) for seed in range(3)]))
    assert len(train) > 400
    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.untraced
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_no_seed_moves_a_problem_to_another_split(seed: int) -> None:
    task = Rules(depth=1, num_examples=1, list_length=2)
    found = {split: {each.id for each in task.problems(split, 80, seed=seed)} for split in SPLITS}
    other = {split: {each.id for each in task.problems(split, 80, seed=seed + 1)} for split in SPLITS}
    for mine, theirs in itertools.permutations(SPLITS, 2):
        assert not found[mine] & other[theirs]
        assert not found[mine] & found[theirs]


def test_the_order_of_the_examples_does_not_move_a_problem() -> None:
    before = np.array(list(itertools.permutations([[1, 2, 3], [4, 0, 6], [9, 9, 0]])))
    buckets = Rules(num_examples=3, list_length=3)._bucket(before, (before + 1) % 10)
    assert len(before) == 6
    assert len(set(buckets.tolist())) == 1


@pytest.mark.untraced
def test_seeds_decide_what_is_drawn() -> None:
    assert np.array_equal(TASK.train_batch(50, (7, 3)), TASK.train_batch(50, (7, 3)))
    assert not np.array_equal(TASK.train_batch(50, (7, 3)), TASK.train_batch(50, (7, 4)))
    assert TASK.problems("test", 20, seed=1) == TASK.problems("test", 20, seed=1)
    assert TASK.problems("test", 20, seed=1) != TASK.problems("test", 20, seed=2)
    assert TASK.problems("validation", 10) == TASK.problems("validation", 50)[:10]


# -- what is refused --------------------------------------------------------------------------------------------------


def test_more_problems_than_there_are_is_refused_with_their_number() -> None:
    with pytest.raises(ArgumentError, match=r"be at most the (\d+) distinct test problems .*; got 1000\. Ask for"):
        Rules(depth=1, num_examples=1, list_length=2).problems("test", 1000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 0}, r"^depth must be from 1 to 6; got 0\.$"),
        ({"depth": 7}, r"^depth must be from 1 to 6; got 7\.$"),
        ({"num_examples": 0}, r"^num_examples must be from 1 to 8; got 0\.$"),
        ({"num_examples": 9}, r"^num_examples must be from 1 to 8; got 9\.$"),
        ({"list_length": 1}, r"^list_length must be from 2 to 8; got 1\.$"),
        ({"list_length": 9}, r"^list_length must be from 2 to 8; got 9\.$"),
    ],
)
def test_a_difficulty_out_of_range_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Rules(**settings)
