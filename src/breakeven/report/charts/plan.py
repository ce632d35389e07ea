"""The charts of a plan: quality against cost, who is the cheapest from how many queries on, and a row's own."""

import math
from collections.abc import Callable, Sequence
from typing import Final

from breakeven.evenly import evenly
from breakeven.records import Made
from breakeven.records.options import Option
from breakeven.records.plans import Line, Picture, PlanResult
from breakeven.report.charts.chart import Axis, Band, Chart, Marker, Reference, Series
from breakeven.report.charts.theme import SERIES_ROLES
from breakeven.report.format import format_quality, format_queries

Price = Callable[[Option], float]
_MOST: Final = 1000
"""Options that are drawn beside those on the frontier, evenly chosen of more."""
_FEW: Final = 60
"""Options up to which each has its interval drawn; of more, only those on the frontier."""
_SAMPLED: Final = 24
"""Points of a line over the number of queries."""
_MARKERS: Final = {
    Made.MEASURED: Marker.DOT,
    Made.FORECAST: Marker.HOLLOW_DIAMOND,
    Made.EXTRAPOLATED: Marker.RING,
    Made.PUBLISHED: Marker.RING,
}
_ROLES: Final = {
    Made.MEASURED: "measured",
    Made.FORECAST: "forecast",
    Made.EXTRAPOLATED: "violet",
    Made.PUBLISHED: "muted",
}


def frontier_chart(result: PlanResult, options: Sequence[Option], price: Price, unit: str) -> Chart:
    """Quality against cost: every option by how it was made, and those that none cheaper matches.

    Args:
        result: what was concluded of them.
        options: as they are counted.
        price: what each costs.
        unit: of that.
    """
    by_name = {each.name: each for each in options}
    best = [by_name[name] for name in result.frontier]
    rest = [each for each in options if each.name not in {*result.frontier}]
    drawn = [*best, *(rest[place] for place in evenly(len(rest), _MOST))]
    intervals = [each for each in (drawn if len(drawn) <= _FEW else best) if each.quality.lo is not None]
    series = [
        Series(
            label="none cheaper is as good",
            points=tuple((price(each), each.quality.value) for each in best),
            role="ink",
            steps=True,
        )
    ]
    for made in Made:
        own = [each for each in drawn if each.quality.made is made]
        series.append(
            Series(
                label="published, not measured here" if made is Made.PUBLISHED else made.value,
                points=tuple((price(each), each.quality.value) for each in own),
                role=_ROLES[made],
                line=False,
                marker=_MARKERS[made],
                names=tuple(each.name for each in own),
            )
        )
    if result.chosen is not None:
        chosen = by_name[result.chosen]
        point, label = (price(chosen), chosen.quality.value), f"chosen: {chosen.name}"
        series.append(Series(label=label, points=(point,), role="served", marker=Marker.DIAMOND, large=True))
    spread = tuple((price(o), o.quality.lo, o.quality.hi) for o in intervals if o.quality.lo is not None)
    bands = Band(label="90 % interval", points=spread, role="muted", apart=True)  # type: ignore[arg-type]
    aim = (
        () if result.target is None else (Reference(label=f"target {format_quality(result.target)}", y=result.target),)
    )
    few = f", {len(drawn)} drawn" if len(drawn) < len(options) else ""
    return Chart(
        name="plan-frontier",
        title="What cannot be had for less",
        description=f"{len(options)} options{few}: {result.answer.quality} against {unit}.",
        x=Axis(label=unit, log=_log([price(each) for each in drawn])),
        y=Axis(label=result.answer.quality),
        series=tuple(each for each in series if each.points),
        bands=(bands,) if spread else (),
        references=aim,
        note="The line joins options that no cheaper one matches.",
    )


