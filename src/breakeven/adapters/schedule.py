"""The share of a run over which its learning rate decays, read off the scheduler itself."""

import copy
import sys
from bisect import bisect_right
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

_POINTS = 1000


def decay_share(scheduler: Any, steps: int) -> float | None:
    """Share of `steps`, at their end, behind the last one at the highest rate; 0: the rate never falls.

    Read off the factors that torch's LambdaLR will multiply the rate by, which is what transformers makes of constant,
    linear, cosine, warmup-stable-decay and its other schedules by step; or off the closed forms of torch's others, one
    after the other (SequentialLR) too.

    Args:
        scheduler: of the optimizer; or what Accelerate wraps one in, which steps it once for each process.
        steps: optimizer steps of the run.

    Returns:
        To 1/1000. None for schedulers of other kinds, such as those that look at a metric, and for a rate that falls
        and rises again.
    """
    ticks = _ticks(scheduler)
    rate_at = _rate_at(getattr(scheduler, "scheduler", scheduler))
    if rate_at is None or steps < 1:
        return None
    at = sorted({round(steps * point / _POINTS) for point in range(_POINTS + 1)})
    try:
        rates = [rate_at(step * ticks) for step in at]
    except ValueError:  # a schedule of fewer steps
        return None
    highest = max(rates) * (1 - 1e-9)
    last = max(place for place, rate in enumerate(rates) if rate >= highest)
    slack = max(rates) * 1e-9
    rises = all(one <= other + slack for one, other in pairwise(rates[: last + 1]))
    falls = all(one >= other - slack for one, other in pairwise(rates[last:]))
    return 1.0 - at[last] / steps if rises and falls else None


def _ticks(scheduler: Any) -> int:
    """Steps of a scheduler at a step of its optimizer: as many as processes where Accelerate steps it."""
    if type(scheduler).__name__ != "AcceleratedScheduler" or scheduler.split_batches:
        return 1
    if not scheduler.step_with_optimizer:
        return 1
    return int(sys.modules["accelerate"].state.AcceleratorState().num_processes)


def _rate_at(scheduler: Any) -> Callable[[int], float] | None:
    """The rate at a step, or its share of the highest; None where the scheduler does not tell beforehand."""
    if lambdas := getattr(scheduler, "lr_lambdas", None):
        return lambda step: float(lambdas[0](step))
    parts, milestones = getattr(scheduler, "_schedulers", None), getattr(scheduler, "_milestones", None)
    if parts and milestones is not None:
        base = float(scheduler.optimizer.param_groups[0]["initial_lr"])
        known = [(each, rate, hasattr(each, "lr_lambdas")) for each in parts if (rate := _rate_at(each)) is not None]
        if len(known) < len(parts):
            return None

        def in_turn(step: int) -> float:
            place = bisect_right(milestones, step)
            _, rate, is_factor = known[place]
            return rate(step - (milestones[place - 1] if place else 0)) * (base if is_factor else 1.0)

        return in_turn
    if not hasattr(scheduler, "_get_closed_form_lr") and type(scheduler).__name__ != "OneCycleLR":
        return None
    twin = copy.copy(scheduler)  # asked in its place, with an optimizer of its own
    groups = [{name: value for name, value in each.items() if name != "params"} for each in twin.optimizer.param_groups]
    twin.optimizer, twin._get_lr_called_within_step = SimpleNamespace(param_groups=groups), True
    ask = getattr(twin, "_get_closed_form_lr", twin.get_lr)

    def closed(step: int) -> float:
        twin.last_epoch = step
        return float(ask()[0])

    return closed
