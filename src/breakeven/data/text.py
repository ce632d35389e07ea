"""Any task of text as one the reference model can be trained on: character by character, prompt to reference answer."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from breakeven import check
from breakeven.data.named import is_own, task_from
from breakeven.data.splits import EOS, IntArray, Split, split_of_bucket
from breakeven.data.task import Solved, TextTask
from breakeven.errors import argument_error
from breakeven.names import check_trusted
from breakeven.records import Problem
from breakeven.records.agree import canonical_answer

_PAD = 0
_CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))
_FIRST = 2
"""Token of the first character, after padding and the end token."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A `Task` made of a `TextTask`: problems that have a reference answer, split by a hash of their prompts.

    Args:
        name: as in `breakeven eval --task`, such as "reasoning-gym:chain_sum".
        settings: of that task; an `instruction` is left out unless given here, since there is nobody to follow it.
        num_problems: problems to make or to read, for all three splits together.
        prompt_tokens: characters of the longest prompt; shorter ones are filled up in front.
        output_tokens: characters of the longest answer, end token included.
    """

    kind: Literal["text"] = "text"
    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    num_problems: int = 4000
    prompt_tokens: int = 48
    output_tokens: int = 12

    def __post_init__(self) -> None:
        for name in ("num_problems", "prompt_tokens", "output_tokens"):
            check.at_least(name, getattr(self, name), 1)
        if is_own(self.name):  # here, where one knows who wrote it: it is loaded only when problems are asked for
            check_trusted(self.name, "task.name")

    @property
    def vocab_size(self) -> int:
        """Number of token ids: padding, end, and the printable characters of ASCII."""
        return _FIRST + len(_CHARACTERS)

    @property
    def end_token(self) -> int:
        """Id of the token that ends a completion."""
        return EOS

    @cached_property
    def text_task(self) -> TextTask:
        """The task as it is asked in text."""
        return task_from(self.name, num_problems=self.num_problems, settings={"instruction": ""} | self.settings)

    # -- tokens ---------------------------------------------------------------------------------------------------

    def encode_prompt(self, problem: Problem) -> list[int]:
        """Token ids of `problem.prompt`, filled up in front."""
        tokens = self._encode(problem.prompt, problem.id)
        if len(tokens) > self.prompt_tokens:
            rule = f"hold the {len(tokens)} characters of problem {problem.id!r}"
            raise argument_error("prompt_tokens", rule, self.prompt_tokens)
        return [_PAD] * (self.prompt_tokens - len(tokens)) + tokens

    def problem_key(self, problem: Problem) -> str:
        """The prompt: ids of generated problems are numbers, which other seeds use again."""
        return problem.prompt

    def encode_text(self, text: str) -> list[int]:
        """Token ids of the beginning of a completion."""
        return self._encode(text, text)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of a completion up to its end token."""
        kept = tokens[: list(tokens).index(EOS)] if EOS in tokens else tokens
        return "".join(_CHARACTERS[token - _FIRST] for token in kept if token >= _FIRST)

    def _encode(self, text: str, whose: str) -> list[int]:
        places = [_CHARACTERS.find(each) for each in text]
        if min(places, default=0) < 0:
            got = f"{text[places.index(-1)]!r} in {whose!r}"
            raise argument_error("task.name", "have problems in printable ASCII", got)
        return [_FIRST + place for place in places]

    # -- problems -------------------------------------------------------------------------------------------------

    @cached_property
    def _by_split(self) -> dict[Split, tuple[Problem, ...]]:
        parts: dict[Split, list[Problem]] = {"train": [], "validation": [], "test": []}
        prompts = set[str]()
        for problem in self.text_task.problems:
            if problem.prompt not in prompts:
                prompts.add(problem.prompt)
                parts[split_of_bucket(zlib.crc32(problem.prompt.encode()) % 20)].append(self._solved(problem))
        return {split: tuple(problems) for split, problems in parts.items()}

    def _solved(self, problem: Problem) -> Problem:
        """With its solution, where there is one that the model could write."""
        if problem.reference is None and not isinstance(self.text_task, Solved):
            return problem
        text = self._solution(problem)
        fits = len(text) < self.output_tokens and set(text) <= set(_CHARACTERS)
        return replace(problem, solution=text if fits else None)

    def problems(self, split: Split, count: int, *, seed: int = 0) -> tuple[Problem, ...]:
        """`count` distinct problems of `split`, in an order given by `seed`.

        Raises:
            ArgumentError: the split holds fewer than `count` distinct problems.
        """
        held = self._by_split[split]
        if len(held) < count:
            rule = f"be at most the {len(held)} distinct {split} problems"
            raise argument_error("num_problems", rule, count, "Ask for fewer, or raise task.num_problems.")
        order = np.random.default_rng((seed, len(split))).permutation(len(held))[:count]
        return tuple(held[index] for index in order)

    @cached_property
    def _train_rows(self) -> IntArray:
        rows = [self._row(problem) for problem in self._by_split["train"]]
        if not rows:
            raise argument_error("task.num_problems", "leave problems for training", self.num_problems)
        return np.array(rows, dtype=np.int64)

    def _row(self, problem: Problem) -> list[int]:
        answer = self._encode(self._solution(problem), problem.id)
        if len(answer) + 1 > self.output_tokens:
            rule = f"hold the {len(answer)} characters of the answer to {problem.id!r} and the end token"
            raise argument_error("output_tokens", rule, self.output_tokens)
        return self.encode_prompt(problem) + answer + [EOS] * (self.output_tokens - len(answer))

    def _solution(self, problem: Problem) -> str:
        """What is to be learnt: a solution where the task can write one, else the reference answer."""
        if isinstance(self.text_task, Solved):
            return self.text_task.solution(problem)
        if problem.reference is None:
            raise argument_error("task.name", "name a task whose problems have a reference answer", self.name)
        return problem.reference

    def train_batch(self, batch_size: int, seed: tuple[int, ...]) -> IntArray:
        """Prompt and answer tokens of `batch_size` training problems, shape (batch_size, prompt + output tokens).

        A pure function of `seed`; drawn with replacement from the training problems.
        """
        rows = self._train_rows
        return rows[np.random.default_rng(seed).integers(0, len(rows), batch_size)]

    # -- checking -------------------------------------------------------------------------------------------------

    def extract(self, completion: str) -> str | None:
        """The final answer, None where `completion` has none."""
        return self.text_task.extract(completion)

    def canonical(self, answer: str) -> str:
        """The text task's canonical form."""
        return self.text_task.canonical(answer)

    def equivalent(self, answer: str, other: str) -> bool:
        """Whether the text task takes two canonical forms for the same."""
        return self.text_task.equivalent(answer, other)

    def answer(self, completion: str) -> str | None:
        """The final answer in canonical form, None where `completion` has none."""
        return canonical_answer(self, completion)

    def check(self, problem: Problem, completion: str) -> bool:
        """True if `completion` solves `problem`; see `TextTask.check`."""
        return self.text_task.check(problem, completion)
