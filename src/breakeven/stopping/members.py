"""The members of the forecast: simple accounts of how a learning curve goes on, none of which is right alone.

Each tells, as a mixture of normals or a distribution, where the accuracy measured at the full budget may lie.
`breakeven.stopping.stack` weighs them. Pure and deterministic. Where the constants come from:
docs/design/forecast.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np

from breakeven.stopping.density import Floats, evenly, mixed, of_normals
from breakeven.stopping.learning_curve import posterior

_TRIALS_UNKNOWN = 400
"""Answers taken to be behind each accuracy where nobody said."""
_DRIFT = 0.06
"""Sd of what no member foresees, in units of sqrt(p (1 - p)), over one e-fold of training."""
_HILL_HALF = np.exp(np.linspace(np.log(0.04), np.log(3.0), 14))
"""Shares of the budget at which a Hill curve is half way up; beyond 1 it bends upward to the end."""
_HILL_CONVEX = 4.0
"""Prior weight of those that do, over the others': before it is half way up, a curve does not tell which it is."""
_HILL_RISE = (0.5, 0.5)
"""Mean and sd of the prior of the rise from floor to end."""
_HILL_POWERS = np.array([1.0, 1.5, 2.5, 4.0, 8.0])
_HILL_NOISE = ((0.6, 0.3), (1.0, 0.4), (2.0, 0.2), (4.0, 0.1))
"""Noise over binomial noise, and its prior weight."""
_OLDEST = 1e-4
"""No checkpoint is taken to be older than this share of the FLOPs so far: the untrained model has none."""
_LEAST_SPREAD = 1e-12
"""Checkpoints nearer to each other than this, as a sum of squares in log FLOPs, tell of no slope."""
_RISE_TO_ONE, _ONE = 0.4, 0.96
"""Of late rises: the share that ends near 1, and from where on that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A learning curve as the members see it."""

    share: Floats
    """Training FLOPs / budget, increasing, shape (C,)."""
    accuracy: Floats
    """In [0, 1], shape (C,)."""
    num_problems: int | None = None
    """Answers behind each accuracy; None if unknown."""
    loss: Floats = field(default_factory=lambda: np.empty(0))
    """Validation loss in nats a token, NaN where unknown, shape (C,); empty where it is nowhere known."""

    @property
    def trials(self) -> int:
        """Answers behind each accuracy, or a guess."""
        return self.num_problems or _TRIALS_UNKNOWN

    @property
    def log_left(self) -> float:
        """log of the budget over the FLOPs so far."""
        return float(-np.log(self.share[-1]))

    def now(self) -> float:
        """Mean of the last three accuracies, kept off 0 and 1."""
        return float(np.clip(self.accuracy[-3:].mean(), 1.0 / self.trials, 1.0 - 1.0 / self.trials))

    def unit(self, accuracy: float) -> float:
        """sqrt(p (1 - p))."""
        return float(np.sqrt(accuracy * (1.0 - accuracy)))


def shapes(curve: Curve) -> Floats:
    """An average over powers and saturating exponentials of the training FLOPs, with a walk about them."""
    return of_normals(*posterior(curve.share, curve.accuracy, curve.num_problems))


def logit_shapes(curve: Curve) -> Floats:
    """The same on the logit scale, on which growth bends upward at first and levels off at 1."""
    return of_normals(*posterior(curve.share, curve.accuracy, curve.num_problems, "logit"), on_logits=True)


