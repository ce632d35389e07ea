"""Scores of served classes: accuracy, and F1, macro F1 and Matthews, which are no means over problems.

They are those of a whole set of served answers, so a K below the passes drawn is scored on some random sets: for each
problem K of its passes. Their mean is the score to expect; its error is bootstrapped over the problems.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from breakeven.records import Score
from breakeven.ttc.class_metrics import METRICS, ClassCounts, check_metrics
from breakeven.ttc.strategies.orders import TOLERANCE

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.integer]

NUM_SETS = 16
"""Random served sets that a score is the mean of."""
NUM_RESAMPLES = 1000
"""Bootstrap samples of the problems."""
_BLOCK = 1 << 22
"""Numbers that are in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """The classes that a strategy serves, in each of D sets."""

    strategy: str
    k: int
    class_PD: Classes


def served_classes(
    probability_PNC: Floats, k_values: Sequence[int], *, shuffled: bool, seed: int, num_sets: int = NUM_SETS
) -> Classes:
    """The likeliest class of the mean of K passes of each problem in each of D sets, shape (K, P, D).

    One-hot passes make it a majority vote. Of classes that are tied one is drawn.

    Args:
        probability_PNC: of each pass.
        k_values: passes, increasing, up to N.
        shuffled: whether the K of a set are drawn, or the first ones.
        seed: of the sets.
        num_sets: D.
    """
    num_problems, num_passes, num_classes = probability_PNC.shape
    k_K = np.array(k_values)
    rng = np.random.default_rng(seed)
    order_PN = np.broadcast_to(np.arange(num_passes), (num_problems, num_passes))
    class_KPD = np.empty((len(k_K), num_problems, num_sets), dtype=np.min_scalar_type(num_classes))
    for place in range(num_sets):
        taken_PN = rng.permuted(order_PN, axis=1) if shuffled else order_PN
        sum_PNC = np.take_along_axis(probability_PNC, taken_PN[:, :, None], axis=1).cumsum(axis=1)
        mean_PKC = sum_PNC[:, k_K - 1] / k_K[:, None]
        leads_PKC = mean_PKC >= mean_PKC.max(axis=-1, keepdims=True) - TOLERANCE
        class_PK = leads_PKC.argmax(axis=-1)
        tied_PK = leads_PKC.sum(axis=-1) > 1
        tied_TC = leads_PKC[tied_PK]
        class_PK[tied_PK] = np.where(tied_TC, rng.random(tied_TC.shape), -1.0).argmax(axis=-1)
        class_KPD[:, :, place] = class_PK.T
    return class_KPD


def class_scores(
    label_P: Classes,
    served: Sequence[Served],
    metrics: Sequence[str],
    *,
    num_classes: int,
    baseline: Served | None = None,
    num_resamples: int = NUM_RESAMPLES,
    seed: int = 0,
) -> tuple[Score, ...]:
    """The scores of some strategies, metric after metric.

    Args:
        label_P: the right classes, from 0 to C - 1.
        served: of the same problems.
        metrics: names in METRICS.
        num_classes: C.
        baseline: what they are held against, on the same resamples; it has no gain itself.
        num_resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        ArgumentError: as `check_metrics`.

    Estimator:
        The mean over the served sets. The 90 % interval is that of the bootstrap's percentiles (Efron and Tibshirani,
        An Introduction to the Bootstrap, 1993, chapter 13), widened to the score itself where it lies outside.
    """
    check_metrics(metrics, num_classes)
    every = [*([] if baseline is None else [baseline]), *served]
    # Problems that are served alike are drawn together: the bootstrap over problems is a multinomial draw of rows.
    columns = [label_P.astype(every[0].class_PD.dtype), *(each.class_PD for each in every)]
    rows, count_U = np.unique(np.column_stack(columns), axis=0, return_counts=True)
    ends = np.cumsum([1, *(each.class_PD.shape[1] for each in every)]).tolist()
    label_U, class_UD_of = rows[:, 0], [rows[:, start:stop] for start, stop in pairwise(ends)]

    def scored(class_UD: Classes, weight_UR: Floats) -> Floats:
        return _scores_MDR(label_U, class_UD, weight_UR, [METRICS[each] for each in metrics], num_classes)

    value_MD_of = [scored(class_UD, count_U[:, None].astype(np.float64))[:, :, 0] for class_UD in class_UD_of]
    drawn: list[list[Floats]] = [[] for _ in every]
    for weight_UR in _resamples(count_U, num_resamples, seed):
        for place, class_UD in enumerate(class_UD_of):
            drawn[place].append(scored(class_UD, weight_UR).mean(axis=1))
    drawn_MR_of = [np.concatenate(each, axis=1) for each in drawn]
    return tuple(
        _score(
            metric,
            each,
            value_MD[row],
            drawn_MR[row],
            None if baseline is None or each is baseline else (value_MD_of[0][row], drawn_MR_of[0][row]),
        )
        for row, metric in enumerate(metrics)
        for each, value_MD, drawn_MR in zip(every, value_MD_of, drawn_MR_of, strict=True)
    )


