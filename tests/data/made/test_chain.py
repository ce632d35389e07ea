"""What the Chain task promises: right steps and totals, an answer to vote on, splits that never mix."""

import itertools

import numpy as np
import pytest

from breakeven.data.made.chain import Chain
from breakeven.data.splits import EOS, PAD, Split
from breakeven.errors import ArgumentError
from breakeven.records import Problem

TASK = Chain()
PROBLEM = Problem(id="38*9+47*6", prompt="4 7 * 6 + 3 8 * 9 =", reference="624")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def ids_of(task: Chain, rows: np.ndarray) -> set[str]:
    return {task._problem(row).id for row in rows}


# -- the answer and its check -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("2 8 2 + 3 4 2 = 0 6 2 4", "624"),
        ("9 9 9 + 9 9 9 = 0 6 2 4", "624"),  # wrong steps
        ("= 6 2 4", "624"),
        ("2 8 2 = 3 4 2 = 0624\n", "624"),
        ("2 8 2 + 3 4 2 = 0 0 0 0", "0"),
        ("2 8 2 + 3 4 2 = 1 6 2 4", "1624"),
    ],
)
def test_the_answer_is_the_total_whatever_the_steps(completion: str, answer: str) -> None:
    assert TASK.answer(completion) == answer
    assert TASK.check(PROBLEM, completion) == (answer == "624")


@pytest.mark.parametrize(
    "completion",
    [
        "",
        " ",
        "=",
        "0 6 2 4",
        "2 8 2 + 3 4 2 =",
        "2 8 2 + 3 4 2 = 0 6 + 4",
        "2 8 2 + 3 4 2 = 0 6 2 4 =",
        "2 8 2 + 3 4 2 = 0 0 6 2 4",
        "= - 6 2 4",
        "= 624.0",
        "= <pad> 6 2 4",
        "= \N{ARABIC-INDIC DIGIT SIX} 2 4",
        "= \N{SUPERSCRIPT TWO}",
        "\ud800 = \ud800",
        "= " + "6 " * 100_000,
        "=" * 100_000,
    ],
)
def test_a_malformed_completion_has_no_answer_and_is_wrong(completion: str) -> None:
    assert TASK.answer(completion) is None
    assert not TASK.check(PROBLEM, completion)


def test_without_a_reference_nothing_is_right() -> None:
    assert not TASK.check(Problem(id="p", prompt=PROBLEM.prompt), "2 8 2 + 3 4 2 = 0 6 2 4")
    assert not TASK.check(Problem(id="p", prompt=PROBLEM.prompt), "no answer")


# -- generation -------------------------------------------------------------------------------------------------------


@pytest.mark.untraced
@pytest.mark.parametrize(("num_terms", "num_digits"), [(2, 1), (2, 2), (3, 2), (4, 3), (5, 6)])
def test_every_solution_that_is_trained_on_is_right(num_terms: int, num_digits: int) -> None:
    task = Chain(num_terms=num_terms, num_digits=num_digits)
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
        terms = prompt.replace(" ", "").removesuffix("=").split("+")
        products = [int(first) * int(second) for first, second in (term.split("*") for term in terms)]
        first, *steps = solution.replace(" ", "").split("+")
        taken, total = [int(first)], int(first)
        for product, subtotal in (map(int, step.split("=")) for step in steps):
            taken.append(product)
            total += product
            assert subtotal == total
        assert sorted(taken) == sorted(products)
        reference = str(sum(products))
        assert task.answer(solution) == reference
        assert task.check(Problem(id="p", prompt=prompt, reference=reference), solution)


@pytest.mark.untraced
@pytest.mark.parametrize("split", SPLITS)
def test_problems_are_distinct_and_hold_the_total(split: Split) -> None:
    problems = TASK.problems(split, 100)
    assert len({problem.id for problem in problems}) == len(problems) == 100
    for problem in problems:
        terms = problem.prompt.replace(" ", "").removesuffix("=").split("+")
        assert problem.id == "+".join(sorted(terms))
        assert problem.reference == str(sum(int(a) * int(b) for a, b in (term.split("*") for term in terms)))


def test_the_products_are_taken_in_any_order() -> None:
    in_order = []
    for row in TASK.train_batch(500, (0, 0)):
        prompt, solution = TASK.decode(row[: TASK.prompt_tokens]), TASK.decode(row[TASK.prompt_tokens :])
        factor, other = prompt.partition(" +")[0].replace(" ", "").split("*")
        in_order.append(int(factor) * int(other) == int(solution.partition(" +")[0].replace(" ", "")))
    assert 0.4 < np.mean(in_order) < 0.6


def test_tokens_round_trip() -> None:
    for problem in TASK.problems("validation", 50):
        tokens = TASK.encode_prompt(problem)
        assert len(tokens) == TASK.prompt_tokens
        assert TASK.decode(tokens) == problem.prompt
    assert TASK.decode([*TASK.encode_prompt(PROBLEM)[:2], EOS, PAD]) == "4 7"
    assert TASK.end_token == EOS


# -- splits -----------------------------------------------------------------------------------------------------------


@pytest.mark.untraced
def test_no_training_problem_is_evaluated_or_tested() -> None:
    """On a difficulty so small that the splits are drawn dry, so that any leak would show."""
    task = Chain(num_terms=2, num_digits=1)
    validation, test = ({each.id for each in task.problems(split, 250)} for split in ("validation", "test"))
    train = ids_of(task, np.concatenate([task.train_batch(2000, (seed, 0)) for seed in range(5)]))
    assert len(train) > 1000
    assert not train & validation
    assert not train & test
    assert not validation & test


@pytest.mark.untraced
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_no_seed_moves_a_problem_to_another_split(seed: int) -> None:
    task = Chain(num_terms=2, num_digits=1)
    found = {split: {each.id for each in task.problems(split, 200, seed=seed)} for split in SPLITS}
    other = {split: {each.id for each in task.problems(split, 200, seed=seed + 1)} for split in SPLITS}
    for mine, theirs in itertools.permutations(SPLITS, 2):
        assert not found[mine] & other[theirs]
        assert not found[mine] & found[theirs]


def test_the_order_of_the_terms_does_not_move_a_problem() -> None:
    orders = np.array(list(itertools.permutations((47, 38, 12))))
    buckets = Chain(num_terms=3)._bucket(orders, orders % 7 + 2)
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
        Chain(num_terms=2, num_digits=1).problems("test", 1000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_terms": 1}, r"^num_terms must be from 2 to 5; got 1\.$"),
        ({"num_terms": 6}, r"^num_terms must be from 2 to 5; got 6\.$"),
        ({"num_digits": 0}, r"^num_digits must be from 1 to 6; got 0\.$"),
        ({"num_digits": 7}, r"^num_digits must be from 1 to 6; got 7\.$"),
    ],
)
def test_a_difficulty_out_of_range_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Chain(**settings)
