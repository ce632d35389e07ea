"""Every generator of the reasoning-gym package as a task, by name."""

import dataclasses
import hashlib
import importlib.util
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from breakeven import check
from breakeven.checking.reasoning_gym_worker import generator_settings
from breakeven.checking.workers import CheckBrokeError, Workers
from breakeven.data.answers.find import ANSWER_RULES, AnswerRule, extracted
from breakeven.errors import CheckFailedError, MissingExtraError, argument_error
from breakeven.records import Problem

MAX_PROBLEMS = 20_000
"""Some generators make a problem from the size of the whole set, so that it is made for this size always."""
INSTRUCTION = "Give the final answer alone between <answer> and </answer>."
_CHUNK = 25
_CHUNK_SECONDS = 120.0
_RIGHT = 1.0 - 1e-9
_ANY = ("0", "", "{}", "[]")
"""Answers that some checker or other can read."""


@dataclass(frozen=True, kw_only=True)
class ReasoningGym:
    """Problems of one generator. Problem i depends on the generator's settings, the seed and i alone.

    They are made and checked in a process of their own, in which Python's hash seed is fixed: three of the generators
    would else make other problems in every run. Where a generator has few different problems, some come repeatedly.

    Args:
        generator: its name in reasoning-gym, such as "chain_sum".
        num_problems: at most 20,000. A larger set begins with the smaller.
        settings: the generator's own difficulty settings, such as `{"min_terms": 2, "max_terms": 2}`.
        instruction: added to every question, on the answer's form; "" for none.
        answer: how the answer is found in a completion, see `breakeven.data.answers.find.extracted`.
        max_tokens: limit of a completion.
        stop: strings before which a completion ends.
        timeout_seconds: CPU time of one check.
        num_workers: checks at once.

    Raises:
        ArgumentError: an unknown generator or setting, or a value that the generator refuses.
        MissingExtraError: reasoning-gym is not installed.
    """

    generator: str
    num_problems: int = 100
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    instruction: str = INSTRUCTION
    answer: AnswerRule = "final"
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    timeout_seconds: float = 10.0
    num_workers: int = 2

    def __post_init__(self) -> None:
        check.between("num_problems", self.num_problems, 1, MAX_PROBLEMS)
        check.one_of("answer", self.answer, ANSWER_RULES)
        check.at_least("max_tokens", self.max_tokens, 1)
        _check_settings(self.generator, self.settings)

    @property
    def name(self) -> str:
        """Such as `reasoning-gym:chain_sum(max_terms=2, seed=1)`, with what is not at its default."""
        given: dict[str, Any] = {**self.settings, "seed": self.seed, "answer": self.answer}
        shown = [f"{name}={value!r}" for name, value in sorted(given.items()) if (name, value) not in _UNSAID]
        return f"reasoning-gym:{self.generator}" + (f"({', '.join(shown)})" if shown else "")

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """`num_problems` problems, made when first asked for. `reference` is the package's own answer, if it has one.

        Raises:
            ArgumentError: the generator cannot make so many with these settings.
        """
        made: list[Problem] = []
        while (start := len(made)) < self.num_problems:
            stop = min(start + _CHUNK, self.num_problems)
            try:
                entries = self._workers.call("entries", start, stop, timeout_seconds=_CHUNK_SECONDS)
            except CheckFailedError as error:
                rule, remedy = f"be able to make problems {start} to {stop - 1}", "Ask for fewer, or for easier ones."
                raise argument_error(f"reasoning-gym:{self.generator}", rule, str(error), remedy) from None
            made += [
                Problem(
                    id=f"{self.generator}-{index}",
                    prompt=f"{question}\n\n{self.instruction}" if self.instruction else question,
                    reference=None if answer is None else str(answer),
                )
                for index, (question, answer) in enumerate(entries, start)
            ]
        return tuple(made)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {problem.id: index for index, problem in enumerate(self.problems)}

    @cached_property
    def _workers(self) -> Workers:
        mixed = hashlib.blake2b(f"{self.generator} {self.seed}".encode(), digest_size=8).digest()
        config = {
            "generator": self.generator,
            # 31 bits, as numpy's generators take them. Mixed, since most generators add a problem's number to the seed:
            # problem 1 of seed 0 would else be problem 0 of seed 1.
            "seed": int.from_bytes(mixed) >> 33,
            "size": MAX_PROBLEMS,
            "config": dict(self.settings),
        }
        return Workers(
            "breakeven.checking.reasoning_gym_worker:start",
            config,
            timeout_seconds=self.timeout_seconds,
            num_workers=self.num_workers,
        )

    # -- answers --------------------------------------------------------------------------------------------------

    def extract(self, completion: str) -> str | None:
        """The answer by the task's rule."""
        return extracted(completion, self.answer)

    def canonical(self, answer: str) -> str:
        """The answer itself: most checkers compare texts, so that 5 and 5.0 are different answers."""
        return answer

    def equivalent(self, answer: str, other: str) -> bool:
        """True if they are the same text."""
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        """True if the package's own checker gives the answer its full score. A partial score is wrong.

        Wrong is an answer that breaks the checker, too, where this takes the gold answer for right.

        Raises:
            ArgumentError: not a problem of this task.
            CheckFailedError: the checker is broken for every answer, or was not served.
        """
        index = self._place.get(problem.id)
        if index is None:
            raise argument_error("problem", f"be one of {self.name}", problem.id)
        answer = self.extract(completion)
        if answer is None:
            return False
        try:
            score = self._workers.call("score", index, answer)
            if not isinstance(score, float) or not math.isfinite(score):
                raise CheckBrokeError(f"the checker of {self.generator} must give a number; got {score!r}")
            return score >= _RIGHT
        except CheckBrokeError:
            if not self._checks(index, problem.reference):
                raise
            return False

    def _checks(self, index: int, gold: str | None) -> bool:
        """Whether the checker takes the gold answer for right; where there is none, whether it takes any answer."""
        for text in _ANY if gold is None else (gold,):
            with suppress(CheckBrokeError):
                score = self._workers.call("score", index, text)
                return isinstance(score, float) and score >= (0.0 if gold is None else _RIGHT)
        return False

    def close(self) -> None:
        """End the processes; they end by themselves with the program."""
        self._workers.close()


_UNSAID: tuple[tuple[str, Any], ...] = (("seed", 0), ("answer", "final"))


def generators() -> tuple[str, ...]:
    """Names of all generators of the installed reasoning-gym.

    Raises:
        MissingExtraError: it is not installed.
    """
    return tuple(sorted(_datasets()))


def _datasets() -> dict[str, Any]:
    if importlib.util.find_spec("reasoning_gym") is None:
        raise MissingExtraError("these tasks need reasoning-gym: pip install 'breakeven[tasks]'")
    from reasoning_gym.factory import DATASETS

    datasets: dict[str, Any] = DATASETS
    return datasets


def _check_settings(generator: str, settings: Mapping[str, Any]) -> None:
    datasets = _datasets()
    if generator not in datasets:
        rule = f"be one of the {len(datasets)} of reasoning-gym"
        raise argument_error("generator", rule, generator, check.did_you_mean(generator, datasets))
    config = datasets[generator][1]
    known = sorted({each.name for each in dataclasses.fields(config)} - {"seed", "size"})
    for name in settings:
        check.one_of(f"settings of {generator}", name, known, check.did_you_mean(name, known))
    try:
        made = config(**generator_settings(generator, settings))
        if hasattr(made, "validate"):
            made.validate()
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        rule = "be ones that the generator takes"
        raise argument_error(f"settings of {generator}", rule, dict(settings), f"It says: {error}.") from None
