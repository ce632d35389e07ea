"""A report as Markdown, for issues and repositories, and as JSON, for programs."""

import html
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Final

from breakeven.errors import printable
from breakeven.report.charts.chart import Chart, Figure
from breakeven.report.charts.workload import Workload
from breakeven.report.document import (
    Block,
    Completions,
    Document,
    Figures,
    Lives,
    Meanings,
    Paragraphs,
    Section,
    Sliders,
    Table,
)
from breakeven.report.format import format_flops, format_queries
from breakeven.report.page import chart_rows, render_page

Images = Mapping[str, str]
"""Address of the picture of a chart, by the chart's name."""

_ACTIVE: Final = re.compile(r"([\\`*_\[\]~$#])")
_LINKED: Final = re.compile(
    r"(?<=:)(?=//|[\w+-]+:)|(?<=www)(?=\.)|(?<=@)(?=[\w-]+\.\w)|(?<=(?<!\w)@)(?=\w)|(?<=#)(?=\d)", re.IGNORECASE
)
"""Inside of what GitHub makes something of though nothing marks it: an address, a name, an issue, a picture's name."""
_LINE_START: Final = re.compile(r"^(\d{1,9}(?=[.)](?:\s|$))|(?=[+-](?:\s|$)|-{3}|=))")
"""Before what would begin a list, end a section, or make a heading of the line above."""


def to_json(document: Document, images: Images = MappingProxyType({})) -> str:
    """The report for programs: one JSON object, in one line.

    Texts are those of the page. Numbers stand in `charts` and `workload`, unrounded; null is what is unknown, or no
    finite number.

    - `format`: 1. It rises when a name changes; new names may come at any time.
    - `title`, `verdict`, `lead`: texts; `remarks`: a list of them.
    - `facts`: `what`, `number` (a text with its unit), `how` (it was made).
    - `charts`, by name (`learning`, `samples`, `lifetime`, ...): `title`, `description`, `note`; `x` and `y`: the axes,
      with `label` and `log` (its base; 0: linear); `series`: `label`, `dashed` (not measured, or not deployable),
      `points` (pairs); `bands`: `label`, `points` (x, lo, hi); `references`: lines at one `x` or one `y`; `rows`: of
      `frontier` every way to stop and serve (`what`, `deployable`, `step`, `k`, `accuracy`, and FLOPs: `fixed` before
      the first query, `per` query, whether it came `later` than the decision), of others none; `image`: address of the
      picture, where one was written.
    - `tables`: `section`, `label`, `headings`, `rows` (lists of texts), `chosen` (row of the checkpoint that leads).
    - `texts`: `section` with its `sentences`, `meanings` (word, meaning) and `completions` (problem, (what, text)).
    - `workload`: FLOPs of stopping (`fixed` before the first query, `query` each) and of full training (`full_fixed`,
      `full_query`), `queries`, `break_even` and its 90 % interval, in queries; null where nothing is served, or a FLOP
      is unknown.
    """
    blocks = [(section, block) for section in document.sections for block in section.blocks]
    whole = {
        "format": 1,
        "title": document.title,
        "verdict": document.verdict,
        "lead": document.lead,
        "remarks": document.remarks,
        "facts": [asdict(fact) for fact in document.facts],
        "charts": {each.chart.name: _chart_data(each, images) for each in document.figures},
        "tables": [_table_data(section, block) for section, block in blocks if isinstance(block, Table)],
        "texts": [_text_data(section) for section in document.sections],
        "workload": next((asdict(block.load) for _, block in blocks if isinstance(block, Sliders)), None),
    }
    return json.dumps(_known(whole), allow_nan=False) + "\n"


def to_markdown(document: Document, images: Images = MappingProxyType({})) -> str:
    """The report in GitHub's Markdown. Whatever a text says, it stays text: no markup, no link, no name that is called.

    Args:
        document: the report.
        images: shown above the numbers of a chart. A chart without one is its numbers.
    """
    parts = [f"# {_text(document.verdict)}", _line(document.title), _line(document.lead)]
    if document.facts:
        rows = [(fact.what, fact.number, fact.how) for fact in document.facts]
        parts.append(_table(("What", "Number", "How it was made"), rows))
    parts += map(_line, document.remarks)
    for section in document.sections:
        written = [part for block in section.blocks for part in _block(block, images)]
        parts += _folded(section.heading, *written) if section.folded else [f"## {_text(section.heading)}", *written]
    return "\n\n".join(parts) + "\n"


def _page(document: Document, images: Images = MappingProxyType({})) -> str:
    return render_page(document)


FORMS: Final[Mapping[str, Callable[[Document, Images], str]]] = {".html": _page, ".md": to_markdown, ".json": to_json}
"""How a report is written, by the suffix of its file."""


# -- JSON --------------------------------------------------------------------------------------------------------------


