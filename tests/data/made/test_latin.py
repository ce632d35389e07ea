"""What the Latin task promises: an exact checker, solvable squares of every kind, splits that never mix."""

import itertools

import numpy as np
import pytest

from breakeven.data.made.latin import Latin
from breakeven.data.splits import EOS, PAD, Split
from breakeven.errors import ArgumentError
from breakeven.records import Problem

TASK = Latin(size=3, num_clues=2)
PROBLEM = Problem(id="p", prompt="1 . . . 3 . . . . =")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def ids_of(task: Latin, rows: np.ndarray) -> set[str]:
    return {task._problem(row).id for row in rows}


# -- the checker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("completion", ["1 2 3 2 3 1 3 1 2", " 1 2 3\n2 3 1\n3 1 2\n"])
def test_a_square_is_right_however_it_is_written(completion: str) -> None:
    assert TASK.check(PROBLEM, completion)


def test_every_solution_is_right() -> None:
    one_clue = Problem(id="p", prompt="1 . . . . . . . . =")
    squares = [" ".join(cells) for cells in itertools.product("123", repeat=9)]
    assert sum(TASK.check(one_clue, square) for square in squares) == 4  # 12 squares of size 3, 4 with that corner


@pytest.mark.parametrize(
    "completion",
    [
        "2 1 3 1 3 2 3 2 1",  # a Latin square with another corner
        "1 2 3 3 1 2 2 3 1",  # with another middle
        "1 2 3 1 3 2 1 2 3",  # columns repeat
        "1 2 2 2 3 3 3 1 1",  # rows repeat
        "1 2 3 2 3 1 3 1 3",
        "1 1 1 1 3 1 1 1 1",
    ],
)
def test_another_square_is_wrong(completion: str) -> None:
    assert not TASK.check(PROBLEM, completion)


@pytest.mark.parametrize(
    "completion",
    [
        "",
        " ",
        "=",
        "1 2 3 2 3 1 3 1",
        "1 2 3 2 3 1 3 1 2 3",
        "1 2 3 2 3 1 3 1 2 =",
        "123231312",
        "1 . . . 3 . . . .",
        "1 2 4 2 3 1 4 1 2",
        "1 2 3 2 3 1 3 1 02",
        "1 2 3 2 3 1 3 1 \N{FULLWIDTH DIGIT TWO}",
        "<pad> 2 3 2 3 1 3 1 2",
        "\ud800",
        "1 " * 1_000_000,
    ],
)
def test_garbage_is_wrong_and_never_an_exception(completion: str) -> None:
    assert not TASK.check(PROBLEM, completion)


# -- generation -------------------------------------------------------------------------------------------------------


@pytest.mark.untraced
@pytest.mark.parametrize(("size", "num_clues"), [(3, 1), (4, 4), (5, 10), (5, 24), (6, 12)])
def test_every_square_that_is_trained_on_is_right(size: int, num_clues: int) -> None:
    task = Latin(size=size, num_clues=num_clues)
    batch = task.train_batch(300, (1, 2))
    assert batch.shape == (300, task.prompt_tokens + task.output_tokens)
    assert batch.dtype == np.int64
    assert 0 <= batch.min()
    assert batch.max() < task.vocab_size
    assert PAD not in batch
    assert (batch[:, -1] == EOS).all()
    assert (batch[:, :-1] != EOS).all()
    for row in batch:
        prompt, solution = task.decode(row[: task.prompt_tokens]), task.decode(row[task.prompt_tokens :])
        assert prompt.count(".") == size**2 - num_clues
        assert task.check(Problem(id="p", prompt=prompt), solution), (prompt, solution)


@pytest.mark.parametrize(("size", "count"), [(3, 12), (4, 576)])
def test_squares_of_every_kind_are_drawn_alike(size: int, count: int) -> None:
    task = Latin(size=size, num_clues=size**2 // 2)
    batch = task.train_batch(20_000, (0, 0))[:, task.prompt_tokens :]
    _, times = np.unique(batch, axis=0, return_counts=True)
    assert len(times) == count
    assert times.min() > 0.4 * 20_000 / count
    assert times.max() < 2.0 * 20_000 / count


@pytest.mark.untraced
@pytest.mark.parametrize(("size", "count"), [(3, 1), (4, 4), (5, 56), (6, 9408)])
def test_reduced_squares_are_all_found(size: int, count: int) -> None:
    assert len(Latin(size=size, num_clues=1)._reduced) == count  # OEIS A000315


@pytest.mark.untraced
@pytest.mark.parametrize("split", SPLITS)
def test_problems_are_distinct_and_solvable(split: Split) -> None:
    problems = TASK.problems(split, 20)
    assert len({problem.id for problem in problems}) == len(problems) == 20
    for problem in problems:
        assert problem.reference is None
        assert problem.id == problem.prompt.replace(" ", "").removesuffix("=")
        assert any(TASK.check(problem, " ".join(cells)) for cells in itertools.product("123", repeat=9))


def test_tokens_round_trip() -> None:
    for problem in TASK.problems("validation", 20):
        tokens = TASK.encode_prompt(problem)
        assert len(tokens) == TASK.prompt_tokens
        assert TASK.decode(tokens) == problem.prompt
    assert TASK.decode([*TASK.encode_prompt(PROBLEM)[:2], EOS, PAD]) == "1 ."
    assert TASK.end_token == EOS


# -- splits -----------------------------------------------------------------------------------------------------------


@pytest.mark.untraced
def test_no_training_problem_is_evaluated_or_tested() -> None:
    """On a difficulty so small that the splits are drawn dry, so that any leak would show."""
    validation, test = ({each.id for each in TASK.problems(split, 20)} for split in ("validation", "test"))
    train = ids_of(TASK, np.concatenate([TASK.train_batch(2000, (seed, 0)) for seed in range(3)]))
    assert len(train) > 100
    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.untraced
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_no_seed_moves_a_problem_to_another_split(seed: int) -> None:
    task = Latin(size=4, num_clues=4)
    found = {split: {each.id for each in task.problems(split, 500, seed=seed)} for split in SPLITS}
    other = {split: {each.id for each in task.problems(split, 500, seed=seed + 1)} for split in SPLITS}
    for mine, theirs in itertools.permutations(SPLITS, 2):
        assert not found[mine] & other[theirs]
        assert not found[mine] & found[theirs]


@pytest.mark.untraced
def test_seeds_decide_what_is_drawn() -> None:
    task = Latin()
    assert np.array_equal(task.train_batch(50, (7, 3)), task.train_batch(50, (7, 3)))
    assert not np.array_equal(task.train_batch(50, (7, 3)), task.train_batch(50, (7, 4)))
    assert task.problems("test", 20, seed=1) == task.problems("test", 20, seed=1)
    assert task.problems("test", 20, seed=1) != task.problems("test", 20, seed=2)
    assert task.problems("validation", 10) == task.problems("validation", 50)[:10]


# -- what is refused --------------------------------------------------------------------------------------------------


def test_more_problems_than_there_are_is_refused_with_their_number() -> None:
    with pytest.raises(ArgumentError, match=r"be at most the (\d+) distinct test problems .*; got 1000\. Ask for"):
        TASK.problems("test", 1000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 2}, r"^size must be from 3 to 6; got 2\.$"),
        ({"size": 7}, r"^size must be from 3 to 6; got 7\.$"),
        ({"num_clues": 0}, r"^num_clues must be from 1 to 24; got 0\.$"),
        ({"size": 4, "num_clues": 16}, r"^num_clues must be from 1 to 15; got 16\.$"),
    ],
)
def test_a_difficulty_out_of_range_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Latin(**settings)
