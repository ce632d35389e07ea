"""The parts of a chain of two products, each a task of its own: one product, and the sum of both products.

A pipeline solves `4 7 * 6 + 3 8 * 9 =` by two products and their sum, with a model for each part. Problems are cut out
of those of `Chain` and keep their split: it is the whole chain that no two splits share; a product may be part of many.
"""

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from breakeven.data.made.chain import Chain
from breakeven.data.made.generated import GeneratedTask
from breakeven.data.splits import EOS, IntArray, Split
from breakeven.records import Problem


class _Part(GeneratedTask):
    """What both share: the words of the chain, and a completion that is a number in digits, its own answer."""

    num_digits: int
    _more_by: ClassVar[str] = "num_digits"

    @cached_property
    def whole(self) -> Chain:
        """The task that this is a part of."""
        return Chain(num_terms=2, num_digits=self.num_digits)

    @property
    def words(self) -> tuple[str, ...]:
        return self.whole.words

    @property
    @abstractmethod
    def _result_width(self) -> int:
        """Digits of a result."""

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, end token included; also the sampling limit."""
        return self._result_width + 1

    def _id(self, prompt: str) -> str:
        return prompt.replace(" ", "").removesuffix("=")

    def _reference(self, row: IntArray) -> str | None:
        return self.answer(self.decode(row[self.prompt_tokens :].tolist()))

    def answer(self, completion: str) -> str | None:
        """The number, without leading zeros; None where the completion is none with all its digits."""
        digits = completion.split(maxsplit=self._result_width)
        if len(digits) != self._result_width or not {*digits} <= {*"0123456789"}:
            return None
        return str(int("".join(digits)))

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` is the reference answer."""
        return problem.reference is not None and self.answer(completion) == problem.reference


@dataclass(frozen=True, kw_only=True)
class ChainProduct(_Part):
    """One product of a chain: `4 7 * 6 =` is `2 8 2`.

    Args:
        num_digits: of the first factor, 1 to 6; the second is from 2 to 9.
    """

    kind: Literal["chain-product"] = "chain-product"
    num_digits: int = 2

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt."""
        return self.num_digits + 3

    @property
    def _result_width(self) -> int:
        return self.num_digits + 1

    def prompts(self, chain: Problem) -> tuple[str, str]:
        """Of both products of a chain."""
        first, second = chain.prompt.removesuffix(" =").split(" + ")
        return f"{first} =", f"{second} ="

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        prompts = self.whole._draw(count, rng, split)[:, : self.prompt_tokens]
        zero = self.words.index("0")
        factor = (prompts[:, : self.num_digits] - zero) @ 10 ** np.arange(self.num_digits)[::-1]
        product = factor * (prompts[:, self.num_digits + 1] - zero)
        digits = product[:, None] // 10 ** np.arange(self._result_width)[::-1] % 10 + zero
        prompts[:, -1] = self.words.index("=")
        return np.hstack([prompts, digits, np.full((len(prompts), 1), EOS)])


@dataclass(frozen=True, kw_only=True)
class ChainSum(_Part):
    """The sum of both products of a chain: `2 8 2 + 3 4 2 =` is `0 6 2 4`.

    Args:
        num_digits: of the first factor of a product, which has a digit more; 1 to 6.
    """

    kind: Literal["chain-sum"] = "chain-sum"
    num_digits: int = 2

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt."""
        return 2 * self.num_digits + 4

    @property
    def _result_width(self) -> int:
        return self.num_digits + 2

    def prompt(self, first: str, second: str) -> str:
        """Of two products, as `ChainProduct.answer` gives them."""
        return " + ".join(" ".join(each.zfill(self.num_digits + 1)) for each in (first, second)) + " ="

    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        return self.whole._draw(count, rng, split)[:, self.whole.prompt_tokens :]
