"""Metrics of served classes, from how often each class is served, is right and is both: accuracy, F1 and Matthews."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassCounts:
    """How often each class is served, is right and is both, in each of R sets; shape (C, R)."""

    hits_CR: Floats
    served_CR: Floats
    labelled_CR: Floats


def accuracy(counts: ClassCounts) -> Floats:
    """Share of the problems that are right, shape (R,)."""
    share: Floats = counts.hits_CR.sum(axis=0) / counts.labelled_CR.sum(axis=0)
    return share


def f1(counts: ClassCounts) -> Floats:
    """F1 of class 1, the positive one, shape (R,); 0 where it is neither served nor right.

    Source:
        van Rijsbergen, Information Retrieval (1979), chapter 7: the harmonic mean of precision and recall.
    """
    of_positive: Floats = _f1_of_each(counts)[1]
    return of_positive


def macro_f1(counts: ClassCounts) -> Floats:
    """Mean of the classes' F1, shape (R,), over those that are served or right at least once.

    Source:
        Opitz and Burst, arXiv 1911.03347: the mean of the F1s, not the F1 of the means.
    """
    seen_CR = counts.served_CR + counts.labelled_CR > 0
    mean: Floats = _f1_of_each(counts).sum(axis=0) / seen_CR.sum(axis=0)
    return mean


def matthews(counts: ClassCounts) -> Floats:
    """Matthews correlation of any number of classes, shape (R,); 0 where one class alone is served, or is right.

    Source:
        Matthews, BBA 405 (1975) 442, of two classes; Gorodkin, Comput. Biol. Chem. 28 (2004) 367, equation 8, of more.
    """
    total_R = counts.labelled_CR.sum(axis=0)
    covariance_R = counts.hits_CR.sum(axis=0) * total_R - (counts.served_CR * counts.labelled_CR).sum(axis=0)
    spread_R = np.ones_like(total_R)
    for each_CR in (counts.served_CR, counts.labelled_CR):
        spread_R *= np.sqrt(total_R**2 - np.square(each_CR).sum(axis=0))
    correlation: Floats = np.divide(covariance_R, spread_R, out=np.zeros_like(total_R), where=spread_R > 0)
    return correlation


METRICS: Mapping[str, Callable[[ClassCounts], Floats]] = MappingProxyType(
    {"accuracy": accuracy, "f1": f1, "macro_f1": macro_f1, "matthews": matthews}
)
"""Scores by name."""


def check_metrics(metrics: Sequence[str], num_classes: int) -> None:
    """Nothing, if all are names in METRICS that are defined for so many classes.

    Raises:
        ArgumentError: an unknown metric, or "f1" of more than two classes.
    """
    for metric in metrics:
        check.one_of("metric", metric, METRICS, check.did_you_mean(metric, METRICS))
        if metric == "f1" and num_classes != 2:
            rule = f"be one of {num_classes} classes"
            raise argument_error("metric", rule, metric, "F1 is that of class 1 of two; macro_f1 is of any number.")


def _f1_of_each(counts: ClassCounts) -> Floats:
    """F1 of each class, shape (C, R)."""
    size_CR = counts.served_CR + counts.labelled_CR
    return np.divide(2.0 * counts.hits_CR, size_CR, out=np.zeros_like(size_CR), where=size_CR > 0)
