"""Verification: a problem of a task with a proposed solution; the problem is solved anew, then a verdict follows.

What a generative verifier is trained on, for a reference model: the words of the task, and two more. A reference model
that solves the task goes on from its weights, with two more rows (`breakeven.plan.models.widened`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from breakeven.data.splits import PAD, IntArray, Split
from breakeven.data.task import Task
from breakeven.records import Problem

VERDICTS: Final = ("Verdict:no", "Verdict:yes")
"""The two words, as `breakeven.sampling.reward_models.judge` reads them."""
TEMPLATE: Final = "{problem}\n{solution}"
"""What the judge asks."""
_QUOTED: Final = re.compile("^> ", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Whether proposed solutions of a task are right.

    A prompt is a problem and a solution, filled up to the longest; a completion is a solution of one's own, the word of
    the verdict and the end token.
    """

    kind: Literal["verification"] = "verification"
    solved: Task

    @property
    def vocab_size(self) -> int:
        """Number of token ids: those of the task, and the two verdicts."""
        return self.solved.vocab_size + len(VERDICTS)

    @property
    def prompt_tokens(self) -> int:
        """Tokens in every prompt."""
        return self.solved.prompt_tokens + self.solved.output_tokens

    @property
    def output_tokens(self) -> int:
        """Tokens in every reference solution, end token included; also the sampling limit."""
        return self.solved.output_tokens + 1

    @property
    def end_token(self) -> int:
        """Id of the token that ends a completion."""
        return self.solved.end_token

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of `problem.prompt`: the problem and the solution, each quoted or not, as a judge shows them."""
        words = _QUOTED.sub("", problem.prompt).replace("< ", "<").replace("(empty)", "")
        tokens = self.solved.encode_text(words)
        return tokens + [PAD] * (self.prompt_tokens - len(tokens))

    def encode_text(self, text: str) -> list[int]:
        """Token ids of a completion, as `decode` writes it."""
        return [
            self.solved.vocab_size + VERDICTS.index(word) if word in VERDICTS else self.solved.encode_text(word)[0]
            for word in text.split()
        ]

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of a completion up to its end token, a verdict on a line of its own."""
        own, kept = self.solved.vocab_size, list[str]()
        for token in tokens:
            if token == self.end_token:
                break
            kept.append(self.solved.decode([token]) if token < own else f"\n{VERDICTS[token - own]}")
        return " ".join(kept).strip()

    def rows(self, task_rows: IntArray, proposed_BT: IntArray, right_B: npt.NDArray[np.bool_]) -> IntArray:
        """Token ids to learn from: prompt, solution of one's own, verdict, end; shape (B, prompt + output tokens).

        Args:
            task_rows: problems with their reference solution, as the task's `train_batch` gives them.
            proposed_BT: the proposed solutions, as many tokens as the longest, filled up with padding.
            right_B: whether each is right.
        """
        problem_BT, own_BT = np.split(task_rows, [self.solved.prompt_tokens], axis=1)
        verdict_B1 = self.solved.vocab_size + right_B[:, None].astype(np.int64)
        return np.concatenate((problem_BT, proposed_BT, own_BT[:, :-1], verdict_B1, own_BT[:, -1:]), axis=1)

    def train_batch(self, batch_size: int, seed: tuple[int, ...]) -> IntArray:
        """Training problems of the task with their own solution, and every other one with that of another problem."""
        task_rows = self.solved.train_batch(batch_size, seed)
        own_BT = without_end(task_rows[:, self.solved.prompt_tokens :], self.end_token)
        proposed_BT = np.where(np.arange(batch_size)[:, None] % 2 == 0, own_BT, np.roll(own_BT, 1, axis=0))
        return self.rows(task_rows, proposed_BT, (proposed_BT == own_BT).all(axis=1))

    def problems(self, split: Split, count: int, *, seed: int = 0) -> tuple[Problem, ...]:
        """Problems of the task with their own solution; to be verified, so that the reference is the word for yes."""
        return tuple(
            Problem(
                id=each.id,
                prompt=TEMPLATE.format(problem=each.prompt, solution=each.solution),
                reference=VERDICTS[1],
                solution=f"{each.solution}\n{VERDICTS[1]}",
            )
            for each in self.solved.problems(split, count, seed=seed)
        )

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` ends in the verdict that is right."""
        return completion.split()[-1:] == [problem.reference]


def without_end(tokens_BT: IntArray, end_token: int) -> IntArray:
    """Solutions as they are proposed: padding in place of the end token."""
    return np.where(tokens_BT == end_token, PAD, tokens_BT)
