"""What the strategies share: paths, with their rewards and their cost."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.errors import argument_error
from breakeven.records import Completion, Finish, Prefix, Problem, Reward, SearchCost
from breakeven.records.asking import check_rewards
from breakeven.records.protocols import RewardModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A solution or the beginning of one, from the root of its tree."""

    text: str = ""
    finish: Finish = Finish.SEGMENT
    """STEP: it could go on; after the last step allowed, and where a step added nothing, LENGTH."""
    rewards: tuple[float, ...] = ()
    """One a step; empty where nothing was scored."""
    output_tokens: int = 0
    """Generated along this path alone."""
    group: int = 0
    """Number of its subtree. Paths of a group share a beginning: sub-sample whole groups, never single paths."""

    @property
    def finished(self) -> bool:
        """False for a beginning that could go on."""
        return self.finish is not Finish.SEGMENT

    @property
    def reward(self) -> float:
        """Of the last step; NaN where nothing was scored."""
        return self.rewards[-1] if self.rewards else math.nan


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What one problem's search ended with."""

    problem: Problem
    candidates: tuple[Path, ...]
    cost: SearchCost
    chosen: int | None = None
    """The candidate that the strategy settled on; None if it settled on none, or leaves that to `select`."""
    num_unchecked: int = 0
    """Candidates whose check crashed or timed out: neither right nor wrong."""

    @property
    def served(self) -> Path | None:
        """The candidate that is chosen."""
        return None if self.chosen is None else self.candidates[self.chosen]


def path_of(completion: Completion) -> Path:
    """A whole solution, drawn at once."""
    return Path(text=completion.text, finish=completion.finish, output_tokens=completion.output_tokens)


def with_rewards(results: Sequence[SearchResult], reward_model: RewardModel) -> list[SearchResult]:
    """The results with a reward of each whole candidate, all asked for in one call, and what that took.

    Raises:
        SamplerError: the reward model returned another number of rewards, or one that is not a finite number.
    """
    prefixes = [Prefix(problem=each.problem.hidden, text=path.text) for each in results for path in each.candidates]
    rewards = reward_model.score(prefixes) if prefixes else []
    check_rewards(prefixes, rewards)
    left = iter(rewards)
    scored = [[next(left) for _ in each.candidates] for each in results]
    return [
        dataclasses.replace(
            each,
            candidates=tuple(
                dataclasses.replace(path, rewards=(reward.value,))
                for path, reward in zip(each.candidates, own, strict=True)
            ),
            cost=each.cost + _reading(own),
        )
        for each, own in zip(results, scored, strict=True)
    ]


def _reading(rewards: Sequence[Reward]) -> SearchCost:
    """Each solution is read whole: whole solutions have no beginning in common that could be counted on."""
    read_tokens = sum(reward.read_tokens for reward in rewards)
    return SearchCost(
        num_scored=len(rewards),
        reward_tokens=read_tokens,
        reward_reread_tokens=read_tokens,
        reward_output_tokens=sum(reward.output_tokens for reward in rewards),
    )


def check_problems(problems: Sequence[Problem]) -> None:
    """Nothing, if all ids differ: samples are functions of the id, so that equal ones would get equal samples."""
    ids = [problem.id for problem in problems]
    if len(set(ids)) != len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise argument_error("problems", "have different ids", twice)


def best_first(paths: Sequence[Path]) -> list[Path]:
    """Highest reward first; of equal ones, the one drawn first."""
    return sorted(paths, key=lambda path: -path.reward)
