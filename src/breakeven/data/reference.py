"""The tasks that breakeven trains on itself, seen as a problem set of text."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property

from breakeven import check
from breakeven.data.splits import Split
from breakeven.data.task import Task, answers_of
from breakeven.records import Problem
from breakeven.records.agree import SameText
from breakeven.records.protocols import Answers


@dataclass(frozen=True, kw_only=True)
class ReferenceProblems:
    """`count` problems of one split of a trainable task.

    Args:
        task: Countdown, Chain, Rules or Latin.
        split: which problems; those of "train" may have been seen in training.
        count: how many. A larger set begins with the smaller.
        seed: of their choice.
    """

    task: Task
    split: Split = "test"
    count: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        check.either("split", self.split, "train", "validation", "test")
        check.at_least("num_problems", self.count, 1)

    @property
    def name(self) -> str:
        """Such as `countdown(max_number=9, split='test')`, with what is not at its default."""
        shown = {
            each.name: getattr(self.task, each.name)
            for each in dataclasses.fields(self.task)
            if each.name != "kind" and getattr(self.task, each.name) != each.default
        }
        shown |= {"split": self.split} if self.split != "test" else {}
        shown |= {"seed": self.seed} if self.seed else {}
        said = ", ".join(f"{name}={value!r}" for name, value in sorted(shown.items()))
        return f"{self.task.kind}({said})" if said else self.task.kind

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The problems.

        Raises:
            ArgumentError: the split holds fewer.
        """
        return self.task.problems(self.split, self.count, seed=self.seed)

    @property
    def max_tokens(self) -> int:
        """Tokens of the reference model in a solution; other models may need more."""
        return self.task.output_tokens

    @property
    def stop(self) -> tuple[str, ...]:
        """None: the reference model ends its solutions itself."""
        return ()

    @cached_property
    def _answers(self) -> Answers:
        return answers_of(self.task) or SameText(lambda completion: " ".join(completion.split()) or None)

    def extract(self, completion: str) -> str | None:
        """The answer that a chain ends with; of a task without answers the whole solution, its spaces made single."""
        return self._answers.extract(completion)

    def canonical(self, answer: str) -> str:
        """The answer itself, but of a task of text."""
        return self._answers.canonical(answer)

    def equivalent(self, answer: str, other: str) -> bool:
        """True if they are the same text, or if a task of text takes them for the same."""
        return self._answers.equivalent(answer, other)

    def check(self, problem: Problem, completion: str) -> bool:
        """The task's own check."""
        return self.task.check(problem, completion)
