"""The conformance suite of reward models finds each broken promise."""

from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Prefix, Problem, Reward
from breakeven.testing import check_reward_model

PREFIXES = [
    Prefix(problem=Problem(id=name, prompt=f"{name}?", reference="gold"), text=text)
    for name in ("a", "b")
    for text in ("1", "2 + 2", "")
]


class RewardSource:
    kind: Any = "process"

    def score(self, prefixes):
        return [self.reward(each) for each in prefixes]

    def reward(self, prefix: Prefix, **changes: Any) -> Reward:
        value = (len(prefix.text) + len(prefix.problem.id)) / 10
        return Reward(**{"value": value, "read_tokens": 2 + len(prefix.text)} | changes)


def saved_reward(**changes: Any) -> RewardSource:
    class Changed(RewardSource):
        def reward(self, prefix: Prefix, **_: Any) -> Reward:
            return super().reward(prefix, **changes)

    return Changed()


class Cheat(RewardSource):
    def reward(self, prefix: Prefix, **_: Any) -> Reward:
        return super().reward(prefix, value=0.9 if prefix.problem.reference else 0.1)


class Reversed(RewardSource):
    def score(self, prefixes):
        return super().score(prefixes)[::-1]


class Ranked(RewardSource):
    """Depends on the batch."""

    def score(self, prefixes):
        return [self.reward(each, value=place / len(prefixes)) for place, each in enumerate(prefixes)]


class Tuple(RewardSource):
    def score(self, prefixes):
        return tuple(super().score(prefixes))


class Short(RewardSource):
    def score(self, prefixes):
        return super().score(prefixes)[1:]


class Kindless(RewardSource):
    kind = "both"


class Restless(RewardSource):
    calls = 0

    def score(self, prefixes):
        self.calls += 1
        return [self.reward(each, value=1 / self.calls) for each in prefixes]


def test_what_keeps_the_promises_passes() -> None:
    check_reward_model(RewardSource(), PREFIXES)
    check_reward_model(saved_reward(value=7.0), PREFIXES, unit_interval=False)
    check_reward_model(saved_reward(verdicts="10?", output_tokens=3), PREFIXES)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Kindless(), 'kind must be "outcome" or "process"'),
        (Tuple(), "score must return a list"),
        (Short(), "6 prefixes must give as many rewards, got 5"),
        (saved_reward(value=float("nan")), "a value must be finite, got nan for problem 'a'"),
        (saved_reward(value=1.5), "a value must be from 0 to 1, got 1.5"),
        (saved_reward(read_tokens=0), "1 read token or more, got 0"),
        (saved_reward(output_tokens=-1), "output tokens must not be negative"),
        (saved_reward(verdicts="yes"), "verdicts must be 0, 1 or"),
        (Restless(), "but a second call changed"),
        (Reversed(), "but the reversed order changed|but leaving one out changed"),
        (Ranked(), "but the reversed order changed"),
        (Cheat(), "but a reference answer changed"),
    ],
)
def test_a_broken_promise_is_named(broken: RewardSource, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_reward_model(broken, PREFIXES)


def test_too_few_prefixes_are_refused() -> None:
    with pytest.raises(ArgumentError, match="prefixes must be at least two, all different"):
        check_reward_model(RewardSource(), [PREFIXES[0], PREFIXES[0]])
