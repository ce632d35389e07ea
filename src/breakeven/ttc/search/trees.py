"""What the strategies share: paths, and their cost."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.errors import argument_error
from breakeven.records import SEARCH_COUNTS, Finish, Problem, SearchCost


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
    """The candidate that the strategy itself settled on; None if it settled on none, or leaves that to `select`."""
    num_unchecked: int = 0
    """Candidates whose check crashed or timed out: neither right nor wrong."""


def mean_cost(results: Sequence[SearchResult]) -> dict[str, float]:
    """The mean of each count of `SearchCost` over the problems: `num_samples` are the expected samples of a query.

    Raises:
        ArgumentError: no results.

    Estimator:
        Exact for these problems.
    """
    if not results:
        raise argument_error("results", "hold at least one problem", [])
    return {name: math.fsum(getattr(each.cost, name) for each in results) / len(results) for name in SEARCH_COUNTS}


def check_problems(problems: Sequence[Problem]) -> None:
    """Nothing, if all ids differ: samples are functions of the id, so that equal ones would get equal samples."""
    ids = [problem.id for problem in problems]
    if len(set(ids)) != len(ids):
        twice = next(each for each in ids if ids.count(each) > 1)
        raise argument_error("problems", "have different ids", twice)


def best_first(paths: Sequence[Path]) -> list[Path]:
    """Highest reward first; of equal ones, the one drawn first."""
    return sorted(paths, key=lambda path: -path.reward)
