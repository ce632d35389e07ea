"""How each strategy draws while it serves: what `Strategy.draw` may be."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from breakeven.errors import argument_error
from breakeven.records import Problem
from breakeven.records.protocols import ProbabilitySampler, RewardModel, SegmentSampler
from breakeven.ttc.search import adaptive
from breakeven.ttc.search.averaging import soft_vote
from breakeven.ttc.search.beam import beam_search
from breakeven.ttc.search.dvts import dvts
from breakeven.ttc.search.rebase import rebase
from breakeven.ttc.search.revision import revise, revised
from breakeven.ttc.search.trees import SearchResult
from breakeven.ttc.strategies.strategy import Tools

Problems = Sequence[Problem]
_Tool = TypeVar("_Tool")


def greedily(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """One sample at temperature 0, whatever K is."""
    drawn = adaptive.at_once(problems, tools.sampler, 1, temperature=0.0, seed=tools.seed)
    return [replace(each, chosen=0) for each in drawn]


def sampled(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """K samples at once, scored where there is a reward model."""
    return adaptive.at_once(
        problems, tools.sampler, k, temperature=tools.temperature, seed=tools.seed, reward_model=tools.reward_model
    )


def averaged(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """The likeliest class of the mean of K passes, of a classifier; the first of those that are tied."""
    sampler = tools.sampler
    if not isinstance(sampler, ProbabilitySampler):
        raise argument_error("tools.sampler", "be of a classifier, to average its probabilities", sampler)
    return soft_vote(problems, sampler, k, temperature=tools.temperature, seed=tools.seed)


def until_verified(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """Up to the first sample that the verifier accepts."""
    return adaptive.until_verified(problems, tools.sampler, _given("verifier", tools.verifier), k, **_in_turn(tools))


def until_safe(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """Until the leader of a vote of K cannot be caught up with."""
    return adaptive.safe_vote(problems, tools.sampler, _given("answers", tools.answers), k, **_in_turn(tools))


def until_settled(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """Until the leader is almost surely the majority's."""
    return adaptive.settled_vote(problems, tools.sampler, _given("answers", tools.answers), k, **_in_turn(tools))


def beams(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """Beam search for K whole solutions."""
    return beam_search(problems, *_tree(tools), beams=k, width=tools.width, **_segments(tools))


def subtrees(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """DVTS for K candidates."""
    return dvts(problems, *_tree(tools), num_candidates=k, width=tools.width, **_segments(tools))


def balanced(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """REBASE for K whole solutions."""
    return rebase(problems, *_tree(tools), num_candidates=k, **_segments(tools))


def attempts(problems: Problems, k: int, tools: Tools) -> list[SearchResult]:
    """A chain of K attempts, scored in the end where there is a reward model."""
    return revise(
        problems,
        tools.sampler,
        attempts=k,
        prompt=tools.revised or revised,
        temperature=tools.temperature,
        seed=tools.seed,
        reward_model=tools.reward_model,
    )


def _in_turn(tools: Tools) -> dict[str, Any]:
    return {"temperature": tools.temperature, "seed": tools.seed, "round_size": tools.round_size}


def _segments(tools: Tools) -> dict[str, Any]:
    return {"segments": tools.segments, "temperature": tools.temperature, "seed": tools.seed}


def _tree(tools: Tools) -> tuple[SegmentSampler, RewardModel]:
    if not isinstance(tools.sampler, SegmentSampler):
        raise argument_error("tools.sampler", "go on from the beginning of a solution, to search", tools.sampler)
    return tools.sampler, _given("reward_model", tools.reward_model)


def _given(name: str, tool: _Tool | None) -> _Tool:
    if tool is None:
        raise argument_error(f"tools.{name}", "be given", None)
    return tool
