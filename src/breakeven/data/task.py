"""What the reference training run asks of a task, and what a task without a deployable checker offers besides."""

from collections.abc import Sequence
from dataclasses import Field
from typing import Any, ClassVar, Protocol, runtime_checkable

from breakeven.data.splits import IntArray, Split
from breakeven.records import Problem


@runtime_checkable
class Task(Protocol):
    """One difficulty of one kind of task: its vocabulary, its generator and its checker. A frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def kind(self) -> str:
        """Name of the kind of task, as in a recipe."""
        ...

    @property
    def vocab_size(self) -> int:
        """Number of token ids."""
        ...

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt."""
        ...

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, end token included; also the sampling limit."""
        ...

    @property
    def end_token(self) -> int:
        """Id of the token that ends a completion."""
        ...

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of `problem.prompt`."""
        ...

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of a completion up to its end token."""
        ...

    def train_batch(self, batch_size: int, seed: tuple[int, ...]) -> IntArray:
        """Prompt and solution tokens of `batch_size` training problems, shape (batch_size, prompt + output tokens).

        A pure function of `seed`: a run that gives (run seed, step) resumes its data order from the step alone.
        """
        ...

    def problems(self, split: Split, count: int, *, seed: int = 0) -> tuple[Problem, ...]:
        """`count` distinct problems of `split`, in an order given by `seed`.

        Raises:
            ArgumentError: the split holds fewer than `count` distinct problems.
        """
        ...

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` solves `problem`. Malformed completions are False, never an exception."""
        ...


@runtime_checkable
class Voted(Protocol):
    """A task whose completions end in an answer, so that without a checker the samples can be majority-voted."""

    def answer(self, completion: str) -> str | None:
        """The final answer in canonical form, None where `completion` has none."""
        ...
