"""What the Countdown task promises: an exact checker, solvable problems, splits that never mix."""

import itertools
import time
from fractions import Fraction

import numpy as np
import pytest

from breakeven.data.made.arithmetic import evaluate_expression
from breakeven.data.made.countdown import Countdown
from breakeven.data.splits import EOS, PAD, Split
from breakeven.errors import ArgumentError
from breakeven.records import Problem

EASY = Countdown(num_numbers=3, max_number=12)
PROBLEM = Problem(id="3+4+7=40", prompt="3 7 4 -> 40 =")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def numbers_of(text: str) -> list[int]:
    return [int(word) for word in text.split() if word.isdigit()]


# -- the checker ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "completion",
    [
        "( 3 + 7 ) * 4",
        "(3+7)*4",
        "4*(7+3)",
        "  ( ( (3) + 7 ) ) * ( 4 )\n",
    ],
)
def test_a_solution_is_right_however_it_is_written(completion: str) -> None:
    assert EASY.check(PROBLEM, completion)


@pytest.mark.parametrize(
    "completion",
    [
        "4 * 10",  # 40, but 10 was not given
        "4 * 7 + 3 * 4",  # 40, but 4 is used twice
        "( 3 + 7 ) * 4 + 0",  # 40, with a number too many
        "( 3 + 7 ) * 4 * 1",
        "7 * 4",  # a number too few
        "40",
        "3 + 7 * 4",  # 31: products bind first
        "( 3 + 7 ) + 4",
        "(3+7)*4.0",
        "(3+7)*4 = 40",
        "40 = (3+7)*4",
        "3 7 4",
        "37 + 4",
        "(3+7)(4)",
    ],
)
def test_anything_else_is_wrong(completion: str) -> None:
    assert not EASY.check(PROBLEM, completion)


@pytest.mark.parametrize("completion", ["", " ", "\n", "=", "()", "((3+7)*4", "(3+7)*4)", "+", "3 +", "* 3 7 4"])
def test_half_an_expression_is_wrong(completion: str) -> None:
    assert not EASY.check(PROBLEM, completion)


@pytest.mark.parametrize(
    "completion",
    [
        "__import__('os').getcwd() 3 7 4",
        "(3+7)**4",
        "(3+7)//4",
        "max(3, 7) * 4",
        "3 \N{MULTIPLICATION SIGN} 7 + 4",
        "\0(3+7)*4",
        "<eos>",
        "\ud800",
        "3e0 + 7 4",
        "0x3 + 7 + 4",
    ],
)
def test_garbage_is_wrong_and_never_an_exception(completion: str) -> None:
    assert not EASY.check(PROBLEM, completion)


@pytest.mark.parametrize(
    ("three", "name"), [("\u0663", "ARABIC-INDIC"), ("\uff13", "FULLWIDTH"), ("\u00b3", "SUPERSCRIPT")]
)
def test_digits_of_other_scripts_are_wrong(three: str, name: str) -> None:
    assert three.isdigit(), name
    assert not EASY.check(PROBLEM, f"( {three} + 7 ) * 4")
    assert not EASY.check(PROBLEM, f"( 3 + 7 ) * 4 + {three} - {three}")


def test_signs_belong_between_numbers() -> None:
    assert EASY.check(Problem(id="p", prompt="3 7 4 -> 8 ="), "7 - 3 + 4")
    for completion in ("- 3 + 7 + 4", "7 + 4 + - 3", "7 + (-3) + 4", "+7 - 3 + 4"):
        assert not EASY.check(Problem(id="p", prompt="3 7 4 -> 8 ="), completion), completion


def test_division_is_exact() -> None:
    problem = Problem(id="p", prompt="8 3 9 -> 24 =")
    assert EASY.check(problem, "8 / 3 * 9")
    assert EASY.check(problem, "8 / ( 3 / 9 )")
    assert not EASY.check(Problem(id="p", prompt="7 2 4 -> 7 ="), "7 / 2 + 4")  # 7.5
    assert not EASY.check(Problem(id="p", prompt="1 3 3 -> 1 ="), "1 / 3 / 3")


def test_division_by_zero_is_wrong() -> None:
    assert not EASY.check(Problem(id="p", prompt="5 5 4 -> 4 ="), "4 / ( 5 - 5 )")


