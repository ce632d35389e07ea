"""Latin: complete a Latin square from a few clues, each of 1..size once in every row and column.

The checker (`check`) looks at clues, rows and columns; it needs no reference answer, at training and at serving time
alike, so Pass@K on it is accuracy one can deploy. Few clues leave several solutions: each is right. All arrays are
numpy.

A problem's split is a hash of its clues and where they are, so no seed can move it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import EOS, IntArray, Split, draws_for, in_split, split_bucket
from breakeven.errors import argument_error
from breakeven.records import Problem

_WORDS = ("<pad>", "<eos>", "=", ".", *map(str, range(1, 7)))
_EQUALS, _BLANK = range(2, 4)


@dataclass(frozen=True, kw_only=True)
class Latin(GeneratedTask):
    """One difficulty of Latin, with its vocabulary, its generator and its checker.

    Args:
        size: rows and columns, 3 to 6.
        num_clues: cells shown, 1 to size x size - 1.
    """

    kind: Literal["latin"] = "latin"
    size: int = 5
    num_clues: int = 10
    _more_by: ClassVar[str] = "size"

    def __post_init__(self) -> None:
        if not 3 <= self.size <= 6:
            raise argument_error("size", "be from 3 to 6", self.size)
        if not 1 <= self.num_clues < self.size**2:
            raise argument_error("num_clues", f"be from 1 to {self.size**2 - 1}", self.num_clues)

    # -- vocabulary: one token per symbol and per number ----------------------------------------------------------

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt: the cells row by row, `.` for a blank, and `=`."""
        return self.size**2 + 1

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution: the cells row by row and the end token; also the sampling limit."""
        return self.size**2 + 1

    @property
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first."""
        return _WORDS[: _BLANK + 1 + self.size]

    # -- generation -----------------------------------------------------------------------------------------------

    def _id(self, prompt: str) -> str:
        return prompt.replace(" ", "").removesuffix("=")

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        """Random problems of `split` with one solution each: at most `count` rows of tokens."""
        num_draws, cells = draws_for(count, split), self.size**2
        square = self._reduced[rng.integers(0, len(self._reduced), num_draws)]
        columns = rng.permuted(np.tile(np.arange(self.size), (num_draws, 1)), axis=1)
        square = np.take_along_axis(square, columns[:, None, :], axis=2)
        lower = rng.permuted(np.tile(np.arange(1, self.size), (num_draws, 1)), axis=1)
        square[:, 1:] = np.take_along_axis(square, lower[:, :, None], axis=1)
        solution = square.reshape(num_draws, cells)
        order = rng.permuted(np.tile(np.arange(cells), (num_draws, 1)), axis=1)
        clues = np.where(order < self.num_clues, solution, 0)
        rows = np.flatnonzero(in_split(self._bucket(clues), split))[:count]

        tokens = np.empty((len(rows), 2 * (cells + 1)), np.int64)
        tokens[:, :cells] = clues[rows] + _BLANK
        tokens[:, cells] = _EQUALS
        tokens[:, cells + 1 : -1] = solution[rows] + _BLANK
        tokens[:, -1] = EOS
        return tokens

    @cached_property
    def _reduced(self) -> IntArray:
        """The squares with first row and column 1..size; all others are these, columns and lower rows permuted."""
        return np.array(list(_reduced_squares([], self.size)))

    def _bucket(self, clues: IntArray) -> npt.NDArray[np.uint64]:
        """Split bucket 0..19 of each problem: a hash of its cells, 0 for a blank."""
        return split_bucket(list(clues.T))

    # -- checking -------------------------------------------------------------------------------------------------

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` is a whole Latin square that keeps the clues of the prompt."""
        size, numbers = self.size, self.words[_BLANK + 1 :]
        cells = completion.split(maxsplit=size**2)
        if len(cells) != size**2 or not all(cell in numbers for cell in cells):
            return False
        clues = problem.prompt.split()[: size**2]
        if any(clue not in (".", cell) for clue, cell in zip(clues, cells, strict=True)):
            return False
        lines = [cells[at * size : (at + 1) * size] for at in range(size)] + [cells[at::size] for at in range(size)]
        return all(len(set(line)) == size for line in lines)


def _reduced_squares(rows: list[list[int]], size: int) -> Iterator[list[list[int]]]:
    """Every Latin square of `size` with first row and first column in order, that starts with `rows`."""
    if len(rows) == size:
        yield rows
        return
    for row in _next_rows([], rows, size):
        yield from _reduced_squares([*rows, row], size)


def _next_rows(row: list[int], above: list[list[int]], size: int) -> Iterator[list[int]]:
    if len(row) == size:
        yield row
        return
    column = len(row)
    if not above or not row:
        allowed = [column + 1 + len(above)]
    else:
        allowed = [number for number in range(1, size + 1) if all(number != each[column] for each in above)]
    for number in allowed:
        if number not in row:
            yield from _next_rows([*row, number], above, size)
