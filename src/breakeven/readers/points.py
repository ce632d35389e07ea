"""An accuracy a checkpoint as an evaluation log: how many problems stand behind it, and what was spent by then."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from breakeven.errors import LogError, argument_error
from breakeven.readers import sizes
from breakeven.readers.log import EvalCheckpoint, EvalLog, in_order
from breakeven.readers.options import ReadOptions
from breakeven.ttc.tally import Tally

_SHOWN = 0.00051
"""Accuracies are shown with three digits: what is further from a whole number of problems is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a log says of one checkpoint; None where it does not."""

    where: str
    """File and row, for messages."""
    step: int
    accuracy: float
    stderr: float | None = None
    validation_loss: float | None = None
    num_problems: float | None = None
    train_flops: float | None = None
    train_tokens: float | None = None
    hours: float | None = None
    wall_time: float | None = None
    """Seconds since some moment that need not be the start of training."""


def curve_log(
    points: Sequence[Point],
    source: object,
    kind: str,
    options: ReadOptions,
    notes: Sequence[str] = (),
    *,
    flops_per_step: float | None = None,
    budget_steps: int | None = None,
    loss_column: str | None = None,
) -> EvalLog:
    """The log of some points.

    Args:
        points: in the order they were read, each step once.
        source: what messages call the log.
        kind: of log it was taken for.
        options: what the log leaves open.
        notes: what was handled until now.
        flops_per_step: where the log says it for all steps alike.
        budget_steps: steps of the full run, where the log says it.
        loss_column: what the log calls the validation loss, if it has one.

    Raises:
        LogError: steps that begin anew, or FLOPs or sizes of some points only.
        ArgumentError: nothing tells how many problems there are, or, where they are wanted, the FLOPs.
    """
    for name in ("train_tokens", "hours", "wall_time"):
        _refuse_restart(points, name)
    spent = _flops(points, flops_per_step, options, source)
    order = in_order(source, {each.step: flops for each, flops in zip(points, spent, strict=True)})
    kept = [points[code] for code in order.codes]
    said = [*notes, *order.notes]
    size = _num_problems(kept, options, said)
    off = max(kept, key=lambda each: abs(each.accuracy - round(each.accuracy * size) / size))
    if abs(off.accuracy - round(off.accuracy * size) / size) > _SHOWN:
        said.append(
            f"No number of {size} problems gives the {off.accuracy:.6g} of step {off.step}: accuracies were taken to "
            f"the next whole number. Is each problem right or wrong, and are there {size}?"
        )

    def build(index: int) -> EvalCheckpoint:
        return EvalCheckpoint(
            step=order.steps[index],
            train_flops=order.train_flops[index],
            tally=Tally.of_accuracy(kept[index].accuracy, size),
            validation_loss=kept[index].validation_loss,
        )

    return EvalLog(
        format=kind,
        steps=order.steps,
        train_flops=order.train_flops,
        num_problems=size,
        has_greedy=True,
        has_samples=False,
        loss_column=loss_column,
        notes=tuple(said),
        train_tokens=kept[-1].train_tokens,
        train_hours=_hours(kept),
        budget_steps=budget_steps,
        build=build,
    )


def _refuse_restart(points: Sequence[Point], name: str) -> None:
    known = [each for each in sorted(points, key=lambda each: each.step) if getattr(each, name) is not None]
    for earlier, later in pairwise(known):
        if getattr(later, name) < getattr(earlier, name):
            raise LogError(
                f"{later.where}: {name} must grow with the step; got {getattr(later, name):.6g} at step {later.step} "
                f"and {getattr(earlier, name):.6g} at step {earlier.step}. Do steps begin anew, in another stage or "
                f"run? Give one of them, with steps counted on."
            )


def _flops(points: Sequence[Point], flops_per_step: float | None, options: ReadOptions, source: object) -> list[float]:
    recorded = [each.train_flops for each in points]
    if any(each is not None for each in recorded):
        if None in recorded:
            raise LogError(f"{points[recorded.index(None)].where} must say train_flops, as other rows do.")
        return [each for each in recorded if each is not None]
    if flops_per_step is not None:
        return [each.step * flops_per_step for each in points]
    tokens = [each.train_tokens for each in points if each.train_tokens is not None]
    if options.flops_per_token is not None and len(tokens) == len(points):
        return [each * options.flops_per_token for each in tokens]
    return [options.flops_at(each.step, source) for each in points]


def _hours(points: Sequence[Point]) -> float | None:
    """Hours of training up to the last of the points, by the clock at the pace from the first to the last of them."""
    first, last = points[0], points[-1]
    if last.hours is not None or last.wall_time is None or first.wall_time is None or first.step == last.step:
        return last.hours
    return (last.wall_time - first.wall_time) / (last.step - first.step) * last.step / 3600.0


def _num_problems(points: Sequence[Point], options: ReadOptions, notes: list[str]) -> int:
    if options.num_problems is not None:
        return options.num_problems
    recorded = sorted({each.num_problems for each in points if each.num_problems is not None})
    if recorded:
        if len(recorded) > 1 or not 1 <= recorded[0] < 2**31 or recorded[0] % 1:
            got = ", ".join(f"{each:g}" for each in recorded[:3])
            rule = "num_problems must be one whole number of at least 1 for all checkpoints"
            raise LogError(
                f"{points[0].where}: {rule}; got {got}. Decide on the same problems, or give --num-problems."
            )
        return int(recorded[0])
    errors = [(each.accuracy, each.stderr) for each in points]
    if options.stderr is not None:
        errors = [(points[-1].accuracy, options.stderr)]
    told = [size for accuracy, error in errors if (size := sizes.derived(accuracy, error)) is not None]
    if not told:
        rule = "be given, since the log does not say how many problems stand behind an accuracy"
        remedy = "What an accuracy is worth depends on it."
        raise argument_error("--num-problems (or --stderr)", rule, "none", remedy)
    size = sizes.agreed(told)
    notes.append(f"{size} problems, as the standard errors tell (--num-problems to say otherwise).")
    return size
