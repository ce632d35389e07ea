from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from breakeven.records import Completion, Draw, Finish, Prefix, Problem, Reward, SegmentRule
from breakeven.testing import DigitSampler, NoisyReward, right_so_far

BY_STEP = SegmentRule(ends=(";",), max_tokens=8)


@dataclass
class ScriptedSampler:
    """What follows each text is written down, one entry a sample; a `.` ends a solution. A character is a token."""

    script: Mapping[str, Sequence[str]]
    calls: list[tuple[list[Prefix], int, SegmentRule]] = field(default_factory=list)

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        raise NotImplementedError

    def extend(
        self, prefixes: Sequence[Prefix], num_samples: int, *, segments: SegmentRule, temperature: float, seed: int
    ) -> list[Draw]:
        self.calls.append((list(prefixes), num_samples, segments))
        return [
            Draw(
                prompt_tokens=len(prefix.problem.prompt) + len(prefix.text),
                completions=tuple(map(self.completion, self.script[prefix.text][:num_samples])),
            )
            for prefix in prefixes
        ]

    def completion(self, text: str) -> Completion:
        finish = Finish.STOP if text.endswith(".") else Finish.SEGMENT
        return Completion(text=text.removesuffix("."), output_tokens=len(text), finish=finish)


@dataclass
class ScriptedReward:
    """A reward by text; it reads the characters of prompt and text."""

    rewards: Mapping[str, float]
    kind: str = "process"
    output_tokens: int = 0
    calls: list[list[Prefix]] = field(default_factory=list)

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        self.calls.append(list(prefixes))
        return [
            Reward(
                value=self.rewards[each.text],
                read_tokens=len(each.problem.prompt) + len(each.text),
                output_tokens=self.output_tokens,
            )
            for each in prefixes
        ]


@pytest.fixture
def scripted() -> Callable[..., ScriptedSampler]:
    return ScriptedSampler


@pytest.fixture
def scripted_reward() -> Callable[..., ScriptedReward]:
    return ScriptedReward


@pytest.fixture(scope="session")
def digits() -> DigitSampler:
    return DigitSampler({f"problem {number}": 0.6 for number in range(60)}, num_steps=4)


@pytest.fixture(scope="session")
def oracle(digits: DigitSampler) -> NoisyReward:
    return NoisyReward(right_so_far(digits))


@pytest.fixture
def by_step() -> SegmentRule:
    return BY_STEP
