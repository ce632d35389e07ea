"""The share of a run over which its learning rate decays, read off the scheduler itself."""

from typing import Any

_POINTS = 1000


def decay_share(scheduler: Any, steps: int) -> float | None:
    """Share of `steps`, at their end, behind the last one at the highest rate; 0: the rate never falls.

    Read off the factors that torch's LambdaLR will multiply the rate by, which is what transformers makes of constant,
    linear, cosine, warmup-stable-decay and its other schedules by step.

    Args:
        scheduler: of the optimizer; or what Accelerate wraps one in.
        steps: optimizer steps of the run.

    Returns:
        To 1/1000. None for schedulers of other kinds, such as those that look at a metric.
    """
    lambdas = getattr(getattr(scheduler, "scheduler", scheduler), "lr_lambdas", None)
    if not lambdas or steps < 1:
        return None
    at = sorted({round(steps * point / _POINTS) for point in range(_POINTS + 1)})
    factors = [float(lambdas[0](step)) for step in at]
    highest = max(factors) * (1 - 1e-9)
    return 1.0 - max(step for step, factor in zip(at, factors, strict=True) if factor >= highest) / steps
