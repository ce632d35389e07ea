"""The strategies on a pool by name: what each needs, whether it can be deployed, and its K-curve."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, cast

import numpy as np

from breakeven.errors import argument_error
from breakeven.records import NORMAL_95, FitStatus, KCurve, Made
from breakeven.ttc.pool import Floats, Pool
from breakeven.ttc.strategies.best_of_n import best_of_n
from breakeven.ttc.strategies.generative_verification import generative_verification
from breakeven.ttc.strategies.group_vote import Rule, group_vote
from breakeven.ttc.strategies.k_by_difficulty import k_by_difficulty
from breakeven.ttc.strategies.majority_vote import majority_vote
from breakeven.ttc.strategies.measured import Measured, check_drawn, exact
from breakeven.ttc.strategies.pass_at_k import first_verified, pass_at_k_per_problem
from breakeven.ttc.strategies.settled_vote import samples_until_safe, settled_vote
from breakeven.ttc.strategies.weighted_vote import weighted_vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One way to make an answer of K samples of a pool."""

    measure: Callable[[Pool, Sequence[int]], Measured]
    deployable: bool
    """Whether it needs nothing at serving time that it had only in evaluation. Pass@K is deployable too where the
    checker needs no gold answer."""
    needs: tuple[str, ...] = ()
    """Fields of the pool without which it cannot be had."""
    grouped: bool = False
    """Whether it can be had of samples that share beginnings, too."""
    samples: Callable[[Pool, Sequence[int]], Floats] | None = None
    """Expected samples per problem where drawing in turn changes what they are, and not the answer; shape (P, K)."""


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


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "pass@k": Strategy(measure=_pass_at_k, deployable=False, grouped=True, samples=_until_verified),
        "majority_vote": Strategy(
            measure=majority_vote, deployable=True, needs=("label_PN",), grouped=True, samples=_until_safe
        ),
        "best_of_n": Strategy(measure=best_of_n, deployable=True, needs=("score_PN",), grouped=True),
        "weighted_vote": Strategy(measure=weighted_vote, deployable=True, needs=("label_PN", "score_PN"), grouped=True),
        "generative_verification": Strategy(measure=_best_verified, deployable=True, needs=("verdict_PNV",)),
        "settled_vote": Strategy(measure=settled_vote, deployable=True, needs=("label_PN",)),
        "k_by_difficulty": Strategy(measure=k_by_difficulty, deployable=True, needs=("label_PN",)),
    }
)
"""All strategies on a pool. `greedy`, one sample at temperature 0, is beside them: it needs no pool."""


def needs_scores(strategy: str) -> bool:
    """Whether serving a strategy takes a reward model.

    >>> needs_scores("best_of_n"), needs_scores("majority_vote"), needs_scores("greedy")
    (True, False, False)
    """
    known = STRATEGIES.get(strategy)
    return known is not None and "score_PN" in known.needs


def measure(pool: Pool, strategy: str, k_values: Sequence[int]) -> Measured:
    """A strategy by its name, on single samples or on groups of them as the pool says.

    Raises:
        ArgumentError: an unknown name, a strategy whose answers, scores or verdicts are missing, or a K that the
            samples cannot answer for.
    """
    if strategy not in STRATEGIES:
        raise argument_error("strategy", f"be one of {', '.join(STRATEGIES)}", strategy)
    known = STRATEGIES[strategy]
    for field in known.needs:
        if getattr(pool, field) is None:
            raise argument_error(f"pool.{field}", f"be given for {strategy}", None, _REMEDY[field])
    if pool.group_size > 1 and known.grouped:
        return group_vote(pool, k_values, rule=cast(Rule, strategy))
    return known.measure(pool, k_values)


_REMEDY = {
    "label_PN": "Record the answers of the samples: they are voted on.",
    "score_PN": "Score the samples with a reward model.",
    "verdict_PNV": "Ask a generative verifier.",
}


def measured_curve(
    pool: Pool, strategy: str, k_values: Sequence[int], *, problems: Literal["these", "new"] = "these"
) -> KCurve:
    """The K-curve of a strategy on a pool, measured at each of `k_values`.

    Args:
        pool: the samples.
        strategy: a name in STRATEGIES.
        k_values: as the strategy takes them.
        problems: what the 90 % interval is about. "these": the accuracy on these very problems, so that only the draws
            are uncertain, which is what a decision combines with its own error of the choice of problems. "new":
            problems of the same kind, from the standard error over problems.

    Estimator:
        That of the strategy. The interval about these problems takes K / N p (1 - p) for the variance of a problem,
        which the mean over all K-subsets never exceeds (Hoeffding 1948); beyond a quarter of the samples p is that at
        the quarter, since nearer to N the subsets are too alike to show any variance. The Monte Carlo error is added.
        `paired_error_K` is about the gain over the greedy answers; without any, over the mean.
    """
    if problems not in ("these", "new"):
        raise argument_error("problems", 'be "these" or "new"', problems)
    quarter = max(1, pool.num_samples // 4 // pool.group_size) * pool.group_size
    asked = tuple(k_values)
    whole = strategy == "k_by_difficulty"  # which may draw any number of the samples for a problem
    both = asked if whole else tuple(sorted({*asked, quarter} if max(asked, default=0) > quarter else asked))
    measured = measure(pool, strategy, both)
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
    drawn_in_turn = STRATEGIES[strategy].samples
    if drawn_in_turn is not None and pool.group_size == 1:
        expected_samples_PK = drawn_in_turn(pool, asked)
    baseline_PK = accuracy_K if pool.greedy_P is None else pool.greedy_P[:, None]
    return KCurve(
        strategy=strategy,
        deployable=STRATEGIES[strategy].deployable,
        k_values=asked,
        accuracy_K=tuple(accuracy_K.tolist()),
        lo_K=tuple(np.maximum(accuracy_K - NORMAL_95 * error_K, 0.0).tolist()),
        hi_K=tuple(np.minimum(accuracy_K + NORMAL_95 * error_K, 1.0).tolist()),
        made_K=(Made.MEASURED,) * len(asked),
        status=FitStatus.FITTED if accuracy_K.max() > 0 else FitStatus.NO_SIGNAL,
        method="calibrated",
        expected_samples_K=() if expected_samples_PK is None else tuple(expected_samples_PK.mean(axis=0).tolist()),
        paired_error_K=tuple(((accuracy_PK - baseline_PK).std(axis=0) / size**0.5).tolist()),
        monte_carlo_error_K=tuple(carlo_K.tolist()),
    )