def hills(curve: Curve) -> Floats:
    """Hill curves floor + rise x^h / (x^h + m^h): slow at first, then fast, then level; or convex to the end.

    Regression on floor and rise for each (m, h) and each size of the noise, averaged by marginal likelihood.
    """
    x, y, trials = curve.share, curve.accuracy, curve.trials
    half, power = (each.ravel() for each in np.meshgrid(_HILL_HALF, _HILL_POWERS))
    h_GC = np.repeat(x ** _HILL_POWERS[:, None], len(_HILL_HALF), axis=0)
    half_G = (half**power)[:, None]

    smooth = np.clip(y, 1.0 / trials, 1.0 - 1.0 / trials)
    binomial = smooth * (1.0 - smooth) / trials
    old = np.square(_DRIFT * np.log(np.maximum(x / x[-1], _OLDEST))) * smooth * (1.0 - smooth)
    off_GC, left_GC = np.empty_like(h_GC), np.empty_like(h_GC)  # written over, as of long curves they are large
    h_GC /= np.add(h_GC, half_G, out=off_GC)
    h_GC *= 1.0 + half_G  # x^h / (x^h + m^h), 1 at x = 1
    least, floor_sd = float(y.min()), 0.02 + 1.0 / np.sqrt(trials)
    expected, rise_sd = _HILL_RISE
    floor_precision, rise_precision = floor_sd**-2, rise_sd**-2
    above = y - least
    prior_G = np.log(np.where(half > 1.0, _HILL_CONVEX, 1.0))
    parts = []
    for size, prior in _HILL_NOISE:
        precision = 1.0 / (size**2 * binomial + old)
        # Normal equations of (floor, rise) with their priors, one 2 x 2 system for each (m, h), about the weighted
        # means: sums of what is positive, which keep their digits however exactly the accuracies are known.
        total = precision.sum()
        middle_G, height = h_GC @ precision / total, float(above @ precision) / total
        np.subtract(h_GC, middle_G[:, None], out=off_GC)
        along_G = off_GC @ (precision * (above - height)) + expected * rise_precision
        spread_G = np.square(off_GC, out=off_GC) @ precision + rise_precision
        a = total + floor_precision
        det_G = a * spread_G + floor_precision * total * np.square(middle_G)
        floor_G = total * (spread_G * height - middle_G * along_G) / det_G
        rise_G = (a * along_G + floor_precision * total * middle_G * height) / det_G
        np.subtract(above, floor_G[:, None], out=left_GC)
        left_GC -= np.multiply(rise_G[:, None], h_GC, out=off_GC)
        misfit_G = np.square(left_GC, out=left_GC) @ precision
        misfit_G += floor_precision * np.square(floor_G) + rise_precision * np.square(rise_G - expected)
        log_weight = (np.log(precision).sum() - misfit_G - np.log(det_G)) / 2.0
        mean = least + floor_G + rise_G
        end = np.clip(mean, 1.0 / trials, 1.0 - 1.0 / trials)
        own = end * (1.0 - end) * (size**2 / trials + _DRIFT**2 * curve.log_left)
        # of floor + rise: a + c - 2 b in the terms of the plain normal equations, over their determinant
        variance = (floor_precision + spread_G + total * np.square(1.0 - middle_G)) / det_G + own
        parts.append((log_weight + prior_G + np.log(prior), mean, np.sqrt(variance)))
    log_weight, mean, sd = (np.concatenate(each) for each in zip(*parts, strict=True))
    weight = np.exp(log_weight - log_weight.max())
    kept = weight > 1e-5
    return of_normals(weight[kept], mean[kept], sd[kept])


def level(curve: Curve) -> Floats:
    """What the last checkpoints reached, give or take."""
    now = curve.now()
    sd = curve.unit(now) * np.sqrt(1.0 / curve.trials + (2.0 * _DRIFT) ** 2 * curve.log_left)
    return of_normals(np.ones(1), np.array([now]), np.array([sd]))


def log_line(curve: Curve) -> Floats:
    """A line in log FLOPs through the last half of the checkpoints."""
    last = max(3, len(curve.share) // 2)
    x, y = np.log(curve.share[-last:]), curve.accuracy[-last:]
    off, above = x - x.mean(), y - y.mean()
    spread = max(float(off @ off), _LEAST_SPREAD)
    slope = float(off @ above) / spread
    end = float(np.clip(y.mean() - slope * x.mean(), 0.0, 1.0))
    scatter = float(np.square(above - slope * off).sum() / (last - 2))
    own = np.square(curve.unit(curve.now())) * (1.0 / curve.trials + (2.0 * _DRIFT) ** 2 * curve.log_left)
    lever = np.square(x.mean()) / spread
    sd = np.sqrt(own + max(scatter, np.square(curve.unit(curve.now())) / curve.trials) * lever)
    return of_normals(np.ones(1), np.array([end]), np.array([sd]))


def late_rise(curve: Curve) -> Floats:
    """A rise that nothing has announced: anywhere between now and 1, or all the way."""
    now = curve.now()
    return mixed([1.0 - _RISE_TO_ONE, _RISE_TO_ONE], [evenly(now, 1.0), evenly(max(_ONE, now), 1.0)])


MEMBERS: Final[Mapping[str, Callable[[Curve], Floats]]] = MappingProxyType(
    {each.__name__: each for each in (shapes, logit_shapes, hills, level, log_line, late_rise)}
)
"""Every member by its name: from a curve to the cumulative distribution of the accuracy at the full budget, (Q,). One
more reads the loss, where it is known: `breakeven.stopping.loss_line`."""
