"""What `breakeven eval` measured: a table for the terminal, two charts, and one self-contained page."""

from collections.abc import Sequence

from markupsafe import Markup
from rich import box
from rich.table import Table
from rich.text import Text

from breakeven.records import Measurement
from breakeven.report.axes import Axis
from breakeven.report.format import flops_unit, format_accuracy, format_flops
from breakeven.report.marks import Marker
from breakeven.report.page import page_style, page_template
from breakeven.report.svg import Band, Chart, Series, line_chart
from breakeven.report.words import kind_words

HEADINGS = (
    "strategy",
    "K",
    "accuracy",
    "90 % interval",
    "samples per query",
    "tokens per query",
    "FLOPs per query",
    "of these, verifier",
    "prompt read K times",
)
_SHORT = ("strategy", "K", "accuracy", "? wrong", "interval", "samples", "tokens", "FLOPs", "reward", "unshared")
"""The same on a terminal, where a line has 100 characters; "? wrong" is the accuracy if failed checks mean wrong."""
_OPTIONAL = ("? wrong", "FLOPs", "reward", "unshared")
"""Left out where no row has one."""
_DROPPED = ("unshared", "reward", "tokens", "samples")
"""Columns that a narrower terminal does without, in this order; an accuracy keeps its interval."""
_ROLES = ("measured", "served", "forecast", "violet", "rose", "olive", "ink", "muted")


def measurement_rows(measurements: Sequence[Measurement]) -> list[list[str]]:
    """One row of cells per measurement, in the order of `HEADINGS`; "-" where a number is not known."""
    return [
        [
            f"{each.strategy} ({kind_words(each.deployable)})",
            _k_words(each),
            format_accuracy(each.accuracy)
            + (f" (MC error {each.monte_carlo_error:.4f})" if each.monte_carlo_error else "")
            + ("" if each.accuracy_unknown_wrong is None else f" ({_strictly(each)} if unknown is wrong)"),
            f"{format_accuracy(each.lo)} to {format_accuracy(each.hi)}",
            f"{each.expected_samples:.1f}",
            f"{each.output_tokens:.0f}",
            "-" if each.flops is None else format_flops(each.flops),
            "-" if each.reward_flops is None else format_flops(each.reward_flops),
            "-" if each.model_flops_unshared is None else format_flops(each.model_flops_unshared),
        ]
        for each in measurements
    ]


def measurement_table(measurements: Sequence[Measurement], width: int = 100) -> Table:
    """The measurements as a rich table for a terminal of `width` characters, or less.

    Prices that are not known, or nothing, have no column, nor has what would not fit.
    """
    columns: list[list[str]] = [
        [each.strategy + ("" if each.deployable else " (oracle)") for each in measurements],
        [_k_words(each) for each in measurements],
        [format_accuracy(each.accuracy) for each in measurements],
        [_strictly(each) for each in measurements],
        [f"{format_accuracy(each.lo)}-{format_accuracy(each.hi)}" for each in measurements],
        [f"{each.expected_samples:.1f}" for each in measurements],
        [f"{each.output_tokens:.0f}" for each in measurements],
        [_short_flops(each.flops) for each in measurements],
        [_short_flops(each.reward_flops) for each in measurements],
        [_short_flops(each.model_flops_unshared) for each in measurements],
    ]
    shown = [
        (heading, cells)
        for heading, cells in zip(_SHORT, columns, strict=True)
        if heading not in _OPTIONAL or set(cells) - {"-", "0"}
    ]
    for name in _DROPPED:
        if sum(max(map(len, (heading, *cells))) + 2 for heading, cells in shown) - 2 > width:
            shown = [each for each in shown if each[0] != name]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for heading, _ in shown:
        table.add_column(heading, justify="left" if heading == _SHORT[0] else "right", overflow="fold")
    for row in zip(*(cells for _, cells in shown), strict=True):
        table.add_row(*map(Text, row))
    return table


def _strictly(measurement: Measurement) -> str:
    accuracy = measurement.accuracy_unknown_wrong
    return "-" if accuracy is None else format_accuracy(accuracy)


def accuracy_against_k(measurements: Sequence[Measurement]) -> Chart:
    """Accuracy of each strategy against K, oracles dashed."""
    return _chart(
        measurements,
        {id(each): float(each.k) for each in measurements},
        title="What more samples buy",
        axis="K, samples per query",
    )


def accuracy_against_flops(measurements: Sequence[Measurement]) -> Chart | None:
    """Accuracy against FLOPs per query, verifiers included; None where the model's cost is not known."""
    known = {id(each): each.flops for each in measurements if each.flops is not None}
    if not known:
        return None
    shown = [each for each in measurements if id(each) in known]
    scale, unit = flops_unit(max(known.values()))
    scaled = {key: flops / scale for key, flops in known.items()}
    return _chart(shown, scaled, title="What a query costs", axis=f"{unit} per query, verifier included")


def render_measurements(title: str, subtitle: str, measurements: Sequence[Measurement], notes: Sequence[str]) -> str:
    """One HTML document that needs no other file and no network.

    Args:
        title: names model and task; escaped here.
        subtitle: what was drawn.
        measurements: every strategy at every K.
        notes: sentences on what was left out or failed.
    """
    charts = [accuracy_against_k(measurements), accuracy_against_flops(measurements)]
    return page_template("evaluation.html").render(
        title=title,
        subtitle=subtitle,
        style=page_style(),
        charts=[
            [Markup(line_chart(chart, width=width, plot_height=height)) for width, height in ((840, 300), (400, 240))]
            for chart in charts
            if chart is not None
        ],
        headings=HEADINGS,
        rows=measurement_rows(measurements),
        notes=notes,
    )


def _k_words(measurement: Measurement) -> str:
    return str(measurement.k) + (f" x {measurement.num_verdicts}" if measurement.num_verdicts else "")


def _short_flops(flops: float | None) -> str:
    return "-" if flops is None else format_flops(flops).removesuffix("FLOPs").rstrip()


def _chart(measurements: Sequence[Measurement], x_of: dict[int, float], *, title: str, axis: str) -> Chart:
    strategies = list(dict.fromkeys((each.strategy, each.num_verdicts) for each in measurements))
    series, bands = [], []
    for number, (strategy, verdicts) in enumerate(strategies):
        own = [each for each in measurements if (each.strategy, each.num_verdicts) == (strategy, verdicts)]
        own.sort(key=lambda each: x_of[id(each)])
        role = _ROLES[number % len(_ROLES)]
        label = f"{strategy}{f', {verdicts} verdicts' if verdicts else ''} ({kind_words(own[0].deployable)})"
        series.append(
            Series(
                label=label,
                points=tuple((x_of[id(each)], each.accuracy) for each in own),
                role=role,
                dashed=not own[0].deployable,
                marker=Marker.RING if number >= len(_ROLES) else Marker.DOT,
            )
        )
        if number < 3:  # more would hide one another
            interval = tuple((x_of[id(each)], each.lo, each.hi) for each in own)
            bands.append(Band(label=f"90 % interval, {strategy}", points=interval, role=role))
    return Chart(
        title=title,
        description=f"Accuracy of {len(strategies)} strategies against {axis}.",
        x=Axis(label=axis, log2=True),
        y=Axis(label="accuracy", lo=0),
        series=tuple(series),
        bands=tuple(bands),
    )
