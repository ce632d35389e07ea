"""Differences with intervals, over seeds where there are several, else over problems; choices are made apart."""

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from breakeven.plan.laws.law import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A mean of differences, paired."""

    value: float
    lo: float | None
    """Lower end of the 90 % interval; None: one number alone is known."""
    hi: float | None
    over: str
    """What the interval is over, in words."""

    @property
    def is_above(self) -> bool:
        """Whether it is above 0 beyond chance."""
        return self.lo is not None and self.lo > 0


def mean_over(value_SP: Floats) -> Difference:
    """The mean of values by seed and problem.

    Estimator:
        Student's interval of the means of seeds; of one seed, of its problems, which says nothing of other seeds.
    """
    seeds, problems = value_SP.shape
    value_U = value_SP.mean(axis=1) if seeds > 1 else value_SP[0]
    value, units = float(value_U.mean()), len(value_U)
    over = f"{seeds} seeds" if seeds > 1 else f"{problems} problems of one seed"
    if units == 1:
        return Difference(value=value, lo=None, hi=None, over="one number alone")
    half = float(stdtrit(units - 1, 0.95)) * float(value_U.std(ddof=1)) / units**0.5
    return Difference(value=value, lo=value - half, hi=value + half, over=over)


def chosen_apart(loss_FSP: Floats) -> tuple[Floats, tuple[int, ...]]:
    """The loss of the best of several splits, as if it had been chosen before it was measured.

    Each seed's is chosen by the other seeds; of one seed, that of half of the problems by the other half.

    Args:
        loss_FSP: of splits, seeds and problems.

    Returns:
        By seed and problem, and the places that were chosen, one a seed or a half.
    """
    _, seeds, problems = loss_FSP.shape
    if seeds > 1:
        parts = [np.ix_([seed], range(problems)) for seed in range(seeds)]
    else:
        parts = [np.ix_([0], range(first, problems, 2)) for first in range(min(2, problems))]
    found, picks = np.empty((seeds, problems)), list[int]()
    for part in parts:
        others = np.ones((seeds, problems), np.bool_)
        others[part] = problems == 1 == seeds  # a single number is all there is to choose by
        picks.append(int(np.argmin(loss_FSP[:, others].mean(axis=1))))
        found[part] = loss_FSP[picks[-1]][part]
    return found, tuple(picks)
