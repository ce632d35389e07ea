"""What a strategy makes of every problem at every K, and the mean over problems with its errors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from breakeven import check
from breakeven.errors import argument_error
from breakeven.ttc.pool import Floats, Pool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Accuracy of a strategy on each problem of a pool at each of `k_values`, expected over which K are drawn."""

    k_values: tuple[int, ...]
    accuracy_PK: Floats
    monte_carlo_error_K: Floats
    """Standard error of `accuracy_K` from drawing only some of the subsets of a pool; 0 where all were counted."""
    expected_samples_PK: Floats | None = None
    """Expected samples per query, where they are drawn in turn until the answer is settled; None: all K."""
    expected_samples_error_K: Floats | None = None
    """Monte Carlo error of `expected_samples_K`."""

    @property
    def accuracy_K(self) -> Floats:
        """Mean over problems."""
        mean: Floats = self.accuracy_PK.mean(axis=0)
        return mean

    @property
    def standard_error_K(self) -> Floats:
        """Standard error of the mean over problems, for new problems of the same kind; NaN of a single problem.

        The draws of the samples are part of what makes problems differ, so their noise is in it.
        """
        size = len(self.accuracy_PK)
        if size < 2:
            return np.full(len(self.k_values), np.nan)
        error: Floats = self.accuracy_PK.std(axis=0, ddof=1) / size**0.5
        return error

    @property
    def expected_samples_K(self) -> Floats:
        """Expected samples per query, mean over problems."""
        every: Floats = np.array(self.k_values, dtype=np.float64)
        return every if self.expected_samples_PK is None else self.expected_samples_PK.mean(axis=0)


def exact(k_values: tuple[int, ...], accuracy_PK: Floats) -> Measured:
    """Measured over all subsets."""
    return Measured(k_values=k_values, accuracy_PK=accuracy_PK, monte_carlo_error_K=np.zeros(len(k_values)))


def mean_of_draws(draws_PK: Iterable[Floats]) -> tuple[Floats, Floats]:
    """Mean over independent draws, shape (P, K), and the Monte Carlo error of its mean over problems, shape (K,).

    The error is NaN for a single draw, which does not show it.
    """
    total, squares, number = np.zeros(()), np.zeros(()), 0
    for draw in draws_PK:
        total, squares, number = total + draw, squares + np.square(draw), number + 1
    return total / number, error_of_sums(total, squares, number)


def error_of_sums(total_PK: Floats, squares_PK: Floats, number: int) -> Floats:
    """Standard error of the mean over problems and draws, given sums over `number` independent draws a problem."""
    if number < 2:
        return np.full(total_PK.shape[1], np.nan)
    variance_PK = np.maximum(squares_PK - np.square(total_PK) / number, 0.0) / (number - 1) / number
    error: Floats = np.sqrt(variance_PK.sum(axis=0)) / len(total_PK)
    return error


def check_drawn(pool: Pool, k_values: Sequence[int]) -> tuple[int, ...]:
    """`k_values`, each of which the pool can be asked for.

    Raises:
        ArgumentError: empty, not increasing whole numbers from 1 up, or above the samples drawn.
    """
    values = check.increasing("k_values", k_values)
    if values[-1] > pool.num_samples:
        rule = f"be at most the {pool.num_samples} samples drawn per problem"
        remedy = "No vote or selection is extrapolated in K: draw more samples."
        raise argument_error("k_values", rule, values[-1], remedy)
    return values
