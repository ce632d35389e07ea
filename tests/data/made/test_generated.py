"""What tasks that make their own problems share: the same problems and batches in every version, and their words."""

import dataclasses
import hashlib
import inspect

import pytest

from breakeven.data.configured import task_of
from breakeven.data.made.calculation import Calculation
from breakeven.data.made.chain import Chain
from breakeven.data.made.countdown import Countdown
from breakeven.data.made.generated import GeneratedTask
from breakeven.data.made.latin import Latin
from breakeven.data.made.mixture import Mixture
from breakeven.data.made.rules import Rules
from breakeven.data.made.sorting import Sorting
from breakeven.data.splits import Split
from breakeven.data.task import Task
from breakeven.errors import ArgumentError

KINDS = [Calculation, Chain, Countdown, Latin, Mixture, Rules, Sorting]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def digest(*parts: bytes) -> str:
    return hashlib.blake2b(b"\n".join(parts), digest_size=8).hexdigest()


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("task", "problems", "batches"),
    [
        (Chain(), "d1cfb668db889697", "e911ac5ff9c20cf0"),
        (Chain(num_terms=3, num_digits=3), "eacf06da56881914", "3441a62fa5db1989"),
        (Countdown(), "e20086966a0ff2f6", "2a9e1b58219782d7"),
        (Countdown(num_numbers=4, max_number=30), "0d4802204cee4623", "c6aba656274ede4f"),
        (Latin(), "530298beb85ff9a2", "56fb2dd09f7be6ed"),
        (Latin(size=4, num_clues=5), "b15e2d2a9931c52a", "818b659fd8d8b674"),
        (Rules(), "ebb9f540b7b79c5b", "590ec6e9b717f8db"),
        (Rules(depth=2, num_examples=2, list_length=6), "5bebc5be8f3fb755", "b63e789e7f27abb2"),
    ],
)
def test_problems_and_batches_are_those_of_earlier_versions(task: Task, problems: str, batches: str) -> None:
    """Recorded runs name their problems by id and replay against them."""
    made = [task.problems(split, 1000, seed=seed) for split in SPLITS for seed in (0, 7)]
    said = [f"{each.id} {each.prompt} {each.reference}".encode() for problems in made for each in problems]
    assert digest(*said) == problems
    assert digest(*(task.train_batch(64, seed).tobytes() for seed in ((0, 0), (1, 2), (5, 100)))) == batches


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_a_frozen_record_that_a_recipe_can_write_and_read(kind: type[Task]) -> None:
    task = kind()
    assert isinstance(task, Task)
    settings = dataclasses.asdict(task)
    assert list(settings) == [each.name for each in dataclasses.fields(kind)]
    assert next(iter(settings)) == "kind"
    assert task_of(settings) == task
    assert hash(task_of(settings)) == hash(task)
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.kind = "other"  # type: ignore[misc]


@pytest.mark.parametrize("kind", KINDS)
def test_every_problem_knows_a_right_solution_that_training_could_have_held(kind: type[GeneratedTask]) -> None:
    task = kind()
    for problem in task.problems("validation", 100):
        assert problem.solution is not None
        assert task.check(problem, problem.solution)
        assert len(task.encode_text(problem.solution)) < task.output_tokens
        assert problem.hidden.solution is None


def test_there_is_no_task_without_a_kind() -> None:
    assert inspect.isabstract(GeneratedTask)


@pytest.mark.parametrize("kind", KINDS)
def test_every_token_is_a_word_and_no_other_word_is_taken(kind: type[Task]) -> None:
    task = kind()
    words = [task.decode([token]) for token in range(2, task.vocab_size)]
    assert task.encode_text(" ".join(words)) == list(range(2, task.vocab_size))
    with pytest.raises(IndexError):
        task.decode([task.vocab_size])
    with pytest.raises(ArgumentError, match="a prompt must be written in the words of its task; got 'besides'"):
        task.encode_text(f"{words[0]} besides {words[1]}")


def test_a_latin_square_has_no_words_for_numbers_above_its_size() -> None:
    with pytest.raises(ArgumentError, match="a prompt must be written in the words of its task; got '6'"):
        Latin(size=5).encode_text("1 . 6")
    assert Latin(size=6).encode_text("1 . 6")[-1] == Latin(size=6).vocab_size - 1
