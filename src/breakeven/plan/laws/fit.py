"""Fitting a law: in logarithms, with a robust loss, from many starts, and held to points that the fit did not see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.laws.law import Floats, Law, Mask, Points
from breakeven.plan.laws.robust import best_of_starts, descend
from breakeven.records import Made

HUBER: Final = 1e-3
"""Where the loss turns from squared to absolute, in logs: that of Hoffmann et al. 2203.15556, section 3.3."""
FAR: Final = 4.0
"""Beyond so many times the range of an axis a prediction is marked as extrapolated."""
_FOLDS: Final = 5


class LawStatus(StrEnum):
    """Outcome of a fit. Anything but FITTED: `predict` refuses."""

    FITTED = "fitted"
    TOO_FEW_POINTS = "too few points"
    """No more than there are parameters, also with a part held out."""
    NOT_CONVERGED = "not converged"
    WORSE_THAN_MEAN = "worse than the mean"
    """On points that the fit did not see, the mean of the others is the better prediction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """What a law says of some points."""

    value: Floats
    lo: Floats
    """Lower end of the 90 % interval, over resamplings of what `Fitted.over` says: of the law, not of a measurement,
    which has noise of its own. At most `value`."""
    hi: Floats
    beyond: tuple[str, ...]
    """Axes on which a point lies more than 4 times beyond the points of the fit."""

    @property
    def made(self) -> Made:
        """How the numbers came about."""
        return Made.EXTRAPOLATED if self.beyond else Made.FORECAST


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """A law with its parameters, and what they are worth."""

    law: Law
    status: LawStatus
    parameters: Mapping[str, float]
    """Fitted to all points; those held out are left out only to measure the error."""
    intervals: Mapping[str, tuple[float, float]]
    """90 % of each, over resamplings. Parameters may trade off against one another where predictions hardly move."""
    draws_DP: Floats = field(repr=False)
    """The parameters of each resampling, for intervals of whatever follows from them."""
    over: str
    """What was resampled."""
    num_points: int
    agreement: float
    """Share of the starts that led to the same loss, to 1 %."""
    error: float
    """Mean absolute error on points that the fit did not see, in the unit of the value; NaN: too few points."""
    mean_error: float
    """The same of the mean of the points that the fit saw."""
    held_out: str
    """Which points these were, in words."""
    ranges: Mapping[str, tuple[float, float]]
    """From where to where each axis was measured."""

    def predict(self, columns: Mapping[str, npt.ArrayLike], *, anyway: bool = False) -> Predicted:
        """The value at some points, with 90 % intervals.

        Args:
            columns: those of the law, numbers or arrays of one shape.
            anyway: although the fit is not to be relied on.

        Raises:
            ArgumentError: the status is not FITTED, and `anyway` is not set; or a column is missing or not above 0.
        """
        if not self.parameters or (self.status is not LawStatus.FITTED and not anyway):
            raise argument_error(f"law {self.law.name}", "be fitted to predict", self.status.value, self.in_words)
        missing = [name for name in self.law.columns if name not in columns]
        if missing:
            raise argument_error("columns", f"hold {', '.join(self.law.columns)}", sorted(columns))
        given = np.broadcast_arrays(*(np.asarray(columns[name], np.float64) for name in self.law.columns))
        for name, column in zip(self.law.columns, given, strict=True):
            for each in column.ravel().tolist():
                check.positive(name, each)
        flat = {name: column.ravel() for name, column in zip(self.law.columns, given, strict=True)}
        best = np.array([[*self.parameters.values()]])
        value_N = self.law.at(best, flat)[0]
        with np.errstate(all="ignore"):
            lo_N, hi_N = np.quantile(self.law.at(self.draws_DP, flat), (0.05, 0.95), axis=0)
        beyond = [
            name
            for name, (low, high) in self.ranges.items()
            if flat[name].size and (flat[name].min() < low / FAR or flat[name].max() > high * FAR)
        ]
        value, lo, hi = (
            each.reshape(given[0].shape) for each in (value_N, np.minimum(lo_N, value_N), np.maximum(hi_N, value_N))
        )
        return Predicted(value=value, lo=lo, hi=hi, beyond=tuple(beyond))

    @property
    def in_words(self) -> str:
        """A sentence that no number of the law goes without."""
        if np.isnan(self.error):
            return f"{self.law.name}: {self.num_points} points are too few for {len(self.law.parameters)} parameters."
        unit = f" {self.law.unit}" if self.law.unit else ""
        fitted = "" if self.status is LawStatus.FITTED else f" ({self.status.value})"
        return (
            f"{self.law.name}{fitted}: mean error {self.error:.3g}{unit} on {self.held_out}, "
            f"{self.mean_error:.3g} by the mean of the others."
        )


