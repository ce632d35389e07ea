"""Chain: step-by-step arithmetic. A sum of products, digit by digit: each product in turn, with the running total.

The products are taken in any order, so that one answer is reached by several ways, of which a vote takes advantage.

Nothing checks an answer at serving time: `check` compares it with the problem's reference, so Pass@K on this task is
no accuracy one can deploy, and samples are to be majority-voted by their `answer`. All arrays are numpy.

A problem's split is a hash of its sorted terms, so neither a seed nor the order of the terms can move it.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import EOS, IntArray, Split, draws_for, in_split, split_bucket
from breakeven.errors import argument_error
from breakeven.records import Problem

_WORDS = ("<pad>", "<eos>", "+", "*", "=", *map(str, range(10)))
_PLUS, _TIMES, _EQUALS, _ZERO = range(2, 6)


@dataclass(frozen=True, kw_only=True)
class Chain(GeneratedTask):
    """One difficulty of Chain, with its vocabulary, its generator and its checker.

    Args:
        num_terms: products to add up, 2 to 5.
        num_digits: digits of the first factor of each product, 1 to 6; the second is from 2 to 9.
    """

    kind: Literal["chain"] = "chain"
    num_terms: int = 2
    num_digits: int = 2
    _more_by: ClassVar[str] = "num_digits"

    def __post_init__(self) -> None:
        if not 2 <= self.num_terms <= 5:
            raise argument_error("num_terms", "be from 2 to 5", self.num_terms)
        if not 1 <= self.num_digits <= 6:
            raise argument_error("num_digits", "be from 1 to 6", self.num_digits)

    # -- vocabulary: one token per symbol and per digit -----------------------------------------------------------

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt: `4 7 * 6 + 3 8 * 9 =`."""
        return self.num_terms * (self.num_digits + 3)

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, `3 4 2 + 2 8 2 = 0 6 2 4` and the end token; also the sampling limit."""
        return self.num_terms * (self.num_digits + 1) + (self.num_terms - 1) * (self._total_digits + 2) + 1

    @property
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first."""
        return _WORDS

    @property
    def _total_digits(self) -> int:
        return self.num_digits + 2

    # -- generation -----------------------------------------------------------------------------------------------

    def _id(self, prompt: str) -> str:
        return "+".join(sorted(prompt.replace(" ", "").removesuffix("=").split("+")))

    def _reference(self, row: IntArray) -> str | None:
        return self.answer(self.decode(row[self.prompt_tokens :].tolist()))

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        """Random problems of `split` with their solution: at most `count` rows of tokens."""
        size = (draws_for(count, split), self.num_terms)
        first = rng.integers(10 ** (self.num_digits - 1), 10**self.num_digits, size)
        second = rng.integers(2, 10, size)
        rows = np.flatnonzero(in_split(self._bucket(first, second), split))[:count]
        first, second = first[rows], second[rows]
        products = rng.permuted(first * second, axis=1)
        totals = products.cumsum(axis=1)
        columns: list[IntArray] = []
        for at in range(self.num_terms):
            columns += _digits(first[:, at], self.num_digits)
            columns += [_symbol(_TIMES, rows), *_digits(second[:, at], 1)]
            columns += [_symbol(_PLUS if at + 1 < self.num_terms else _EQUALS, rows)]
        columns += _digits(products[:, 0], self.num_digits + 1)
        for at in range(1, self.num_terms):
            columns += [_symbol(_PLUS, rows), *_digits(products[:, at], self.num_digits + 1)]
            columns += [_symbol(_EQUALS, rows), *_digits(totals[:, at], self._total_digits)]
        columns += [_symbol(EOS, rows)]
        return np.stack(columns, axis=1)

    def _bucket(self, first: IntArray, second: IntArray) -> npt.NDArray[np.uint64]:
        """Split bucket 0..19 of each problem: a hash of its sorted terms."""
        return split_bucket(list(np.sort(first * 10 + second, axis=1).T))

    # -- checking -------------------------------------------------------------------------------------------------

    def answer(self, completion: str) -> str | None:
        """The total that `completion` ends with, without leading zeros; None where it does not end in `= digits`."""
        _, equals, total = completion.rpartition("=")
        digits = total.split()
        if not equals or len(digits) > self._total_digits or not re.fullmatch("[0-9]+", "".join(digits)):
            return None
        return str(int("".join(digits)))

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` ends with the reference answer, whatever its steps."""
        return problem.reference is not None and self.answer(completion) == problem.reference


def _digits(numbers: IntArray, width: int) -> list[IntArray]:
    """Token columns of the zero-padded decimal digits, most significant first."""
    return [numbers // 10**place % 10 + _ZERO for place in reversed(range(width))]


def _symbol(token: int, rows: IntArray) -> IntArray:
    return np.full(len(rows), token, np.int64)