def _chart_data(figure: Figure, images: Images) -> dict[str, Any]:
    chart = figure.chart
    return {
        "title": chart.title,
        "description": chart.description,
        "note": chart.note,
        "x": {"label": chart.x.label, "log": chart.x.log},
        "y": {"label": chart.y.label, "log": chart.y.log},
        "series": [{"label": s.label, "dashed": s.dashed, "points": s.points} for s in chart.series if s.points],
        "bands": [{"label": band.label, "points": band.points} for band in chart.bands],
        "references": [{"label": each.label, "x": each.x, "y": each.y} for each in chart.references],
        "rows": figure.rows,
        "image": images.get(chart.name),
    }


def _table_data(section: Section, table: Table) -> dict[str, Any]:
    known = {"label": table.label, "headings": table.headings, "rows": table.rows, "chosen": table.chosen}
    return {"section": section.heading, **known}


def _text_data(section: Section) -> dict[str, Any]:
    def of(kind: type[Paragraphs] | type[Meanings] | type[Completions]) -> list[Any]:
        found = [block for block in section.blocks if isinstance(block, kind)]
        return [each for block in found for each in (block.texts if isinstance(block, Paragraphs) else block.of)]

    return {
        "section": section.heading,
        "sentences": of(Paragraphs),
        "meanings": of(Meanings),
        "completions": of(Completions),
    }


def _known(value: Any) -> Any:
    """The same with null in place of what is no finite number: JSON has none."""
    if isinstance(value, Mapping):
        return {name: _known(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


# -- Markdown ----------------------------------------------------------------------------------------------------------


def _text(text: str) -> str:
    """A text as Markdown of one line that shows it as it is, space apart; what turns or hides text is written out."""
    plain = html.escape(printable(" ".join(text.split())), quote=False)
    linked = "<!-- -->".join(_ACTIVE.sub(r"\\\1", part) for part in _LINKED.split(plain))
    return linked.replace("|", "&#124;")


def _line(text: str) -> str:
    """A text as a paragraph or the point of a list: nothing at its beginning makes it another."""
    return _LINE_START.sub(r"\1\\", _text(text))


def _block(block: Block, images: Images) -> Iterator[str]:
    match block:
        case Figure():
            yield from _figure(block.chart, images)
        case Figures():
            for each in block.of:
                yield from _figure(each.chart, images)
        case Table():
            table = _table(block.headings, block.rows, block.chosen)
            if block.is_long:
                yield from _folded(f"{block.label}: {len(block.rows)} rows", table)
            else:
                yield from (_line(block.label), table)
        case Paragraphs(listed=True):
            yield "\n".join(f"- {_line(text)}" for text in block.texts)
        case Paragraphs():
            yield from map(_line, block.texts)
        case Meanings():
            yield "\n".join(f"- **{_text(word)}**: {_text(meaning)}" for word, meaning in block.of)
        case Completions():
            for problem, written in block.of:
                yield from _folded(problem, *(part for what, text in written for part in (_line(what), _fenced(text))))
        case Sliders():
            yield _workload(block.load)
        case Lives():
            pass  # a table beside it says from how many queries on each is the cheapest


def _figure(chart: Chart, images: Images) -> Iterator[str]:
    yield f"### {_text(chart.title)}"
    yield _line(chart.description)
    if chart.name in images:
        yield f"![{_text(chart.title)}](<{images[chart.name]}>)"
    if chart.note:
        yield _line(chart.note)
    yield from _folded("Its numbers", _table(("what", chart.x.label, chart.y.label), chart_rows(chart)))


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], chosen: int | None = None) -> str:
    cells = [list(map(_text, row)) for row in rows]
    if chosen is not None:
        cells[chosen][0] = f"**{cells[chosen][0]}**"
    lines = [list(map(_text, headings)), ["---"] * len(headings), *cells]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def _workload(load: Workload) -> str:
    many = f"{format_queries(load.queries)} queries{'' if load.declared else ', to begin with'}"
    stop, full = load.fixed + load.queries * load.query, load.full_fixed + load.queries * load.full_query
    rows = (
        ("before the first query", load.fixed, load.full_fixed),
        ("one query", load.query, load.full_query),
        (f"with {many}", stop, full),
    )
    shown = [(what, format_flops(mine), format_flops(theirs)) for what, mine, theirs in rows]
    return _table(("FLOPs", load.stop, load.full), shown)


def _folded(summary: str, *parts: str) -> list[str]:
    """Shown when asked for. The summary is HTML: a line in which Markdown is not read."""
    said = html.escape(printable(" ".join(summary.split())))
    return [f"<details>\n<summary>{said}</summary>", *parts, "</details>"]


def _fenced(text: str) -> str:
    """A text of several lines as it is, between more backticks than it holds in a row."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    lines = "\n".join(map(printable, text.splitlines()))
    return f"{fence}text\n{lines}\n{fence}"
