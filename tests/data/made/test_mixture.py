"""Mixture: problems of several tasks with one vocabulary, filled up to one length, each checked by its own task."""

from collections import Counter

import numpy as np
import pytest

from breakeven.data.made.calculation import Calculation
from breakeven.data.made.chain import Chain
from breakeven.data.made.countdown import Countdown
from breakeven.data.made.mixture import Mixture
from breakeven.data.made.rules import Rules
from breakeven.data.made.sorting import Sorting
from breakeven.data.splits import EOS, PAD
from breakeven.data.task import Task, answers_of
from breakeven.errors import ArgumentError

MEMBERS = (Countdown(num_numbers=2, max_number=40), Sorting(length=5, num_values=100), Calculation(num_digits=2))
MIXTURE = Mixture(members=MEMBERS, shares=(3, 2, 1))


def member_of(problem_id: str) -> int:
    return int(problem_id.partition(":")[0])


def test_a_word_of_several_members_is_one_token() -> None:
    assert MIXTURE.words[:2] == ("<pad>", "<eos>")
    assert len(set(MIXTURE.words)) == MIXTURE.vocab_size
    assert set(MIXTURE.words) == {word for each in MEMBERS for word in each.words}
    assert MIXTURE.vocab_size < sum(each.vocab_size for each in MEMBERS)


def test_sizes_are_those_of_the_longest() -> None:
    assert (MIXTURE.prompt_tokens, MIXTURE.output_tokens) == (6, 6)  # `31 4 15 9 2 =`, and the numbers with their end


def test_prompts_are_filled_up_in_front_as_in_training() -> None:
    row = MIXTURE.train_batch(64, (0, 1))
    prompts = {tuple(each) for each in row[:, :6].tolist()}
    assert any(each[0] == PAD for each in prompts)
    assert all(PAD not in each[np.flatnonzero(each != PAD)[0] :] for each in row[:, :6])
    problem = MIXTURE.problems("validation", 20)[0]
    tokens = MIXTURE.encode_prompt(problem)
    assert len(tokens) == 6
    assert MIXTURE.decode([each for each in tokens if each != PAD]) == problem.prompt


def test_it_reads_the_problems_of_a_member_as_that_asks_them() -> None:
    (problem,) = MEMBERS[0].problems("test", 1)
    tokens = MIXTURE.encode_prompt(problem)
    assert len(tokens) == MIXTURE.prompt_tokens
    assert MIXTURE.decode([each for each in tokens if each != PAD]) == problem.prompt


def test_solutions_end_in_end_tokens() -> None:
    for row in MIXTURE.train_batch(64, (0, 1)):
        solution = row[6:].tolist()
        assert set(solution[solution.index(EOS) :]) == {EOS}
        assert PAD not in solution


@pytest.mark.parametrize("index", range(3))
def test_training_rows_are_those_of_the_member_in_the_words_of_the_mixture(index: int) -> None:
    mixture = Mixture(members=MEMBERS, shares=tuple(1.0 if each == index else 1e-12 for each in range(3)))
    member = MEMBERS[index]
    for row, own in zip(mixture.train_batch(8, (3, 4)), member.train_batch(8, (3, 4, index)), strict=True):
        prompt = [each for each in row[:6].tolist() if each != PAD]
        assert mixture.decode(prompt) == member.decode(own[: member.prompt_tokens].tolist())
        assert mixture.decode(row[6:].tolist()) == member.decode(own[member.prompt_tokens :].tolist())


def test_batches_are_a_function_of_their_seed() -> None:
    assert np.array_equal(MIXTURE.train_batch(32, (5, 6)), MIXTURE.train_batch(32, (5, 6)))
    assert not np.array_equal(MIXTURE.train_batch(32, (5, 6)), MIXTURE.train_batch(32, (5, 7)))


def test_shares_are_those_of_the_problems() -> None:
    found = Counter(member_of(each.id) for each in MIXTURE.problems("test", 240))
    expected = {0: 120, 1: 80, 2: 40}
    assert all(abs(found[index] - count) < 4 * count**0.5 for index, count in expected.items())
    alone = Mixture(members=MEMBERS, shares=(1e-9, 1, 1e-9)).problems("test", 50)
    assert {member_of(each.id) for each in alone} == {1}


def test_without_shares_all_are_equal() -> None:
    found = Counter(member_of(each.id) for each in Mixture(members=MEMBERS).problems("test", 150))
    assert all(30 < found[index] < 70 for index in range(3))


def test_more_problems_add_to_fewer_and_all_are_distinct() -> None:
    problems = MIXTURE.problems("validation", 100, seed=2)
    assert problems[:40] == MIXTURE.problems("validation", 40, seed=2)
    assert len({each.id for each in problems}) == 100


def test_a_problem_stays_in_the_split_of_its_own_task() -> None:
    task = Countdown(num_numbers=2, max_number=20)
    mixture = Mixture(members=(Countdown(num_numbers=2, max_number=40), Sorting()))
    held = {f"0:{each.id}" for each in task.problems("validation", 90)}  # of an easier form
    assert held & {each.id for each in mixture.problems("validation", 500)}
    assert not held & {each.id for each in mixture.problems("train", 1000)}


def test_each_problem_is_checked_by_its_own_task() -> None:
    problems = MIXTURE.problems("validation", 60)
    assert {member_of(each.id) for each in problems} == {0, 1, 2}
    for problem in problems:
        assert problem.solution is not None
        assert MIXTURE.check(problem, problem.solution)
        assert not MIXTURE.check(problem, "")
        assert not MIXTURE.check(problem, f"{problem.solution} {problem.solution}")


def test_references_come_along() -> None:
    mixture = Mixture(members=(Chain(), Rules(depth=1)))
    problems = mixture.problems("validation", 20)
    assert all((each.reference is None) == (member_of(each.id) == 1) for each in problems)
    assert all(mixture.check(each, each.solution or "") for each in problems)


def test_a_mixture_is_a_task_and_is_not_voted_on() -> None:
    assert isinstance(MIXTURE, Task)
    assert answers_of(Mixture(members=(Chain(), Chain(num_terms=3)))) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"members": ()}, r"^members must hold at least one task; got \[\]"),
        ({"shares": (1.0,)}, r"^shares must be as many as the 2 members, or none; got \[1\.0\]"),
        ({"shares": (1.0, 0.0)}, r"^shares\[1\] must be finite and above 0; got 0\.0"),
        ({"shares": (float("nan"), 1.0)}, r"^shares\[0\] must be finite and above 0; got nan"),
    ],
)
def test_what_no_mixture_can_be_is_refused(settings: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Mixture(**settings)


def test_more_problems_than_a_member_holds_are_refused() -> None:
    with pytest.raises(
        ArgumentError, match=r"be at most the \d+ distinct validation .* That is members\[1\] of the mix"
    ):
        Mixture(members=(Sorting(), Countdown(num_numbers=2, max_number=9))).problems("validation", 400)
