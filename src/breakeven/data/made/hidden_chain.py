"""A chain of which only the total is shown: answered at once, after pauses, or after steps that stay hidden.

A completion is a thought, the word that ends it, and the answer that is shown: `1 2 + 2 1 </think> 0 3 3`. Without a
thought it is the answer alone. Pauses are read and not written: they stand at the end of the prompt. A thought that
leaks into what is shown, or never ends, makes the answer wrong.

Problems are those of `Chain`, and keep its splits.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final, Literal, TypeAlias, get_args

import numpy as np

from breakeven import check
from breakeven.data.made.chain import Chain
from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import IntArray, Split
from breakeven.errors import argument_error
from breakeven.records import Problem

Thought: TypeAlias = Literal["none", "pauses", "steps"]
THOUGHT_ENDS: Final = "</think>"
"""The word between a thought and the answer."""
_PAUSE: Final = "<pause>"
_DIGITS: Final = frozenset("0123456789")


@dataclass(frozen=True, kw_only=True)
class HiddenChain(GeneratedTask):
    """One difficulty of Chain with one kind of thought before its total.

    Args:
        num_terms: products to add up, 2 to 5.
        num_digits: digits of the first factor of each product, 1 to 6.
        thought: none, pauses (arXiv 2310.02226), or the products with their running totals.
        num_pauses: of that thought, at least 1; 0 of the others.
    """

    kind: Literal["hidden-chain"] = "hidden-chain"
    num_terms: int = 2
    num_digits: int = 2
    thought: Thought = "none"
    num_pauses: int = 0
    _more_by: ClassVar[str] = "num_digits"

    def __post_init__(self) -> None:
        _ = self.whole
        check.either("thought", self.thought, *get_args(Thought))
        if self.thought == "pauses" and self.num_pauses < 1:
            remedy = 'No pauses are no thought: thought = "none".'
            raise argument_error("num_pauses", "be at least 1 where the thought is pauses", self.num_pauses, remedy)
        if self.thought != "pauses" and self.num_pauses:
            rule = f"be 0 where the thought is {self.thought}"
            raise argument_error("num_pauses", rule, self.num_pauses, 'Or: thought = "pauses".')

    @cached_property
    def whole(self) -> Chain:
        """The task whose steps are hidden."""
        return Chain(num_terms=self.num_terms, num_digits=self.num_digits)

    @property
    def words(self) -> tuple[str, ...]:
        """The word of each token: those of the chain, a pause, and the end of a thought."""
        return (*self.whole.words, _PAUSE, THOUGHT_ENDS)

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt, pauses included."""
        return self.whole.prompt_tokens + self.num_pauses

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, thought and end token included; also the sampling limit."""
        return self.whole.output_tokens if self.thought == "steps" else self._total_digits + 1

    @property
    def _total_digits(self) -> int:
        return self.num_digits + 2

    def _id(self, prompt: str) -> str:
        return self.whole._id(prompt.replace(_PAUSE, "").strip())

    def _reference(self, row: IntArray) -> str | None:
        return self.answer(self.decode(row[self.prompt_tokens :].tolist()))

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        rows = self.whole._draw(count, rng, split)
        prompts, solutions = np.split(rows, [self.whole.prompt_tokens], axis=1)
        steps, equals, shown = np.split(solutions, [-self._total_digits - 2, -self._total_digits - 1], axis=1)
        pauses = np.full((len(rows), self.num_pauses), self.words.index(_PAUSE))
        if self.thought == "steps":
            return np.hstack([prompts, steps, np.full_like(equals, self.words.index(THOUGHT_ENDS)), shown])
        return np.hstack([prompts, pauses, shown])

    # -- checking -------------------------------------------------------------------------------------------------

    def shown(self, completion: str) -> str:
        """What a user sees: all that follows the end of the thought; everything, where there is none."""
        thought, ends, rest = completion.partition(THOUGHT_ENDS)
        return rest.strip() if ends else thought.strip()

    def leaks(self, completion: str) -> bool:
        """Whether words of a thought are shown: it never ended, or goes on in the answer."""
        return not _DIGITS.issuperset(self.shown(completion).split())

    def answer(self, completion: str) -> str | None:
        """The total that is shown, without leading zeros; None where that is no number with all its digits."""
        digits = self.shown(completion).split()
        if len(digits) != self._total_digits or not _DIGITS.issuperset(digits):
            return None
        return str(int("".join(digits)))

    def check(self, problem: Problem, completion: str) -> bool:
        """True if the reference answer is shown, and nothing else, whatever the thought."""
        return problem.reference is not None and self.answer(completion) == problem.reference
