"""What full training would reach, projected from the learning curve: the paper's fit, or the calibrated one.

Pure. The calibrated projection comes from `stack`. What the paper leaves open (scaling, bounds, degenerate
curves) is chosen here and argued in docs/design/paper-mode.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.records import FitStatus, Forecast, Member, Witness
from breakeven.stopping.density import mixed, quantile
from breakeven.stopping.learning_curve import MIN_POINTS
from breakeven.stopping.members import Curve
from breakeven.stopping.stack import density_of, members_of, weights_at
from breakeven.stopping.witness import hear

FloatArray = npt.NDArray[np.float64]

_MIN_RATE = 0.05
"""Below this rate the curve loses under 5 % of its slope over the whole budget: a line, with no ceiling in sight."""
_MAX_RATE = 1e4
_LOG_RATES = np.linspace(np.log(_MIN_RATE), np.log(_MAX_RATE), 160)
_MIN_RIGHT = 9.5
"""Right answers a checkpoint, mean of the last three, below which there is nothing to project yet."""
_MAX_RISE = 1e6
"""Above this a, the difference of a (1 - exp(-b x)) and -c loses the digits that matter."""


def forecast_accuracy(
    train_flops: Sequence[float] | FloatArray,
    accuracy: Sequence[float] | FloatArray,
    budget_flops: float,
    *,
    num_problems: int | None = None,
    method: Literal["paper", "calibrated"] = "calibrated",
    fluctuation_filter: bool = True,
    decay_share: float | None = None,
    like: Sequence[Witness] = (),
    baseline: str = "greedy",
    validation_loss: Sequence[float | None] | FloatArray = (),
) -> Forecast:
    """Projected accuracy at the full budget.

    Args:
        train_flops: training FLOPs of each checkpoint, increasing, shape (C,).
        accuracy: one-sample accuracy of each checkpoint, in [0, 1], shape (C,).
        budget_flops: training FLOPs of the full run, at least the last of `train_flops`.
        num_problems: answers behind each accuracy: one a problem, or as many as there are samples. Of method
            "calibrated" only: a hint at its noise; None has the curve's own scatter decide.
        method: "paper", least squares of a (1 - exp(-b x)) + c on the filtered points, x = FLOPs / budget;
            "calibrated", a density over several accounts of how the curve goes on.
        fluctuation_filter: of method "paper" only: whether points below the last kept one are dropped first (step 1
            of the algorithm).
        decay_share: of method "calibrated" only: the share of the budget, at its end, over which the learning rate
            decays: 0 for a constant one, None if unknown. A decay still ahead raises the projection by what decays
            usually bring; of an unknown one nothing is assumed, and `decay` of the result says so.
        like: of method "calibrated" only: earlier runs taken to be like this one. They count as far as they foretell
            `accuracy` until now.
        baseline: which accuracy of theirs is the like of `accuracy`: "greedy", "sampled" or "best".
        validation_loss: of method "calibrated" only: loss on reference answers in nats a token, None where it was not
            measured, shape (C,); empty if nowhere. It counts where the last 4 are known.

    Returns:
        A Forecast. With a status other than FITTED, `mean` is the highest accuracy seen and no projection should
        rest on it.

        Method "paper": `lo` and `hi` equal `mean`, since the method has no interval.

        Method "calibrated": `cdf` is the whole density, `mean` its median, and from `lo` to `hi` is where the accuracy
        MEASURED at the full budget, on the same problems, is expected in 90 % of runs, that measurement's own noise
        included; 0 to 1 with a status other than FITTED. It takes 4 checkpoints and, where `num_problems` is known, 10
        right answers as the mean of the last three. `parameters` is empty, since no single curve was fitted.

    Raises:
        ArgumentError: an unknown `method`; lengths differ, no checkpoint, values out of range, NaN, FLOPs not
            increasing, a budget below the last checkpoint, or, for "calibrated", `num_problems` below 1.

    Estimator:
        "paper": fitted. Biased up near chance (the filter keeps upward noise) and down on curves that still rise.
        "calibrated": a mixture, weighed by how well each account foretold the end of runs. It allows for a late rise
        and for a decay ahead as often as these usually come, and for a fall hardly; nothing in the curve tells of them.
        On runs that level off the interval holds more often than 90 %, on those that rise late or fall less often.

    Source:
        "paper": arXiv 2601.01332, Algorithm 1, steps 1 and 2. "calibrated": ours,
        docs/design/forecast.md.

    >>> x = [0.1, 0.2, 0.3, 0.4]
    >>> curve = forecast_accuracy(x, [0.6 * (1 - 2.718281828459045 ** (-5 * v)) for v in x], 1.0, method="paper")
    >>> round(curve.mean, 4), curve.num_points
    (0.596, 4)
    >>> curve = forecast_accuracy(x, [0.30, 0.40, 0.45, 0.48], 1.0, num_problems=1000)
    >>> curve.lo < 0.55 < curve.hi
    True
    """
    if method not in ("paper", "calibrated"):
        raise argument_error("method", 'be "paper" or "calibrated"', method)
    x, y = _check_curve(train_flops, accuracy, budget_flops)
    if method == "calibrated":
        curve = Curve(share=x, accuracy=y, num_problems=num_problems, loss=_losses(validation_loss, len(x)))
        return _calibrated(curve, decay_share, like, baseline)
    kept = filter_fluctuations(y) if fluctuation_filter else np.arange(len(y))
    first = float(x[0])
    status, fit = fit_saturation(x[kept] - first, y[kept])
    mean = float(saturation(1.0 - first, *fit)) if status is FitStatus.FITTED else float(y.max())
    mean = min(1.0, max(0.0, mean))
    return Forecast(
        mean=mean,
        lo=mean,
        hi=mean,
        status=status,
        method=method,
        num_points=len(kept),
        parameters=_from_zero(first, *fit) if status is FitStatus.FITTED else (),
    )


def known(
    target: float,
    train_flops: Sequence[float] | FloatArray,
    accuracy: Sequence[float] | FloatArray,
    budget_flops: float,
) -> Forecast:
    """The accuracy to be reached where it is known: nothing is projected from the curve, but it must be one.

    Raises:
        ArgumentError: as `forecast_accuracy`, of the curve.
    """
    _check_curve(train_flops, accuracy, budget_flops)
    return Forecast(mean=target, lo=target, hi=target, status=FitStatus.FITTED, method="target", num_points=0)


def _calibrated(curve: Curve, decay_share: float | None, like: Sequence[Witness], baseline: str) -> Forecast:
    """The projection of method "calibrated", or the status that stands for it."""
    y, num_problems = curve.accuracy, curve.num_problems
    if num_problems is not None and not num_problems >= 1:
        raise argument_error("num_problems", "be at least 1", num_problems, "Leave it out if it is unknown.")
    if decay_share is not None and not 0.0 <= decay_share <= 1.0:
        raise argument_error("decay_share", "be a share from 0 to 1", decay_share, "Leave it out if it is unknown.")
    decay = "unknown" if decay_share is None else "none"
    signal = y.max() > 0.0 if num_problems is None else y[-3:].mean() * num_problems >= _MIN_RIGHT
    if not signal or len(y) < MIN_POINTS:
        status = FitStatus.TOO_FEW_POINTS if signal else FitStatus.NO_SIGNAL
        highest = float(y.max())
        return Forecast(
            mean=highest, lo=0.0, hi=1.0, status=status, method="calibrated", num_points=len(y), decay=decay
        )
    share = float(curve.share[-1])

    def ahead(share: float) -> float:
        return min(1.0, (1.0 - share) / decay_share) if decay_share else 0.0

    spoken = members_of(curve, ahead(share))
    late_rise = spoken["late_rise"][0]
    told = hear(
        replace(curve, loss=np.empty(0)),  # what is not known of where it goes on to
        like,
        lambda way: density_of(way, ahead(float(way.share[-1]))),
        baseline=baseline,
        decay_share=decay_share,
    )
    if told is not None:
        rest = 1.0 - told.weight
        spoken = {name: (rest * weight, each) for name, (weight, each) in spoken.items()}
        spoken["witnesses"] = told.weight, told.cdf
        late_rise = rest * late_rise + (told.weight * weights_at(told.reach)["late_rise"] if told.reach < 1.0 else 0.0)
    cdf = mixed([weight for weight, _ in spoken.values()], [each for _, each in spoken.values()])
    mean, lo, hi = (quantile(cdf, level) for level in (0.5, 0.05, 0.95))
    return Forecast(
        mean=mean,
        lo=lo,
        hi=hi,
        status=FitStatus.FITTED,
        method="calibrated",
        num_points=len(y),
        decay="included" if ahead(share) > 1e-9 else decay,
        cdf=tuple(cdf.round(5).tolist()),
        late_rise=round(late_rise, 4),
        members=tuple(
            Member(name=name, weight=round(weight, 4), median=round(quantile(each, 0.5), 4))
            for name, (weight, each) in spoken.items()
        ),
        num_witnesses=0 if told is None else told.number,
    )


def _losses(validation_loss: Sequence[float | None] | FloatArray, checkpoints: int) -> FloatArray:
    """NaN for None."""
    if not len(validation_loss):
        return np.empty(0)
    loss = np.array(validation_loss, dtype=np.float64)  # of None it makes NaN
    if len(loss) != checkpoints:
        raise argument_error("validation_loss", f"have one value for each of the {checkpoints} train_flops", len(loss))
    if np.any(loss < 0) or np.any(np.isinf(loss)):
        bad = float(loss[(loss < 0) | np.isinf(loss)][0])
        raise argument_error("validation_loss", "hold finite losses of at least 0", bad, "None stands for no loss.")
    return loss


def filter_fluctuations(accuracy: Sequence[float] | FloatArray) -> npt.NDArray[np.intp]:
    """Indices of the points that do not fall below the last kept one (Algorithm 1, step 1).

    >>> filter_fluctuations([0.1, 0.3, 0.2, 0.3, 0.4]).tolist()
    [0, 1, 3, 4]
    """
    y = np.asarray(accuracy, dtype=np.float64)
    return np.flatnonzero(y >= np.maximum.accumulate(y))


def saturation(x: float | FloatArray, rise: float, rate: float, start: float) -> np.float64 | FloatArray:
    """a (1 - exp(-b x)) + c with a, b, c = `rise`, `rate`, `start` (Algorithm 1, step 2)."""
    value: np.float64 | FloatArray = rise * -np.expm1(-rate * np.asarray(x, dtype=np.float64)) + start
    return value


def fit_saturation(x: FloatArray, y: FloatArray) -> tuple[FitStatus, tuple[float, ...]]:
    """Least-squares (a, b, c) over b from 0.05 to 1e4, and whether the optimum shows a ceiling.

    For a given b the model is linear in a and c, so the search is over b alone: a grid in log b, then a bounded
    refinement around its best point. This finds the global optimum and needs no starting values.

    `x` starts near 0: counted from elsewhere the curve is the same one, but exp(-b x) runs out of digits.
    """
    if len(y) and y.max() <= 0.0:
        return FitStatus.NO_SIGNAL, ()
    if len(y) < 3:
        return FitStatus.TOO_FEW_POINTS, ()
    if y.max() == y.min():
        return FitStatus.FITTED, (0.0, 1.0, float(y[0]))

    def squared_error(log_rate: float | FloatArray) -> FloatArray:
        rise, start, basis = _linear_part(np.atleast_1d(np.asarray(log_rate, dtype=np.float64)), x, y)
        error: FloatArray = np.square(rise[:, None] * basis + start[:, None] - y).sum(axis=1)
        return error

    from scipy.optimize import minimize_scalar  # a third of what `import breakeven` would take

    best = int(np.argmin(squared_error(_LOG_RATES)))
    around = _LOG_RATES[max(best - 1, 0)], _LOG_RATES[min(best + 1, len(_LOG_RATES) - 1)]
    refined = minimize_scalar(
        lambda log_rate: float(squared_error(log_rate)[0]), bounds=around, method="bounded", options={"xatol": 1e-10}
    )
    rise, start, _ = _linear_part(np.array([refined.x]), x, y)
    if best == 0 or rise[0] < 0:
        return FitStatus.NOT_CONVERGED, ()
    return FitStatus.FITTED, (float(rise[0]), float(np.exp(refined.x)), float(start[0]))


def _from_zero(first: float, rise: float, rate: float, start: float) -> tuple[float, ...]:
    """(a, b, c) of a fit whose x was counted from `first`, or empty where a would be above _MAX_RISE."""
    if rise > 0 and np.log(rise) + rate * first > np.log(_MAX_RISE):
        return ()
    rise_from_zero = rise * float(np.exp(rate * first)) if rise > 0 else 0.0
    return rise_from_zero, rate, start + rise - rise_from_zero


def _linear_part(log_rates: FloatArray, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Best a and c for each rate (shape (R,)), and the basis 1 - exp(-b x) (shape (R, C))."""
    basis = -np.expm1(-np.exp(log_rates)[:, None] * x)
    centred = basis - basis.mean(axis=1, keepdims=True)
    spread = np.square(centred).sum(axis=1)
    rise = np.divide(centred @ (y - y.mean()), spread, out=np.zeros_like(spread), where=spread > 1e-24)
    return rise, y.mean() - rise * basis.mean(axis=1), basis


