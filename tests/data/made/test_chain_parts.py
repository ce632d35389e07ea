"""The parts of a chain: right products and sums, answers that are handed on, and the splits of the whole."""

import numpy as np
import pytest

from breakeven.data.made.chain_parts import ChainProduct, ChainSum
from breakeven.data.splits import EOS
from breakeven.data.task import Task, Voted
from breakeven.errors import ArgumentError
from breakeven.records import Problem

PRODUCT, SUM = ChainProduct(), ChainSum()


@pytest.mark.parametrize("task", [PRODUCT, SUM])
def test_each_is_a_task_whose_answers_are_voted_on(task) -> None:
    assert isinstance(task, Task)
    assert isinstance(task, Voted)


@pytest.mark.parametrize("num_digits", [1, 2, 3])
def test_rows_hold_right_results(num_digits: int) -> None:
    for task, sign in ((ChainProduct(num_digits=num_digits), "*"), (ChainSum(num_digits=num_digits), "+")):
        rows = task.train_batch(64, (0, 1))
        assert rows.shape == (64, task.prompt_tokens + task.output_tokens)
        assert (rows[:, -1] == EOS).all()
        for row in rows:
            prompt = task.decode(row[: task.prompt_tokens].tolist())
            first, second = prompt.replace(" ", "").removesuffix("=").split(sign)
            result = int(first) * int(second) if sign == "*" else int(first) + int(second)
            assert task.answer(task.decode(row[task.prompt_tokens :].tolist())) == str(result)
            assert task.encode_text(prompt) == row[: task.prompt_tokens].tolist()


def test_a_batch_is_a_function_of_its_seed() -> None:
    assert np.array_equal(SUM.train_batch(8, (3, 1)), SUM.train_batch(8, (3, 1)))
    assert not np.array_equal(SUM.train_batch(8, (3, 1)), SUM.train_batch(8, (3, 2)))


def test_a_chain_is_solved_by_its_parts() -> None:
    for chain in PRODUCT.whole.problems("test", 20):
        factors = [prompt.replace(" ", "").removesuffix("=").split("*") for prompt in PRODUCT.prompts(chain)]
        products = [str(int(first) * int(second)) for first, second in factors]
        prompt = SUM.prompt(*products)
        assert len(SUM.encode_text(prompt)) == SUM.prompt_tokens
        assert all(len(PRODUCT.encode_text(each)) == PRODUCT.prompt_tokens for each in PRODUCT.prompts(chain))
        assert str(sum(map(int, products))) == chain.reference


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("2 8 2", "282"),
        ("0 0 0", "0"),
        (" 0 8\n1 ", "81"),
        ("2 8", None),
        ("2 8 2 1", None),
        ("282", None),
        ("2 + 2", None),
        ("", None),
        ("\N{ARABIC-INDIC DIGIT SIX} 2 4", None),
        ("6 " * 100_000, None),
    ],
)
def test_an_answer_is_a_number_with_all_its_digits(completion: str, answer: str | None) -> None:
    assert PRODUCT.answer(completion) == answer
    problem = Problem(id="47*6", prompt="4 7 * 6 =", reference="282")
    assert PRODUCT.check(problem, completion) is (answer == "282")


def test_digits_that_cannot_be_are_refused_by_the_whole() -> None:
    with pytest.raises(ArgumentError, match=r"num_digits must be from 1 to 6; got 7\."):
        ChainProduct(num_digits=7).train_batch(1, (0,))
