"""All strategies by name, on pools and in searches alike; the measure and the K-curve of one on a pool."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from breakeven import check
from breakeven.cost.samples import SampleCosts
from breakeven.errors import argument_error
from breakeven.names import load_object, strategy_name
from breakeven.records import NORMAL_95, FitStatus, KCurve, Made
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
FIELDS = {
    Need.ANSWERS: "label_PN",
    Need.REWARDS: "score_PN",
    Need.WEIGHTS: "score_PN",
    Need.VERDICTS: "verdict_PNV",
}
"""Where a pool holds what a strategy needs."""


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


def pool_has(pool: Pool | None) -> frozenset[Need]:
    """The needs of strategies that are measured on a pool that this one meets."""
    if pool is None:
        return frozenset()
    found = {need for need, field in FIELDS.items() if getattr(pool, field) is not None}
    if pool.score_PN is not None:
        voting = pool.score_PN[pool.answered_PN]
        if not ((voting >= 0.0) & (voting <= 1.0)).all():
            found.discard(Need.WEIGHTS)
    return frozenset(found)


def measure(pool: Pool, strategy: str | Strategy, k_values: Sequence[int]) -> Measured:
    """A strategy on a pool.

    Raises:
        ArgumentError: an unknown name, one that is not measured on a pool or whose answers, scores or verdicts are
            missing, or a K that the samples cannot answer for.
    """
    found = strategy_of(strategy)
    if found.measure is None:
        raise argument_error("strategy", "be one that is measured on a pool of samples", found.name)
    for need in found.needs:
        if need in FIELDS and getattr(pool, FIELDS[need]) is None:
            raise argument_error(f"pool.{FIELDS[need]}", f"be given for {found.name}", None)
    return found.measure(pool, k_values)


def measured_curve(
    pool: Pool,
    strategy: str | Strategy,
    k_values: Sequence[int],
    *,
    problems: Literal["these", "new"] = "these",
    oracle: bool = True,
    costs: SampleCosts | None = None,
    shared_prefill: bool = True,
) -> KCurve:
    """The K-curve of a strategy on a pool, measured at each of `k_values`.

    Args:
        pool: the samples.
        strategy: one that is measured on a pool.
        k_values: as the strategy takes them.
        problems: what the 90 % interval is about. "these": the accuracy on these very problems, so that only the draws
            are uncertain, which is what a decision combines with its own error of the choice of problems. "new":
            problems of the same kind, from the standard error over problems.
        oracle: whether grading needed gold answers.
        costs: what a sample costs on each problem of the pool; None: the curve gets no prices.
        shared_prefill: whether the samples of a query share one prefill of its prompt.

    Estimator:
        That of the strategy. The interval about these problems takes K / N p (1 - p) for the variance of a problem,
        which the mean over all K-subsets never exceeds (Hoeffding 1948); beyond a quarter of the samples p is that at
        the quarter, since nearer to N the subsets are too alike to show any variance. The Monte Carlo error is added.
        `paired_error_K` is about the gain over the greedy answers; without any, over the mean.
    """
    check.either("problems", problems, "these", "new")
    known = strategy_of(strategy)
    quarter = max(1, pool.num_samples // 4)
    asked = tuple(k_values)
    whole = known.mean_k
    both = asked if whole else tuple(sorted({*asked, quarter} if max(asked, default=0) > quarter else asked))
    measured = measure(pool, known, both)
    at_K = np.array([both.index(k) for k in asked])
    accuracy_PK, size = measured.accuracy_PK[:, at_K], pool.num_problems
    accuracy_K, carlo_K = accuracy_PK.mean(axis=0), measured.monte_carlo_error_K[at_K]
    if problems == "these":
        k_K = np.full(len(asked), pool.num_samples) if whole else np.array(asked)
        spread_PK = accuracy_PK
        if quarter in both and not whole:
            spread_PK = np.where(k_K <= quarter, accuracy_PK, measured.accuracy_PK[:, [both.index(quarter)]])
        draws_K = (spread_PK * (1.0 - spread_PK)).sum(axis=0) * k_K / pool.num_samples / size**2
        error_K = np.sqrt(draws_K + np.square(carlo_K))
    else:
        error_K = np.nan_to_num(measured.standard_error_K[at_K], nan=1.0)
    expected_samples_PK = None if measured.expected_samples_PK is None else measured.expected_samples_PK[:, at_K]
    if known.samples is not None:
        expected_samples_PK = known.samples(pool, asked)
    flops_K: tuple[float, ...] = ()
    if costs is not None:
        samples_PK = np.broadcast_to(np.array(asked, dtype=np.float64), accuracy_PK.shape)
        samples_PK = samples_PK if expected_samples_PK is None else expected_samples_PK
        rewarded = known.price == "rewards"
        flops_K = tuple(costs.query_flops_K(samples_PK, shared_prefill=shared_prefill, rewarded=rewarded).tolist())
    baseline_PK = accuracy_K if pool.greedy_P is None else pool.greedy_P[:, None]
    return KCurve(
        strategy=known.name,
        deployable=known.deployable(oracle=oracle),
        k_values=asked,
        accuracy_K=tuple(accuracy_K.tolist()),
        lo_K=tuple(np.maximum(accuracy_K - NORMAL_95 * error_K, 0.0).tolist()),
        hi_K=tuple(np.minimum(accuracy_K + NORMAL_95 * error_K, 1.0).tolist()),
        made_K=(Made.MEASURED,) * len(asked),
        status=FitStatus.FITTED if accuracy_K.max() > 0 else FitStatus.NO_SIGNAL,
        method="calibrated",
        expected_samples_K=() if expected_samples_PK is None else tuple(expected_samples_PK.mean(axis=0).tolist()),
        paired_error_K=tuple(((accuracy_PK - baseline_PK).std(axis=0) / size**0.5).tolist()),
        flops_K=flops_K,
        monte_carlo_error_K=tuple(carlo_K.tolist()),
    )
