"""Every strategy at every K on the samples of one model: accuracy with its errors, and the price of a query."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from breakeven.errors import ArgumentError, argument_error
from breakeven.eval.intervals import mean_and_interval
from breakeven.eval.prices import Costs, Prices
from breakeven.eval.samples import DrawnSamples
from breakeven.eval.unknown import beside, wrong_if_unknown
from breakeven.records import CHECK_FAILED, Measurement
from breakeven.ttc.pool import pool_of, verdicts_of
from breakeven.ttc.strategies.measured import Measured
from breakeven.ttc.strategies.named import strategies_of
from breakeven.ttc.strategies.on_pool import measure as measure_pool
from breakeven.ttc.strategies.pass_at_k import first_verified, pass_at_k_per_problem
from breakeven.ttc.strategies.strategy import Basis, Need, Strategy

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _AtK:
    """A strategy at one K: which problems could be asked, their accuracy and their expected samples."""

    k: int
    held: npt.NDArray[np.intp]
    accuracy_P: Floats
    samples_P: Floats
    monte_carlo_error: float = 0.0


def measurable(
    strategies: Sequence[str | Strategy],
    k_values: Sequence[int],
    *,
    num_problems: int,
    has: Collection[Need],
    width: int = 1,
) -> tuple[Strategy, ...]:
    """The strategies of some names, if all can be measured: asked before samples are drawn, and paid for.

    Args:
        strategies: as `strategies_of` takes them.
        k_values: sample counts.
        num_problems: that will be sampled.
        has: what there is for a strategy that needs it.
        width: of searches that have one.

    Raises:
        ArgumentError: an unknown strategy, one that lacks what it needs, or one that takes none of `k_values`.
    """
    found = strategies_of(strategies, "--strategies", has=has)
    for each in found:
        if missing := each.lacks(has):
            raise _lacking(each, missing[0], has)
        if not each.sizes(k_values, width=width):
            unit = f"a multiple of --width {width}" if each.by_width else f"one of at least {each.least_k}"
            raise argument_error("--k", f"hold {unit} for {each.name}", list(k_values))
        if num_problems < each.least_problems:
            rule = f"be at least {each.least_problems} for {each.name}"
            raise argument_error("--num-problems", rule, num_problems, "It chooses on one half, and scores the other.")
    return found


def _lacking(strategy: Strategy, need: Need, has: Collection[Need]) -> ArgumentError:
    if need is Need.SEGMENTS:
        rule = "search only models that can go on from a beginning"
        return argument_error("--strategies", rule, strategy.name, "This one cannot.")
    if need is Need.VERDICTS:
        remedy = "For example --reward-model judge --num-verdicts 4."
        return argument_error("--reward-model", f"be a judge for {strategy.name}", None, remedy)
    if need is Need.BEGINNINGS and Need.REWARDS in has:
        rule = f"judge beginnings of solutions for {strategy.name}"
        return argument_error("--reward-model", rule, "an outcome reward model", "Train one: breakeven reward-model.")
    if need in (Need.REWARDS, Need.WEIGHTS, Need.BEGINNINGS):
        return argument_error("--reward-model", f"be given for {strategy.name}", None, "It chooses by reward.")
    return argument_error("--strategies", f"name none that needs {need.value}", strategy.name, "There is none.")


def measure(
    samples: DrawnSamples, strategies: Sequence[str | Strategy], k_values: Sequence[int], costs: Costs
) -> tuple[Measurement, ...]:
    """One measurement a strategy and K; where it makes use of verdicts, one for each number of them too.

    A K that too many failed checks leave without a problem is left out of Pass@K, and one that a strategy cannot take
    out of that strategy's. Where checks failed, each says too what it were if those samples were wrong.

    Args:
        samples: graded, and scored where a strategy needs it.
        strategies: that are measured on samples.
        k_values: increasing, up to the samples drawn.
        costs: for the prices.

    Raises:
        ArgumentError: as `measurable`; a K too large; no sample with a verdict.
    """
    measurements = _measure(samples, strategies, k_values, costs)
    if not samples.bank.num_failed:
        return measurements
    strictly = replace(samples, bank=wrong_if_unknown(samples.bank))
    return beside(measurements, _measure(strictly, strategies, k_values, costs))


def _measure(
    samples: DrawnSamples, strategies: Sequence[str | Strategy], k_values: Sequence[int], costs: Costs
) -> tuple[Measurement, ...]:
    has = {Need.ANSWERS, Need.VERIFIER}
    if samples.rewards_PN:
        has |= {Need.REWARDS, Need.WEIGHTS} | ({Need.VERDICTS} if costs.num_verdicts else set())
    prices = Prices(samples, costs)
    pool = pool_of(samples.bank)
    # The pool leaves out the problems whose checks all failed.
    pooled = np.flatnonzero([bool(row.strip(CHECK_FAILED)) for row in samples.bank.correct_PN])
    measurements: list[Measurement] = []
    for strategy in measurable(strategies, k_values, num_problems=len(samples.problems), has=has):
        rows = partial(_rows, samples, strategy, prices)
        asked = strategy.sizes(k_values)
        if strategy.basis is Basis.GREEDY:
            measurements.append(_greedy(samples, prices))
        elif pool is None:
            raise argument_error("the checks", "give a verdict on at least one sample", "none", _ALL_FAILED)
        elif strategy.basis is Basis.COUNTS:
            measurements += rows(_pass_at_k(samples, asked))
        elif strategy.measure_verdicts is not None:
            counts = _verdict_counts(costs.num_verdicts)
            judged = [samples.rewards_PN[problem][: pool.num_samples] for problem in pooled.tolist()]
            results = strategy.measure_verdicts(replace(pool, verdict_PNV=verdicts_of(judged)), asked, counts)
            for number, measured in zip(counts, results, strict=True):
                measurements += rows(_at_each_k(measured, pooled), num_verdicts=number)
        else:
            measured = measure_pool(pool, strategy, asked)
            in_turn_PK = measured.expected_samples_PK if strategy.samples is None else strategy.samples(pool, asked)
            measurements += rows(_at_each_k(replace(measured, expected_samples_PK=in_turn_PK), pooled))
    return tuple(measurements)


_ALL_FAILED = "All failed: `breakeven validate TASK` says why, where the task's own answers fail, too."


def _greedy(samples: DrawnSamples, prices: Prices) -> Measurement:
    """One sample at temperature 0; problems whose check failed are left out."""
    verdicts = samples.bank.greedy_correct_P
    held = np.flatnonzero([each != CHECK_FAILED for each in verdicts])
    right_P = np.array([verdicts[place] == "1" for place in held], dtype=np.float64)
    if not len(right_P):
        raise argument_error("the checks", "give a verdict on at least one greedy sample", "none", _ALL_FAILED)
    mean, error, lo, hi = mean_and_interval(right_P)
    tokens = samples.bank.greedy_output_tokens / len(verdicts)
    flops = None if prices.model is None else prices.model.take(held).greedy_flops
    return Measurement(
        strategy="greedy",
        deployable=True,
        k=1,
        accuracy=mean,
        standard_error=error,
        lo=lo,
        hi=hi,
        num_problems=len(right_P),
        expected_samples=1.0,
        output_tokens=tokens,
        model_flops=flops,
        model_flops_unshared=flops,
        reward_flops=0.0,
    )


def _pass_at_k(samples: DrawnSamples, k_values: Sequence[int]) -> list[_AtK]:
    """Of the problems with at least K graded samples each; a K that none has is left out."""
    graded_P = np.array(samples.bank.num_graded_P)
    correct_P = np.array(samples.bank.num_correct_P)
    parts = []
    for k in k_values:
        held = np.flatnonzero(graded_P >= k)
        if not len(held):
            continue
        counts = correct_P[held], graded_P[held], [k]
        accuracy_P, samples_P = pass_at_k_per_problem(*counts)[:, 0], first_verified(*counts)[:, 0]
        parts.append(_AtK(k=k, held=held, accuracy_P=accuracy_P, samples_P=samples_P))
    if not parts:
        most = int(graded_P.max())
        raise argument_error("--k", f"be at most the {most} graded samples of a problem", list(k_values))
    return parts


def _verdict_counts(num_verdicts: int) -> list[int]:
    """Powers of two up to V, and V."""
    powers = [1 << power for power in range(num_verdicts.bit_length())]
    return sorted({*powers, num_verdicts})


def _at_each_k(measured: Measured, pooled: npt.NDArray[np.intp]) -> list[_AtK]:
    shape = measured.accuracy_PK.shape
    every = np.array(measured.k_values, dtype=np.float64)
    expected_samples_PK = (
        np.broadcast_to(every, shape) if measured.expected_samples_PK is None else measured.expected_samples_PK
    )
    return [
        _AtK(
            k=k,
            held=pooled,
            accuracy_P=measured.accuracy_PK[:, column],
            samples_P=expected_samples_PK[:, column],
            monte_carlo_error=float(np.nan_to_num(measured.monte_carlo_error_K[column])),
        )
        for column, k in enumerate(measured.k_values)
    ]


def _rows(
    samples: DrawnSamples, strategy: Strategy, prices: Prices, parts: Sequence[_AtK], *, num_verdicts: int = 0
) -> list[Measurement]:
    rows = []
    for part in parts:
        held, samples_P = part.held, part.samples_P
        mean, error, lo, hi = mean_and_interval(np.clip(part.accuracy_P, 0.0, 1.0))
        rows.append(
            Measurement(
                strategy=strategy.name,
                deployable=strategy.deployable(oracle=samples.bank.oracle),
                k=part.k,
                num_verdicts=num_verdicts,
                accuracy=mean,
                standard_error=error,
                monte_carlo_error=part.monte_carlo_error,
                lo=lo,
                hi=hi,
                num_problems=len(held),
                expected_samples=float(samples_P.mean()),
                output_tokens=float((samples_P * prices.output_tokens_P[held]).mean()),
                model_flops=prices.model_flops(held, samples_P, shared=True),
                model_flops_unshared=prices.model_flops(held, samples_P, shared=False),
                reward_flops=prices.reward_flops(strategy, held, samples_P, num_verdicts),
            )
        )
    return rows
