"""The forecast as a density: the members weighed by how much of the run was seen.

The table is what `python benchmarks/forecast_weights.py --simulated 24` prints; argued in docs/design/forecast.md.
"""

from typing import Final

import numpy as np

from breakeven.stopping.density import Floats, mixed, raised
from breakeven.stopping.loss_line import LEAST_POINTS, loss_known, loss_line, overfitted
from breakeven.stopping.members import MEMBERS, Curve

Gains = tuple[tuple[float, float], ...]
DECAY_GAINS: Final[Gains] = ((0.0, 0.4), (0.25, 0.13), (0.5, 0.31), (1.0, 0.06), (2.0, 0.05), (4.0, 0.05))
"""Logits that a whole decay of the learning rate may bring, and how likely; of eight recipes one gained some logits."""
OVERFITTED_GAINS: Final[Gains] = ((0.0, 0.8), (0.25, 0.12), (0.5, 0.08))
"""The same where the validation loss has been rising: a training set learnt by heart gains next to nothing."""
LEAST_LATE_RISE: Final = 0.15
"""Least weight of a late rise, times the share of the budget still to come, however seldom the runs at hand had one."""
STAGES: Final = (0.1, 0.2, 0.35, 0.55, 0.8)
"""Shares of the budget seen for which weights were fitted; between them weights are interpolated, beyond kept."""
WEIGHTS: Final[dict[str, tuple[float, ...]]] = {
    "shapes": (0.024, 0.102, 0.101, 0.131, 0.261),
    "logit_shapes": (0.222, 0.271, 0.230, 0.251, 0.132),
    "hills": (0.603, 0.443, 0.378, 0.348, 0.324),
    "level": (0.007, 0.010, 0.085, 0.169, 0.229),
    "log_line": (0.009, 0.053, 0.109, 0.032, 0.023),
    "late_rise": (0.135, 0.120, 0.098, 0.067, 0.030),
}


LOSS_WEIGHT: Final = (0.031, 0.131, 0.069, 0.048, 0.047)
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
    gains = gains_of(curve)
    return {name: (weight, decayed(accounts[name](curve), decay_ahead, gains)) for name, weight in weights.items()}


def gains_of(curve: Curve) -> Gains:
    """What a decay may bring to such a run."""
    return OVERFITTED_GAINS if overfitted(curve) else DECAY_GAINS


def decayed(cdf: Floats, decay_ahead: float, gains: Gains = DECAY_GAINS) -> Floats:
    """The distribution with what the part of the decay that is still to come may bring."""
    if not decay_ahead:
        return cdf
    return mixed([chance for _, chance in gains], [raised(cdf, decay_ahead * gain) for gain, _ in gains])
