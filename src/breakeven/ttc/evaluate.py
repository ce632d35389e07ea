"""The K-curves of one checkpoint, one a strategy: what a decision chooses its serving point from."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from breakeven.cost.samples import SampleCosts
from breakeven.errors import argument_error
from breakeven.records import NORMAL_95, FitStatus, KCurve, Made, SearchOutcome, SoftVote
from breakeven.ttc.calibrated_curve import calibrated_curve, until_right
from breakeven.ttc.k_curve import PAPER_K_VALUES, extrapolate_pass_at_k
from breakeven.ttc.poststrata import shifted
from breakeven.ttc.strata import strata_of
from breakeven.ttc.strategies.curve import curve_of
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.named import STRATEGIES, strategies_of, strategy_of
from breakeven.ttc.strategies.on_pool import measure, measured_curve, pool_has
from breakeven.ttc.strategies.pass_at_k import first_verified, pass_at_k_per_problem
from breakeven.ttc.strategies.strategy import Basis, Need, Strategy
from breakeven.ttc.tally import Tally

VOTE_K_VALUES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128)
"""Sample counts at which a pool is measured, as far as there are samples."""


def evaluate(
    tally: Tally,
    *,
    max_k: int,
    method: Literal["paper", "calibrated"] = "calibrated",
    fit_k_values: Sequence[int] = PAPER_K_VALUES,
    strategies: Sequence[str | Strategy] | None = None,
    shared_prefill: bool = True,
) -> tuple[KCurve, ...]:
    """The K-curves of a checkpoint, read at every K from 1 to `max_k`.

    Method "paper": Pass@K alone. Method "calibrated": those of `strategies`, in the order of STRATEGIES, one's own
    last; where None, one greedy sample, Pass@K, where answers are voted on the majority vote, and where samples were
    scored best-of-N and, with answers and scores in [0, 1], the weighted vote. All but Pass@K go up to the samples
    drawn; where no sample was drawn there is none beyond greedy. Of strategies that search there is none either: theirs
    are `search_curves`.

    Where the tally knows what a sample costs on each problem, `flops_K` are the prices of a query, the prompt read once
    for all samples if `shared_prefill`.

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
    curves: list[KCurve] = []
    for strategy in _usual(tally) if strategies is None else _named(strategies):
        if strategy.basis is Basis.GREEDY:
            curves += [] if tally.greedy_accuracy is None else [_greedy(tally)]
        elif strategy.basis is Basis.SEARCH or not (tally.samples_P.any() or Need.SNAPSHOTS in strategy.needs):
            continue
        elif strategy.basis is Basis.PASSES:
            curves.append(_soft_vote(tally, strategy, max_k))
        elif strategy.basis is Basis.COUNTS:
            curves.append(_pass_at_k(tally, max_k, shared_prefill))
        else:
            curves.append(_on_pool(tally, strategy, max_k, shared_prefill))
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


def accuracy_per_problem(tally: Tally, strategy: str | Strategy, k: int) -> npt.NDArray[np.float64]:
    """Expected accuracy of a strategy on each problem, shape (P,); every problem has at least `k` samples.

    Raises:
        ArgumentError: an unknown strategy, or one that this tally has no samples for.
    """
    known = strategy_of(strategy)
    if known.basis is Basis.GREEDY and tally.greedy_P is not None:
        return tally.greedy_P.astype(np.float64)
    if known.basis is Basis.COUNTS:
        return pass_at_k_per_problem(tally.correct_P, tally.samples_P, [k])[:, 0]
    if known.basis is Basis.PASSES:
        found, measured = _averaged(tally, known)
        if k not in found.k_values:
            raise argument_error("k", f"be one that {known.name} was measured at: {list(found.k_values)}", k)
        accuracy_P: npt.NDArray[np.float64] = measured.accuracy_PK[:, found.k_values.index(k)]
        return accuracy_P
    if known.basis is Basis.POOL and tally.pool is not None:
        return measure(tally.pool, known, [k]).accuracy_PK[:, 0]
    rule = "be greedy, pass@k or, where answers or scores were recorded, one that is measured on them"
    raise argument_error("strategy", rule, known.name)


def _usual(tally: Tally) -> list[Strategy]:
    """What the samples allow without being asked for."""
    has = {*pool_has(tally.pool), Need.VERIFIER}
    for each in tally.soft_votes:
        has.update(strategy_of(each.strategy).needs)
    return [each for each in STRATEGIES.values() if each.usual and not each.lacks(has)]


def _named(names: Sequence[str | Strategy]) -> list[Strategy]:
    """Those of some names in the order of STRATEGIES, one's own last."""
    if isinstance(names, str) or not names:
        raise argument_error("strategies", f"hold some of {', '.join(STRATEGIES)}", names)
    order = {name: place for place, name in enumerate(STRATEGIES)}
    return sorted(strategies_of(names), key=lambda each: order.get(each.name, len(order)))


