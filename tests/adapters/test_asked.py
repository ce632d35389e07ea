"""What a user names, as problems, verifier and answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from breakeven.adapters.asked import asked_from
from breakeven.data.named import task_from
from breakeven.errors import ArgumentError
from breakeven.records import Problem


def ask(**changes: Any):
    usual: dict[str, Any] = {
        "task": None, "problems": (), "is_right": None, "extract": None, "test_problems": (), "num_problems": 10,
        "verified": False, "seed": 0,
    }  # fmt: skip
    return asked_from(**usual | changes)


@pytest.fixture
def file(tmp_path: Path) -> str:
    rows = [json.dumps({"question": f"{n} + 1?", "answer": f"so #### {n + 1}"}) for n in range(30)]
    (tmp_path / "validation.jsonl").write_text("\n".join(rows) + "\n")
    return f"gsm8k:{tmp_path / 'validation.jsonl'}"


def test_a_task_brings_its_checker_its_answers_and_its_limits(file: str) -> None:
    asked, task = ask(task=file), task_from(file)
    assert len(asked.problems) == 10
    assert set(asked.problems) <= set(task.problems)
    assert asked.verifier.check(asked.problems[0], f"#### {asked.problems[0].reference}")
    assert (asked.max_tokens, asked.stop) == (task.max_tokens, task.stop)
    assert asked.answers is not None


def test_a_task_as_an_object_is_asked_as_one_by_name(file: str) -> None:
    assert ask(task=task_from(file)).problems == ask(task=file).problems


def test_a_verified_task_has_as_many_other_problems_for_the_test(file: str) -> None:
    asked = ask(task=file, verified=True)
    assert len(asked.problems) == len(asked.test_problems) == 10
    assert not {each.id for each in asked.problems} & {each.id for each in asked.test_problems}


def test_problems_may_be_prompts_fields_or_problems() -> None:
    whole = Problem(id="mine", prompt="c", reference="d")
    asked = ask(problems=["a", {"prompt": "b", "reference": "x"}, whole], is_right=lambda problem, text: text == "x")
    assert asked.problems == (Problem(id="0", prompt="a"), Problem(id="1", prompt="b", reference="x"), whole)
    assert asked.verifier.check(whole, "x")
    assert not asked.verifier.check(whole, "y")
    assert asked.answers is None


@pytest.mark.parametrize("given", [{"problems": ["a"]}, {"is_right": bool}, {}])
def test_half_of_it_is_refused(given: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^task must be given, or else both problems and is_right; got"):
        ask(**given)


def test_what_is_no_task_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^task must be a name or a breakeven\.data\.task\.TextTask; got 3"):
        ask(task=3)