@pytest.mark.parametrize(
    ("expression", "value"),
    [("8 - 2 - 3", 3), ("8 / 2 / 2", 2), ("2 + 3 * 4", 14), ("8 - 6 / 2", 5), ("8 - ( 2 - 3 )", 9), ("6 / 4 * 2", 3)],
)
def test_operators_bind_and_group_as_at_school(expression: str, value: int) -> None:
    assert evaluate_expression(expression) == (Fraction(value), numbers_of(expression))


def test_a_negative_value_on_the_way_is_allowed() -> None:
    assert EASY.check(Problem(id="p", prompt="3 7 9 -> 5 ="), "3 - 7 + 9")


@pytest.mark.parametrize(
    "completion",
    [
        "(" * 100_000 + "(3+7)*4" + ")" * 100_000,
        "(" * 1_000_000,
        "3" * 1_000_000,
        "3+7*4 " * 100_000,
        "9*" * 200_000 + "9",
        "1/3+1/7+" * 100_000 + "4",
        "(3+7)*4" + " " * 1_000_000 + "x",
    ],
    ids=["deep", "open", "long number", "repeated", "huge product", "huge fraction", "long tail"],
)
def test_deep_or_huge_text_is_wrong_at_once(completion: str) -> None:
    started = time.process_time()
    assert not EASY.check(PROBLEM, completion)
    assert time.process_time() - started < 5.0  # evaluated in full, the product alone takes longer


# -- generation -------------------------------------------------------------------------------------------------------


@pytest.mark.untraced
@pytest.mark.parametrize("num_numbers", [2, 3, 4, 5])
def test_every_solution_that_is_trained_on_is_right(num_numbers: int) -> None:
    task = Countdown(num_numbers=num_numbers, max_number=20)
    batch = task.train_batch(500, (1, 2))
    assert batch.shape == (500, task.prompt_tokens + task.output_tokens)
    assert batch.dtype == np.int64
    assert 0 <= batch.min()
    assert batch.max() < task.vocab_size
    assert PAD not in batch
    for row in batch:
        prompt, solution = task.decode(row[: task.prompt_tokens]), task.decode(row[task.prompt_tokens :])
        assert task.check(Problem(id="p", prompt=prompt), solution), (prompt, solution)
    assert (batch[:, -1] == EOS).all()
    assert (batch[:, :-1] != EOS).all()


@pytest.mark.untraced
@pytest.mark.parametrize("split", SPLITS)
def test_problems_are_distinct_and_solvable(split: Split) -> None:
    problems = EASY.problems(split, 40)
    assert len({problem.id for problem in problems}) == len(problems) == 40
    for problem in problems:
        *numbers, target = numbers_of(problem.prompt)
        assert problem.id == f"{'+'.join(map(str, sorted(numbers)))}={target}"
        assert problem.reference is None
        assert any(
            EASY.check(problem, completion)
            for a, b, c in itertools.permutations(numbers)
            for f, g in itertools.product("+-*/", repeat=2)
            for completion in (f"({a} {f} {b}) {g} {c}", f"{a} {f} ({b} {g} {c})")
        )


def test_the_prompt_does_not_give_the_order_away() -> None:
    batch = EASY.train_batch(500, (0, 0))
    in_order = [
        numbers_of(EASY.decode(row[: EASY.prompt_tokens]))[:3] == numbers_of(EASY.decode(row[EASY.prompt_tokens :]))
        for row in batch
    ]
    assert 0.1 < np.mean(in_order) < 0.35  # 1 in 6 orders, more where numbers repeat


def test_tokens_round_trip() -> None:
    for problem in EASY.problems("validation", 50):
        tokens = EASY.encode_prompt(problem)
        assert len(tokens) == EASY.prompt_tokens
        assert EASY.decode(tokens) == problem.prompt
    for row in EASY.train_batch(50, (0, 1)):
        prompt = EASY.decode(row[: EASY.prompt_tokens])
        assert EASY.encode_prompt(Problem(id="p", prompt=prompt)) == row[: EASY.prompt_tokens].tolist()


def test_text_ends_at_the_first_end_token() -> None:
    three = EASY.encode_prompt(PROBLEM)[0]
    assert EASY.decode([three, EOS, three]) == "3"
    assert EASY.decode([EOS]) == EASY.decode([]) == ""


# -- splits -----------------------------------------------------------------------------------------------------------


