"""A strategy as a value: what it needs, which K it takes, how it is measured and priced, and how it serves a query."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from breakeven.errors import argument_error
from breakeven.records import Problem, SegmentRule
from breakeven.records.protocols import Answers, ProbabilitySampler, RewardModel, Sampler, SegmentSampler, Verifier
from breakeven.ttc.pool import Floats, Pool
from breakeven.ttc.search.select import SelectionRule, choose
from breakeven.ttc.search.trees import SearchResult
from breakeven.ttc.strategies.measured import Measured


class Need(StrEnum):
    """What a strategy cannot do without; the value is how an error calls it."""

    ANSWERS = "answers"
    """The final answer of a completion, so that it is known which samples agree."""
    REWARDS = "rewards"
    """A reward model's number for each solution."""
    WEIGHTS = "rewards in [0, 1]"
    """Rewards that can be summed."""
    VERDICTS = "verdicts"
    """Of a generative verifier, on each solution."""
    BEGINNINGS = "rewards of beginnings"
    """A reward model of kind "process"."""
    SEGMENTS = "a sampler that goes on from a beginning"
    REVISIONS = "a model that reads its earlier attempts"
    """One of text, that takes any prompt."""
    PROBABILITIES = "class probabilities of several passes"
    """Of a classifier whose passes are noisy: test-time augmentation, Monte Carlo dropout."""
    SNAPSHOTS = "class probabilities of earlier checkpoints"
    """On the same problems: their models are kept, and all are run to serve."""
    VERIFIER = "a verifier"
    """A check of every solution while serving: where it needs gold answers, the strategy is an oracle."""


_BY_REWARD = frozenset({Need.REWARDS, Need.WEIGHTS, Need.VERDICTS, Need.BEGINNINGS})


