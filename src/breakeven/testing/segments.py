"""A sampler whose solutions have steps of known success rates, and a reward model of known quality to search with."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records import Completion, Draw, Finish, Prefix, Problem, Reward, SegmentRule
from breakeven.testing.rates import check_rates

DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class DigitSampler:
    """A `SegmentSampler` that writes digits, `4;1;7`, of which each is the right one with a known rate.

    Every character is a token, and the end of a solution is one more. A step is a digit and the `;` behind it. A digit
    that is not right is any of the nine others. All digits right, the solution is: its chance is rate ** num_steps.

    Args:
        success: the chance that a digit is right, in [0, 1], by problem id.
        num_steps: digits of every solution.

    Raises:
        ArgumentError: no problems, a rate outside [0, 1], or fewer than 1 step.

    >>> sampler = DigitSampler({"sure": 1.0}, num_steps=3)
    >>> (draw,) = sampler.sample(sampler.problems, 1, temperature=1.0, seed=0)
    >>> draw.completions[0].text == sampler.solution("sure"), draw.completions[0].output_tokens
    (True, 6)
    """

    success: Mapping[str, float]
    num_steps: int = 4

    def __post_init__(self) -> None:
        check_rates("success", list(self.success.values()))
        check.at_least("num_steps", self.num_steps, 1)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The problems it knows, in the order of `success`; each prompt is the problem's id, its characters tokens."""
        return tuple(Problem(id=each, prompt=each) for each in self.success)

    def solution(self, problem_id: str) -> str:
        """The right text."""
        return ";".join(str(int(10 * _uniform("digit", problem_id, at))) for at in range(self.num_steps))

    def check(self, problem: Problem, completion: str) -> bool:
        """See `breakeven.records.protocols.Verifier.check`."""
        return completion == self.solution(problem.id)

    def sample(
        self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int, first: int = 0
    ) -> list[Draw]:
        """See `breakeven.records.protocols.NumberedSampler.sample`. A temperature above 0 changes nothing."""
        segments = SegmentRule(ends=(), max_tokens=2 * self.num_steps)
        prefixes = [Prefix(problem=problem) for problem in problems]
        return self._draw(prefixes, range(first, first + num_samples), segments, temperature, seed)

    def extend(
        self, prefixes: Sequence[Prefix], num_samples: int, *, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        """See `breakeven.records.protocols.SegmentSampler.extend`.

        Raises:
            ArgumentError: a problem without a rate.
        """
        return self._draw(prefixes, range(num_samples), segments, temperature, seed)

    def _draw(
        self, prefixes: Sequence[Prefix], numbers: range, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        draws = []
        for prefix in prefixes:
            if prefix.problem.id not in self.success:
                raise argument_error("problems", "be among those with a success rate", prefix.problem.id)
            solution = self.solution(prefix.problem.id)
            completions = [self._go_on(prefix, solution, segments, temperature, (seed, i)) for i in numbers]
            prompt_tokens = len(prefix.problem.prompt) + len(prefix.text)
            draws.append(Draw(prompt_tokens=prompt_tokens, completions=tuple(completions)))
        return draws

    def _go_on(
        self, prefix: Prefix, solution: str, segments: SegmentRule, temperature: float, key: tuple[int, int]
    ) -> Completion:
        text = ""
        while len(text) < segments.max_tokens:
            at = len(prefix.text) + len(text)
            if at >= len(solution):
                return Completion(text=text, output_tokens=len(text) + 1)
            if at % 2:
                text += ";"
            else:
                uniform = _uniform(*key, prefix.problem.id, prefix.text, at) if temperature else 0.5
                text += _digit(solution[at], uniform, self.success[prefix.problem.id])
            if text.endswith(tuple(segments.ends)):
                break
        return Completion(text=text, output_tokens=len(text), finish=Finish.SEGMENT)


@dataclass(frozen=True, slots=True)
class NoisyReward:
    """A `RewardModel` that takes right beginnings for wrong, and wrong ones for right, at a known rate.

    What it takes for right gets a reward from 0.5 to 1, the rest one from 0 to 0.5, by a hash of (seed, problem, text).

    Args:
        is_right: whether a beginning of a solution is free of errors.
        error: share of texts that it is wrong about, in [0, 1].
        output_tokens: tokens that each verdict takes; 0 for a classifier.

    >>> sampler = DigitSampler({"p": 0.5}, num_steps=2)
    >>> oracle = NoisyReward(right_so_far(sampler))
    >>> texts = [sampler.solution("p"), "x"]
    >>> [each.value > 0.5 for each in oracle.score([Prefix(problem=sampler.problems[0], text=text) for text in texts])]
    [True, False]
    """

    is_right: Callable[[Prefix], bool]
    error: float = 0.0
    seed: int = 0
    kind: Literal["outcome", "process"] = "process"
    output_tokens: int = 0

    def __post_init__(self) -> None:
        check_rates("error", [self.error])

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        """See `breakeven.records.protocols.RewardModel.score`. It reads the characters of prompt and text."""
        return [self._reward(prefix) for prefix in prefixes]

    def _reward(self, prefix: Prefix) -> Reward:
        def uniform(what: str) -> float:
            return _uniform(self.seed, what, prefix.problem.id, prefix.text)

        believed = self.is_right(prefix) != (uniform("error") < self.error)
        return Reward(
            value=(believed + uniform("value")) / 2,
            read_tokens=len(prefix.problem.prompt) + len(prefix.text),
            output_tokens=self.output_tokens,
        )


def right_so_far(sampler: DigitSampler) -> Callable[[Prefix], bool]:
    """Whether a beginning of a solution of `sampler` has only right digits."""
    return lambda prefix: sampler.solution(prefix.problem.id).startswith(prefix.text.removesuffix(";"))


def _digit(right: str, uniform: float, rate: float) -> str:
    if uniform < rate:
        return right
    others = DIGITS.replace(right, "")
    return others[min(8, int(9 * (uniform - rate) / (1.0 - rate)))]


def _uniform(*parts: object) -> float:
    """A uniform in [0, 1), a function of `parts`."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) * 2.0**-53
