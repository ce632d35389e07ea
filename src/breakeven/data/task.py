"""What the reference training run asks of a task, and what a task without a deployable checker offers besides."""

from collections.abc import Sequence
from dataclasses import Field
from typing import Any, ClassVar, Protocol, runtime_checkable

from breakeven.data.splits import IntArray, Split
from breakeven.records import Problem
from breakeven.records.agree import SameText
from breakeven.records.protocols import Answers


@runtime_checkable
class Task(Protocol):
    """One difficulty of one kind of task: its vocabulary, its generator and its checker. A frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def kind(self) -> str:
        """Name of the kind of task, as in a recipe."""

    @property
    def vocab_size(self) -> int:
        """Number of token ids."""

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt."""

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, end token included; also the sampling limit."""

    @property
    def end_token(self) -> int:
        """Id of the token that ends a completion."""

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of `problem.prompt`."""

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a prompt or of (the beginning of) a solution, as `decode` writes it."""

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of a completion up to its end token."""

    def train_batch(self, batch_size: int, seed: tuple[int, ...]) -> IntArray:
        """Prompt and solution tokens of `batch_size` training problems, shape (batch_size, prompt + output tokens).

        A pure function of `seed`: a run that gives (run seed, step) resumes its data order from the step alone.
        """

    def problems(self, split: Split, count: int, *, seed: int = 0) -> tuple[Problem, ...]:
        """`count` distinct problems of `split`, in an order given by `seed`.

        Raises:
            ArgumentError: the split holds fewer than `count` distinct problems.
        """

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` solves `problem`. Malformed completions are False, never an exception."""


@runtime_checkable
class Voted(Protocol):
    """A task whose completions end in an answer, so that without a checker the samples can be majority-voted."""

    def answer(self, completion: str) -> str | None:
        """The final answer in canonical form, None where `completion` has none."""


def answers_of(task: Task) -> Answers | None:
    """By what samples of a task are voted on: the task itself, or its answers as text; None where it has none."""
    return task if isinstance(task, Answers) else SameText(task.answer) if isinstance(task, Voted) else None


@runtime_checkable
class Solved(Protocol):
    """A task of text whose references are no completions, but that can write a right one."""

    def solution(self, problem: Problem) -> str:
        """A completion that solves `problem`."""


@runtime_checkable
class PartlyRight(Protocol):
    """A task of text that also says how nearly right an answer is."""

    def f1(self, problem: Problem, completion: str) -> float:
        """F1 of the answer in [0, 1]."""


@runtime_checkable
class DryRun(Protocol):
    """A task of text that tells before anything is drawn whether what is drawn could be graded here."""

    def dry_run(self, problems: Sequence[Problem]) -> None:
        """Nothing, where right answers to `problems` can be checked.

        Raises:
            ArgumentError, SandboxError: they cannot; says what is missing.
        """


@runtime_checkable
class TextTask(Answers, Protocol):
    """A problem set for models that read and write text, and everything needed to grade and to vote on completions."""

    @property
    def name(self) -> str:
        """As the user names it, settings included: `reasoning-gym:chain_sum`, `human-eval`, `gsm8k:FILE`."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems, with different ids. `reference` is None where the check needs no gold answer."""

    @property
    def max_tokens(self) -> int:
        """Limit of a completion that suits the task."""

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings before which a completion ends."""

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` solves `problem`.

        Raises:
            CheckFailedError: the checker crashed or timed out: neither right nor wrong.
        """
