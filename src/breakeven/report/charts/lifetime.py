"""What a model costs over its life, stopped and fully trained, against the queries it serves."""

from typing import Final

from breakeven.report.charts.chart import Axis, Chart, Figure, Reference, Series
from breakeven.report.charts.theme import LEGEND, Spec, role, said
from breakeven.report.charts.vega import axis_of
from breakeven.report.charts.workload import FLOPS_AXIS, Workload, with_params
from breakeven.report.format import format_queries

_QUERIES: Final = Axis(label="served queries", log=10, counts=True)


def lifetime_figure(load: Workload) -> Figure:
    """All FLOPs of a model's life against the queries it serves: stopped, and fully trained."""
    top = load.top
    lines = [(load.stop, "served", load.fixed, load.query), (load.full, "forecast", load.full_fixed, load.full_query)]
    powers = [top * step / 8 for step in range(9)]
    series = tuple(
        Series(label=label, role=colour, points=tuple((10**power, fixed + 10**power * per) for power in powers))
        for label, colour, fixed, per in lines
    )
    even = "never" if load.break_even is None else f"at {format_queries(load.break_even)} served queries"
    chart = Chart(
        name="lifetime",
        title="What the model costs over its life",
        description=f"Training, evaluation and all queries, against the number of queries. The lines meet {even}.",
        x=_QUERIES,
        y=FLOPS_AXIS,
        series=series,
        references=() if load.break_even is None else (Reference(label="break-even", x=load.break_even),),
        note="Left of the break-even stopping is the cheaper choice, right of it full training would have been.",
    )
    labels, colours = [said(each[0]) for each in lines], [role(each[1]) for each in lines]
    rows = [{"label": said(label), "fixed": fixed, "per": per} for label, _, fixed, per in lines]
    drawn: Spec = {
        "data": {"values": rows},
        "transform": [
            {"calculate": f"sequence(0, {top + 0.01}, 0.05)", "as": "power"},
            {"flatten": ["power"]},
            {"calculate": "pow(10, datum.power)", "as": "x"},
            {"calculate": "datum.fixed + datum.x * datum.per * length", "as": "y"},
        ],
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {
            "x": {"field": "x", "type": "quantitative", **axis_of(_QUERIES)},
            "y": {"field": "y", "type": "quantitative", **axis_of(FLOPS_AXIS)},
            "stroke": {
                "field": "label",
                "type": "nominal",
                "scale": {"domain": labels, "range": colours},
                "legend": {**LEGEND, "symbolType": "stroke"},
            },
        },
    }
    layers = [drawn, *_rule("queries", "your workload" if load.declared else "workload", "ink", 1, 0.3 * top)]
    if load.break_even is not None:
        layers += _rule(f"{load.break_even} / length", "break-even", "muted", 0, 0.75 * top)
    if load.break_even_lo is not None:
        hi = str(10.0**top) if load.break_even_hi is None else f"{load.break_even_hi} / length"
        layers.insert(0, _span(f"{load.break_even_lo} / length", hi))
    return Figure(chart=chart, spec=with_params(chart, layers, load.queries))


def _rule(at: str, label: str, colour: str, row: int, turn: float) -> list[Spec]:
    """A vertical line at an expression of the parameters; beyond that power of ten its label stands left of it."""
    base: Spec = {"data": {"values": [{}]}, "transform": [{"calculate": at, "as": "x"}]}
    x = {"x": {"field": "x", "type": "quantitative", **axis_of(_QUERIES)}}
    right = f"{at} < {10**turn}"
    side = {"align": {"expr": f"{right} ? 'left' : 'right'"}, "dx": {"expr": f"{right} ? 5 : -5"}}
    text = {"type": "text", **side, "baseline": "top", "y": 2 + 16 * row, "text": label}
    return [
        {**base, "mark": {"type": "rule", "strokeDash": [6, 4], "color": role(colour)}, "encoding": x},
        {**base, "mark": {**text, "color": role(colour)}, "encoding": x},
    ]


def _span(lo: str, hi: str) -> Spec:
    """The interval between two expressions, over the whole height."""
    x = {"field": "lo", "type": "quantitative", **axis_of(_QUERIES)}
    return {
        "data": {"values": [{}]},
        "transform": [{"calculate": lo, "as": "lo"}, {"calculate": hi, "as": "hi"}],
        "mark": {"type": "rect", "color": role("muted"), "opacity": 0.18},
        "encoding": {"x": x, "x2": {"field": "hi"}},
    }
