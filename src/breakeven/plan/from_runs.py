"""Options of a recorded run: each checkpoint with each strategy and K, and the fully trained model."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.config import recorded_policy
from breakeven.errors import LogError
from breakeven.eval.intervals import mean_and_interval
from breakeven.names import named_in
from breakeven.records import Decision, KCurve, Made, RunSpec, ServingPoint
from breakeven.records.as_options import option_of_serving
from breakeven.records.options import EVALUATION, Option, Quality
from breakeven.report.words import baseline_words, projection, strategy_words
from breakeven.session.offers import measured_at, told
from breakeven.session.step import Measured
from breakeven.stopping.candidates import deployable
from breakeven.stopping.lifetime import query_price
from breakeven.store import RunRecord, read_log
from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.tally import Tally

Floats: TypeAlias = npt.NDArray[np.float64]
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run offers."""

    options: tuple[Option, ...]
    full: Option | None
    """The fully trained model with one sample, among the options; None where it is neither measured nor foretold."""
    target: float | None
    """The accuracy that the run declares to be reached, whatever its end; None: that of its end."""
    notes: tuple[str, ...]
    task: str
    """What it was trained on, with its settings, in words; empty where the log does not say."""


def options_of_run(run: Path, *, oracle: bool = False, prefix: str = "") -> RunOptions:
    """The options in a run's log.

    Args:
        run: its directory, or the log itself.
        oracle: whether strategies that pick with the reference answer are among them.
        prefix: of their names.

    Raises:
        LogError: no log, nothing evaluated yet, or nobody said what a token costs.
        ArgumentError: the log's policy is not known here.
    """
    record = read_log(run)
    if not record.checkpoints:
        raise LogError(f"{run} must hold an evaluated checkpoint; it has none yet.")
    observed = [each.observation for each in record.checkpoints]
    decisions = [each.decision for each in record.checkpoints]
    problems, found, left_out = _problems(record), list[Option](), set[str]()
    with named_in(run, None):
        policy = recorded_policy(record.header.policy)
        for place, measured, curves, declared in measured_at(
            observed, decisions, record.header.spec, policy, record.budget_changes
        ):
            servable = {each.strategy for each in deployable(curves, (), declared.checker) if each.deployable}
            left_out |= set() if oracle else {each.strategy for each in curves} - servable
            kept = [each for each in curves if oracle or each.strategy in servable]
            found += _checkpoint(measured, kept, declared, decisions[place], prefix, problems)
    names = ", ".join(map(strategy_words, sorted(left_out)))
    notes = [f"Left out, as it picks with the reference answer: {names} (--set oracle=true)."] if left_out else []
    if not found:
        why = notes[0] if notes else "Nobody said what a token costs."
        raise LogError(f"{run} must have something that can be served, at a known price; it has none. {why}")
    shown = len(told(decisions))
    if shown < len(decisions):
        notes.append(f"{shown} of {len(decisions)} checkpoints of {run.name}, evenly chosen.")
    full = _full(record, declared, measured, prefix, problems)
    if full is not None:
        found.append(full)
    return RunOptions(options=tuple(found), full=full, notes=tuple(notes), target=declared.target, task=_task(record))


def _task(record: RunRecord) -> str:
    given = record.header.config.get("task")
    if not isinstance(given, dict):
        return ""
    rest = ", ".join(f"{name}={value!r}" for name, value in sorted(given.items()) if name != "kind")
    return f"{given.get('kind', 'countdown')}({rest})"


def _problems(record: RunRecord) -> str:
    """Which problems the run is evaluated on."""
    known = {} if record.fingerprint is None else record.fingerprint.parts
    return f"validation {known.get('problems', zlib.crc32(repr(record.header.config).encode()))}"


def _checkpoint(
    measured: Measured, curves: list[KCurve], spec: RunSpec, decision: Decision, prefix: str, problems: str
) -> Iterator[Option]:
    point = measured.point
    spent = decision.evaluation_flops
    for curve in curves:
        flops_K, samples_K, allowed_K = query_price(point, curve, spec)
        for place in curve.some_places:
            if flops_K is None or not allowed_K[place]:
                continue
            flops, k = float(flops_K[place]), curve.k_values[place]
            offered = ServingPoint.on(curve, place, step=point.step, flops_per_query=flops)
            option = option_of_serving(
                offered,
                name=_name(prefix, point.step, curve.strategy, k),
                train_flops=point.train_flops,
                one_off={} if spent is None else {EVALUATION: spent},
            )
            reward_flops = min(flops, curve.reward_flops * float(samples_K[place]))
            quality = _quality(measured.tally, curve, place, problems)
            yield replace(option, query_flops=flops - reward_flops, reward_flops=reward_flops, quality=quality)


def _name(prefix: str, step: int | str, strategy: str, k: int) -> str:
    how = "greedy" if strategy == "greedy" else f"{strategy_words(strategy)}, K = {k}"
    return f"{prefix}step {step}, {how}"


def _quality(tally: Tally, curve: KCurve, place: int, problems: str) -> Quality:
    """The curve's, with the values of the problems behind it where it is nothing but their mean."""
    value, lo, hi = (float(each[place]) for each in (curve.accuracy_K, curve.lo_K, curve.hi_K))
    value_P = _values(tally, curve, place)
    plain = _mean(value_P, problems) if len(value_P) else None
    if plain is not None and abs(plain.value - value) < _ROUNDING:
        return plain if lo == hi else replace(plain, lo=min(lo, plain.value), hi=max(hi, plain.value))
    known = lo < hi
    return Quality(value=value, lo=lo if known else None, hi=hi if known else None, made=curve.made_K[place])


def _mean(value_P: Floats, problems: str) -> Quality:
    """The mean over some problems, with the interval that `breakeven eval` has for it."""
    value, _, lo, hi = mean_and_interval(value_P)
    return Quality(
        value=value,
        lo=lo,
        hi=hi,
        value_P=tuple(value_P.tolist()),
        problems=f"{problems}, {len(value_P)}",
    )


def _values(tally: Tally, curve: KCurve, place: int) -> Floats:
    k = curve.k_values[place]
    if curve.strategy != "greedy" and (curve.made_K[place] is not Made.MEASURED or tally.samples_P.min() < k):
        return np.zeros(0)
    return accuracy_per_problem(tally, curve.strategy, k)


def _full(record: RunRecord, spec: RunSpec, last: Measured, prefix: str, problems: str) -> Option | None:
    """The fully trained model with one sample: measured, where the log goes to the end, else as it was foretold last.

    It is charged no evaluation: whoever trains to the end needs none.
    """
    observed, decision = record.checkpoints[-1].observation, record.checkpoints[-1].decision
    measured = spec.is_spent(observed.train_flops)
    if measured:
        bank = observed.bank
        sampled = decision.baseline == "sampled" or (
            decision.baseline == "best" and bank.num_drawn > 0 and bank.sampled_accuracy > bank.greedy_accuracy
        )
        quality = _mean(accuracy_per_problem(last.tally, "pass@k" if sampled else "greedy", 1), problems)
    else:
        forecast = projection(decision)
        if forecast is None or spec.target is not None:  # which then stands in its place
            return None
        quality = Quality(value=forecast.mean, lo=forecast.lo, hi=forecast.hi, made=Made.FORECAST)
    return Option(
        name=f"{prefix}full run, {baseline_words(decision.baseline)}",
        settings={"k": 1, "step": observed.step} if measured else {"k": 1},
        train_flops=observed.train_flops if measured else spec.budget_flops,
        query_flops=observed.query_flops.total(1),
        quality=quality,
    )
