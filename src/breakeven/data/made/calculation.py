"""Calculation: the sum or the product of two numbers, digit by digit, or modulo a number with a token for each residue.

Models learn it all at once, and late: accuracy is flat until the rule is found. The checker (`check`) calculates, and
needs no reference answer. All arrays are numpy.

A problem's split is a hash of its two numbers, the smaller first, so neither a seed nor their order can move it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import EOS, IntArray, Split, draws_for, in_split, split_bucket
from breakeven.errors import argument_error
from breakeven.records import Problem

_SYMBOLS = ("<pad>", "<eos>", "+", "*", "=")
_PLUS, _TIMES, _EQUALS = range(2, 5)


@dataclass(frozen=True, kw_only=True)
class Calculation(GeneratedTask):
    """One difficulty of Calculation, with its vocabulary, its generator and its checker.

    Args:
        operation: "add" or "multiply".
        num_digits: digits of either number, 1 to 6; of no use with a modulus.
        modulus: 2 to 999: numbers and result are residues, a token each. 0: numbers are written in digits.
        reverse: whether the digits of a result begin with the last one, as carrying goes.
    """

    kind: Literal["calculation"] = "calculation"
    operation: Literal["add", "multiply"] = "add"
    num_digits: int = 3
    modulus: int = 0
    reverse: bool = True
    _more_by: ClassVar[str] = "num_digits or modulus"

    def __post_init__(self) -> None:
        if self.operation not in ("add", "multiply"):
            raise argument_error("operation", "be add or multiply", self.operation)
        if not 1 <= self.num_digits <= 6:
            raise argument_error("num_digits", "be from 1 to 6", self.num_digits)
        if self.modulus and not 2 <= self.modulus <= 999:
            raise argument_error("modulus", "be from 2 to 999, or 0 for none", self.modulus)

    # -- vocabulary: one token per symbol and per digit or residue ------------------------------------------------

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt: `4 7 1 + 3 8 9 =`, or with a modulus `47 + 38 =`."""
        return 2 * self._width + 2

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, `0 6 8 0` and the end token; also the sampling limit."""
        return self._result_width + 1

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first."""
        return (*_SYMBOLS, *map(str, range(self.modulus or 10)))

    @property
    def _width(self) -> int:
        return 1 if self.modulus else self.num_digits

    @property
    def _result_width(self) -> int:
        if self.modulus:
            return 1
        return self.num_digits + 1 if self.operation == "add" else 2 * self.num_digits

    # -- generation -----------------------------------------------------------------------------------------------

    def _id(self, prompt: str) -> str:
        sign = "+" if self.operation == "add" else "*"
        numbers = prompt.replace(" ", "").removesuffix("=").split(sign)
        return sign.join(sorted(numbers, key=int))

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        """Random problems of `split` with their solution: at most `count` rows of tokens."""
        least, end = (0, self.modulus) if self.modulus else (10 ** (self.num_digits - 1), 10**self.num_digits)
        numbers = rng.integers(least, end, (draws_for(count, split), 2))
        buckets = split_bucket(list(np.sort(numbers, axis=1).T))
        first, second = numbers[np.flatnonzero(in_split(buckets, split))[:count]].T
        result = self._digits(first + second if self.operation == "add" else first * second, self._result_width)
        symbols = [np.full(len(first), each) for each in (_PLUS if self.operation == "add" else _TIMES, _EQUALS, EOS)]
        columns = [*self._digits(first, self._width), symbols[0], *self._digits(second, self._width), symbols[1]]
        return np.stack([*columns, *(result[::-1] if self.reverse else result), symbols[2]], axis=1)

    def _digits(self, numbers: IntArray, width: int) -> list[IntArray]:
        """Token columns, the most significant digit first."""
        base = self.modulus or 10
        return [numbers // base**place % base + len(_SYMBOLS) for place in reversed(range(width))]

    # -- checking -------------------------------------------------------------------------------------------------

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` is the result, with all its digits."""
        words = completion.split(maxsplit=self._result_width)
        if len(words) != self._result_width or not set(words) <= set(self.words[len(_SYMBOLS) :]):
            return False
        first, second = (int(each) for each in self._id(problem.prompt).replace("*", "+").split("+"))
        result = first + second if self.operation == "add" else first * second
        if self.modulus:
            return int(words[0]) == result % self.modulus
        return int("".join(words[::-1] if self.reverse else words)) == result
