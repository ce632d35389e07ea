"""Strategies that search, as a session runs them at a checkpoint: outcomes and prices, nothing kept."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from breakeven.cost.query import mean_flops, search_flops
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.records import CHECK_FAILED, Problem, SearchOutcome, SegmentRule
from breakeven.records.protocols import RewardModel, SegmentSampler, Verifier
from breakeven.sampling.grading import grade
from breakeven.ttc.search.beam import beam_search
from breakeven.ttc.search.dvts import dvts
from breakeven.ttc.search.rebase import rebase
from breakeven.ttc.search.select import SEARCH_NAMES, SelectionRule, answers_of, chance_right
from breakeven.ttc.search.trees import SearchResult

_SEARCHES: dict[str, Callable[..., list[SearchResult]]] = {
    "beam_search": beam_search,
    "dvts": dvts,
    "rebase": rebase,
}


class Search(Protocol):
    """What a session asks of strategies that search."""

    def __call__(self, problems: Sequence[Problem], *, seed: int) -> tuple[tuple[SearchOutcome, ...], float]:
        """The outcomes on all problems, and the FLOPs that they took."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSearch:
    """A `Search` by beam search, DVTS or REBASE.

    Args:
        sampler: of the live model.
        reward_model: of kind "process".
        verifier: grades the candidates, and alone sees references.
        extract: the final answer of a solution; None: solutions as a whole are compared.
        strategies: names in SEARCH_NAMES.
        sizes: candidates a problem, each a search of its own; multiples of `width`.
        width: next steps a beginning (beam search, DVTS).
        segments: where a step ends.
        temperature: of the steps.
        model_cost: FLOPs per token of the model.
        reward_cost: FLOPs per token of the reward model.
    """

    sampler: SegmentSampler
    reward_model: RewardModel
    verifier: Verifier
    extract: Callable[[str], str | None] | None
    strategies: tuple[str, ...]
    sizes: tuple[int, ...]
    width: int
    segments: SegmentRule
    temperature: float
    model_cost: ModelCost
    reward_cost: ModelCost

    def __post_init__(self) -> None:
        if wrong := next((each for each in self.strategies if each not in SEARCH_NAMES), None):
            raise argument_error("strategies", f"be among {', '.join(SEARCH_NAMES)}", wrong)

    def __call__(self, problems: Sequence[Problem], *, seed: int) -> tuple[tuple[SearchOutcome, ...], float]:
        """See `Search`. Every search is run once for all its rules of choice, and charged once."""
        hidden = [dataclasses.replace(each, reference=None) for each in problems]
        outcomes: list[SearchOutcome] = []
        spent = 0.0
        for search in dict.fromkeys(each.partition("/")[0] for each in self.strategies):
            for size in self.sizes:
                results = self._search(search, hidden, size, seed)
                query = mean_flops([search_flops(self.model_cost, self.reward_cost, each.cost) for each in results])
                spent += query.total * len(problems)
                texts_PN = [[path.text for path in each.candidates] for each in results]
                rows = grade(self.verifier, problems, texts_PN)
                outcomes += [
                    SearchOutcome(
                        strategy=name,
                        k=size,
                        accuracy_P=tuple(
                            self._chance(result, verdicts, cast(SelectionRule, name.partition("/")[2]))
                            for result, verdicts in zip(results, rows, strict=True)
                        ),
                        query_flops=query.total,
                    )
                    for name in self.strategies
                    if name.partition("/")[0] == search
                ]
        return tuple(outcomes), spent

    def _search(self, search: str, problems: Sequence[Problem], size: int, seed: int) -> list[SearchResult]:
        how = partial(_SEARCHES[search], segments=self.segments, temperature=self.temperature, seed=seed)
        if search == "beam_search":
            return how(problems, self.sampler, self.reward_model, beams=size, width=self.width)
        if search == "dvts":
            return how(problems, self.sampler, self.reward_model, num_candidates=size, width=self.width)
        return how(problems, self.sampler, self.reward_model, num_candidates=size)

    def _chance(self, result: SearchResult, verdicts: str, rule: SelectionRule) -> float:
        """A candidate whose check failed does not take part."""
        answers = answers_of(result, self.extract)
        return chance_right(
            [None if verdict == CHECK_FAILED else each for each, verdict in zip(answers, verdicts, strict=True)],
            [path.reward for path in result.candidates],
            [verdict == "1" for verdict in verdicts],
            rule,
        )
