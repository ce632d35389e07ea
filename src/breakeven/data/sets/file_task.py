"""A JSONL file of problems as a `TextTask`: what all layouts share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from breakeven.data.sets.rows import Row, fill, read_rows, refuse_repeated
from breakeven.records import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a file's rows are called and hold."""

    kind: str
    """As in a task's name: `gsm8k:FILE`."""
    asks: tuple[str, ...]
    """The fields that go into a prompt."""
    id: str = "id"
    """The field with a problem's id, which a row may lack."""
    row: str = ""
    """A row without an id is called this, or else `kind`, and the number of its line."""


@dataclass(frozen=True, kw_only=True)
class FileTask(ABC):
    """The problems of a file, read when first asked for. Each layout is a class of its own, final.

    Args:
        path: the file.
        template: of the prompt, with `{instruction}` and the fields that the layout asks with, as `{question}`.
        instruction: on the answer's form; "" for none.
        max_tokens: limit of a completion.
        stop: strings before which a completion ends.
    """

    _layout: ClassVar[Layout]
    path: str
    template: str
    instruction: str
    max_tokens: int
    stop: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Such as `gsm8k:FILE`."""
        return f"{self._layout.kind}:{self.path}"

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in the order of the file.

        Raises:
            ArgumentError: the file breaks a rule of its layout; the message says where.
        """
        rows = read_rows(self.path)
        made = [self._problem(row) for row in rows]
        refuse_repeated(rows, [each.id for each in made])
        return tuple(made)

    def _problem(self, row: Row) -> Problem:
        layout = self._layout
        prompt = fill(self.template, {name: row.text(name) for name in layout.asks}, self.instruction)
        return Problem(id=row.id(layout.id, layout.row or layout.kind), prompt=prompt, reference=self._reference(row))

    @abstractmethod
    def _reference(self, row: Row) -> str:
        """What `_right` compares an answer with."""

    @abstractmethod
    def _right(self, answer: str, reference: str) -> bool:
        """Whether an extracted answer is right."""

    @abstractmethod
    def extract(self, completion: str) -> str | None:
        """The final answer, None where `completion` has none. Sees no reference."""

    @abstractmethod
    def canonical(self, answer: str) -> str:
        """The form in which equal answers are equal strings as far as that is cheap."""

    def equivalent(self, answer: str, other: str) -> bool:
        """True if two canonical forms mean the same: if they are equal, unless a layout knows better."""
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        """True if the answer is right.

        Raises:
            CheckFailedError: a comparison by math-verify crashed or was late.
        """
        answer = self.extract(completion)
        return answer is not None and problem.reference is not None and self._right(answer, problem.reference)
