"""What the tasks that make their own problems share: batches by seed, distinct problems of a split."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from breakeven.data.made.words import WordTask
from breakeven.data.splits import IntArray, Split
from breakeven.errors import argument_error
from breakeven.records import Problem


class GeneratedTask(WordTask):
    """A `breakeven.data.task.Task` whose problems are drawn as rows of tokens, all as long: a prompt and one solution.

    A kind is a frozen dataclass of its difficulty, final, that adds what is abstract here; where its completions end in
    an answer to vote on, also `answer` and `_reference`.
    """

    _more_by: ClassVar[str]
    """The setting that gives more problems where it is raised."""

    @property
    @abstractmethod
    def prompt_tokens(self) -> int:
        """Tokens in every prompt."""

    @property
    @abstractmethod
    def output_tokens(self) -> int:
        """Tokens in every reference solution, end token included; also the sampling limit."""

    @abstractmethod
    def _draw(self, count: int, rng: np.random.Generator, split: Split) -> IntArray:
        """Random problems of `split` with one solution each: at most `count` rows of tokens."""

    @abstractmethod
    def _id(self, prompt: str) -> str:
        """The name of a problem: equal for prompts that ask the same."""

    @abstractmethod
    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` solves `problem`. Malformed completions are False, never an exception."""

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of `problem.prompt`."""
        return self.encode_text(problem.prompt)

    # -- generation -----------------------------------------------------------------------------------------------

    def train_batch(self, batch_size: int, seed: tuple[int, ...]) -> IntArray:
        """Prompt and solution tokens of `batch_size` training problems, shape (batch_size, prompt + output tokens).

        A pure function of `seed`: a run that gives (run seed, step) resumes its data order from the step alone.
        """
        rng = np.random.default_rng(seed)
        parts: list[IntArray] = []
        while sum(map(len, parts)) < batch_size:
            parts.append(self._draw(batch_size, rng, "train"))
        return np.concatenate(parts)[:batch_size]

    def problems(self, split: Split, count: int, *, seed: int = 0) -> tuple[Problem, ...]:
        """`count` distinct problems of `split`, in an order given by `seed`.

        Raises:
            ArgumentError: the split holds fewer than `count` distinct problems.
        """
        rng = np.random.default_rng((seed, len(split)))
        found: dict[str, Problem] = {}
        barren_draws = 0
        while len(found) < count and barren_draws < 5:
            before = len(found)
            for row in self._draw(4096, rng, split):
                problem = self._problem(row)
                found.setdefault(problem.id, problem)
                if len(found) == count:
                    break
            barren_draws = barren_draws + 1 if len(found) == before else 0
        if len(found) < count:
            rule = f"be at most the {len(found)} distinct {split} problems of this difficulty"
            remedy = f"Ask for fewer, or raise {self._more_by} (task.{self._more_by})."
            raise argument_error("num_problems", rule, count, remedy)
        return tuple(found.values())

    def _problem(self, row: IntArray) -> Problem:
        prompt = self.decode(row[: self.prompt_tokens].tolist())
        solution = self.decode(row[self.prompt_tokens :].tolist())
        return Problem(id=self._id(prompt), prompt=prompt, reference=self._reference(row), solution=solution)

    def _reference(self, row: IntArray) -> str | None:
        """The answer to vote on; None where `check` needs no reference."""
        return None
