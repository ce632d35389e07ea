"""Files in the layout of MATH-500: `problem`, `answer` (LaTeX), `unique_id` (optional)."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from breakeven.data.answers.find import tidy
from breakeven.data.answers.math import MAX_DEPTH, MAX_MATH_ANSWER, MathVerifier, math_form, readable
from breakeven.data.answers.math_find import math_answer
from breakeven.data.sets.file_task import FileTask, Layout
from breakeven.data.sets.rows import Row


@dataclass(frozen=True, kw_only=True)
class Math500File(FileTask):
    r"""Competition mathematics; answers are compared by math-verify, in processes of their own.

    An answer is what the last `\boxed{}` and its neighbours hold, else the last `<answer>`, else the line after the
    last `Answer:`, else what follows `the answer is` (`data.answers.math_find`). Of more than 500 characters, or with
    brackets nested deeper than 20, it is no answer.

    Args:
        timeout_seconds: of one comparison.
        num_workers: comparisons at once.
    """

    _layout: ClassVar = Layout(kind="math", asks=("problem",), id="unique_id")
    template: str = "{problem}\n\n{instruction}"
    instruction: str = r"Think step by step. Put the final answer in \boxed{}."
    max_tokens: int = 1024
    timeout_seconds: float = 5.0
    num_workers: int = 2

    def _reference(self, row: Row) -> str:
        gold = row.text("answer")
        if not readable(gold):
            rule = f"be at most {MAX_MATH_ANSWER} characters, its brackets nested at most {MAX_DEPTH} deep"
            raise row.refuse("answer", rule, "`answer` is the final answer alone, not the solution.")
        return gold

    @cached_property
    def verifier(self) -> MathVerifier:
        """Compares answers; its processes start when first needed.

        Raises:
            MissingExtraError: math-verify is not installed.
        """
        return MathVerifier(self.timeout_seconds, self.num_workers)

    def extract(self, completion: str) -> str | None:
        """The answer as LaTeX."""
        found = math_answer(completion)
        if found is None or not readable(found):
            return None
        return tidy(found) or None

    def canonical(self, answer: str) -> str:
        """The answer in a form of its own where that is cheap: plain numbers, fractions."""
        return math_form(answer)

    def equivalent(self, answer: str, other: str) -> bool:
        """True if math-verify takes each for right where the other is. Errors as of `MathVerifier.verify`."""
        return self.verifier.equivalent(answer, other)

    def _right(self, answer: str, reference: str) -> bool:
        return self.verifier.verify(reference, self.canonical(answer))
