"""What a chart shows, in data units: nothing here knows how it is drawn. `vega` turns it into a specification."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Marker(StrEnum):
    """Shape of a point. Filled ones stand for measured values, hollow ones for values a fit gave."""

    NONE = "none"
    DOT = "dot"
    RING = "ring"
    DIAMOND = "diamond"
    HOLLOW_DIAMOND = "hollow diamond"
    CROSS = "cross"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis shows.

    Args:
        label: what is measured, with its unit.
        log: base of a logarithmic axis, 2 or 10, 0 for a linear one; values must be positive, others are not drawn.
        percent: values in [0, 1] are labelled as percentages.
        lo: lower end; None takes it from the data.
        hi: upper end; None takes it from the data.
        counts: a logarithmic axis of what is counted, where 10^9 is B and not G.
    """

    label: str
    log: int = 0
    percent: bool = False
    lo: float | None = None
    hi: float | None = None
    counts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points (x, y), joined by a line, marked, or both."""

    label: str
    points: tuple[tuple[float, float], ...]
    role: str = "measured"
    line: bool = True
    dashed: bool = False
    marker: Marker = Marker.NONE
    strength: float = 1.0
    """Opacity; below 1 for what is shown for comparison."""
    in_legend: bool = True
    names: tuple[str, ...] = ()
    """What each point is, where the label does not say it; empty: the label does."""
    large: bool = False
    """Whether its points are larger than those of others."""
    steps: bool = False
    """Whether the line goes level to the next point, then up to it, as what can be had at most does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An interval (x, lo, hi) along x; a single x is drawn as a bar."""

    label: str
    points: tuple[tuple[float, float, float], ...]
    role: str = "measured"
    apart: bool = False
    """Whether each x has an interval of its own, drawn as a line, as of points that are no curve."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A straight line at one x (labelled in the plot) or one y (labelled in the legend)."""

    label: str
    x: float | None = None
    y: float | None = None
    role: str = "ink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything a chart shows."""

    name: str
    """Of the file it is written to, and of its place in a page: letters, digits and "-"."""
    title: str
    description: str
    """What a reader who cannot see it should know."""
    x: Axis
    y: Axis
    series: tuple[Series, ...] = ()
    bands: tuple[Band, ...] = ()
    references: tuple[Reference, ...] = ()
    note: str = ""
    """How to read it, in a sentence or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart, and how it is drawn."""

    chart: Chart
    spec: dict[str, Any]
    """In Vega-Lite, without a size or a title."""
    rows: tuple[Mapping[str, object], ...] = ()
    """What the points stand for, where x and y do not say it: for programs."""
