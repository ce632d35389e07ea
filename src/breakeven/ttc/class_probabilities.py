"""What the class probabilities of a pass must be, for whoever reads them and whoever averages them."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

_ROUNDING: Final = 0.02
"""How far from 1 a sum of probabilities in half precision may be."""
_SHOWN: Final = 8
"""Probabilities of a pass that are shown before the rest is left out."""


def fault_in(values: npt.NDArray[np.float64]) -> tuple[int, str, Any, str] | None:
    """The first problem with a pass that is no distribution over the classes: its place, the rule, the pass, a remedy.

    Args:
        values: of some problems, problems first and classes last.

    >>> fault_in(np.array([[0.4, 0.6], [2.0, -1.0]]))[0]
    1
    """
    with np.errstate(invalid="ignore", over="ignore"):
        sums = values.sum(axis=-1)
        good = (values.min(axis=-1) >= 0.0) & (np.abs(sums - 1.0) < _ROUNDING)
    if good.all():
        return None
    place = np.unravel_index(int(np.argmin(good)), good.shape)
    wrong = values[place]
    remedy = "Apply a softmax to logits first." if np.isfinite(wrong).all() else "What is unknown cannot be averaged."
    shown = [round(each, 4) for each in wrong[:_SHOWN].tolist()] + ["..."] * (len(wrong) > _SHOWN)
    return int(place[0]), "be probabilities, each at least 0, with sum 1 in every pass", shown, remedy
