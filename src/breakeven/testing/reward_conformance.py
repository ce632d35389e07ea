"""The promises of the `RewardModel` protocol, as a check that any reward model can be put through."""

import dataclasses
import math
from collections.abc import Sequence

from breakeven.errors import argument_error
from breakeven.records import Prefix, Reward
from breakeven.records.protocols import RewardModel


def check_reward_model(
    reward_model: RewardModel, prefixes: Sequence[Prefix], *, unit_interval: bool = True, tolerance: float = 1e-5
) -> None:
    """Nothing, if `reward_model` keeps what `breakeven.records.protocols.RewardModel` promises.

    Scores each prefix some six times. It is shown without the problems' reference answers first, then with wrong ones.

    Args:
        prefixes: at least two, all different; whole solutions for a model of kind "outcome".
        unit_interval: whether values have to be in [0, 1], as weighted votes and REBASE need them.
        tolerance: by how much a value may change with the others it is computed with.

    Raises:
        ArgumentError: fewer than two different prefixes.
        AssertionError: a promise is broken; the message says which one.

    >>> class Length:
    ...     kind = "process"
    ...
    ...     def score(self, prefixes):
    ...         return [Reward(value=1 / (1 + len(each.text)), read_tokens=1 + len(each.text)) for each in prefixes]
    >>> from breakeven.records import Problem
    >>> check_reward_model(Length(), [Prefix(problem=Problem(id="p", prompt=""), text=text) for text in ("a", "bcd")])
    """
    if len(set(prefixes)) != len(prefixes) or len(prefixes) < 2:
        raise argument_error("prefixes", "be at least two, all different", len(prefixes))
    kind = reward_model.kind
    _require(kind in ("outcome", "process"), f'kind must be "outcome" or "process", got {kind!r}')
    shown = [_with_reference(each, None) for each in prefixes]
    full = _scored(reward_model, shown, unit_interval)
    for what, others, expected in (
        ("a second call", shown, full),
        ("the reversed order", shown[::-1], full[::-1]),
        ("leaving one out", shown[1:], full[1:]),
        ("asking for one twice", [shown[0], *shown], [full[0], *full]),
        ("a reference answer", [_with_reference(each, "another answer") for each in shown], full),
    ):
        _check_equal(_scored(reward_model, others, unit_interval), expected, what, tolerance)
    alone = [reward for each in shown for reward in _scored(reward_model, [each], unit_interval)]
    _check_equal(alone, full, "scoring one by one", tolerance)
    _require(reward_model.score([]) == [], "no prefixes must give no rewards")


def _scored(reward_model: RewardModel, prefixes: Sequence[Prefix], unit_interval: bool) -> list[Reward]:
    rewards = reward_model.score(prefixes)
    _require(isinstance(rewards, list), f"score must return a list, got {type(rewards).__name__}")
    _require(len(rewards) == len(prefixes), f"{len(prefixes)} prefixes must give as many rewards, got {len(rewards)}")
    for prefix, reward in zip(prefixes, rewards, strict=True):
        of = f"for problem {prefix.problem.id!r}"
        _require(math.isfinite(reward.value), f"a value must be finite, got {reward.value} {of}")
        _require(not unit_interval or 0 <= reward.value <= 1, f"a value must be from 0 to 1, got {reward.value:g} {of}")
        _require(reward.read_tokens >= 1, f"a reward must count 1 read token or more, got {reward.read_tokens} {of}")
        _require(reward.output_tokens >= 0, f"output tokens must not be negative, got {reward.output_tokens} {of}")
        _require(not set(reward.verdicts) - set("01?"), f"verdicts must be 0, 1 or ?, got {reward.verdicts!r} {of}")
    return rewards


def _check_equal(rewards: Sequence[Reward], expected: Sequence[Reward], what: str, tolerance: float) -> None:
    for reward, other in zip(rewards, expected, strict=True):
        same = dataclasses.replace(reward, value=other.value) == other
        _require(
            same and abs(reward.value - other.value) <= tolerance,
            f"a reward must depend on its own problem and text alone, but {what} changed {other} to {reward}",
        )


def _with_reference(prefix: Prefix, reference: str | None) -> Prefix:
    return dataclasses.replace(prefix, problem=dataclasses.replace(prefix.problem, reference=reference))


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(f"{message}.")
