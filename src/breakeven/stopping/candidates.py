"""The ways to serve a checkpoint, each with its price and the chance that it reaches the fully trained model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from breakeven.errors import argument_error
from breakeven.records import NORMAL_95, Forecast, KCurve, LearningPoint, RunSpec
from breakeven.stopping.density import Floats, chance_reached
from breakeven.stopping.lifetime import query_price


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One way to serve the checkpoint, with the chance that it suffices."""

    curve: KCurve
    index: int
    flops: float | None
    """Per query; None if unknown."""
    expected_samples: float
    confidence: float
    exact_confidence: float
    """What `confidence` would be if the K-curve were known exactly: what more samples could bring it to."""

    @property
    def price(self) -> float:
        """By which candidates are compared: FLOPs, or where those are unknown the expected samples."""
        return self.expected_samples if self.flops is None else self.flops

    @property
    def accuracy(self) -> float:
        """As measured or extrapolated."""
        return self.curve.accuracy_K[self.index]

    @property
    def k(self) -> int:
        """Most samples per query."""
        return self.curve.k_values[self.index]


def deployable(
    k_curves: Sequence[KCurve], strategies: Sequence[str] = (), checker: bool | None = False
) -> Sequence[KCurve]:
    """The curves to choose from: what can be served, and Pass@K by an oracle as `RunSpec.checker` says.

    Where `strategies` are named, only they are chosen from, and one greedy sample.

    Raises:
        ArgumentError: none of them was measured, nor a greedy sample.
    """
    if strategies:
        measured = sorted({each.strategy for each in k_curves})
        k_curves = [each for each in k_curves if each.strategy in (*strategies, "greedy")]
        if not k_curves:
            raise argument_error("policy.strategies", f"name some of the measured {', '.join(measured)}", strategies)
    if checker:
        return [replace(each, deployable=True) for each in k_curves]
    voted = any(each.deployable and each.k_values[-1] > 1 for each in k_curves)
    return [each for each in k_curves if each.deployable or (checker is None and not voted)]


def candidates(
    now: LearningPoint, curves: Sequence[KCurve], forecast: Forecast, spec: RunSpec, *, margin: float, max_k: int
) -> list[Candidate]:
    """Every (strategy, K) up to `max_k` that the caps allow, with its price and the chance that it suffices.

    The chance is the integral over the forecast's density. The draws of the samples, the choice of problems and what
    the model will yet change in its answers are taken as independent normal errors.
    """
    unseen = now.disagreement / now.num_problems
    options = []
    for curve in curves:
        flops_K, expected_samples_K, allowed_K = query_price(now, curve, spec)
        reached_K = np.array(curve.accuracy_K) + margin
        drawn_K = (np.array(curve.accuracy_K) - np.array(curve.lo_K)) / NORMAL_95
        chosen_K = np.array(curve.paired_error_K) if curve.paired_error_K else np.zeros(len(reached_K))
        exact_K = np.full(len(reached_K), np.sqrt(unseen))
        error_K = np.sqrt(np.square(exact_K) + np.square(drawn_K) + np.square(chosen_K))
        confidence_K = chance_of(forecast, reached_K, error_K)
        exact_confidence_K = chance_of(forecast, reached_K, exact_K)
        options += [
            Candidate(
                curve=curve,
                index=index,
                flops=None if flops_K is None else float(flops_K[index]),
                expected_samples=float(expected_samples_K[index]),
                confidence=float(confidence_K[index]),
                exact_confidence=float(exact_confidence_K[index]),
            )
            for index, k in enumerate(curve.k_values)
            if k <= max_k and allowed_K[index]
        ]
    return options


def chance_of(forecast: Forecast, reached: Floats, error: Floats) -> Floats:
    """Chance that an accuracy reaches the forecast: an integral over its density, or where it is one number of that.

    Args:
        forecast: what is to be reached.
        reached: accuracies, shape (K,).
        error: their standard errors, shape (K,).
    """
    if forecast.cdf:
        return chance_reached(np.array(forecast.cdf), reached, error)
    chance_K: Floats = ndtr((reached - forecast.mean) / np.maximum(error, 1e-12))
    return chance_K
