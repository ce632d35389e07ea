"""The member of the forecast that reads the validation loss: a line in log FLOPs, and accuracy as a function of loss.

    log loss = a line in log FLOPs through the last half of the checkpoints, with a walk about it
    logit accuracy = level - gain * log loss, gain from the same checkpoints and a prior

A loss that still falls foretells a rise on a flat accuracy, unless the same checkpoints show that accuracy does
not follow it, as on a training set learnt by heart. Pure. Where the constants come from: docs/design/forecast.md.
"""

from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import logit

from breakeven.stopping.density import Floats, of_normals

if TYPE_CHECKING:
    from breakeven.stopping.members import Curve

LEAST_POINTS: Final = 4
"""Fewest of the last checkpoints, one after another, whose loss must be known."""
_FALL = (-0.3, 0.3)
"""Mean and sd of the prior of the line's slope: log loss per e-fold of training."""
_GAIN = (2.0, 1.5)
"""Mean and sd of the prior of the gain: logits of accuracy per e-fold of loss."""
_SCATTER = 0.02
"""Least sd of the log loss of a checkpoint about its line."""
_WALK = 0.15
"""Sd, over one e-fold of training, of what the line does not foresee of log loss; and of the logit of accuracy, of what
no loss foresees."""
_WIDTHS: Final = ((1.0, 0.7), (2.5, 0.3))
"""How many times as far off as that it may be, and how likely."""
_RISEN = 0.02
"""Share of the least validation loss by which a later one must exceed it to be told from noise."""
_WHILE = 0.2
"""Share of the training until now that must have passed since then."""
_LEAST_LOSS = 1e-4
"""Nats a token below which a loss counts as this one."""


def loss_known(curve: "Curve") -> int:
    """How many of the last checkpoints, one after another, have a validation loss."""
    unknown = np.flatnonzero(np.isnan(curve.loss)) if len(curve.loss) else np.array([len(curve.share) - 1])
    return len(curve.share) if not len(unknown) else len(curve.share) - 1 - int(unknown[-1])


def overfitted(curve: "Curve") -> bool:
    """Whether the validation loss has been rising: the last three are above the least mean of three, of a while ago.

    A while, since at a high learning rate the loss may jump for some checkpoints, and fall again.
    """
    known = loss_known(curve)
    if known < 2 * LEAST_POINTS:
        return False
    loss, share = curve.loss[-known:], curve.share[-known:]
    mean = (loss[2:] + loss[1:-1] + loss[:-2]) / 3.0
    least = int(mean.argmin())
    return bool(loss[-3:].min() > mean[least] * (1.0 + _RISEN) and share[-1] - share[2 + least] >= _WHILE * share[-1])


def loss_line(curve: "Curve") -> Floats:
    """Cumulative distribution of the accuracy measured at the full budget, shape (Q,); loss known at `LEAST_POINTS`."""
    last = min(loss_known(curve), max(LEAST_POINTS, len(curve.share) // 2))
    x = np.log(curve.share[-last:])
    loss = np.log(np.maximum(curve.loss[-last:], _LEAST_LOSS))
    trials = curve.trials
    kept_off = (curve.accuracy[-last:] * trials + 0.5) / (trials + 1.0)
    y, noise = logit(kept_off), 1.0 / (trials * kept_off * (1.0 - kept_off))

    # the line: its slope with a prior, its scatter from the checkpoints
    off, above = x - x.mean(), loss - loss.mean()
    spread = float(off @ off)
    slope = float(off @ above) / max(spread, 1e-12)
    scatter = max(_SCATTER**2, float(np.square(above - slope * off).sum()) / (last - 2))
    precision = spread / scatter + _FALL[1] ** -2.0
    slope = (float(off @ above) / scatter + _FALL[0] / _FALL[1] ** 2) / precision
    end = float(loss.mean() - slope * x.mean())
    end_variance = x.mean() ** 2 / precision + scatter / last + _WALK**2 * curve.log_left

    # the gain: a weighted regression of the logit of accuracy on log loss, with a prior
    weight = 1.0 / (noise + _WALK**2)
    middle, level = weight @ loss / weight.sum(), float(weight @ y / weight.sum())
    off = loss - middle
    precision = float(weight @ np.square(off)) + _GAIN[1] ** -2.0
    gain = (_GAIN[0] / _GAIN[1] ** 2 - float(weight @ (off * (y - level)))) / precision
    mean = level - gain * (end - middle)
    variance = 1.0 / weight.sum() + (end - middle) ** 2 / precision + gain**2 * end_variance
    variance += _WALK**2 * (1.0 + curve.log_left)
    widths, prior = np.array(_WIDTHS).T
    return of_normals(prior, np.full(len(prior), mean), widths * np.sqrt(variance), on_logits=True)
