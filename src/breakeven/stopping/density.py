"""A density over an accuracy: what a forecast says, from which every confidence is an integral.

Held as a cumulative distribution at fixed nodes. The nodes are even on the arcsine scale, on which the noise of a share
is the same everywhere: fine near 0 and 1, coarse between.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtr

Floats = npt.NDArray[np.float64]

NODES: Final[Floats] = np.sin(np.linspace(0.0, np.pi / 2.0, 161)) ** 2
"""Accuracies at which distributions are held, 0 to 1, shape (Q,)."""
NODES.setflags(write=False)
_LOGITS = logit(np.clip(NODES, 1e-9, 1.0 - 1e-9))
_MIDDLES = (NODES[1:] + NODES[:-1]) / 2.0


def of_normals(weight: Floats, mean: Floats, sd: Floats, *, on_logits: bool = False) -> Floats:
    """Cumulative distribution, shape (Q,), of a mixture of normals: of the accuracy, cut to [0, 1], or of its logit.

    Args:
        weight: of each member of the mixture, shape (M,); any positive sum.
        mean: of each.
        sd: of each, above 0.
        on_logits: whether mean and sd are of the logit.
    """
    at = _LOGITS if on_logits else NODES
    cdf_MQ = at - mean[:, None]  # and from here on written over: hundreds of members make it large
    cdf_MQ /= sd[:, None]
    ndtr(cdf_MQ, out=cdf_MQ)
    if on_logits:
        cdf_MQ[:, 0], cdf_MQ[:, -1] = 0.0, 1.0
    below, inside = cdf_MQ[:, :1].copy(), np.maximum(cdf_MQ[:, -1:] - cdf_MQ[:, :1], 1e-5)
    held = weight * inside[:, 0]  # what a member gives to impossible accuracies is lost to it
    cdf_MQ -= below
    cdf_MQ /= inside
    cdf: Floats = (held / held.sum()) @ np.clip(cdf_MQ, 0.0, 1.0, out=cdf_MQ)
    cdf[0], cdf[-1] = 0.0, 1.0
    return cdf


def evenly(low: float, high: float) -> Floats:
    """Cumulative distribution of an accuracy that is anywhere from `low` to `high` alike."""
    cdf: Floats = np.clip((NODES - low) / max(high - low, 1e-9), 0.0, 1.0)
    cdf[-1] = 1.0
    return cdf


def mixed(weight: Sequence[float] | Floats, cdf_MQ: Sequence[Floats]) -> Floats:
    """Cumulative distribution of a mixture, shape (Q,)."""
    share = np.asarray(weight, dtype=np.float64)
    cdf: Floats = (share / share.sum()) @ np.asarray(cdf_MQ)
    return cdf


def raised(cdf: Floats, logits: float) -> Floats:
    """The distribution of the accuracy once its logit has risen by so much."""
    raised_to: Floats = np.interp(_lowered(logits), NODES, cdf)
    raised_to[0], raised_to[-1] = cdf[0], 1.0  # the logits of 0 and 1 are finite here
    return raised_to


@lru_cache(maxsize=64)  # every member is raised alike
def _lowered(logits: float) -> Floats:
    """The nodes with so much taken from their logits."""
    lowered: Floats = expit(_LOGITS - logits)
    return lowered


def quantile(cdf: Floats, level: float) -> float:
    """The accuracy below which the truth lies with probability `level`."""
    upper = int(np.searchsorted(cdf, level))
    if upper == 0:
        return float(NODES[0])
    low, high = cdf[upper - 1], cdf[upper]
    return float(NODES[upper - 1] + (level - low) / max(high - low, 1e-15) * (NODES[upper] - NODES[upper - 1]))


def mean_of(cdf: Floats) -> float:
    """Its mean."""
    return float(np.diff(cdf) @ _MIDDLES)


def chance_reached(cdf: Floats, accuracy: Floats, error: Floats) -> Floats:
    """Chance that an accuracy, known up to a normal error, is at least one drawn from `cdf`.

    Args:
        cdf: of the accuracy to be reached, shape (Q,).
        accuracy: reached, shape (K,).
        error: its standard error, shape (K,).
    """
    error = np.maximum(error, 1e-12)[:, None]
    lead_KQ = (accuracy[:, None] - NODES) / error
    # the normal law integrated: exact for a density that is even between two nodes, however small the error
    area_KQ = error * (lead_KQ * ndtr(lead_KQ) + np.exp(-np.square(lead_KQ) / 2.0) / np.sqrt(2.0 * np.pi))
    chance_K: Floats = np.clip(-np.diff(area_KQ) @ (np.diff(cdf) / np.diff(NODES)), 0.0, 1.0)
    return chance_K
