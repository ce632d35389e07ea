"""The parameters of least robust loss: from many starts to the nearest valley, and from the best of these down."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from breakeven.plan.laws.law import Columns, Floats, Law, Points

_SMOOTH: Final = 0.1
"""Where the loss of the first approach turns from squared to absolute: nearly all of it is squared, so that second
derivatives lead through narrow valleys, and a few points that are far off do not lead it."""
_APPROACH: Final = 100
"""Evaluations of a first approach."""
_FINALISTS: Final = 3
"""First approaches that are followed down."""
_ROUNDS: Final = 8
"""Searches at most, each in coordinates made where the last one ended."""
_STILL: Final = 1e-4
"""A search that lowers the loss by no more than this share has come to rest, as has one that ended on the points."""
_NUDGE: Final = 1e-5
"""Of a parameter, for a difference in place of a derivative."""
_HOPELESS: Final = 1e10
"""Loss where the formula gives no number above 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """Where a search ended."""

    parameters: Floats
    loss: float
    """Huber loss of the residuals in logs over `huber`, summed over the points: about the sum of absolute residuals."""
    at_rest: bool
    """Whether a search begun anew there finds nothing better."""


def best_of_starts(
    law: Law, points: Points, huber: float, num_starts: int, random: np.random.Generator
) -> tuple[Descent, float]:
    """The least minimum from many starts, and the share of them that led to it, to 1 % of the loss of the approach."""
    ends = [
        _approach(law, points, np.asarray(law.start(random, points.columns, points.values), np.float64))
        for _ in range(num_starts)
    ]
    ends.sort(key=lambda each: each[1])
    even = np.ones(len(points))
    finals = [descend(law, points, even, huber, parameters) for parameters, _ in ends[:_FINALISTS]]
    near = sum(loss <= ends[0][1] * 1.01 + 1e-9 for _, loss in ends)
    return min(finals, key=lambda each: each.loss), near / num_starts


def _approach(law: Law, points: Points, start: Floats) -> tuple[Floats, float]:
    """By second derivatives to the valley next to a start, and the loss there."""
    from scipy.optimize import least_squares  # a third of what `import breakeven` would take

    log_N = np.log(points.values)

    def off(parameters: Floats) -> Floats:
        return np.nan_to_num(_residuals(law, points.columns, log_N, parameters)[0], nan=1e3, posinf=1e3, neginf=-1e3)

    def slope(parameters: Floats) -> Floats:
        return np.nan_to_num(_residuals(law, points.columns, log_N, parameters)[1], posinf=0.0, neginf=0.0)

    with np.errstate(all="ignore"):
        end = least_squares(off, start, slope, loss="huber", f_scale=_SMOOTH, x_scale="jac", max_nfev=_APPROACH)
    return end.x, float(end.cost)


def descend(
    law: Law, points: Points, weight_N: Floats, huber: float, start: Floats, *, rounds: int = _ROUNDS
) -> Descent:
    """The nearest minimum.

    Args:
        law: to be fitted.
        points: to which.
        weight_N: of each point, 0 for one that a resampling left out.
        huber: where the loss turns from squared to absolute.
        start: a parameter each.
        rounds: searches at most; of one alone nobody knows whether it has come to rest.
    """
    from scipy.optimize import minimize  # a third of what `import breakeven` would take

    used = weight_N > 0
    columns, log_N, weight_N = points.where(used).columns, np.log(points.values[used]), weight_N[used]

    def loss_at(parameters: Floats) -> tuple[float, Floats]:
        off_N, slope_NP = _residuals(law, columns, log_N, parameters)
        with np.errstate(all="ignore"):
            # The slope of Huber's loss, r / h within h and 1 beyond, by which it is r^2 / 2 h and |r| - h / 2.
            pull_N = np.minimum(np.maximum(off_N / huber, -1.0), 1.0)
            loss = float((weight_N * pull_N) @ (off_N - huber / 2 * pull_N))
            gradient: Floats = (weight_N * pull_N) @ slope_NP
        if not (loss < _HOPELESS and np.isfinite(gradient).all()):
            return _HOPELESS, np.zeros(len(parameters))
        return loss, gradient

    here, loss = np.asarray(start, np.float64), np.inf
    for _ in range(rounds):
        slope_NP = _residuals(law, columns, log_N, here)[1]
        if not np.isfinite(slope_NP).all():
            return Descent(parameters=here, loss=_HOPELESS, at_rest=False)
        # Coordinates in which the points pull about equally: coefficients and exponents trade off in logs of the axes.
        ridge = 1e-3 * np.eye(len(here))
        whole = np.linalg.inv(np.linalg.qr(np.vstack([slope_NP, ridge]), mode="r"))

        def moved(by: Floats, here: Floats = here, whole: Floats = whole) -> tuple[float, Floats]:
            loss, gradient = loss_at(here + whole @ by)
            return loss, gradient @ whole

        options = {"maxiter": 500, "ftol": 1e-6}
        found = minimize(moved, np.zeros(len(here)), jac=True, method="L-BFGS-B", options=options)
        here, last, loss = here + whole @ found.x, loss, float(found.fun)
        if loss >= last * (1 - _STILL) or loss <= _STILL * huber * weight_N.sum():
            return Descent(parameters=here, loss=loss, at_rest=loss < _HOPELESS)
    return Descent(parameters=here, loss=loss, at_rest=False)


def _residuals(law: Law, columns: Columns, log_N: Floats, parameters: Floats) -> tuple[Floats, Floats]:
    """Of each point, in logs, and their derivatives by the parameters, shape (N, P)."""
    size = len(parameters)
    with np.errstate(all="ignore"):
        told = np.log(law.at(parameters + _nudges(size), columns))
        return told[0] - log_N, (told[1 : size + 1] - told[size + 1 :]).T / (2 * _NUDGE)


@cache
def _nudges(size: int) -> Floats:
    """None, then each parameter up, then each down."""
    return _NUDGE * np.vstack([np.zeros(size), np.eye(size), -np.eye(size)])
