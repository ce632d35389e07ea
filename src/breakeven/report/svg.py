"""Line charts as plain SVG: no script, no external resource, readable in light, dark and print.

Colours are CSS variables (`marks.palette_css`) with the light colour as fallback: a chart also stands alone in a file.
Text never overlaps: what needs room (ticks, labels, legend) is measured first and the plot is placed between.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from breakeven.report.axes import FONT_SIZE, Axis, Scale, format_value, make_scale, text_width
from breakeven.report.marks import DASHED, DOTTED, Marker, colour, draw_mark, draw_path, draw_text

_LINE_HEIGHT = 17.0
_SWATCH = 26.0
_SWATCH_LINE = ((0.0, 0.0), (20.0, 0.0))
_GAP = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points (x, y), joined by a line, marked, or both."""

    label: str
    """Names the series in hover texts, and in the legend unless `end_label` or `in_legend` says otherwise."""
    points: tuple[tuple[float, float], ...]
    role: str = "measured"
    line: bool = True
    dashed: bool = False
    marker: Marker = Marker.NONE
    strength: float = 1.0
    """Opacity; below 1 for what is shown for comparison."""
    width: float = 2.0
    end_label: str = ""
    """Written beside the last point, in the right margin."""
    in_legend: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An interval (x, lo, hi) along x; a single x is drawn as a bar."""

    label: str
    points: tuple[tuple[float, float, float], ...]
    role: str = "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A straight line at one x (labelled above the plot) or one y (labelled in the legend)."""

    label: str
    x: float | None = None
    y: float | None = None
    role: str = "ink"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything a chart shows, in data units."""

    title: str
    description: str
    """What a reader who cannot see it should know."""
    x: Axis
    y: Axis
    series: tuple[Series, ...] = ()
    bands: tuple[Band, ...] = ()
    references: tuple[Reference, ...] = ()


def line_chart(chart: Chart, *, width: float = 720, plot_height: float = 260) -> str:
    """The chart as one `<svg>` element, `width` user units wide and as high as its parts need."""
    shown = [series for series in chart.series if series.points]
    xs = [x for s in shown for x, _ in s.points] + [r.x for r in chart.references if r.x is not None]
    ys = [y for s in shown for _, y in s.points] + [r.y for r in chart.references if r.y is not None]
    xs += [point[0] for band in chart.bands for point in band.points]
    ys += [value for band in chart.bands for point in band.points for value in point[1:]]

    title = textwrap.wrap(chart.title, max(8, int(width / text_width("x", FONT_SIZE + 2)))) or [""]
    num_rows = max(3, int(plot_height / 40))
    draft = make_scale(chart.y, ys, 1, 0, num_rows)
    left = max((text_width(label) for _, label in draft.ticks), default=0) + 12
    end_labels = max((text_width(s.end_label) + 10 for s in shown if s.end_label), default=0)
    right = width - max(26.0, end_labels)
    x = make_scale(chart.x, xs, left, right, max(2, int((right - left) / (40 if chart.x.log2 else 60))))
    above = _above(chart.references, x)
    top = len(title) * 20 + _LINE_HEIGHT * (1 + max((row + 1 for *_, row in above), default=0)) + 10
    y = make_scale(chart.y, ys, top + plot_height, top, num_rows)

    parts = [draw_text(0, 15 + 20 * row, line, size=FONT_SIZE + 2, weight=600) for row, line in enumerate(title)]
    parts.append(draw_text(0, len(title) * 20 + 13, chart.y.label, role="muted"))
    parts += [draw_text(px, top - 10 - _LINE_HEIGHT * row, ref.label, ref.role, "middle") for ref, px, row in above]
    parts += _grid(x, y)
    bottom = top + plot_height + 2 * _LINE_HEIGHT + 4
    parts.append(draw_text((left + right) / 2, bottom - 2, chart.x.label, role="muted", anchor="middle"))
    parts += [_draw_band(band, x, y) for band in chart.bands if band.points]
    parts += [_draw_reference(reference, x, y) for reference in chart.references]
    parts += [_draw_series(series, chart, x, y) for series in shown]
    parts += _end_labels(shown, x, y)
    if not shown:
        parts.append(draw_text((left + right) / 2, top + plot_height / 2, "nothing to draw yet", "muted", "middle"))
    legend, bottom = _legend(chart, shown, bottom + 6, width)
    height = bottom + 6
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{escape(chart.title)}" '
        f'font-family="system-ui, sans-serif" font-size="{FONT_SIZE:g}">'
        f"<title>{escape(chart.title)}</title><desc>{escape(chart.description)}</desc>{''.join(parts + legend)}</svg>"
    )


# -- data --------------------------------------------------------------------------------------------------------------


def _stroke(series: Series, pixels: Sequence[tuple[float, float]]) -> str:
    dash = DASHED if series.dashed else ""
    return draw_path(pixels, series.role, width=series.width, dash=dash, strength=series.strength)


def _draw_series(series: Series, chart: Chart, x: Scale, y: Scale) -> str:
    points = [(a, b) for a, b in series.points if x.shows(a) and y.shows(b)]
    pixels = [(x(a), y(b)) for a, b in points]
    parts = []
    if series.line and len(pixels) > 1:
        parts.append(_stroke(series, pixels))
    if series.marker is not Marker.NONE:
        for (a, b), (px, py) in zip(points, pixels, strict=True):
            note = f"{series.label}: {format_value(chart.y, b)} at {format_value(chart.x, a)}"
            parts.append(draw_mark(px, py, series.marker, series.role, strength=series.strength, note=note))
    return "".join(parts)


def _draw_band(band: Band, x: Scale, y: Scale) -> str:
    points = [p for p in band.points if x.shows(p[0]) and all(y.shows(value) for value in p[1:])]
    if len(points) == 1:
        px, lo, hi = x(points[0][0]), y(points[0][1]), y(points[0][2])
        return draw_path([(px, lo), (px, hi)], band.role, width=5, strength=0.35)
    outline = [(x(a), y(hi)) for a, _, hi in points] + [(x(a), y(lo)) for a, lo, _ in reversed(points)]
    corners = " ".join(f"{px:.1f},{py:.1f}" for px, py in outline)
    return f'<polygon points="{corners}" opacity="0.14" style="fill:{colour(band.role)}"/>'


def _draw_reference(reference: Reference, x: Scale, y: Scale) -> str:
    if reference.x is not None and x.shows(reference.x):
        return draw_path([(x(reference.x), y.start), (x(reference.x), y.end)], reference.role, width=1.2, dash=DASHED)
    if reference.y is not None and y.shows(reference.y):
        return draw_path([(x.start, y(reference.y)), (x.end, y(reference.y))], reference.role, width=1.6, dash=DOTTED)
    return ""


# -- what needs room --------------------------------------------------------------------------------------------------


def _grid(x: Scale, y: Scale) -> list[str]:
    parts = []
    for value, label in y.ticks:
        parts.append(draw_path([(x.start, y(value)), (x.end, y(value))], "grid"))
        parts.append(draw_text(x.start - 8, y(value) + 4, label, "muted", "end"))
    parts.append(draw_path([(x.start, y.start), (x.end, y.start)], "muted"))
    for value, label in x.ticks:
        parts.append(draw_path([(x(value), y.start), (x(value), y.start + 4)], "muted"))
        parts.append(draw_text(x(value), y.start + _LINE_HEIGHT + 2, label, "muted", "middle"))
    return parts


def _above(references: Sequence[Reference], x: Scale) -> list[tuple[Reference, float, int]]:
    """Labels of the vertical lines: (reference, centre, row), each in the lowest row where it touches no other."""
    placed: list[tuple[Reference, float, int]] = []
    for reference in references:
        if reference.x is None or not x.shows(reference.x):
            continue
        half = text_width(reference.label) / 2
        centre = min(max(x(reference.x), half), max(x.end + 24 - half, half))
        row = 0
        while any(r == row and abs(c - centre) < half + text_width(o.label) / 2 + 8 for o, c, r in placed):
            row += 1
        placed.append((reference, centre, row))
    return placed


def _end_labels(series: Sequence[Series], x: Scale, y: Scale) -> list[str]:
    """Labels beside the last points, pushed apart where they would touch."""
    wanted = [(y(s.points[-1][1]), s) for s in series if s.end_label and y.shows(s.points[-1][1])]
    placed: list[tuple[float, Series]] = []
    for height, item in sorted(wanted, key=lambda pair: -pair[0]):  # from the bottom up
        ceiling = placed[-1][0] - 14 if placed else math.inf
        placed.append((min(height, ceiling), item))
    lift = max(0.0, y.end - placed[-1][0]) if placed else 0.0  # the topmost may have left the plot
    return [
        draw_text(x.end + 8, height + lift + 4, item.end_label, item.role if item.strength == 1 else "muted",
              weight=600 if item.strength == 1 else 400)
        for height, item in placed
    ]  # fmt: skip


def _legend(chart: Chart, shown: Sequence[Series], top: float, width: float) -> tuple[list[str], float]:
    """Legend entries, flowed into rows, and the lower edge of the last."""
    entries: list[tuple[str, str]] = []  # (swatch drawn at the origin, label)
    for series in shown:
        if series.in_legend and not series.end_label:
            stroke = _stroke(series, _SWATCH_LINE) if series.line else ""
            mark = draw_mark(10, 0, series.marker, series.role, strength=series.strength)
            entries.append((stroke + mark, series.label))
    for band in chart.bands:
        if band.points and band.label:
            box = f'<rect x="0" y="-5" width="20" height="10" opacity="0.25" style="fill:{colour(band.role)}"/>'
            entries.append((box, band.label))
    for reference in chart.references:
        if reference.y is not None:
            entries.append((draw_path(_SWATCH_LINE, reference.role, width=1.6, dash=DOTTED), reference.label))
    parts: list[str] = []
    x, y, row_height = 0.0, top, 0.0
    for swatch, label in entries:
        lines = textwrap.wrap(label, max(8, int((width - _SWATCH) / text_width("x")))) or [""]
        needed = _SWATCH + max(text_width(line) for line in lines)
        if x and x + needed > width:
            x, y, row_height = 0.0, y + row_height, 0.0
        parts.append(f'<g transform="translate({x:.1f} {y + 9:.1f})">{swatch}</g>')
        parts += [draw_text(x + _SWATCH, y + 13 + _LINE_HEIGHT * row, line, "ink") for row, line in enumerate(lines)]
        x, row_height = x + needed + _GAP, max(row_height, _LINE_HEIGHT * len(lines) + 2)
    return parts, y + row_height