def fit_law(
    law: Law,
    points: Points,
    *,
    held_out: Mask | None = None,
    huber: float = HUBER,
    num_starts: int = 20,
    draws: int = 200,
    seed: int = 0,
) -> Fitted:
    """Fit a law to all points, and measure its error on points that it did not see.

    Args:
        law: to be fitted.
        points: with the columns of the law.
        held_out: points that a second fit, to the others, is held to, as `last_part` names them; None: each of at most
            5 parts of the groups in turn.
        huber: where the loss turns from squared to absolute, in logs.
        num_starts: starting points that are drawn, for each fit.
        draws: resamplings of the groups, for the intervals; each is fitted from the best fit of all.
        seed: of starts, parts and resamplings: the same gives the same to the last bit.

    Raises:
        ArgumentError: a column is missing or has one value only, nothing or all is held out, or a setting is out of
            range.

    Estimator:
        Fitted, with percentile intervals of a bootstrap over groups.

    Source:
        Hoffmann et al. 2203.15556, section 3.3 and appendix D.3: Huber loss on logs by L-BFGS from a grid of starts.
        Besiroglu et al. 2404.10102 on how that ends too early: here each start is first followed by least squares, and
        a search by L-BFGS-B is begun anew until it finds nothing better; one that never does is not converged.
    """
    check.positive("huber", huber)
    num_starts, draws = check.whole("num_starts", num_starts, 1), check.whole("draws", draws, 1)
    _check_columns(law, points)
    random = np.random.default_rng(seed)
    parts, words = _parts(points, held_out, random)
    size = len(law.parameters)
    if min([len(points), *(int((~part).sum()) for part in parts)]) <= size:
        return _unfitted(law, points)
    best, agreement = best_of_starts(law, points, huber, num_starts, random)
    errors, mean_errors = [], []
    for part in parts:
        seen, unseen = points.where(~part), points.where(part)
        without = best_of_starts(law, seen, huber, num_starts, random)[0].parameters
        errors.append(np.abs(law.at(without[None], unseen.columns)[0] - unseen.values))
        mean_errors.append(np.abs(seen.values.mean() - unseen.values))
    error, mean_error = float(np.concatenate(errors).mean()), float(np.concatenate(mean_errors).mean())
    names, group_N = np.unique(np.array(points.groups), return_inverse=True)
    count_DG = random.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weights = (count_G[group_N].astype(np.float64) for count_G in count_DG)
    draws_DP = np.array([descend(law, points, each, huber, best.parameters, rounds=1).parameters for each in weights])
    lo, hi = np.quantile(draws_DP, (0.05, 0.95), axis=0).tolist()
    is_worse = not error < mean_error  # as NaN is
    status = LawStatus.WORSE_THAN_MEAN if is_worse else LawStatus.FITTED
    return Fitted(
        law=law,
        status=status if best.at_rest else LawStatus.NOT_CONVERGED,
        parameters=dict(zip(law.parameters, best.parameters.tolist(), strict=True)),
        intervals=dict(zip(law.parameters, zip(lo, hi, strict=True), strict=True)),
        draws_DP=draws_DP,
        over=f"{len(names)} {'points' if len(names) == len(points) else 'groups of points'}",
        num_points=len(points),
        agreement=agreement,
        error=error if np.isfinite(error) else np.inf,
        mean_error=mean_error,
        held_out=words,
        ranges=_ranges(law, points),
    )


def _unfitted(law: Law, points: Points) -> Fitted:
    """Of so few points that nothing is fitted."""
    return Fitted(
        law=law,
        status=LawStatus.TOO_FEW_POINTS,
        parameters={},
        intervals={},
        draws_DP=np.empty((0, len(law.parameters))),
        over="",
        num_points=len(points),
        agreement=0.0,
        error=np.nan,
        mean_error=np.nan,
        held_out="",
        ranges=_ranges(law, points),
    )


def _check_columns(law: Law, points: Points) -> None:
    for name in law.columns:
        check.one_of(f"a column of law {law.name}", name, points.columns)
        if len(np.unique(points.columns[name])) == 1:
            remedy = "Fit a law without that axis."
            raise argument_error(name, "have more than one value", float(points.columns[name][0]), remedy)


def _parts(points: Points, held_out: Mask | None, random: np.random.Generator) -> tuple[list[Mask], str]:
    """What is held out, one part after the other, and in words."""
    if held_out is not None:
        mask = np.asarray(held_out, np.bool_)
        if mask.shape != (len(points),) or mask.all() or not mask.any():
            rule = f"be some of the {len(points)} points, and not all"
            raise argument_error("held_out", rule, f"{int(mask.sum())} of {mask.size}")
        return [mask], f"the {int(mask.sum())} of {len(points)} points held out"
    names, group_N = np.unique(np.array(points.groups), return_inverse=True)
    count = min(_FOLDS, len(names))
    if count == 1:
        names, group_N = np.arange(len(points)), np.arange(len(points))
        count = min(_FOLDS, len(points))
    part_G = random.permutation(len(names)) % count
    of = "points" if len(names) == len(points) else "groups"
    return [part_G[group_N] == part for part in range(count)], f"each of {count} parts of the {len(names)} {of} in turn"


def _ranges(law: Law, points: Points) -> dict[str, tuple[float, float]]:
    return {name: (float(points.columns[name].min()), float(points.columns[name].max())) for name in law.columns}
