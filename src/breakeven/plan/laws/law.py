"""A law as a value, and the points that one is fitted to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Columns: TypeAlias = Mapping[str, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A formula with free parameters, and where a fit of it begins."""

    name: str
    columns: tuple[str, ...]
    """The axes that it reads, each above 0: params, train_tokens, k, ..."""
    parameters: tuple[str, ...]
    """Any real number each: one that must be above 0 comes as its logarithm, and is named log_..."""
    formula: Callable[[Columns, Columns], Floats]
    """Of the columns and the parameters, both by name: the value, above 0. Plain arithmetic, for a parameter may be a
    column of many values, and then gives as many rows."""
    start: Callable[[np.random.Generator, Columns, Floats], Sequence[float]]
    """A starting point, drawn in view of the columns and values of the points: one number for each parameter."""
    unit: str = ""
    """Of the value, and of errors: nats, accuracy, FLOPs, ..."""
    source: str
    """Paper and equation, or "ours"."""

    def at(self, parameters: Floats, columns: Columns) -> Floats:
        """The value at some points, shape (N,); of parameters of shape (R, P), shape (R, N)."""
        by_name = {name: column[..., None] for name, column in zip(self.parameters, parameters.T, strict=True)}
        with np.errstate(all="ignore"):
            return self.formula(columns, by_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What was measured where; made by `points_of`."""

    columns: Columns
    values: Floats
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def where(self, mask: Mask) -> "Points":
        """Some of them."""
        columns = {name: column[mask] for name, column in self.columns.items()}
        kept = tuple(group for group, keep in zip(self.groups, mask.tolist(), strict=True) if keep)
        return replace(self, columns=columns, values=self.values[mask], groups=kept)


def points_of(
    columns: Mapping[str, Sequence[float] | Floats], values: Sequence[float] | Floats, *, groups: Sequence[str] = ()
) -> Points:
    """Points that a law can be fitted to.

    Args:
        columns: each of one number a point, above 0, by name.
        values: one a point, above 0: losses, accuracies, FLOPs.
        groups: which points come of one thing that might have come out otherwise, such as a training run: a resampling
            draws whole groups, and a cross-validation leaves out whole ones. Empty: each point is its own.

    Raises:
        ArgumentError: no point, columns of different lengths, or a number that is not finite and above 0.
    """
    size = len(values)
    if size == 0:
        raise argument_error("values", "hold at least one point", [])
    for name, given in {**columns, "values": values, **({"groups": groups} if groups else {})}.items():
        if len(given) != size:
            raise argument_error(name, f"hold {size} entries, one for each of the values", len(given))
        for place, each in enumerate(given) if given is not groups else ():
            plain = each.item() if isinstance(each, np.generic) else each
            check.positive(f"{name}[{place}]", plain, "Laws are fitted in logarithms: leave such points out.")
    return Points(
        columns={name: np.asarray(column, np.float64) for name, column in columns.items()},
        values=np.asarray(values, np.float64),
        groups=tuple(groups) or tuple(map(str, range(size))),
    )


def last_part(points: Points, *axes: str, share: float = 0.25) -> Mask:
    """The points in the last part of any of some axes: what a fit to the rest has to extrapolate to.

    Args:
        points: all.
        axes: columns by name.
        share: of the different values of each axis, the largest of which are held out; at least one is, and one kept.

    >>> points = points_of({"tokens": [1, 2, 4, 8, 8]}, [5, 4, 3, 2, 2])
    >>> last_part(points, "tokens").tolist()
    [False, False, False, True, True]
    """
    check.share("share", share)
    held = np.zeros(len(points), np.bool_)
    for axis in axes:
        check.one_of("axis", axis, points.columns)
        distinct = np.unique(points.columns[axis])
        first = len(distinct) - min(max(ceil(share * len(distinct)), 1), len(distinct) - 1)
        held |= np.isin(points.columns[axis], distinct[first:])
    return held
