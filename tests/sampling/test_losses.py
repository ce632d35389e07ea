"""The validation loss of a sampler: what it is asked, what it may answer, and what is charged."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import SamplerError
from breakeven.records import Prefix, Problem
from breakeven.records.protocols import LossSampler
from breakeven.sampling.losses import LOSS_PROBLEMS, validation_loss
from breakeven.testing import RateSampler

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)
PROBLEMS = [
    Problem(id="a", prompt="1 + 1 =", reference="2", solution="2"),
    Problem(id="b", prompt="2 + 2 =", reference="4"),
    Problem(id="c", prompt="3 + 3 =", solution=" 6"),
]


class Told:
    """A sampler that gives the losses it is made with, and remembers what it was asked."""

    def __init__(self, losses: Sequence[object]) -> None:
        self.losses, self.asked = losses, list[Prefix]()
        self.sample = RateSampler({"a": 1.0}).sample

    def solution_losses(self, prefixes: Sequence[Prefix]) -> list[Any]:
        self.asked.extend(prefixes)
        return [np.array(each) for each in self.losses]


def measured(sampler: Any, problems: Sequence[Problem] = PROBLEMS) -> Any:
    return validation_loss(sampler, problems, prompt_tokens_P=[4, 5, 6][: len(problems)], cost=COST)


def test_only_solutions_that_are_known_are_asked_for_and_nothing_else_is_shown() -> None:
    sampler = Told([[1.0, 3.0], [2.0]])
    assert isinstance(sampler, LossSampler)
    loss = measured(sampler)
    assert [each.text for each in sampler.asked] == ["2", " 6"]
    assert [each.problem for each in sampler.asked] == [PROBLEMS[0].hidden, PROBLEMS[2].hidden]
    assert all(each.problem.reference is each.problem.solution is None for each in sampler.asked)
    assert (loss.mean, loss.num_tokens, loss.mean_P) == (2.0, 3, (2.0, None, 2.0))


def test_charged_is_the_forward_pass_of_prompt_and_solution() -> None:
    # 4 prompt tokens and 2 - 1 fed: 5 through the body, the head at 2 of them, 15 attended pairs; then 6 + 0, 1 and 21.
    first = 2 * 100 * 5 + 2 * 10 * 2 + 4 * 5 * 15
    second = 2 * 100 * 6 + 2 * 10 * 1 + 4 * 5 * 21
    assert measured(Told([[1.0, 3.0], [2.0]])).flops == first + second


def test_a_solution_that_does_not_fit_is_left_out_and_not_charged() -> None:
    loss = measured(Told([[], [2.0]]))
    assert loss.mean_P == (None, None, 2.0)
    assert loss.flops == 2 * 100 * 6 + 2 * 10 + 4 * 5 * 21
    assert measured(Told([[], []])) is None


def test_no_more_solutions_are_read_than_a_mean_needs() -> None:
    many = [Problem(id=str(number), prompt="1", solution="1") for number in range(LOSS_PROBLEMS + 5)]
    sampler = Told([[1.0]] * LOSS_PROBLEMS)
    loss = validation_loss(sampler, many, prompt_tokens_P=[4] * len(many), cost=COST)
    assert loss is not None
    assert [each.problem.id for each in sampler.asked] == [each.id for each in many[:LOSS_PROBLEMS]]
    assert loss.mean_P == (1.0,) * LOSS_PROBLEMS + (None,) * 5
    assert loss.flops == LOSS_PROBLEMS * COST.prefill_flops(4)


def test_without_solutions_or_a_sampler_that_can_tell_there_is_none() -> None:
    assert not isinstance(RateSampler({"a": 1.0}), LossSampler)
    assert measured(RateSampler({"a": 1.0})) is None
    sampler = Told([])
    assert measured(sampler, [each.hidden for each in PROBLEMS]) is None
    assert not sampler.asked


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([[1.0]], "must return the losses of 2 solutions; got 1"),
        ([[1.0], [float("nan")]], r"at least 0 a token; got \[nan\] for problem 'c'"),
        ([[-1.0], [1.0]], r"got \[-1.0\] for problem 'a'"),
        ([[[1.0]], [1.0]], r"one finite number of at least 0 a token"),
        ([[1.0], [float("inf")]], r"got \[inf\]"),
    ],
)
def test_losses_that_cannot_be_are_refused(losses: list, message: str) -> None:
    with pytest.raises(SamplerError, match=message):
        measured(Told(losses))
