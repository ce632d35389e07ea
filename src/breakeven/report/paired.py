"""Two models held against each other problem by problem: what their accuracies differ by, and how surely."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven.errors import ArgumentError
from breakeven.records import CHECK_FAILED, NORMAL_95, Observation
from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.tally import tally_of

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Mean accuracy of two models, the second less the first."""

    first: float
    second: float
    standard_error: float | None
    """None where every problem differs by the same: there is nothing to tell it from."""
    num_problems: tuple[int, int]
    """Of each; where they are paired, of both."""
    paired: bool

    @property
    def mean(self) -> float:
        """Second less first."""
        return self.second - self.first

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 90 % interval, by the normal distribution."""
        if self.standard_error is None:
            return None
        half = NORMAL_95 * self.standard_error
        return max(-1.0, self.mean - half), min(1.0, self.mean + half)


def accuracy_of(observation: Observation, strategy: str, k: int) -> Floats:
    """Expected accuracy on each problem of a checkpoint, shape (P,).

    NaN where it was not measured: fewer than `k` samples have a verdict, or the greedy one has none. All are NaN for a
    strategy of one's own that chooses among samples, since no report runs the code that a log names.
    """
    bank = observation.bank
    for found in observation.searches:
        if (found.strategy, found.k) == (strategy, k):
            return np.array(found.accuracy_P, dtype=np.float64)
    accuracy_P = np.full(bank.num_problems, math.nan)
    greedy = strategy == "greedy"
    kept = [
        place
        for place, graded in enumerate(bank.num_graded_P)
        if (greedy or graded >= k) and bank.greedy_correct_P[place : place + 1] != CHECK_FAILED
    ]
    if strategy not in STRATEGIES or not kept or (greedy and not bank.greedy_correct_P):
        return accuracy_P
    try:
        accuracy_P[kept] = accuracy_per_problem(tally_of(bank.of(kept)), strategy, k)
    except ArgumentError:  # its votes or rewards were not recorded
        return accuracy_P
    return accuracy_P


def difference(first_P: Floats, second_P: Floats, *, paired: bool) -> Difference | None:
    """What two models' accuracies differ by; None where fewer than two problems of either, or in common, were measured.

    Args:
        first_P: accuracy of the first on each problem, shape (P,), NaN where it is unknown.
        second_P: of the second, likewise.
        paired: whether both are of the same problems in the same order.

    Estimator:
        Unbiased over problems and samples. The standard error is that of the mean difference of a problem where they
        are paired, else that of two independent means.

    >>> paired = difference(np.array([1.0, 1, 0, 0]), np.array([1.0, 1, 1, 0]), paired=True)
    >>> paired.mean, paired.standard_error
    (0.25, 0.25)
    """
    if paired:
        known = np.isfinite(first_P) & np.isfinite(second_P)
        first_P, second_P = first_P[known], second_P[known]
    else:
        first_P, second_P = first_P[np.isfinite(first_P)], second_P[np.isfinite(second_P)]
    if min(len(first_P), len(second_P)) < 2:
        return None
    parts = [second_P - first_P] if paired else [first_P, second_P]
    variance = math.fsum(float(each.var(ddof=1)) / len(each) for each in parts)
    return Difference(
        first=float(first_P.mean()),
        second=float(second_P.mean()),
        standard_error=math.sqrt(variance) or None,
        num_problems=(len(first_P), len(second_P)),
        paired=paired,
    )
