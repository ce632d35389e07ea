"""Charts as Vega-Lite specifications: plain dicts, one for pages and for static figures alike.

Whatever a label says, it is data: no text is ever HTML or an expression.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from breakeven.report.charts.chart import Axis, Chart, Figure, Marker, Reference, Series
from breakeven.report.charts.theme import HEIGHT, LEGEND, SCHEMA, Spec, role, said

_DASHED, _DOTTED, _SOLID = [6, 4], [2, 4], [1, 0]
_SHAPES: Final = {
    Marker.NONE: "stroke",
    Marker.DOT: "circle",
    Marker.RING: "circle",
    Marker.DIAMOND: "diamond",
    Marker.HOLLOW_DIAMOND: "diamond",
    Marker.CROSS: "M-.7,-.7L.7,.7M.7,-.7L-.7,.7",
}
_HOLLOW: Final = (Marker.RING, Marker.HOLLOW_DIAMOND)
_BAND_STRENGTH: Final = 0.16
_APART_STRENGTH: Final = 0.3
_LARGE: Final = 160
"""Of a point that is larger than others."""


def figure_of(chart: Chart) -> Figure:
    """A chart with its drawing."""
    return Figure(chart=chart, spec=spec_of(chart))


def spec_of(chart: Chart) -> Spec:
    """The chart as a specification without a size or a title: `sized` gives it both."""
    shown = [each for each in chart.series if each.points]
    layers = [*_bands(chart), *_references(chart), *_lines(chart, shown), *_points(chart, shown)]
    return {
        "$schema": SCHEMA,
        "description": said(f"{chart.title}. {chart.description}"),
        "data": {"values": []},
        "layer": [*layers, *_at_x(chart)] or [{"mark": "point"}],
        "resolve": {"scale": {"x": "shared", "y": "shared"}},
    }


def sized(spec: Spec, title: str, width: int | str = "container") -> Spec:
    """A specification with a width in pixels, or that of the element it is drawn in; a fixed one has its title."""
    own = {} if width == "container" else {"title": said(title)}
    fit = {"autosize": {"type": "fit-x", "contains": "padding"}}
    params = [*spec.get("params", []), {"name": "room", "value": width}]
    return {**spec, **own, **fit, "params": params, "width": width, "height": HEIGHT}


def axis_of(axis: Axis) -> Spec:
    """Scale and axis of an encoding."""
    scale: Spec = {"nice": axis.hi is None and not axis.log}
    scale |= {"type": "log", "base": axis.log} if axis.log else {"zero": False}
    if axis.lo is not None:
        scale["domainMin"] = axis.lo
    if axis.hi is not None:
        scale["domainMax"] = axis.hi
    drawn: Spec = {"title": axis.label, "tickCount": 5}
    if axis.percent:
        drawn["labelExpr"] = "format(datum.value * 100, '.3~g') + ' %'"
    elif axis.log == 10:
        power = "abs(log(datum.value) / LN10 - round(log(datum.value) / LN10)) < 1e-6"
        drawn |= {"format": "~s", "gridOpacity": {"condition": {"test": power, "value": 1}, "value": 0}}
        if axis.counts:
            drawn["labelExpr"] = "replace(datum.label, 'G', 'B')"
    elif axis.log == 2:
        drawn |= {"format": "~r", "tickCount": 8}
    return {"scale": scale, "axis": drawn}


# -- layers ------------------------------------------------------------------------------------------------------------


def _entries(chart: Chart) -> list[tuple[str, Spec]]:
    """What the legend holds, in order: a label, and how it is drawn. A band follows the series of its role."""
    entries: list[tuple[float, str, Spec]] = []
    last = {each.role: place for place, each in enumerate(chart.series) if each.points}
    for place, each in enumerate(chart.series):
        if each.points:
            hollow = each.marker in _HOLLOW
            colour = role(each.role, each.strength)
            fill = role("paper") if hollow else colour
            look = {
                "stroke": colour,
                "fill": "transparent" if each.marker in (Marker.NONE, Marker.CROSS) else fill,
                "shape": _SHAPES[each.marker],
                "strokeDash": _DASHED if each.dashed else _SOLID,
            }
            entries.append((place, said(each.label), {**look, "listed": each.in_legend}))
    for band in chart.bands:
        if band.points:
            colours = {"stroke": "transparent", "fill": role(band.role, _BAND_STRENGTH)}
            look = {**colours, "shape": "square", "strokeDash": _SOLID}
            entries.append((last.get(band.role, math.inf), said(band.label), {**look, "listed": True}))
    for reference in chart.references:
        if reference.y is not None:
            colours = {"stroke": role(reference.role), "fill": "transparent"}
            look = {**colours, "shape": "stroke", "strokeDash": _DOTTED}
            entries.append((math.inf, said(reference.label), {**look, "listed": True}))
    return list({label: look for _, label, look in sorted(entries, key=lambda each: each[0])}.items())


def _looks(chart: Chart, *channels: str) -> Spec:
    """Encodings of a label by some channels: all with one domain, so that their legends are one."""
    entries = _entries(chart)
    labels = [label for label, _ in entries]
    listed = [label for label, look in entries if look["listed"]]
    legend = {**LEGEND, "values": listed} if listed else None
    return {
        channel: {
            "field": "label",
            "type": "nominal",
            "scale": {"domain": labels, "range": [look[channel] for _, look in entries]},
            "legend": legend,
        }
        for channel in channels
    }


def _place(chart: Chart, y: str = "y") -> Spec:
    return {
        "x": {"field": "x", "type": "quantitative", **axis_of(chart.x)},
        "y": {"field": y, "type": "quantitative", **axis_of(chart.y)},
    }


def _bands(chart: Chart) -> Iterator[Spec]:
    for band in chart.bands:
        rows = [
            {"label": said(band.label), "x": x, "lo": lo, "hi": hi}
            for x, lo, hi in band.points
            if _shown(chart.x, x) and _shown(chart.y, lo) and _shown(chart.y, hi)
        ]
        if rows and band.apart:
            mark: Spec = {"type": "rule", "strokeWidth": 3, "color": role(band.role, _APART_STRENGTH)}
            yield {
                "data": {"values": rows},
                "mark": mark,
                "encoding": {**_place(chart, "lo"), "y2": {"field": "hi"}},
            }
        elif rows:
            mark = {"type": "area", "opacity": 1} if len(rows) > 1 else {"type": "bar", "size": 6, "opacity": 1}
            yield {
                "data": {"values": rows},
                "mark": mark,
                "encoding": {**_place(chart, "lo"), "y2": {"field": "hi"}, **_looks(chart, "fill")},
            }


def _lines(chart: Chart, shown: Sequence[Series]) -> Iterator[Spec]:
    for steps in (False, True):
        rows = [
            {"label": said(each.label), "line": number, "x": x, "y": y}
            for number, each in enumerate(shown)
            if each.line and each.steps == steps
            for x, y in each.points
            if _shown(chart.x, x) and _shown(chart.y, y)
        ]
        if rows:
            looks = _looks(chart, "stroke", "strokeDash")
            way = {"interpolate": "step-after"} if steps else {}
            yield {
                "data": {"values": rows},
                "mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round", **way},
                "encoding": {**_place(chart), "detail": {"field": "line"}, **looks},
            }


def _points(chart: Chart, shown: Sequence[Series]) -> Iterator[Spec]:
    rows = [
        {"label": said(each.label), "x": x, "y": y}
        | ({"name": said(each.names[place])} if each.names else {})
        | ({"large": True} if each.large else {})
        for each in shown
        if each.marker is not Marker.NONE
        for place, (x, y) in enumerate(each.points)
        if _shown(chart.x, x) and _shown(chart.y, y)
    ]
    if rows:
        looks = _looks(chart, "stroke", "fill", "shape")
        tips = [
            {"field": "label", "type": "nominal", "title": "what"},
            {"field": "x", "type": "quantitative", "title": chart.x.label, "format": _tip(chart.x)},
            {"field": "y", "type": "quantitative", "title": chart.y.label, "format": _tip(chart.y)},
        ]
        if any(each.names for each in shown):
            tips.insert(0, {"field": "name", "type": "nominal", "title": "option"})
        size = 24 if len(rows) > 200 else 50
        if any(each.large for each in shown):
            looks["size"] = {"condition": {"test": "datum.large", "value": _LARGE}, "value": size}
        yield {
            "data": {"values": rows},
            "mark": {"type": "point", "size": size, "strokeWidth": 1.5, "opacity": 1},
            "encoding": {**_place(chart), **looks, "tooltip": tips},
        }


def _references(chart: Chart) -> Iterator[Spec]:
    rows = [{"label": said(each.label), "y": each.y} for each in chart.references if each.y is not None]
    if rows:
        yield {
            "data": {"values": rows},
            "mark": {"type": "rule", "strokeWidth": 1.6},
            "encoding": {"y": _place(chart)["y"], **_looks(chart, "stroke", "strokeDash")},
        }


def _at_x(chart: Chart) -> Iterator[Spec]:
    """Vertical lines with their labels at the bottom, on the side where there is room."""
    references = [each for each in chart.references if each.x is not None and _shown(chart.x, each.x)]
    for row, each in enumerate(references):
        yield from _rule_at(chart.x, each, row, chart)


def _rule_at(axis: Axis, reference: Reference, row: int, chart: Chart) -> list[Spec]:
    """A vertical line and its label, `row` lines above the bottom."""
    assert reference.x is not None
    xs = [x for each in chart.series for x, _ in each.points] + [reference.x]
    lo = min(xs) if axis.lo is None else axis.lo
    hi = max(xs) if axis.hi is None else axis.hi
    right = hi > lo and _along(axis, reference.x, lo, hi) > 0.5
    where = {"data": {"values": [{"x": reference.x}]}}
    x = {"x": {"field": "x", "type": "quantitative", **axis_of(axis)}}
    label = {"type": "text", "align": "right" if right else "left", "dx": -5 if right else 5, "baseline": "bottom"}
    height = {"expr": f"height - {4 + 16 * row}"}
    return [
        {**where, "mark": {"type": "rule", "strokeDash": _DASHED, "color": role(reference.role)}, "encoding": x},
        {
            **where,
            "mark": {**label, "y": height, "color": role(reference.role), "text": said(reference.label)},
            "encoding": x,
        },
    ]


def _along(axis: Axis, value: float, lo: float, hi: float) -> float:
    if axis.log:
        value, lo, hi = math.log(value), math.log(max(lo, 1e-300)), math.log(hi)
    return (value - lo) / (hi - lo)


def _shown(axis: Axis, value: float) -> bool:
    return math.isfinite(value) and (value > 0 or not axis.log)


def _tip(axis: Axis) -> str:
    return ".1%" if axis.percent else ".4~g"
