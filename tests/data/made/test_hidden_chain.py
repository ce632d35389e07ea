"""A chain whose steps are hidden: what is shown, what leaks, and thoughts that are none."""

import numpy as np
import pytest

from breakeven.data.made.chain import Chain
from breakeven.data.made.hidden_chain import HiddenChain
from breakeven.data.task import Task, Voted
from breakeven.errors import ArgumentError
from breakeven.records import Problem

AT_ONCE = HiddenChain()
STEPS = HiddenChain(thought="steps")
PAUSES = HiddenChain(thought="pauses", num_pauses=4)
PROBLEM = Problem(id="47*6+38*9", prompt="4 7 * 6 + 3 8 * 9 =", reference="624")


@pytest.mark.parametrize("task", [AT_ONCE, STEPS, PAUSES])
def test_each_is_a_task_whose_answers_are_voted_on(task) -> None:
    assert isinstance(task, Task)
    assert isinstance(task, Voted)


@pytest.mark.parametrize("num_terms", [2, 3])
@pytest.mark.parametrize("thought", ["none", "pauses", "steps"])
def test_rows_are_right_and_show_nothing_of_a_thought(num_terms, thought) -> None:
    task = HiddenChain(num_terms=num_terms, thought=thought, num_pauses=3 if thought == "pauses" else 0)
    rows = task.train_batch(32, (0, 1))
    assert rows.shape == (32, task.prompt_tokens + task.output_tokens)
    for row in rows:
        prompt, solution = (task.decode(part.tolist()) for part in np.split(row, [task.prompt_tokens]))
        terms = prompt.replace("<pause>", "").replace(" ", "").removesuffix("=").split("+")
        total = sum(int(first) * int(second) for first, second in (each.split("*") for each in terms))
        assert task.answer(solution) == str(total)
        assert not task.leaks(solution)
        assert ("</think>" in solution) == (thought == "steps")
        assert prompt.count("<pause>") == task.num_pauses


def test_problems_are_those_of_the_chain_and_keep_their_splits() -> None:
    ids = [[each.id for each in task.problems("test", 20)] for task in (AT_ONCE, STEPS, PAUSES, Chain())]
    assert ids[0] == ids[1] == ids[2] == ids[3]
    assert {each.reference for each in AT_ONCE.problems("test", 20)} == {
        each.reference for each in Chain().problems("test", 20)
    }


@pytest.mark.parametrize(
    ("completion", "answer", "leaks"),
    [
        ("3 4 2 + 2 8 2 </think> 0 6 2 4", "624", False),
        ("0 6 2 4", "624", False),  # no thought at all
        ("+ + </think> 0 6 2 4", "624", False),  # whatever is thought
        ("3 4 2 + 2 8 2 = 0 6 2 4", None, True),  # never ended
        ("3 4 2 + 2 8 2", None, True),
        ("2 8 2 </think> 3 4 2 = 0 6 2 4", None, True),  # goes on in the answer
        ("2 8 2 </think> </think> 0 6 2 4", None, True),
        ("2 8 2 </think> <pause> 0 6 2 4", None, True),
        ("2 8 2 </think> 0 6 2", None, False),  # shows nothing, and is no answer
        ("2 8 2 </think>", None, False),
        ("", None, False),
    ],
)
def test_a_thought_that_leaks_is_wrong(completion, answer, leaks) -> None:
    for task in (STEPS, AT_ONCE):
        assert task.answer(completion) == answer
        assert task.leaks(completion) is leaks
        assert task.check(PROBLEM, completion) is (answer == "624")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"thought": "pauses"}, r"num_pauses must be at least 1 where the thought is pauses; got 0\. No pauses are no"),
        ({"num_pauses": 4}, r"num_pauses must be 0 where the thought is none; got 4\. Or: thought = \"pauses\""),
        ({"thought": "aloud"}, 'thought must be "none", "pauses" or "steps"; got \'aloud\''),
        ({"num_terms": 1}, "num_terms must be from 2 to 5; got 1"),
    ],
)
def test_what_is_no_thought_is_refused(settings, message) -> None:
    with pytest.raises(ArgumentError, match=message):
        HiddenChain(**settings)
