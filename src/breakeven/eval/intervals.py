"""Mean and interval of per-problem accuracies."""

import math

import numpy as np
import numpy.typing as npt

from breakeven.records import NORMAL_95


def mean_and_interval(accuracy_P: npt.NDArray[np.float64]) -> tuple[float, float, float, float]:
    """(mean, standard error, lo, hi) of accuracies in [0, 1], one a problem: a 90 % interval for new problems.

    Returns:
        The standard error is NaN for a single problem. The interval is Wilson's score interval at the number of
        yes-or-no problems that would have the same standard error, so that it never leaves [0, 1] and does not
        collapse where every problem is failed, or solved.

    Source:
        Wilson, JASA 22 (1927) 209; the effective sample size is Kish's.

    >>> mean, error, lo, hi = mean_and_interval(np.array([0.0, 1.0] * 50))
    >>> round(mean, 2), round(error, 3), round(lo, 3), round(hi, 3)
    (0.5, 0.05, 0.419, 0.581)
    """
    size = len(accuracy_P)
    mean = float(accuracy_P.mean())
    error = float(accuracy_P.std(ddof=1)) / math.sqrt(size) if size > 1 else math.nan
    binomial = mean * (1.0 - mean)
    effective = max(size, binomial / error**2) if size > 1 and error > 0 and binomial > 0 else float(size)
    return mean, error, *wilson(mean, effective)


def wilson(mean: float, size: float) -> tuple[float, float]:
    """90 % interval of a share `mean` of `size` problems, each solved or not; too wide where they are solved in part.

    Source:
        Wilson, JASA 22 (1927) 209.

    >>> [round(each, 3) for each in wilson(0.0, 100)]
    [0.0, 0.026]
    """
    z2 = NORMAL_95**2
    centre = (mean + z2 / (2 * size)) / (1 + z2 / size)
    half = NORMAL_95 / (1 + z2 / size) * math.sqrt(mean * (1.0 - mean) / size + z2 / (4 * size**2))
    return min(mean, max(0.0, centre - half)), max(mean, min(1.0, centre + half))
