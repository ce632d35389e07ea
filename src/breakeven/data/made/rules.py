"""Rules: find a program from examples. The prompt shows what it makes of some lists of digits, the answer is a program.

The checker (`check`) runs the program on the prompt's examples; it needs no reference answer, at training and at
serving time alike, so Pass@K on it is accuracy one can deploy. All arrays are numpy.

A problem's split is a hash of its examples, so neither a seed nor the order of the examples can move it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import EOS, IntArray, Split, draws_for, in_split, split_bucket
from breakeven.errors import argument_error
from breakeven.records import Problem

OPERATIONS: dict[str, Callable[[IntArray], IntArray]] = {
    "reverse": lambda x: x[..., ::-1],
    "sort": lambda x: np.sort(x, axis=-1),
    "rotate": lambda x: np.roll(x, -1, axis=-1),
    "swap": lambda x: np.concatenate([x[..., -1:], x[..., 1:-1], x[..., :1]], axis=-1),
    "increment": lambda x: (x + 1) % 10,
    "double": lambda x: 2 * x % 10,
    "halve": lambda x: x // 2,
    "negate": lambda x: -x % 10,
    "sum": lambda x: np.cumsum(x, axis=-1) % 10,
    "difference": lambda x: np.diff(x, axis=-1, prepend=0) % 10,
}
"""What a program is made of: each maps lists of digits, along the last axis, to lists of as many digits."""

_WORDS = ("<pad>", "<eos>", ">", ";", "=", *map(str, range(10)), *OPERATIONS)
_BECOMES, _NEXT, _EQUALS, _ZERO = range(2, 6)
_FIRST_OPERATION = _ZERO + 10


@dataclass(frozen=True, kw_only=True)
class Rules(GeneratedTask):
    """One difficulty of Rules, with its vocabulary, its generator and its checker.

    Args:
        depth: operations per program, 1 to 6.
        num_examples: examples per problem, 1 to 8.
        list_length: digits per list, 2 to 8.
    """

    kind: Literal["rules"] = "rules"
    depth: int = 3
    num_examples: int = 3
    list_length: int = 4
    _more_by: ClassVar[str] = "list_length"

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= 6:
            raise argument_error("depth", "be from 1 to 6", self.depth)
        if not 1 <= self.num_examples <= 8:
            raise argument_error("num_examples", "be from 1 to 8", self.num_examples)
        if not 2 <= self.list_length <= 8:
            raise argument_error("list_length", "be from 2 to 8", self.list_length)

    # -- vocabulary: one token per symbol, per digit and per operation --------------------------------------------

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt: `3 1 4 > 4 1 3 ; 2 7 1 > 1 7 2 =`."""
        return self.num_examples * self._example_tokens

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference program, end token included; also the sampling limit."""
        return self.depth + 1

    @property
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first."""
        return _WORDS

    @property
    def _example_tokens(self) -> int:
        return 2 * self.list_length + 2

    # -- generation -----------------------------------------------------------------------------------------------

    def _id(self, prompt: str) -> str:
        return ";".join(sorted(prompt.replace(" ", "").removesuffix("=").split(";")))

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        """Random problems of `split` with one program each: at most `count` rows of tokens."""
        num_draws = draws_for(count, split)
        before = rng.integers(0, 10, (num_draws, self.num_examples, self.list_length))
        program = rng.integers(0, len(OPERATIONS), (num_draws, self.depth))
        after = before.copy()
        for step in program.T:
            for index, operation in enumerate(OPERATIONS.values()):
                after[step == index] = operation(after[step == index])
        rows = np.flatnonzero(in_split(self._bucket(before, after), split))[:count]
        before, after, program = before[rows], after[rows], program[rows]

        examples = np.empty((len(rows), self.num_examples, self._example_tokens), np.int64)
        examples[:, :, : self.list_length] = before + _ZERO
        examples[:, :, self.list_length] = _BECOMES
        examples[:, :, self.list_length + 1 : -1] = after + _ZERO
        examples[:, :, -1] = _NEXT
        tokens = np.empty((len(rows), self.prompt_tokens + self.output_tokens), np.int64)
        tokens[:, : self.prompt_tokens] = examples.reshape(len(rows), self.prompt_tokens)
        tokens[:, self.prompt_tokens - 1] = _EQUALS
        tokens[:, self.prompt_tokens : -1] = program + _FIRST_OPERATION
        tokens[:, -1] = EOS
        return tokens

    def _bucket(self, before: IntArray, after: IntArray) -> npt.NDArray[np.uint64]:
        """Split bucket 0..19 of each problem: a hash of its sorted examples."""
        place = 10 ** np.arange(2 * self.list_length)
        return split_bucket(list(np.sort(np.concatenate([before, after], axis=2) @ place, axis=1).T))

    # -- checking -------------------------------------------------------------------------------------------------

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` is a program of at most `depth` operations that turns each input into its output."""
        program = completion.split(maxsplit=self.depth)
        if not 1 <= len(program) <= self.depth or not all(word in OPERATIONS for word in program):
            return False
        examples = [example.split(">") for example in problem.prompt.removesuffix("=").split(";")]
        lists, wanted = (np.array([list(map(int, each[side].split())) for each in examples]) for side in (0, 1))
        for word in program:
            lists = OPERATIONS[word](lists)
        return np.array_equal(lists, wanted)
