"""Revision: a problem of Chain with solutions that others proposed, which may be wrong: it is solved anew.

What an agent of a graph is trained on that reads what its parents hand on. Problems keep their split, since it is the
problem that no two splits share.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from breakeven.data.made.chain import Chain
from breakeven.data.splits import IntArray, Split
from breakeven.records import Problem

_RIGHT: Final = 0.5
"""Share of the attempts shown in training that are right."""


@dataclass(frozen=True, kw_only=True)
class Revision:
    """A chain with up to `most_attempts` attempts before it: `0 6 + 5 2 = 0 5 8 0 6 + 4 2 = 0 4 8 3 * 2 + 7 * 6 =`.

    A completion is a whole solution, as of the chain. In training half of the attempts are right; of the others one
    product has a wrong digit, and the sum follows it. The solution takes the products in the order of the last attempt.
    """

    kind: Literal["revision"] = "revision"
    solved: Chain
    most_attempts: int = 3

    @property
    def attempt_tokens(self) -> int:
        """Tokens of an attempt that is shown: a solution without its end token."""
        return self.solved.output_tokens - 1

    @property
    def vocab_size(self) -> int:
        """Number of token ids: those of the chain."""
        return self.solved.vocab_size

    @property
    def prompt_tokens(self) -> int:
        """Tokens of the longest prompt."""
        return self.prompt_tokens_of(self.most_attempts)

    def prompt_tokens_of(self, num_attempts: int) -> int:
        """Tokens of a prompt with so many attempts."""
        return self.solved.prompt_tokens + num_attempts * self.attempt_tokens

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, end token included; also the sampling limit."""
        return self.solved.output_tokens

    @property
    def end_token(self) -> int:
        """Id of the token that ends a completion."""
        return self.solved.end_token

    def prompt(self, problem: Problem, attempts: Sequence[str]) -> str:
        """Of a problem with attempts, each one that `can_be_shown`."""
        return " ".join((*attempts, problem.prompt))

    def can_be_shown(self, completion: str) -> bool:
        """Whether it has the form of a solution, so that it can be an attempt."""
        width = self.solved.num_digits + 1
        step = f"[0-9]{{{width}}}"
        later = rf"(\+{step}=[0-9]{{{width + 1}}}){{{self.solved.num_terms - 1}}}"
        return re.fullmatch(step + later, completion.replace(" ", "")) is not None

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of `problem.prompt`."""
        return self.solved.encode_prompt(problem)

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a prompt or of (the beginning of) a solution, as `decode` writes it."""
        return self.solved.encode_text(text)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of a completion up to its end token."""
        return self.solved.decode(tokens)

    def train_batch(self, batch_size: int, seed: tuple[int, ...]) -> IntArray:
        """Training problems with as many attempts as may be; shape (batch_size, prompt + output tokens)."""
        return self.rows(batch_size, seed, self.most_attempts)

    def rows(self, batch_size: int, seed: tuple[int, ...], num_attempts: int) -> IntArray:
        """Training problems with so many attempts each; shape (batch_size, `prompt_tokens_of` + output tokens)."""
        task_BT, rng = self.solved.train_batch(batch_size, seed), np.random.default_rng((*seed, num_attempts))
        solution_BT = task_BT[:, self.solved.prompt_tokens : -1]
        attempts = [self._attempt(solution_BT, rng, permuted=at + 1 < num_attempts) for at in range(num_attempts)]
        return np.concatenate((*attempts, task_BT), axis=1)

    def _attempt(self, solution_BT: IntArray, rng: np.random.Generator, *, permuted: bool) -> IntArray:
        """Of each solution one with its products in that order or another, and in some rows a wrong digit."""
        zero, size = self.solved.encode_text("0")[0], len(solution_BT)
        width, total_width = self.solved.num_digits + 1, self.solved.num_digits + 2
        terms = range(1, self.solved.num_terms)
        later = [width + (term - 1) * (width + total_width + 2) + 1 for term in terms]
        powers = 10 ** np.arange(total_width)[::-1]
        product_BN = np.stack(
            [(solution_BT[:, at : at + width] - zero) @ powers[-width:] for at in (0, *later)], axis=1
        )
        product_BN = rng.permuted(product_BN, axis=1) if permuted else product_BN
        rows, wrong = np.arange(size), rng.integers(0, self.solved.num_terms, size)
        places = powers[rng.integers(total_width - width, total_width, size)]
        digits = product_BN[rows, wrong] // places % 10
        other = (digits + rng.integers(1, 10, size)) % 10
        product_BN[rows, wrong] += np.where(rng.random(size) < _RIGHT, 0, other - digits) * places
        attempt_BT = solution_BT.copy()
        for term, at in enumerate((0, *later)):
            attempt_BT[:, at : at + width] = product_BN[:, [term]] // powers[-width:] % 10 + zero
            if term:
                total_B1 = product_BN[:, : term + 1].sum(axis=1, keepdims=True)
                attempt_BT[:, at + width + 1 : at + width + 1 + total_width] = total_B1 // powers % 10 + zero
        return attempt_BT

    def problems(self, split: Split, count: int, *, seed: int = 0) -> tuple[Problem, ...]:
        """Problems of the chain, with no attempts shown."""
        return self.solved.problems(split, count, seed=seed)

    def answer(self, completion: str) -> str | None:
        """The total that `completion` ends with, without leading zeros; None where it does not end in `= digits`."""
        return self.solved.answer(completion)

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` ends with the reference answer, whatever its steps."""
        return self.solved.check(problem, completion)
