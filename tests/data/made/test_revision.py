"""Revision: attempts before a problem, half of them right."""

import numpy as np
import pytest

from breakeven.data.made.chain import Chain
from breakeven.data.made.revision import Revision
from breakeven.data.task import Task


def value(text: str) -> int:
    return int(text.replace(" ", ""))


@pytest.mark.parametrize(("num_terms", "num_digits"), [(2, 1), (2, 2), (3, 1)])
def test_attempts_are_solutions_of_which_half_have_a_wrong_product(num_terms: int, num_digits: int) -> None:
    task = Revision(solved=Chain(num_terms=num_terms, num_digits=num_digits), most_attempts=3)
    assert isinstance(task, Task)
    rows = task.rows(200, (0, 1), 3)
    assert rows.shape == (200, task.prompt_tokens + task.output_tokens)
    right, first_order = list[bool](), list[bool]()
    for row in rows:
        shown = [row[at * task.attempt_tokens : (at + 1) * task.attempt_tokens] for at in range(3)]
        own = task.decode(row[task.prompt_tokens :].tolist())
        for each in shown:
            text = task.decode(each.tolist())
            assert task.can_be_shown(text)
            first, *later = text.split(" + ")
            products = [value(first), *(value(step.split(" = ")[0]) for step in later)]
            totals = [value(step.split(" = ")[1]) for step in later]
            assert totals == np.cumsum(products).tolist()[1:]  # the sum follows a wrong product
            assert all(0 <= product < 10 ** (num_digits + 1) for product in products)
            right.append(task.answer(text) == task.answer(own))
        first_order.append(task.decode(shown[-1].tolist()).split()[: num_digits + 1] == own.split()[: num_digits + 1])
    assert 0.42 < np.mean(right) < 0.58
    assert (
        np.mean(first_order) > 0.6
    )  # the last attempt has the order of the solution; a wrong product may be the first


def test_a_batch_follows_from_its_seed_and_its_solutions_are_those_of_the_chain() -> None:
    task = Revision(solved=Chain(num_terms=2, num_digits=1))
    assert (task.rows(8, (3, 4), 2) == task.rows(8, (3, 4), 2)).all()
    assert (task.rows(8, (3, 4), 0) == task.solved.train_batch(8, (3, 4))).all()
    assert (task.train_batch(8, (3, 4))[:, 3 * task.attempt_tokens :] == task.solved.train_batch(8, (3, 4))).all()


def test_a_prompt_shows_attempts_before_the_problem() -> None:
    task = Revision(solved=Chain(num_terms=2, num_digits=1))
    (problem,) = task.problems("test", 1)
    prompt = task.prompt(problem, ["0 6 + 4 2 = 0 4 8", problem.solution or ""])
    tokens = task.encode_text(prompt)
    assert len(tokens) == task.prompt_tokens_of(2)
    assert task.decode(tokens) == f"0 6 + 4 2 = 0 4 8 {problem.solution} {problem.prompt}"
    assert task.prompt(problem, []) == problem.prompt
    assert task.check(problem, problem.solution or "")


@pytest.mark.parametrize(
    "text", ["", "0 6 + 4 2 = 0 4", "0 6 + 4 2 0 4 8 =", "6 + 4 2 = 0 4 8", "<pad> 6 + 4 2 = 0 4 8"]
)
def test_what_has_not_the_form_of_a_solution_is_shown_to_nobody(text: str) -> None:
    task = Revision(solved=Chain(num_terms=2, num_digits=1))
    assert task.can_be_shown("0 6 + 4 2 = 0 4 8")
    assert not task.can_be_shown(text)
