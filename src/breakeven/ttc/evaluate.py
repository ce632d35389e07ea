"""The K-curves of one checkpoint, one a strategy: what a decision chooses its serving point from."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.records import NORMAL_95, FitStatus, KCurve, Made, SearchOutcome
from breakeven.ttc.beta_binomial import beta_binomial_curve
from breakeven.ttc.k_curve import PAPER_K_VALUES, extrapolate_pass_at_k
from breakeven.ttc.strategies.k_by_difficulty import PROBE
from breakeven.ttc.strategies.named import STRATEGIES, measure, measured_curve
from breakeven.ttc.strategies.pass_at_k import pass_at_k_per_problem
from breakeven.ttc.tally import Tally

VOTE_K_VALUES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128)
"""Sample counts (of a tree search: groups of samples) at which a pool is measured, as far as there are samples."""
NAMES = ("greedy", *STRATEGIES)
"""All strategies that `evaluate` knows."""


def evaluate(
    tally: Tally,
    *,
    max_k: int,
    method: Literal["paper", "calibrated"] = "calibrated",
    fit_k_values: Sequence[int] = PAPER_K_VALUES,
    strategies: Sequence[str] | None = None,
) -> tuple[KCurve, ...]:
    """The K-curves of a checkpoint, read at every K from 1 to `max_k`.

    Method "paper": Pass@K alone. Method "calibrated": those of `strategies`, in the order of `NAMES`; where None, one
    greedy sample, Pass@K, where answers are voted on the majority vote, and where samples were scored best-of-N and,
    with answers and scores in [0, 1], the weighted vote. All but Pass@K go up to the samples drawn; where no sample was
    drawn there is none beyond greedy.

    Pass@K is deployable where the checker needs no gold answer, and so runs at serving time too, as Countdown's does.

    Raises:
        ArgumentError: an unknown strategy, or one of `strategies` that needs answers, scores or verdicts which the
            samples drawn do not have.
    """
    if method == "paper":
        curve = extrapolate_pass_at_k(
            tally.correct_P, tally.samples_P, range(1, max_k + 1), method="paper", fit_k_values=fit_k_values
        )
        return (replace(curve, deployable=not tally.oracle),)
    wanted = _default(tally) if strategies is None else check_strategies(strategies)
    curves = []
    if "greedy" in wanted and tally.greedy_accuracy is not None:
        curves.append(_greedy(tally.greedy_accuracy))
    if not tally.samples_P.any():
        return tuple(curves)
    for name in NAMES[1:]:
        if name in wanted and name == "pass@k" and (tally.pool is None or tally.pool.group_size == 1):
            curves.append(_shifted(_pass_at_k(tally, max_k), tally.left_out))
        elif name in wanted:
            curves.append(_shifted(_on_pool(tally, name, max_k), tally.left_out))
    return tuple(curves)


def search_curves(outcomes: Sequence[SearchOutcome], tally: Tally) -> tuple[KCurve, ...]:
    """The K-curves of strategies that search, each K a search of its own, measured on all problems of the tally.

    Estimator:
        One search a problem: the variance of the draws is taken as p (1 - p) over the problems, p the mean, which the
        mean of the problems' own variances never exceeds.
    """
    by_strategy: dict[str, list[SearchOutcome]] = {}
    for each in sorted(outcomes, key=lambda outcome: outcome.k):
        by_strategy.setdefault(each.strategy, []).append(each)
    curves = []
    for strategy, found in by_strategy.items():
        accuracy_KP = np.array([each.accuracy_P for each in found])
        mean_K = accuracy_KP.mean(axis=1)
        half_K = NORMAL_95 * np.sqrt(mean_K * (1.0 - mean_K) / accuracy_KP.shape[1])
        paired = tally.greedy_P is not None and len(tally.greedy_P) == accuracy_KP.shape[1]  # no check failed
        baseline_P = tally.greedy_P[None, :] if paired and tally.greedy_P is not None else mean_K[:, None]
        curves.append(
            KCurve(
                strategy=strategy,
                deployable=True,
                k_values=tuple(each.k for each in found),
                accuracy_K=tuple(mean_K.tolist()),
                lo_K=tuple(np.maximum(mean_K - half_K, 0.0).tolist()),
                hi_K=tuple(np.minimum(mean_K + half_K, 1.0).tolist()),
                made_K=(Made.MEASURED,) * len(found),
                status=FitStatus.FITTED if mean_K.max() > 0 else FitStatus.NO_SIGNAL,
                method="calibrated",
                flops_K=tuple(each.query_flops for each in found),
                paired_error_K=tuple(((accuracy_KP - baseline_P).std(axis=1) / accuracy_KP.shape[1] ** 0.5).tolist()),
            )
        )
    return tuple(curves)


def check_strategies(strategies: Sequence[str]) -> tuple[str, ...]:
    """`strategies`, each of which `evaluate` knows.

    Raises:
        ArgumentError: none, or an unknown one.
    """
    unknown = [name for name in strategies if name not in NAMES]
    if not strategies or isinstance(strategies, str) or unknown:
        raise argument_error("strategies", f"hold some of {', '.join(NAMES)}", unknown or strategies)
    return tuple(strategies)


def accuracy_per_problem(tally: Tally, strategy: str, k: int) -> npt.NDArray[np.float64]:
    """Expected accuracy of a strategy on each problem, shape (P,); every problem has at least `k` samples.

    Raises:
        ArgumentError: an unknown strategy, or one that this tally has no samples for.
    """
    if strategy == "greedy" and tally.greedy_P is not None:
        return tally.greedy_P.astype(np.float64)
    if strategy == "pass@k" and (tally.pool is None or tally.pool.group_size == 1):
        return pass_at_k_per_problem(tally.correct_P, tally.samples_P, [k])[:, 0]
    if strategy in STRATEGIES and tally.pool is not None:
        accuracy_P: npt.NDArray[np.float64] = measure(tally.pool, strategy, [k]).accuracy_PK[:, 0]
        return accuracy_P
    raise argument_error(
        "strategy", "be greedy, pass@k or, where answers or scores were recorded, another of NAMES", strategy
    )


def _default(tally: Tally) -> tuple[str, ...]:
    """What the samples allow without being asked for."""
    pool, wanted = tally.pool, ["greedy", "pass@k"]
    if pool is not None and pool.label_PN is not None:
        wanted.append("majority_vote")
    if pool is not None and pool.score_PN is not None:
        wanted.append("best_of_n")
        voting = pool.score_PN[pool.answered_PN]
        if pool.label_PN is not None and (voting >= 0.0).all() and (voting <= 1.0).all():
            wanted.append("weighted_vote")
    return tuple(wanted)


def _on_pool(tally: Tally, strategy: str, max_k: int) -> KCurve:
    """A strategy on the pool, at the K of VOTE_K_VALUES that there are samples and whole groups for."""
    if tally.pool is None:
        raise argument_error(
            "strategies", "be greedy or pass@k where neither answers nor scores were recorded", strategy
        )
    size = tally.pool.group_size
    last = min(max_k, tally.pool.num_samples)
    k_values = tuple(k for k in (size * each for each in VOTE_K_VALUES) if k <= last)
    if strategy == "k_by_difficulty":
        k_values = tuple(k for k in k_values if k >= PROBE)
    if not k_values:
        least = PROBE if strategy == "k_by_difficulty" else size
        raise argument_error("max_k", f"be at least {least}, and as many samples drawn, for {strategy}", last)
    curve = measured_curve(tally.pool, strategy, k_values)
    return replace(curve, deployable=not tally.oracle) if strategy == "pass@k" else curve


def _greedy(accuracy: float) -> KCurve:
    """One greedy sample, as a curve with a single K."""
    return KCurve(
        strategy="greedy",
        deployable=True,
        k_values=(1,),
        accuracy_K=(accuracy,),
        lo_K=(accuracy,),
        hi_K=(accuracy,),
        made_K=(Made.MEASURED,),
        status=FitStatus.FITTED if accuracy > 0 else FitStatus.NO_SIGNAL,
        method="calibrated",
        expected_samples_K=(1.0,),
        paired_error_K=(0.0,),
    )


def _pass_at_k(tally: Tally, max_k: int) -> KCurve:
    """Pass@K of the problems that were sampled, paired with their greedy answers."""
    drawn = tally.samples_P > 0
    curve = beta_binomial_curve(
        tally.correct_P[drawn],
        tally.samples_P[drawn],
        tuple(range(1, max_k + 1)),
        problems="these",
        baseline_P=None if tally.greedy_P is None else tally.greedy_P[drawn].astype(np.float64),
    )
    return replace(curve, deployable=not tally.oracle)


def _shifted(curve: KCurve, by: float) -> KCurve:
    """The curve of all problems from that of the sampled ones, by the difference in their greedy accuracy."""
    if by == 0.0:
        return curve
    accuracy_K, lo_K, hi_K = (
        tuple(min(1.0, max(0.0, value + by)) for value in values)
        for values in (curve.accuracy_K, curve.lo_K, curve.hi_K)
    )
    return replace(curve, accuracy_K=accuracy_K, lo_K=lo_K, hi_K=hi_K)
