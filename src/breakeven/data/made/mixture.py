"""Mixture: several tasks at once, with one vocabulary, as a base model is pretrained on.

Prompts are filled up in front to the longest with padding, solutions behind with end tokens; both are read, learnt and
charged like any other token. All arrays are numpy.

A problem keeps the split that it has in its own task, so that what a member validates or tests on is never trained on.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from breakeven import check
from breakeven.data.made.countdown import Countdown
from breakeven.data.made.generated import GeneratedTask
from breakeven.data.made.sorting import Sorting
from breakeven.data.made.words import WordTask
from breakeven.data.splits import EOS, PAD, IntArray, Split
from breakeven.errors import ArgumentError, argument_error
from breakeven.records import Problem


@dataclass(frozen=True, kw_only=True)
class Mixture(WordTask):
    """Problems of several tasks, its members, each with its own checker.

    There is nothing to vote on: answers of different tasks have no common form.

    Args:
        members: tasks of words, those that breakeven makes itself.
        shares: of each in the problems, in proportion to their sum; none: all are equal.
    """

    kind: Literal["mixture"] = "mixture"
    members: tuple[GeneratedTask, ...] = (Countdown(), Sorting())
    shares: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.members:
            raise argument_error("members", "hold at least one task", list(self.members))
        if self.shares and len(self.shares) != len(self.members):
            rule = f"be as many as the {len(self.members)} members, or none"
            raise argument_error("shares", rule, list(self.shares))
        for index, share in enumerate(self.shares):
            check.positive(f"shares[{index}]", share)

    # -- vocabulary: every word of a member ---------------------------------------------------------------------------

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The word of each token, padding and end token first; a word of several members is one token."""
        return tuple(dict.fromkeys(word for each in self.members for word in each.words))

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt: those of the longest."""
        return max(each.prompt_tokens for each in self.members)

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, those of the longest; also the sampling limit."""
        return max(each.output_tokens for each in self.members)

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of `problem.prompt`, filled up in front."""
        tokens = self.encode_text(problem.prompt)
        return [PAD] * (self.prompt_tokens - len(tokens)) + tokens

    # -- generation ---------------------------------------------------------------------------------------------------

    def train_batch(self, batch_size: int, seed: tuple[int, ...]) -> IntArray:
        """Prompt and solution tokens of `batch_size` training problems, shape (batch_size, prompt + output tokens).

        A pure function of `seed`. How many are of each member is random, by the shares.
        """
        member_B = self._drawn(batch_size, np.random.default_rng(seed))
        rows = np.empty((batch_size, self.prompt_tokens + self.output_tokens), np.int64)
        for index, of_member in enumerate(self._counts(member_B)):
            if of_member:
                rows[member_B == index] = self._rows(index, self.members[index].train_batch(of_member, (*seed, index)))
        return rows

    def problems(self, split: Split, count: int, *, seed: int = 0) -> tuple[Problem, ...]:
        """`count` distinct problems of `split`, in an order given by `seed`; more add to fewer.

        Raises:
            ArgumentError: the split of a member holds fewer distinct problems than its share.
        """
        member_B = self._drawn(count, np.random.default_rng((seed, len(split))))
        made = [
            iter(self._problems(index, split, of_member, seed))
            for index, of_member in enumerate(self._counts(member_B))
        ]
        return tuple(next(made[index]) for index in member_B.tolist())

    def _problems(self, index: int, split: Split, count: int, seed: int) -> list[Problem]:
        """Problems of a member, whose ids begin with its place."""
        try:
            found = self.members[index].problems(split, count, seed=seed) if count else ()
        except ArgumentError as error:
            raise ArgumentError(f"{error} That is members[{index}] of the mixture, for its share.") from error
        return [replace(each, id=f"{index}:{each.id}") for each in found]

    def _drawn(self, count: int, rng: np.random.Generator) -> IntArray:
        """The place of the member that each of `count` problems is of."""
        shares = np.array(self.shares or [1.0] * len(self.members))
        return rng.choice(len(shares), size=count, p=shares / shares.sum())

    def _counts(self, member_B: IntArray) -> list[int]:
        return [int((member_B == index).sum()) for index in range(len(self.members))]

    def _rows(self, index: int, member_rows: IntArray) -> IntArray:
        """Rows of a member in the tokens of the mixture, filled up."""
        member = self.members[index]
        tokens = np.array([self.words.index(word) for word in member.words])[member_rows]
        prompt, solution = np.split(tokens, [member.prompt_tokens], axis=1)
        before, behind = self.prompt_tokens - member.prompt_tokens, self.output_tokens - member.output_tokens
        prompt = np.pad(prompt, ((0, 0), (before, 0)), constant_values=PAD)
        solution = np.pad(solution, ((0, 0), (0, behind)), constant_values=EOS)
        return np.concatenate((prompt, solution), axis=1)

    # -- checking -----------------------------------------------------------------------------------------------------

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` solves `problem`, by the member that made it."""
        index, _, own_id = problem.id.partition(":")
        return self.members[int(index)].check(replace(problem, id=own_id), completion)
