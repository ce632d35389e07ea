"""What is handed to a session: each kind of mistake is refused at the start, with what to hand over instead."""

from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Problem
from breakeven.session.checks import check_parts, check_tokens

PROBLEM = Problem(id="a", prompt="1 + 1")


class Part:
    def sample(self) -> None: ...

    def check(self) -> None: ...

    def score(self) -> None: ...


def parts(**changes: Any) -> None:
    check_parts(**{"sampler": Part(), "verifier": Part(), "problems": [PROBLEM], "reward_model": Part()} | changes)


def test_parts_of_the_right_shape_pass() -> None:
    parts()
    parts(reward_model=None, problems=(PROBLEM,))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampler": lambda: None}, r"^sampler must have a method sample; got <function .* Wrap the function: types"),
        ({"sampler": Part}, r"^sampler must have a method sample; .*That is the class: hand over an instance, Part\("),
        ({"verifier": lambda: None}, r"^verifier must have a method check; .*SimpleNamespace\(check=your_function\)"),
        ({"verifier": None}, r"^verifier must have a method check; got None\. It takes an object with check\("),
        ({"reward_model": "judge"}, r"^reward_model must have a method score; got 'judge'"),
        ({"problems": []}, r"^problems must be a sequence of at least one Problem; got \[\]"),
        ({"problems": "1 + 1"}, r"^problems must be a sequence of at least one Problem; got '1 \+ 1'"),
        ({"problems": [{"id": "a"}]}, r"^problems\[0\] must be a Problem; .*Make it one: Problem\(\*\*it\)"),
        ({"problems": [PROBLEM, "b"]}, r"^problems\[1\] must be a Problem; got 'b'\. Use Problem\("),
        ({"problems": [PROBLEM, PROBLEM]}, r"^problems must have different ids; got 'a'\. Samples are functions"),
    ],
)
def test_a_part_of_another_shape_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        parts(**change)


def test_totals_that_count_something_else_are_refused() -> None:
    check_tokens(10, 10 * 32 * 128, 128)
    check_tokens(10, 10 * 100, 128)  # one short sequence a step
    with pytest.raises(ArgumentError, match=r"^train_tokens must count at least one sequence of 128 tokens a step"):
        check_tokens(10, 10 * 32, 128)  # sequences
