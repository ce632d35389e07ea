"""Resampling of seeds, and of problems within them: what another training, on other problems, could have given."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]


def resampled(num_seeds: int, num_problems: int, draws: int, seed: int = 0) -> Floats:
    """The weight of each seed and problem in each resampling, shape (D, S, P); those of a resampling add up to 1.

    Estimator:
        Two-stage bootstrap with replacement; every seed has the same problems. Of three seeds it knows little of how
        others differ: intervals are too narrow.
    """
    random = np.random.default_rng(seed)
    seed_DS = random.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), size=draws)
    problem_DP = random.multinomial(num_problems, np.full(num_problems, 1 / num_problems), size=draws)
    weights: Floats = seed_DS[:, :, None] * problem_DP[:, None, :] / (num_seeds * num_problems)
    return weights


def interval(value_SP: Floats, weights: Floats) -> tuple[float, float, float]:
    """Mean, and the ends of its 90 % interval, which hold it."""
    mean, drawn_D = float(value_SP.mean()), np.einsum("sp,dsp->d", value_SP, weights)
    lo, hi = np.quantile(drawn_D, (0.05, 0.95)).tolist()
    return mean, min(mean, lo), max(mean, hi)