def _check_curve(
    train_flops: Sequence[float] | FloatArray, accuracy: Sequence[float] | FloatArray, budget_flops: float
) -> tuple[FloatArray, FloatArray]:
    """The curve with x in units of the budget."""
    flops, y = np.asarray(train_flops, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    if flops.shape != y.shape or y.ndim != 1:
        raise argument_error("accuracy", f"have one value for each of the {flops.size} train_flops", y.size)
    if len(y) == 0:
        raise argument_error("accuracy", "hold at least one checkpoint", list(accuracy))
    if not np.all((y >= 0) & (y <= 1)):
        bad = y[~((y >= 0) & (y <= 1))][0]
        raise argument_error("accuracy", "be shares from 0 to 1", float(bad), "Divide percentages by 100.")
    if not np.all(np.isfinite(flops)) or flops[0] < 0 or np.any(np.diff(flops) <= 0):
        raise argument_error(
            "train_flops", "be finite and increasing from one checkpoint to the next", np.asarray(train_flops).tolist()
        )
    if not np.isfinite(budget_flops) or budget_flops <= 0 or budget_flops < flops[-1] * (1 - 1e-9):
        raise argument_error(
            "budget_flops",
            f"be at least the last checkpoint's {flops[-1]:.6g} FLOPs",
            budget_flops,
            "Pass the FLOPs of the full run.",
        )
    return flops / budget_flops, y
