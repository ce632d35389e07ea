"""Every way to stop and serve: accuracy against all FLOPs, and what cannot be bettered."""

from collections.abc import Sequence
from typing import Any, Final

from breakeven.choice.frontier import undominated
from breakeven.records import Decision, ServingPoint
from breakeven.report.charts.chart import Axis, Chart, Figure, Marker, Series
from breakeven.report.charts.theme import LEGEND, Spec, role, said
from breakeven.report.charts.training import accuracy_floor
from breakeven.report.charts.vega import axis_of
from breakeven.report.charts.workload import FLOPS_AXIS, UNBOUNDED, Workload, spent_of, with_params
from breakeven.report.format import format_queries
from breakeven.report.shown import Shown
from breakeven.report.words import kind_words, projection, strategy_words

_PALETTE: Final = ("measured", "violet", "olive", "rose", "muted")


def frontier_figure(
    checkpoints: Sequence[Shown], at: int, offers: Sequence[ServingPoint], load: Workload | None
) -> Figure | None:
    """Accuracy against all FLOPs of every (checkpoint, strategy, K), what cannot be bettered, and what was chosen.

    Args:
        checkpoints: all.
        at: the one that the report leads with.
        offers: what each checkpoint could serve, with its price; those without one are left out.
        load: from where the number of queries begins.
    """
    fixed = {each.decision.step: spent for each in checkpoints if (spent := spent_of(each)) is not None}
    known = [each for each in offers if each.step in fixed and each.flops_per_query is not None]
    stop = checkpoints[at].decision.step
    if not known:
        return None
    queries = UNBOUNDED if load is None else load.queries
    decision = checkpoints[at].decision
    rows = [{**_offer_row(each, fixed[each.step]), "later": each.step > stop} for each in known]
    strategies = list(dict.fromkeys(row["what"] for row in rows))
    chosen = [] if decision.serving is None or load is None else [_offer_row(decision.serving, load.fixed)]
    forecast = projection(decision)
    full = []
    if forecast is not None and load is not None:
        full = [{"what": load.full, "accuracy": forecast.mean, "lo": forecast.lo, "hi": forecast.hi,
                 "fixed": load.full_fixed, "per": load.full_query, "k": 1, "step": "end"}]  # fmt: skip
    floor = accuracy_floor([row["accuracy"] for row in (*rows, *chosen)] + [row["lo"] for row in full])
    best = undominated(
        [row for row in rows if row["deployable"] and not row["later"]],
        price=lambda row: row["fixed"] + queries * row["per"],
        value=lambda row: row["accuracy"],
    )
    chart = Chart(
        name="frontier",
        title="Every way to stop and serve",
        description=f"{len(known)} pairs of a checkpoint and a way to serve it: accuracy against all FLOPs.",
        x=FLOPS_AXIS,
        y=Axis(label="accuracy", lo=floor, hi=1),
        series=(
            *(Series(label=f"none cheaper is as accurate: {_named(row)}", marker=Marker.DOT,
                     points=((row["fixed"] + queries * row["per"], row["accuracy"]),)) for row in best),
            *(Series(label=f"chosen: {_named(row)}", marker=Marker.DIAMOND, role="served",
                     points=((row["fixed"] + queries * row["per"], row["accuracy"]),)) for row in chosen),
        ),
        note=f"A point is a checkpoint with a strategy and K, at {format_queries(queries)} queries as long as those "
        "measured, until the workload is moved. The line joins the deployable ones that no cheaper one matches; what "
        "came after the decision is drawn fainter, and never on the line.",
    )  # fmt: skip
    hues = [role(_PALETTE[number % len(_PALETTE)]) for number in range(len(strategies))]
    total = {"calculate": "datum.fixed + queries * length * datum.per", "as": "total"}
    place: Spec = {
        "x": {"field": "total", "type": "quantitative", **axis_of(FLOPS_AXIS)},
        "y": {"field": "accuracy", "type": "quantitative", **axis_of(chart.y)},
    }
    tips = [
        {"field": "what", "type": "nominal", "title": "strategy"},
        {"field": "step", "type": "nominal", "title": "step"},
        {"field": "k", "type": "quantitative", "title": "K"},
        {"field": "accuracy", "type": "quantitative", "format": ".3f"},
        {"field": "total", "type": "quantitative", "title": "FLOPs in all", "format": ".3s"},
    ]
    hue = {
        "field": "what",
        "type": "nominal",
        "scale": {"domain": strategies, "range": hues},
        "legend": LEGEND,
    }
    faint = {"condition": {"test": "datum.later", "value": 0.15}, "value": 0.7}
    layers: list[Spec] = [
        {
            "transform": [
                {"filter": "datum.deployable && !datum.later"},
                total,
                {
                    "window": [{"op": "max", "field": "accuracy", "as": "best"}],
                    "sort": [{"field": "total"}, {"field": "accuracy", "order": "descending"}],
                    "frame": [None, 0],
                },
                {"filter": "datum.accuracy >= datum.best"},
            ],
            "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "color": role("ink")},
            "encoding": place,
        },
        {
            "transform": [total],
            "mark": {"type": "point", "filled": True, "size": 26},
            "encoding": {**place, "color": hue, "opacity": faint, "tooltip": tips},
        },
    ]
    mark = {"type": "point", "size": 120, "strokeWidth": 2}
    for row_set, look, text in (
        (full, {"color": role("forecast")}, "full training (forecast)"),
        (chosen, {"shape": "diamond", "color": role("served"), "fill": role("served")}, "chosen"),
    ):
        if row_set:
            data = {"data": {"values": row_set}, "transform": [total]}
            if row_set is full and forecast is not None and forecast.lo < forecast.hi:
                ends = {**place, "y": {**place["y"], "field": "lo"}, "y2": {"field": "hi"}}
                layers.append(
                    {**data, "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.3, **look}, "encoding": ends}
                )
            layers.append({**data, "mark": {**mark, **look}, "encoding": {**place, "tooltip": tips}})
            right = row_set is full  # at the edge of the plot
            beside = {"align": "right", "dx": -12} if right else {"dy": -14}
            label = {"type": "text", **beside, "text": text, "color": look["color"], "fontWeight": 600}
            layers.append({**data, "mark": label, "encoding": place})
    drawn = [{name: _short(value) for name, value in row.items()} for row in rows]
    spec = {**with_params(chart, layers, queries), "data": {"values": drawn}}
    return Figure(chart=chart, spec=spec, rows=tuple(rows))


def _offer_row(point: ServingPoint, fixed: float) -> dict[str, Any]:
    return {
        "what": said(f"{strategy_words(point.strategy)} ({kind_words(point.deployable)}, {point.made})"),
        "deployable": point.deployable,
        "step": point.step,
        "k": point.k,
        "accuracy": point.accuracy,
        "fixed": fixed,
        "per": point.flops_per_query,
    }


def _short(value: Any) -> Any:
    """A number with the digits that can be seen."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def _named(row: dict[str, Any]) -> str:
    return f"step {row['step']}, {row['what']}, K = {row['k']}"


def offers_of(decision: Decision) -> list[ServingPoint]:
    """What a decision's own K-curve offers at some of its K, with prices where it has them."""
    curve = decision.k_curve
    if curve is None or not curve.flops_K:
        return []
    return [
        ServingPoint.on(curve, place, step=decision.step, flops_per_query=curve.flops_K[place])
        for place in curve.some_places
    ]
