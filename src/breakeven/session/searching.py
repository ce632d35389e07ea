"""Strategies that search, run and graded; and as a session runs them at a checkpoint, outcomes and prices alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from breakeven.cost.query import mean_flops, search_flops
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.records import Problem, SearchOutcome, SegmentRule
from breakeven.records.protocols import Answers, RewardModel, SegmentSampler, Verifier
from breakeven.sampling.grading import grade
from breakeven.ttc.search.select import answers_of, chance_right
from breakeven.ttc.search.trees import SearchResult
from breakeven.ttc.strategies.named import STRATEGIES, strategy_of
from breakeven.ttc.strategies.strategy import Strategy, Tools

_RIGHT = {"1": True, "0": False}


class Search(Protocol):
    """What a session asks of strategies that search."""

    def __call__(self, problems: Sequence[Problem], *, seed: int) -> tuple[tuple[SearchOutcome, ...], float]:
        """The outcomes on all problems, and the FLOPs that they took."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSearch:
    """A `Search` by strategies that search.

    Args:
        sampler: of the live model.
        reward_model: of kind "process".
        verifier: grades the candidates, and alone sees references.
        answers: the final answer of a solution, and which agree; None: solutions as a whole are compared.
        strategies: such as "dvts/weighted_vote".
        sizes: candidates a problem, each a search of its own; multiples of `width`.
        width: next segments a beginning (beam search, DVTS).
        segments: where a segment ends.
        temperature: of the segments.
        model_cost: FLOPs per token of the model.
        reward_cost: FLOPs per token of the reward model.

    Raises:
        ArgumentError: a strategy that is unknown or does not search.
    """

    sampler: SegmentSampler
    reward_model: RewardModel
    verifier: Verifier
    answers: Answers | None
    strategies: tuple[str, ...]
    sizes: tuple[int, ...]
    width: int
    segments: SegmentRule
    temperature: float
    model_cost: ModelCost
    reward_cost: ModelCost

    def __post_init__(self) -> None:
        searching = ", ".join(each.name for each in STRATEGIES.values() if each.search)
        for name in self.strategies:
            if not strategy_of(name, "strategies").search:
                raise argument_error("strategies", f"search, as {searching} do", name)

    def __call__(self, problems: Sequence[Problem], *, seed: int) -> tuple[tuple[SearchOutcome, ...], float]:
        """See `Search`. Every search is run once for all its rules of choice, and charged once."""
        tools = Tools(
            sampler=self.sampler,
            temperature=self.temperature,
            seed=seed,
            answers=self.answers,
            reward_model=self.reward_model,
            width=self.width,
            segments=self.segments,
        )
        outcomes: list[SearchOutcome] = []
        spent = 0.0
        for strategies in by_search(strategy_of(each) for each in self.strategies):
            for size in self.sizes:
                results, rows = graded_search(strategies[0], problems, size, tools, self.verifier)
                query = mean_flops([search_flops(self.model_cost, self.reward_cost, each.cost) for each in results])
                spent += query.total * len(problems)
                answers_PN = [answers_of(each.candidates, self.answers) for each in results]
                rewards_PN = [[path.reward for path in each.candidates] for each in results]
                outcomes += [
                    SearchOutcome(
                        strategy=strategy.name,
                        k=size,
                        accuracy_P=chances(strategy, answers_PN, rewards_PN, rows),
                        query_flops=query.total,
                    )
                    for strategy in strategies
                ]
        return tuple(outcomes), spent


def by_search(strategies: Iterable[Strategy]) -> list[list[Strategy]]:
    """Those that search, together with the others of their search: they share its candidates."""
    together: dict[str, list[Strategy]] = {}
    for each in strategies:
        if each.search:
            together.setdefault(each.search, []).append(each)
    return list(together.values())


def graded_search(
    strategy: Strategy, problems: Sequence[Problem], k: int, tools: Tools, verifier: Verifier, *, workers: int = 1
) -> tuple[list[SearchResult], list[str]]:
    """The search of every problem, and the verdicts on its candidates as `grade` writes them.

    The verifier alone sees references. Errors as those of the search and of the checks.
    """
    assert strategy.draw is not None, "a strategy that searches has one"
    results = strategy.draw([each.hidden for each in problems], k, tools)
    texts_PN = [[path.text for path in each.candidates] for each in results]
    return results, grade(verifier, problems, texts_PN, workers=workers)


def chances(
    strategy: Strategy,
    answers_PN: Sequence[Sequence[str | None]],
    rewards_PN: Sequence[Sequence[float]],
    verdicts_PN: Sequence[str],
) -> tuple[float, ...]:
    """Chance that the candidate which a strategy chooses is right, ties split evenly, one a problem.

    Args:
        strategy: one that searches.
        answers_PN: of the candidates; equal ones agree.
        rewards_PN: NaN where nothing was scored.
        verdicts_PN: as `grade` writes them; a candidate whose check failed takes no part.
    """
    assert strategy.rule is not None, "a strategy that searches has one"
    return tuple(
        chance_right(answers, rewards, [_RIGHT.get(each) for each in verdicts], strategy.rule)
        for answers, rewards, verdicts in zip(answers_PN, rewards_PN, verdicts_PN, strict=True)
    )
