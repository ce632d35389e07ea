"""Sorting: put numbers in order.

The checker (`check`) sorts, and needs no reference answer. All arrays are numpy.

A problem's split is a hash of its sorted numbers, so neither a seed nor their order can move it: no answer that is
asked for was trained on.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import EOS, IntArray, Split, draws_for, in_split, split_bucket
from breakeven.errors import argument_error
from breakeven.records import Problem

_SYMBOLS = ("<pad>", "<eos>", "=")
_EQUALS = 2


@dataclass(frozen=True, kw_only=True)
class Sorting(GeneratedTask):
    """One difficulty of Sorting, with its vocabulary, its generator and its checker.

    Args:
        length: numbers to sort, 2 to 32.
        num_values: each number is uniform on 0..num_values - 1; 2 to 999.
    """

    kind: Literal["sorting"] = "sorting"
    length: int = 8
    num_values: int = 50
    _more_by: ClassVar[str] = "length"

    def __post_init__(self) -> None:
        if not 2 <= self.length <= 32:
            raise argument_error("length", "be from 2 to 32", self.length)
        if not 2 <= self.num_values <= 999:
            raise argument_error("num_values", "be from 2 to 999", self.num_values)

    # -- vocabulary: one token per symbol and per number ----------------------------------------------------------

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt: `31 4 15 =`."""
        return self.length + 1

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution: the numbers and the end token; also the sampling limit."""
        return self.length + 1

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first."""
        return (*_SYMBOLS, *map(str, range(self.num_values)))

    # -- generation -----------------------------------------------------------------------------------------------

    def _id(self, prompt: str) -> str:
        return "-".join(prompt.removesuffix("=").split())

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        """Random problems of `split` with their solution: at most `count` rows of tokens."""
        numbers = rng.integers(0, self.num_values, (draws_for(count, split), self.length))
        in_order = np.sort(numbers, axis=1)
        rows = np.flatnonzero(in_split(split_bucket(list(in_order.T)), split))[:count]
        tokens = np.empty((len(rows), 2 * self.length + 2), np.int64)
        tokens[:, : self.length] = numbers[rows] + len(_SYMBOLS)
        tokens[:, self.length] = _EQUALS
        tokens[:, self.length + 1 : -1] = in_order[rows] + len(_SYMBOLS)
        tokens[:, -1] = EOS
        return tokens

    # -- checking -------------------------------------------------------------------------------------------------

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` holds the numbers of the prompt in order."""
        numbers = sorted(map(int, problem.prompt.removesuffix("=").split()))
        return completion.split(maxsplit=self.length) == list(map(str, numbers))
