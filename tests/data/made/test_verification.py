"""Verification: prompts as a judge shows them, completions that end in a verdict, and rows to learn from."""

import numpy as np
import pytest

from breakeven.data.made.chain import Chain
from breakeven.data.made.verification import TEMPLATE, VERDICTS, Verification
from breakeven.data.splits import EOS, PAD
from breakeven.data.task import Task
from breakeven.errors import ArgumentError
from breakeven.records import Completion, Draw, Finish, Prefix, Problem
from breakeven.sampling.reward_models.judge import LMJudge, read_verdict

CHAIN = Chain(num_terms=2, num_digits=1)
TASK = Verification(solved=CHAIN)
PROBLEM = Problem(id="7*6+3*9", prompt="7 * 6 + 3 * 9 =", reference="69")
SOLUTION = "4 2 + 2 7 = 0 6 9"


def test_it_is_a_task_of_the_reference_model() -> None:
    assert isinstance(TASK, Task)
    assert TASK.vocab_size == CHAIN.vocab_size + 2
    assert (TASK.prompt_tokens, TASK.output_tokens) == (8 + 10, 11)


@pytest.mark.parametrize("solution", [SOLUTION, "", "4 <pad> 2 =", "4 2 + 2 7 = 0 6 9 9"])
def test_a_judges_question_is_problem_and_solution_filled_up(solution: str) -> None:
    asked = []

    class Sampler:
        def sample(self, problems, num_samples, **_):
            asked.extend(problems)
            said = Completion(text=VERDICTS[1], output_tokens=2, finish=Finish.STOP)
            return [Draw(prompt_tokens=1, completions=(said,) * num_samples) for _ in problems]

    (reward,) = LMJudge(Sampler(), template=TEMPLATE).score([Prefix(problem=PROBLEM, text=solution)])
    assert reward.verdicts == "1"
    tokens = TASK.encode_prompt(asked[0])
    expected = CHAIN.encode_text(f"{PROBLEM.prompt} {solution}")
    assert tokens == expected + [PAD] * (TASK.prompt_tokens - len(expected))


def test_a_completion_reads_as_a_verdict_and_is_encoded_as_it_was() -> None:
    for word, verdict in zip(VERDICTS, "01", strict=True):
        tokens = [*CHAIN.encode_text(SOLUTION), CHAIN.vocab_size + int(verdict), EOS]
        text = TASK.decode(tokens)
        assert text == f"{SOLUTION} \n{word}"
        assert read_verdict(text) == verdict
        assert TASK.encode_text(text) == tokens[:-1]
    assert read_verdict(TASK.decode(CHAIN.encode_text(SOLUTION))) == "?"
    assert TASK.decode([CHAIN.vocab_size, EOS]) == VERDICTS[0]


def test_rows_are_problem_proposal_own_solution_and_verdict() -> None:
    batch = CHAIN.train_batch(4, (0, 1))
    proposed = np.full((4, CHAIN.output_tokens), PAD)
    right = np.array([True, False, False, True])
    rows = TASK.rows(batch, proposed, right)
    assert rows.shape == (4, TASK.prompt_tokens + TASK.output_tokens)
    assert rows[:, : CHAIN.prompt_tokens].tolist() == batch[:, : CHAIN.prompt_tokens].tolist()
    assert (rows[:, CHAIN.prompt_tokens : TASK.prompt_tokens] == PAD).all()
    assert rows[:, TASK.prompt_tokens : -2].tolist() == batch[:, CHAIN.prompt_tokens : -1].tolist()
    assert (rows[:, -2] - CHAIN.vocab_size).tolist() == [1, 0, 0, 1]
    assert (rows[:, -1] == EOS).all()


def test_its_own_batches_hold_right_solutions_and_those_of_other_problems() -> None:
    rows = TASK.train_batch(64, (0, 3))
    assert rows.tolist() == TASK.train_batch(64, (0, 3)).tolist()
    for row in rows:
        problem = CHAIN.decode(row[: CHAIN.prompt_tokens].tolist())
        proposed = CHAIN.decode(row[CHAIN.prompt_tokens : TASK.prompt_tokens - 1].tolist())
        answer = CHAIN.answer(CHAIN.decode(row[TASK.prompt_tokens : -2].tolist()))
        says_yes = row[-2] == CHAIN.vocab_size + 1
        right = CHAIN.check(Problem(id="", prompt=problem, reference=answer), proposed)
        assert right or not says_yes
    assert 28 <= (rows[:, -2] > CHAIN.vocab_size).sum() <= 36


def test_its_problems_are_checked_by_their_verdict() -> None:
    problems = TASK.problems("test", 3)
    assert [each.id for each in problems] == [each.id for each in CHAIN.problems("test", 3)]
    for each in problems:
        assert len(TASK.encode_prompt(each)) == TASK.prompt_tokens
        assert TASK.check(each, each.solution or "")
        assert not TASK.check(each, f"4 2 {VERDICTS[0]}")
        assert not TASK.check(each, "")


def test_a_word_of_no_task_is_refused() -> None:
    with pytest.raises(ArgumentError, match="words of its task"):
        TASK.encode_text("4 2 Verdict:maybe")
