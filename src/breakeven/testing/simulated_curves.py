"""Families of learning curves with random parameters, for simulated runs."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import expit

Curve = Callable[[float], float]
"""Mean solve rate of one sample at a share of the budget in (0, 1]."""


def saturating(rng: np.random.Generator) -> Curve:
    """Exponential approach to a ceiling."""
    ceiling, rate = rng.uniform(0.3, 0.85), np.exp(rng.uniform(np.log(2.0), np.log(12.0)))
    return lambda share: float(ceiling * -np.expm1(-rate * share))


def power_law(rng: np.random.Generator) -> Curve:
    """Error that falls as a power of the training FLOPs: ever slower, but never done."""
    ceiling, power = rng.uniform(0.5, 0.95), rng.uniform(0.3, 1.0)
    onset = np.exp(rng.uniform(np.log(0.01), np.log(0.1)))
    return lambda share: float(ceiling * (1.0 - (1.0 + share / onset) ** -power))


def log_linear(rng: np.random.Generator) -> Curve:
    """As much for each doubling of the training FLOPs, without a ceiling."""
    end, slope = rng.uniform(0.3, 0.8), rng.uniform(0.03, 0.12)
    return lambda share: float(np.clip(end + slope * np.log(share), 0.002, 0.98))


def plateau(rng: np.random.Generator) -> Curve:
    """All is learned in the first few per cent of the budget."""
    ceiling, rate = rng.uniform(0.2, 0.85), np.exp(rng.uniform(np.log(20.0), np.log(80.0)))
    return lambda share: float(ceiling * -np.expm1(-rate * share))


def rise_then_fall(rng: np.random.Generator) -> Curve:
    """Saturating, then worse again: overfitting."""
    rise = saturating(rng)
    peak, loss = rng.uniform(0.3, 0.8), rng.uniform(0.05, 0.3)
    return lambda share: rise(share) * (1.0 - loss * max(0.0, share - peak) / (1.0 - peak))


def near_zero(rng: np.random.Generator) -> Curve:
    """A task that is hardly ever solved."""
    ceiling = rng.uniform(0.0, 0.02)
    return lambda share: float(ceiling * share)


def late_rise(rng: np.random.Generator) -> Curve:
    """Logistic, with its steepest point anywhere in the middle of the budget."""
    ceiling, middle, width = rng.uniform(0.3, 0.85), rng.uniform(0.2, 0.7), rng.uniform(0.04, 0.12)
    return lambda share: float(ceiling * expit((share - middle) / width))


def late_step(rng: np.random.Generator) -> Curve:
    """Saturating, with a sudden gain that nothing announces."""
    rise = saturating(rng)
    at, height = rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.25)
    return lambda share: min(0.98, rise(share) + float(height * expit((share - at) / 0.01)))


def convex(rng: np.random.Generator) -> Curve:
    """Ever faster: a power of the training FLOPs above 1."""
    end, power = rng.uniform(0.2, 0.8), rng.uniform(1.2, 3.5)
    return lambda share: float(end * share**power)


def second_rise(rng: np.random.Generator) -> Curve:
    """A plateau, and after it a rise that nothing announces, often all the way."""
    first = plateau_at(rng, rng.uniform(0.05, 0.4))
    end = 0.99 if rng.random() < 0.5 else rng.uniform(0.5, 0.95)
    middle, width = rng.uniform(0.25, 0.7), np.exp(rng.uniform(np.log(0.01), np.log(0.08)))
    return lambda share: float(first(share) + (end - first(share)) * expit((share - middle) / width))


def onset(rng: np.random.Generator) -> Curve:
    """Nothing at first, then saturating."""
    start, rise = rng.uniform(0.1, 0.5), saturating(rng)
    return lambda share: 0.002 + 0.98 * rise(max(0.0, share - start) / (1.0 - start))


def plateau_at(rng: np.random.Generator, ceiling: float) -> Curve:
    """All that is learned is learned in the first few per cent of the budget."""
    rate = np.exp(rng.uniform(np.log(20.0), np.log(80.0)))
    return lambda share: float(ceiling * -np.expm1(-rate * share))


FAMILIES: Mapping[str, Callable[[np.random.Generator], Curve]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            saturating,
            power_law,
            log_linear,
            plateau,
            rise_then_fall,
            near_zero,
            late_rise,
            late_step,
            convex,
            second_rise,
            onset,
        )
    }
)
"""Curves with random parameters, by name."""