def _on_pool(tally: Tally, strategy: Strategy, max_k: int, shared_prefill: bool) -> KCurve:
    """A strategy on the pool, at the K of VOTE_K_VALUES that there are samples for."""
    if tally.pool is None:
        rule = "be greedy or pass@k where neither answers nor scores were recorded"
        raise argument_error("strategies", rule, strategy.name)
    last = min(max_k, tally.pool.num_samples)
    k_values = strategy.sizes(k for k in VOTE_K_VALUES if k <= last)
    if not k_values:
        rule = f"be at least {strategy.least_k}, and as many samples drawn, for {strategy.name}"
        raise argument_error("max_k", rule, last)
    costs = None if tally.costs is None else tally.costs.take(tally.samples_P > 0)
    return measured_curve(
        tally.pool,
        strategy,
        k_values,
        oracle=tally.oracle,
        costs=costs,
        shared_prefill=shared_prefill,
        left_out=tally.left_out,
    )


def _averaged(tally: Tally, strategy: Strategy) -> tuple[SoftVote, Measured]:
    """What was recorded of averaged probabilities."""
    found = next((each for each in tally.soft_votes if each.strategy == strategy.name), None)
    if found is None:
        rule = f"be one that was measured: there are no {strategy.needs[0].value}"
        raise argument_error("strategies", rule, strategy.name)
    return found, Measured(
        k_values=found.k_values,
        accuracy_PK=np.array(found.accuracy_PK),
        monte_carlo_error_K=np.array(found.monte_carlo_error_K),
    )


def _soft_vote(tally: Tally, strategy: Strategy, max_k: int) -> KCurve:
    """Averaged probabilities. Each pass is paid for whole; of an ensemble of checkpoints, a plain one of each."""
    found, measured = _averaged(tally, strategy)
    k_values = tuple(k for k in found.k_values if k <= max_k)
    if Need.SNAPSHOTS in strategy.needs:
        curve = curve_of(strategy, measured, k_values, num_samples=None, greedy_P=tally.greedy_P)
        if tally.costs is not None:
            curve = replace(curve, flops_K=tuple(k * tally.costs.greedy_flops for k in k_values))
        return curve
    drawn = tally.samples_P > 0
    return curve_of(
        strategy,
        measured,
        k_values,
        num_samples=found.num_passes,
        greedy_P=None if tally.greedy_P is None else tally.greedy_P[drawn],
        costs=None if tally.costs is None else tally.costs.take(drawn),
        shared_prefill=False,
        left_out=tally.left_out,
    )


def _greedy(tally: Tally) -> KCurve:
    """One greedy sample, as a curve with a single K."""
    accuracy = tally.greedy_accuracy or 0.0
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
        flops_K=() if tally.costs is None else (tally.costs.greedy_flops,),
    )


def _pass_at_k(tally: Tally, max_k: int, shared_prefill: bool) -> KCurve:
    """Pass@K from the problems that were sampled, paired with their greedy answers."""
    drawn = tally.samples_P > 0
    correct_P, samples_P = tally.correct_P[drawn], tally.samples_P[drawn]
    greedy_P = None if tally.greedy_P is None else tally.greedy_P[drawn]
    strata_P = None
    if tally.earlier_right_P is not None and tally.earlier_answers_P is not None:
        strata_P = strata_of(tally.earlier_right_P[drawn], tally.earlier_answers_P[drawn])
    curve = calibrated_curve(
        correct_P,
        samples_P,
        tuple(range(1, max_k + 1)),
        problems="these",
        baseline_P=None if greedy_P is None else greedy_P.astype(np.float64),
        strata_P=strata_P,
    )
    if greedy_P is not None and tally.left_out:
        measured = range(1, min(max_k, int(samples_P.min())) + 1)
        accuracy_PK = pass_at_k_per_problem(correct_P, samples_P, measured)
        curve = shifted(curve, accuracy_PK, greedy_P, tally.left_out)
        k_K = np.array(curve.k_values)
        curve = replace(curve, expected_samples_K=until_right(k_K, np.array(curve.accuracy_K), curve.k_values))
    flops_K = () if tally.costs is None else _until_right_flops(tally, curve, tally.costs.take(drawn), shared_prefill)
    return replace(curve, deployable=not tally.oracle, flops_K=flops_K)


def _until_right_flops(tally: Tally, curve: KCurve, costs: SampleCosts, shared_prefill: bool) -> tuple[float, ...]:
    """FLOPs per query of drawing up to the first right sample or K, exact as far as every problem has K samples.

    Beyond, samples cost on average what they do at the last of these K: more than the mean sample, where the problems
    on which more are drawn have the longer ones. Of all problems as many are drawn as the curve expects.
    """
    drawn = tally.samples_P > 0
    known = int(tally.samples_P[drawn].min())
    measured = [k for k in curve.k_values if k <= known]
    exact_PK = first_verified(tally.correct_P[drawn], tally.samples_P[drawn], measured)
    if tally.left_out:
        exact_PK = exact_PK * (np.array(curve.expected_samples_K[: len(measured)]) / exact_PK.mean(axis=0))
    exact_K = costs.query_flops_K(exact_PK, shared_prefill=shared_prefill)
    last_P = np.broadcast_to(exact_PK[:, -1:] / exact_PK[:, -1].mean(), (len(exact_PK), 1))
    beyond_K = np.array(curve.expected_samples_K[len(measured) :])
    further_K = costs.query_flops_K(last_P * beyond_K, shared_prefill=shared_prefill)
    return (*exact_K.tolist(), *further_K.tolist())