def ids_of(task: Countdown, rows: np.ndarray) -> set[str]:
    prompts = (numbers_of(task.decode(row[: task.prompt_tokens])) for row in rows)
    return {f"{'+'.join(map(str, sorted(numbers)))}={target}" for *numbers, target in prompts}


@pytest.mark.untraced
def test_no_training_problem_is_evaluated_or_tested() -> None:
    """On a difficulty so small that the splits are drawn dry, so that any leak would show."""
    task = Countdown(num_numbers=2, max_number=12)
    validation, test = ({each.id for each in task.problems(split, 40)} for split in ("validation", "test"))
    train = ids_of(task, np.concatenate([task.train_batch(1000, (seed, 0)) for seed in range(5)]))
    assert len(train) > 100
    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.untraced
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_no_seed_moves_a_problem_to_another_split(seed: int) -> None:
    found = {split: {each.id for each in EASY.problems(split, 300, seed=seed)} for split in SPLITS}
    trained = ids_of(EASY, np.concatenate([EASY.train_batch(2000, (seed, step)) for step in range(3)]))
    other = {split: {each.id for each in EASY.problems(split, 300, seed=seed + 1)} for split in SPLITS}
    for mine, theirs in itertools.permutations(SPLITS, 2):
        assert not found[mine] & other[theirs]
        assert not found[mine] & found[theirs]
    assert not trained & (found["validation"] | found["test"] | other["validation"] | other["test"])


def test_the_order_of_the_numbers_does_not_move_a_problem() -> None:
    orders = {(*numbers,) for numbers in itertools.permutations((3, 7, 11))}
    buckets = EASY._bucket(np.array(sorted(orders)), np.full(len(orders), 40))
    assert len(orders) == 6
    assert len(set(buckets.tolist())) == 1


def test_a_larger_difficulty_keeps_the_splits_of_a_smaller_one() -> None:
    larger = Countdown(num_numbers=3, max_number=20)
    evaluated = {each.id for split in ("validation", "test") for each in EASY.problems(split, 300)}
    assert not evaluated & ids_of(larger, larger.train_batch(5000, (0, 0)))


@pytest.mark.untraced
def test_seeds_decide_what_is_drawn() -> None:
    assert np.array_equal(EASY.train_batch(50, (7, 3)), EASY.train_batch(50, (7, 3)))
    assert not np.array_equal(EASY.train_batch(50, (7, 3)), EASY.train_batch(50, (7, 4)))
    assert not np.array_equal(EASY.train_batch(50, (7, 3)), EASY.train_batch(50, (8, 3)))
    assert EASY.problems("test", 20, seed=1) == EASY.problems("test", 20, seed=1)
    assert EASY.problems("test", 20, seed=1) != EASY.problems("test", 20, seed=2)


def test_fewer_problems_are_the_first_of_more() -> None:
    assert EASY.problems("validation", 10) == EASY.problems("validation", 50)[:10]


# -- what is refused --------------------------------------------------------------------------------------------------


def test_more_problems_than_there_are_is_refused_with_their_number() -> None:
    task = Countdown(num_numbers=2, max_number=3)
    with pytest.raises(ArgumentError, match=r"be at most the (\d+) distinct test problems .*; got 1000\."):
        task.problems("test", 1000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_numbers": 1}, r"^num_numbers must be from 2 to 5; got 1\.$"),
        ({"num_numbers": 6}, r"^num_numbers must be from 2 to 5; got 6\.$"),
        ({"max_number": 1}, r"^max_number must be from 2 to 999; got 1\.$"),
        ({"max_number": 1000}, r"^max_number must be from 2 to 999; got 1000\.$"),
        ({"max_target": 0}, r"^max_target must be from 1 to 9999; got 0\.$"),
        ({"max_target": 10_000}, r"^max_target must be from 1 to 9999; got 10000\.$"),
    ],
)
def test_a_difficulty_out_of_range_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Countdown(**settings)


def test_the_largest_difficulty_is_accepted_and_checked() -> None:
    task = Countdown(num_numbers=2, max_number=999, max_target=9999)
    for problem in task.problems("validation", 5):
        assert task.decode(task.encode_prompt(problem)) == problem.prompt
    assert task.check(Problem(id="p", prompt="101 99 -> 9999 ="), "101 * 99")