class Basis(StrEnum):
    """What a strategy is measured on."""

    GREEDY = "greedy"
    """The greedy sample of every problem."""
    COUNTS = "counts"
    """How many samples of a problem are right: can be read beyond the samples drawn."""
    POOL = "pool"
    """The samples with what they answer and how they are scored."""
    PASSES = "passes"
    """The class probabilities of passes, averaged when they are drawn: `SampleBank.soft_votes`."""
    SEARCH = "search"
    """Searches of its own, one for each K."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Who draws, scores and checks while a query is served, and how."""

    sampler: Sampler
    temperature: float
    """Of all but greedy samples."""
    seed: int = 0
    answers: Answers | None = None
    """What a completion answers, and which answers agree; where None, a search compares whole solutions."""
    verifier: Verifier | None = None
    reward_model: RewardModel | None = None
    num_verdicts: int = 0
    """V of a generative verifier; 0 for any other reward model."""
    width: int = 4
    """Next segments a beginning, of searches that have a width."""
    segments: SegmentRule = field(default_factory=SegmentRule)
    revised: Callable[[Problem, Sequence[str]], str] | None = None
    """Prompt of the next attempt of a revision; None: that of `breakeven.ttc.search.revision`."""
    round_size: int = 1
    """Samples of a query drawn at once where they are drawn in turn; more take fewer turns, and all are charged."""
    any_prompt: bool = True
    """Whether the model reads any prompt of text, and so its own earlier attempts."""

    @property
    def has(self) -> frozenset[Need]:
        """The needs that these tools meet."""
        there = {
            Need.ANSWERS: self.answers is not None,
            Need.REWARDS: self.reward_model is not None,
            Need.WEIGHTS: self.reward_model is not None,
            Need.VERDICTS: self.reward_model is not None and self.num_verdicts > 0,
            Need.BEGINNINGS: self.reward_model is not None and self.reward_model.kind == "process",
            Need.SEGMENTS: isinstance(self.sampler, SegmentSampler),
            Need.REVISIONS: self.any_prompt,
            Need.PROBABILITIES: isinstance(self.sampler, ProbabilitySampler),
            Need.VERIFIER: self.verifier is not None,
        }
        return frozenset(need for need, met in there.items() if met)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way to make an answer of K samples: a record of what is asked of it, wherever strategies are told apart.

    One's own is such a value in a module, named `package.module:name` wherever strategies are named.

    Raises:
        ArgumentError: measured on a pool, and no `measure`; or on searches, and no `search`, `draw` or `rule`.
    """

    name: str
    needs: tuple[Need, ...] = ()
    """To be measured, and to be served."""
    basis: Basis = Basis.POOL
    measure: Callable[[Pool, Sequence[int]], Measured] | None = None
    """Accuracy on each problem of a pool at each K, which `breakeven.ttc.strategies.on_pool.measure` calls."""
    measure_verdicts: Callable[[Pool, Sequence[int], Sequence[int]], tuple[Measured, ...]] | None = None
    """The same for each number of verdicts, where it makes use of them."""
    draw: Callable[[Sequence[Problem], int, Tools], list[SearchResult]] | None = None
    """The candidates of each problem for a K, and what they took; None: it cannot be served."""
    rule: SelectionRule | None = None
    """By which one of the candidates is chosen; None: `draw` chooses itself."""
    search: str = ""
    """Whose candidates it chooses from: strategies of one search share its samples, and are charged once."""
    least_k: int = 1
    by_width: bool = False
    """Whether every K is a multiple of the width of the search."""
    mean_k: bool = False
    """Whether K is the mean over the problems, not the most, so that one may take any number of samples."""
    least_problems: int = 1
    """To be measured."""
    samples: Callable[[Pool, Sequence[int]], Floats] | None = None
    """Expected samples per problem where drawing in turn changes what they are, and not the answer; shape (P, K)."""
    usual: bool = False
    """Whether it is measured wherever the samples allow, without being named."""

    def __post_init__(self) -> None:
        if self.basis is Basis.POOL and self.measure is None:
            raise argument_error("measure", f"be given for {self.name}, which is measured on a pool", None)
        if self.basis is Basis.SEARCH and not (self.search and self.draw and self.rule):
            raise argument_error("search, draw and rule", f"be given for {self.name}, which searches", None)

    @property
    def price(self) -> Literal["samples", "rewards", "verdicts", "search"]:
        """What a query is charged for: samples alone, a reward or verdicts on each, or whatever the search counted."""
        if self.basis is Basis.SEARCH:
            return "search"
        if Need.VERDICTS in self.needs:
            return "verdicts"
        return "rewards" if _BY_REWARD.intersection(self.needs) else "samples"

    def deployable(self, *, oracle: bool) -> bool:
        """Whether it can be served as it was measured, where grading needs gold answers (`oracle`) or does not."""
        return not (oracle and Need.VERIFIER in self.needs)

    def lacks(self, has: Collection[Need]) -> tuple[Need, ...]:
        """What it needs and there is not."""
        return tuple(need for need in self.needs if need not in has)

    def sizes(self, k_values: Iterable[int], *, width: int = 1) -> tuple[int, ...]:
        """Those of `k_values` that it can be asked for.

        Args:
            k_values: sample counts.
            width: of the search, where it has one.
        """
        unit = width if self.by_width else 1
        return tuple(k for k in k_values if k >= self.least_k and k % unit == 0)

    def serve(self, problems: Sequence[Problem], k: int, tools: Tools) -> list[SearchResult]:
        """One result a query: the candidate that is `chosen`, or None, and the exact count of what it took.

        Args:
            problems: the queries; their references reach the verifier alone.
            k: most samples of each.
            tools: a reward model that it does not need is not asked.

        Raises:
            ArgumentError: a strategy that cannot be served, one that lacks a tool, or a K that it does not take.
            SamplerError: the sampler or the reward model returned another number of results than asked for.
        """
        if self.draw is None:
            raise argument_error("strategy", "be one that can be served", self.name)
        if missing := self.lacks(tools.has):
            raise argument_error("tools", f"hold {missing[0].value} for {self.name}", None)
        if not self.sizes([k], width=tools.width):
            raise argument_error("k", f"be one that {self.name} takes", k)
        if not _BY_REWARD.intersection(self.needs):
            tools = replace(tools, reward_model=None)
        results = self.draw(problems, k, tools)
        return results if self.rule is None else [choose(each, self.rule, answers=tools.answers) for each in results]
