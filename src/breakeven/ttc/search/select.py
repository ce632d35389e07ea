"""The final answer among candidates: by the best reward, the highest sum of rewards, the most votes, or the last.

Ties are fair. Where accuracy is measured, the expectation over the tied is taken (`chance_right`). Where one answer has
to be served, the tied are put in order by a hash of the problem's id, and the first is taken (`select`): the same every
time, and no place in the order of the candidates is preferred over the problems.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, TypeVar, get_args

from breakeven.errors import argument_error
from breakeven.records.agree import agreeing
from breakeven.records.protocols import Answers
from breakeven.ttc.search.trees import Path, SearchResult

_Item = TypeVar("_Item")

SelectionRule = Literal["best_of_n", "weighted_vote", "majority_vote", "last"]
"""best_of_n: highest reward. weighted_vote: answer with the highest sum of rewards. majority_vote: most frequent
answer. last: of a chain of revisions, the last with an answer."""


def winners(answers: Sequence[str | None], rewards: Sequence[float], rule: SelectionRule) -> list[int]:
    """Places of the tied best candidates: all of them (best_of_n), or one of each tied answer, that of its best reward.

    Args:
        answers: in canonical form, so that equal answers are equal; None does not take part.
        rewards: one a candidate; "majority_vote" and "last" look at them only for which place stands for an answer.

    Raises:
        ArgumentError: lengths differ, an unknown rule, a reward that is needed and is not finite, or (weighted_vote) is
            negative.

    >>> winners(["8", "9", "9", None], [0.9, 0.5, 0.4, 1.0], "best_of_n")
    [0]
    >>> winners(["8", "9", "9", None], [0.9, 0.5, 0.5, 1.0], "weighted_vote")
    [1]
    """
    if len(answers) != len(rewards):
        raise argument_error("rewards", f"be one for each of the {len(answers)} answers", len(rewards))
    if rule not in get_args(SelectionRule):
        raise argument_error("rule", f"be one of {', '.join(get_args(SelectionRule))}", rule)
    places = [place for place, answer in enumerate(answers) if answer is not None]
    if rule == "last":
        return places[-1:]
    if rule != "majority_vote":
        _check_rewards([rewards[place] for place in places], lowest=0.0 if rule == "weighted_vote" else -math.inf)
    if rule == "best_of_n":
        return _best(places, [rewards[place] for place in places])
    classes: dict[str, list[int]] = {}
    for place in places:
        classes.setdefault(str(answers[place]), []).append(place)
    weights = [
        math.fsum(rewards[place] for place in members) if rule == "weighted_vote" else len(members)
        for members in classes.values()
    ]
    best_members = _best(list(classes.values()), weights)
    return [max(members, key=lambda place: (_or_lowest(rewards[place]), -place)) for members in best_members]


def select(
    answers: Sequence[str | None], rewards: Sequence[float], rule: SelectionRule, *, problem_id: str
) -> int | None:
    """Place of the candidate to be served; None where none has an answer. Arguments and errors as `winners`."""
    tied = winners(answers, rewards, rule)

    def order(place: int) -> bytes:
        what = place if rule == "best_of_n" else answers[place]  # candidates are tied in the one, answers in the others
        return hashlib.blake2b(f"{problem_id}\0{what}".encode(errors="surrogatepass"), digest_size=8).digest()

    return min(tied, key=order, default=None)


def chance_right(
    answers: Sequence[str | None], rewards: Sequence[float], right: Sequence[bool | None], rule: SelectionRule
) -> float:
    """Chance that the served answer is right, if ties are broken evenly; 0 where no candidate has an answer.

    Args:
        right: one verdict a candidate; None where the check failed, and the candidate takes no part.

    Raises:
        ArgumentError: as `winners`; or another number of verdicts.

    Estimator:
        Exact for these candidates: the mean verdict of the tied.

    >>> chance_right(["8", "9"], [0.5, 0.5], [True, False], "majority_vote")
    0.5
    """
    if len(right) != len(answers):
        raise argument_error("right", f"be one for each of the {len(answers)} answers", len(right))
    checked = [None if verdict is None else answer for answer, verdict in zip(answers, right, strict=True)]
    tied = winners(checked, rewards, rule)
    return sum(bool(right[place]) for place in tied) / len(tied) if tied else 0.0


def answers_of(candidates: Sequence[Path], answers: Answers | None = None) -> list[str | None]:
    """Answer of each candidate, equal where they agree; None of one that is not finished.

    Without `answers` the whole text is the answer.
    """
    if answers is None:
        return [path.text if path.finished else None for path in candidates]
    return agreeing([answers.extract(path.text) if path.finished else None for path in candidates], answers)


def choose(result: SearchResult, rule: SelectionRule, *, answers: Answers | None = None) -> SearchResult:
    """The result with the candidate chosen by `select`: none, where none has an answer."""
    rewards = [path.reward for path in result.candidates]
    place = select(answers_of(result.candidates, answers), rewards, rule, problem_id=result.problem.id)
    return replace(result, chosen=place)


def _best(items: Sequence[_Item], weights: Sequence[float]) -> list[_Item]:
    highest = max(weights, default=0.0)
    return [item for item, weight in zip(items, weights, strict=True) if weight == highest]


def _or_lowest(reward: float) -> float:
    return -math.inf if math.isnan(reward) else reward


def _check_rewards(rewards: Sequence[float], lowest: float) -> None:
    for reward in rewards:
        if not math.isfinite(reward):
            raise argument_error(
                "rewards", "be finite numbers", reward, "Score every candidate, or choose by majority_vote."
            )
        if reward < lowest:
            raise argument_error("rewards", "be at least 0 to be summed", reward, "Map them to [0, 1] first.")