def _score(
    metric: str, served: Served, value_D: Floats, drawn_R: Floats, baseline: tuple[Floats, Floats] | None
) -> Score:
    """The score of each set and its resamples as a record; `baseline` is the same of what it is held against."""
    value, sets = float(value_D.mean()), len(value_D)
    lo, hi = _interval(value, drawn_R)
    gain: tuple[float | None, float | None, float | None] = (None, None, None)
    if baseline is not None:
        more = value - float(baseline[0].mean())
        gain = (more, *_interval(more, drawn_R - baseline[1]))
    return Score(
        metric=metric,
        strategy=served.strategy,
        k=served.k,
        value=value,
        standard_error=float(drawn_R.std(ddof=1)),
        monte_carlo_error=float(value_D.std(ddof=1)) / sets**0.5 if sets > 1 else 0.0,
        lo=lo,
        hi=hi,
        gain=gain[0],
        gain_lo=gain[1],
        gain_hi=gain[2],
    )


def _interval(value: float, drawn_R: Floats) -> tuple[float, float]:
    lo, hi = np.quantile(drawn_R, [0.05, 0.95]).tolist()
    return min(lo, value), max(hi, value)


def _resamples(count_U: npt.NDArray[np.intp], number: int, seed: int) -> Iterator[Floats]:
    """How often each distinct row is drawn, shape (U, R), some resamples at a time."""
    rng = np.random.default_rng(seed)
    size = int(count_U.sum())
    step = max(1, _BLOCK // len(count_U))
    for start in range(0, number, step):
        drawn_RU = rng.multinomial(size, count_U / size, size=min(step, number - start))
        yield np.ascontiguousarray(drawn_RU.T, dtype=np.float64)


def _scores_MDR(
    label_U: Classes,
    class_UD: Classes,
    weight_UR: Floats,
    metrics: Sequence[Callable[[ClassCounts], Floats]],
    num_classes: int,
) -> Floats:
    """Every metric of every set under every weighting of the rows, shape (M, D, R)."""
    labelled_CR = _sums(label_U, weight_UR, num_classes)
    distinct_UD, place_D = np.unique(class_UD, axis=1, return_inverse=True)
    found = []
    for class_U in distinct_UD.T:
        right_U = class_U == label_U
        counts = ClassCounts(
            hits_CR=_sums(label_U[right_U], weight_UR[right_U], num_classes),
            served_CR=_sums(class_U, weight_UR, num_classes),
            labelled_CR=labelled_CR,
        )
        found.append([metric(counts) for metric in metrics])
    scores_DMR = np.array(found)
    return scores_DMR.transpose(1, 0, 2)[:, place_D.ravel()]


def _sums(class_U: Classes, weight_UR: Floats, num_classes: int) -> Floats:
    """Weight of each class, shape (C, R)."""
    sums_CR = np.zeros((num_classes, weight_UR.shape[1]))
    order_U = np.argsort(class_U, kind="stable")
    present, first = np.unique(class_U[order_U], return_index=True)
    if len(present):
        sums_CR[present] = np.add.reduceat(weight_UR[order_U], first, axis=0)
    return sums_CR
