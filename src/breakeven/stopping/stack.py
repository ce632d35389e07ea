"""The forecast as a density: the members weighed by how much of the run was seen.

The table is what `python benchmarks/forecast_weights.py --simulated 24` prints; argued in docs/design/forecast.md.
"""

from typing import Final

import numpy as np

from breakeven.stopping.density import Floats, mixed, raised
from breakeven.stopping.loss_line import LEAST_POINTS, loss_known, loss_line
from breakeven.stopping.members import MEMBERS, Curve

DECAY_GAINS: Final = ((0.0, 0.45), (0.25, 0.25), (0.5, 0.2), (1.0, 0.1))
"""Logits that a whole decay of the learning rate may bring, and how likely: none where a model has learnt its training
set by heart, half a logit and more where it trains on fresh data at a high rate."""
LEAST_LATE_RISE: Final = 0.15
"""Least weight of a late rise, times the share of the budget still to come, however seldom the runs at hand had one."""
STAGES: Final = (0.1, 0.2, 0.35, 0.55, 0.8)
"""Shares of the budget seen for which weights were fitted; between them weights are interpolated, beyond kept."""
WEIGHTS: Final[dict[str, tuple[float, ...]]] = {
    "shapes": (0.020, 0.085, 0.095, 0.133, 0.270),
    "logit_shapes": (0.226, 0.274, 0.230, 0.260, 0.127),
    "hills": (0.604, 0.459, 0.378, 0.327, 0.343),
    "level": (0.005, 0.008, 0.067, 0.162, 0.197),
    "log_line": (0.009, 0.055, 0.132, 0.050, 0.033),
    "late_rise": (0.135, 0.120, 0.098, 0.067, 0.030),
}


LOSS_WEIGHT: Final = (0.264, 0.393, 0.189, 0.146, 0.201)
"""Weight of the member that reads the validation loss where it is known, by the stages; all others share the rest."""


def weights_at(used: float, *, loss: bool = False) -> dict[str, float]:
    """The weight of each member where so much of the budget was seen; their sum is 1.

    Args:
        used: share of the budget.
        loss: whether the validation loss is known.
    """
    at = {name: float(np.interp(used, STAGES, row)) for name, row in WEIGHTS.items()}
    heard = float(np.interp(used, STAGES, LOSS_WEIGHT)) if loss else 0.0
    total = sum(at.values()) / (1.0 - heard)
    weights = {name: value / total for name, value in at.items()}
    return {**weights, loss_line.__name__: heard} if loss else weights


def density_of(curve: Curve, decay_ahead: float = 0.0) -> Floats:
    """Cumulative distribution of the accuracy measured at the full budget, shape (Q,).

    Args:
        curve: until now.
        decay_ahead: part of the decay of the learning rate that is still to come, from 0 to 1.
    """
    spoken = members_of(curve, decay_ahead)
    return mixed([weight for weight, _ in spoken.values()], [cdf for _, cdf in spoken.values()])


def members_of(curve: Curve, decay_ahead: float = 0.0) -> dict[str, tuple[float, Floats]]:
    """The weight of each member and what it says of the full budget, shape (Q,); as `density_of` mixes them."""
    loss = loss_known(curve) >= LEAST_POINTS
    weights = weights_at(float(curve.share[-1]), loss=loss)
    accounts = {**MEMBERS, loss_line.__name__: loss_line}
    return {name: (weight, decayed(accounts[name](curve), decay_ahead)) for name, weight in weights.items()}


def decayed(cdf: Floats, decay_ahead: float) -> Floats:
    """The distribution with what the part of the decay that is still to come may bring."""
    if not decay_ahead:
        return cdf
    gains, prior = zip(*DECAY_GAINS, strict=True)
    return mixed(prior, [raised(cdf, decay_ahead * gain) for gain in gains])