def envelope_chart(result: PlanResult, options: Sequence[Option]) -> Chart | None:
    """All FLOPs of a life against its queries, of each option that is the cheapest somewhere; None where not two are.

    Args:
        result: what was concluded of them.
        options: as they are counted.
    """
    by_name = {each.name: each for each in options}
    starts = [each.queries for each in result.envelope]
    if len(starts) < 2:
        return None
    low, high = life_powers(result)
    series = []
    for place, stretch in enumerate(result.envelope):
        option, role = by_name[stretch.option], SERIES_ROLES[place % len(SERIES_ROLES)]
        since = max(10.0**low, stretch.queries)
        until = starts[place + 1] if place + 1 < len(starts) else 10.0**high
        dashed = place >= len(SERIES_ROLES)
        whole, own = _life(option, 10.0**low, 10.0**high), _life(option, since, until)
        elsewhere = f"{option.name}, where another is cheaper"
        series.append(Series(label=elsewhere, points=whole, role=role, strength=0.3, dashed=dashed, in_legend=False))
        label = f"{option.name}, from {format_queries(stretch.queries)} queries on" if place else option.name
        series.append(Series(label=label, points=own, role=role, dashed=dashed))
    marks = [Reference(label="your workload", x=result.queries)] if result.queries else []
    marks += [Reference(label="", x=each, role="muted") for each in starts if each > 0]
    return Chart(
        name="plan-envelope",
        title="Who is the cheapest, from how many queries on",
        description=f"FLOPs of training, all that is spent once, and all queries, of {len(starts)} options.",
        x=Axis(label="served queries", log=10, counts=True, lo=10.0**low, hi=10.0**high),
        y=Axis(label="FLOPs in all", log=10),
        series=tuple(each for each in series if each.points),
        references=tuple(marks),
        note="Each option that is as good as was asked for, and the cheapest somewhere: full strength where it is.",
    )


def life_powers(result: PlanResult) -> tuple[int, int]:
    """Powers of ten between which the numbers of queries are that matter: where options cross, and those declared."""
    known = [each for each in (*(each.queries for each in result.envelope), result.queries or 0.0) if each > 0]
    return math.floor(math.log10(min(known, default=1.0))) - 1, math.ceil(math.log10(max(known, default=1.0))) + 1


def picture_chart(picture: Picture) -> Chart:
    """A chart of a row of its own."""
    series, bands = [], []
    for place, line in enumerate(picture.lines):
        role = "muted" if line.made is Made.PUBLISHED else SERIES_ROLES[place % len(SERIES_ROLES)]
        measured = line.made is Made.MEASURED
        label = line.label if measured else f"{line.label} ({line.made})"
        marker = _MARKERS[line.made] if place < len(SERIES_ROLES) else Marker.RING
        series.append(Series(label=label, points=line.points, role=role, dashed=not measured, marker=marker))
        bands += _interval(line, role, len(picture.lines))
    return Chart(
        name=f"plan-{picture.name}",
        title=picture.title,
        description=f"{picture.y} against {picture.x}.",
        x=Axis(label=picture.x, log=10 if picture.log_x else 0),
        y=Axis(label=picture.y, log=10 if picture.log_y else 0),
        series=tuple(series),
        bands=tuple(bands),
        note=picture.note,
    )


def _interval(line: Line, role: str, num_lines: int) -> list[Band]:
    """The intervals of a line: as an area where few lines would hide one another."""
    if not line.intervals:
        return []
    ends = tuple((x, lo, hi) for (x, _), (lo, hi) in zip(line.points, line.intervals, strict=True))
    apart = num_lines > 2 or len(ends) < 3
    return [Band(label="90 % interval", points=ends, role=role, apart=apart)]


def _life(option: Option, since: float, until: float) -> tuple[tuple[float, float], ...]:
    powers = [math.log10(since) + (math.log10(until) - math.log10(since)) * at / _SAMPLED for at in range(_SAMPLED + 1)]
    return tuple((10.0**power, option.total(10.0**power)) for power in powers)


def _log(prices: Sequence[float]) -> int:
    """A logarithmic axis where all can stand on one, and they differ enough."""
    return 10 if prices and min(prices) > 0 and max(prices) > 5 * min(prices) else 0
