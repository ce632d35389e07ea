"""A report as one HTML document that needs no other file and no network."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from markupsafe import Markup

from breakeven.evenly import evenly
from breakeven.report.charts.bundle import javascript
from breakeven.report.charts.chart import Chart
from breakeven.report.charts.theme import config, palette_css
from breakeven.report.charts.vega import sized
from breakeven.report.document import Block, Document, Lives, Sliders
from breakeven.report.format import readable

if TYPE_CHECKING:
    from jinja2 import Template

_Point = TypeVar("_Point", bound=tuple[float, ...])
_MOST_POINTS = 25
"""Of a line or a band in the table behind a chart, evenly chosen."""
_MOST_CHARACTERS = 2000
"""Of one text."""


def render_page(document: Document, *, live: str = "") -> str:
    """The page of a report.

    Args:
        document: the report; every text of it is escaped here.
        live: version of the page, where it has a server: it asks for the newest, and shows that one.
    """
    figures = document.figures
    data = {
        "charts": {each.chart.name: sized(each.spec, each.chart.title) for each in figures},
        "config": config(),
        "workload": next((asdict(each.load) for each in _blocks(document) if isinstance(each, Sliders)), None),
        "lives": next((asdict(each) for each in _blocks(document) if isinstance(each, Lives)), None),
        "live": live,
    }
    return page_template("page.html").render(
        document=document,
        kind=_kind,
        rows_of=chart_rows,
        style=page_style(),
        library=Markup(javascript().replace("</script", "<\\/script")) if figures else None,
        script=Markup(files("breakeven.report").joinpath("page.js").read_text("utf-8")),
        data=Markup(_inert(data)),
    )


def chart_rows(chart: Chart) -> list[tuple[str, str, str]]:
    """(what, x, y) of what a chart shows, for whoever cannot see it; of many points some, evenly chosen."""
    rows = []
    for each in chart.series:
        label, points = _thinned(each.label, [(*point, place) for place, point in enumerate(each.points)])
        said = [f"{label}: {each.names[int(place)]}" if each.names else label for *_, place in points]
        shown = ((_value(x, chart.x.percent), _value(y, chart.y.percent)) for x, y, _ in points)
        rows += [(what, x, y) for what, (x, y) in zip(said, shown, strict=True)]
    for band in chart.bands:
        label, ends = _thinned(band.label, band.points)
        ys = [" to ".join(_value(end, chart.y.percent) for end in (lo, hi)) for _, lo, hi in ends]
        rows += [(label, _value(x, chart.x.percent), y) for (x, *_), y in zip(ends, ys, strict=True)]
    return rows


def _thinned(label: str, points: Sequence[_Point]) -> tuple[str, list[_Point]]:
    kept = [points[place] for place in evenly(len(points), _MOST_POINTS)]
    return label if len(kept) == len(points) else f"{label} ({len(kept)} of {len(points)} points)", kept


@cache
def page_template(name: str) -> "Template":
    """A page of this room, by file name; values are escaped."""
    from jinja2 import Environment, StrictUndefined  # most commands write no page

    environment = Environment(
        autoescape=True, finalize=_readable, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["unbroken"] = lambda text: str(text).replace(" %", "\u00a0%")
    return environment.from_string(files("breakeven.report").joinpath(name).read_text("utf-8"))


def page_style() -> Markup:
    """The style sheet of every page, colours included."""
    return Markup(palette_css() + "\n" + files("breakeven.report").joinpath("page.css").read_text("utf-8"))


def _blocks(document: Document) -> list[Block]:
    return [block for section in document.sections for block in section.blocks]


def _kind(block: Block) -> str:
    return type(block).__name__


def _readable(value: Any) -> Any:
    """A text of whatever origin as a page may hold it; all else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return readable(value, _MOST_CHARACTERS)


def _inert(data: Any) -> str:
    """JSON that no parser of HTML takes for anything but text."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _value(value: float, percent: bool) -> str:
    return f"{100 * value:.1f} %" if percent else f"{value:.4g}"
