"""All strategies by name, on pools and in searches alike."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from breakeven.errors import argument_error
from breakeven.names import load_object, strategy_name
from breakeven.ttc.pool import Floats, Pool
from breakeven.ttc.search.select import SelectionRule
from breakeven.ttc.strategies import drawing
from breakeven.ttc.strategies.best_of_n import best_of_n
from breakeven.ttc.strategies.generative_verification import generative_verification
from breakeven.ttc.strategies.k_by_difficulty import PROBE, k_by_difficulty
from breakeven.ttc.strategies.majority_vote import majority_vote
from breakeven.ttc.strategies.measured import Measured, check_drawn, exact
from breakeven.ttc.strategies.pass_at_k import first_verified, pass_at_k_per_problem
from breakeven.ttc.strategies.settled_vote import samples_until_safe, settled_vote
from breakeven.ttc.strategies.soft_vote import SNAPSHOT_ENSEMBLE, SOFT_VOTE
from breakeven.ttc.strategies.strategy import Basis, Need, Strategy
from breakeven.ttc.strategies.weighted_vote import weighted_vote


def _pass_at_k(pool: Pool, k_values: Sequence[int]) -> Measured:
    asked_K = check_drawn(pool, k_values)
    return exact(asked_K, pass_at_k_per_problem(pool.correct_PN.sum(axis=1), pool.num_samples, asked_K))


def _until_verified(pool: Pool, k_values: Sequence[int]) -> Floats:
    return first_verified(pool.correct_PN.sum(axis=1), pool.num_samples, k_values)


def _until_safe(pool: Pool, k_values: Sequence[int]) -> Floats:
    return samples_until_safe(pool, k_values)[0]


def _best_verified(pool: Pool, k_values: Sequence[int]) -> Measured:
    most = 0 if pool.verdict_PNV is None else pool.verdict_PNV.shape[2]
    return generative_verification(pool, k_values, [most])[0]


def _searching(search: str, rules: Sequence[SelectionRule], **settings: Any) -> list[Strategy]:
    """One search with each of its rules of choice."""
    return [
        Strategy(name=f"{search}/{rule}", basis=Basis.SEARCH, search=search, rule=rule, **settings) for rule in rules
    ]


_TREE: tuple[SelectionRule, ...] = ("best_of_n", "weighted_vote", "majority_vote")
_TREE_NEEDS = (Need.BEGINNINGS, Need.SEGMENTS)

_ALL = (
    Strategy(name="greedy", basis=Basis.GREEDY, draw=drawing.greedily, usual=True),
    Strategy(
        name="pass@k",
        needs=(Need.VERIFIER,),
        basis=Basis.COUNTS,
        measure=_pass_at_k,
        samples=_until_verified,
        draw=drawing.until_verified,
        usual=True,
    ),
    Strategy(
        name="majority_vote",
        needs=(Need.ANSWERS,),
        measure=majority_vote,
        samples=_until_safe,
        draw=drawing.until_safe,
        usual=True,
    ),
    Strategy(
        name="best_of_n",
        needs=(Need.REWARDS,),
        measure=best_of_n,
        draw=drawing.sampled,
        rule="best_of_n",
        usual=True,
    ),
    Strategy(
        name="weighted_vote",
        needs=(Need.ANSWERS, Need.WEIGHTS),
        measure=weighted_vote,
        draw=drawing.sampled,
        rule="weighted_vote",
        usual=True,
    ),
    Strategy(
        name="generative_verification",
        needs=(Need.VERDICTS,),
        measure=_best_verified,
        measure_verdicts=generative_verification,
        draw=drawing.sampled,
        rule="best_of_n",
    ),
    Strategy(name=SOFT_VOTE, needs=(Need.PROBABILITIES,), basis=Basis.PASSES, draw=drawing.averaged, usual=True),
    Strategy(name=SNAPSHOT_ENSEMBLE, needs=(Need.SNAPSHOTS,), basis=Basis.PASSES, usual=True),
    Strategy(name="settled_vote", needs=(Need.ANSWERS,), measure=settled_vote, draw=drawing.until_settled),
    Strategy(
        name="k_by_difficulty",
        needs=(Need.ANSWERS,),
        measure=k_by_difficulty,
        least_k=PROBE,
        mean_k=True,
        least_problems=2,
    ),
    *_searching("beam_search", _TREE, needs=_TREE_NEEDS, draw=drawing.beams, by_width=True),
    *_searching("dvts", _TREE, needs=_TREE_NEEDS, draw=drawing.subtrees, by_width=True),
    *_searching("rebase", _TREE, needs=_TREE_NEEDS, draw=drawing.balanced),
    *_searching("revision", ("last", "majority_vote"), needs=(Need.REVISIONS,), draw=drawing.attempts),
    *_searching(
        "revision", ("best_of_n", "weighted_vote"), needs=(Need.REVISIONS, Need.REWARDS), draw=drawing.attempts
    ),
)
STRATEGIES: Mapping[str, Strategy] = MappingProxyType({each.name: each for each in _ALL})
"""All strategies that have a short name."""


def strategy_of(name: str | Strategy, argument: str = "strategy") -> Strategy:
    """The strategy of a name in STRATEGIES, or of one's own `package.module:name`; a value is itself.

    Names of earlier versions are understood.

    Raises:
        ArgumentError: an unknown name, or one of something else; `argument` is what it was written for.

    >>> strategy_of("dvts/weighted").name
    'dvts/weighted_vote'
    """
    if isinstance(name, Strategy):
        return name
    known = STRATEGIES.get(strategy_name(name))
    if known is not None:
        return known
    if ":" not in name:
        raise argument_error(argument, f"be among {', '.join(STRATEGIES)}, or package.module:name", name)
    found = load_object(name, argument)
    if not isinstance(found, Strategy):
        raise argument_error(argument, f"name a Strategy, as {name} does not", found)
    return replace(found, name=name)


def strategies_of(
    names: Iterable[str | Strategy], argument: str = "strategies", *, has: Collection[Need] = tuple(Need)
) -> tuple[Strategy, ...]:
    """The strategies of some names, each once, in the order of the names.

    The name of a search alone, such as "dvts", stands for all its rules of choice: those that lack nothing of what
    there is, or, where all lack something, all.

    Raises:
        ArgumentError: as `strategy_of`.

    >>> [each.name for each in strategies_of(["greedy", "revision"], has=[Need.REVISIONS])]
    ['greedy', 'revision/last', 'revision/majority_vote']
    """
    found: dict[str, Strategy] = {}
    for name in names:
        own = [each for each in STRATEGIES.values() if each.search and each.search == name]
        fitting = [each for each in own if not each.lacks(has)]
        found |= {each.name: each for each in fitting or own or [strategy_of(name, argument)]}
    return tuple(found.values())
