"""What `breakeven eval` measured: as table rows and as a terminal table."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from breakeven.records import Measurement, Score
from breakeven.report.format import format_accuracy, format_difference, format_flops
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
    "gain over greedy",
)
_SHORT = (
    "strategy",
    "K",
    "accuracy",
    "? wrong",
    "interval",
    "gain",
    "samples",
    "tokens",
    "FLOPs",
    "reward",
    "unshared",
)
"""The same on a terminal, where a line has 100 characters; "? wrong" is the accuracy if failed checks mean wrong."""
_OPTIONAL = ("? wrong", "gain", "tokens", "FLOPs", "reward", "unshared")
"""Left out where no row has one."""
_DROPPED = ("unshared", "reward", "tokens", "samples", "gain")
"""Columns that a narrower terminal does without, in this order; an accuracy keeps its interval."""
SCORE_HEADINGS = ("metric", "strategy", "K", "score", "90 % interval", "standard error", "gain over greedy")


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
            gain_words(each),
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
        [gain_words(each) for each in measurements],
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
    return _table([heading for heading, _ in shown], zip(*(cells for _, cells in shown), strict=True))


def score_rows(scores: Sequence[Score]) -> list[list[str]]:
    """One row of cells per score, in the order of `SCORE_HEADINGS`."""
    return [
        [
            each.metric,
            each.strategy,
            str(each.k),
            f"{each.value:.3f}",
            f"{each.lo:.3f} to {each.hi:.3f}",
            f"{each.standard_error:.4f}",
            gain_words(each),
        ]
        for each in scores
    ]


def score_table(scores: Sequence[Score]) -> Table:
    """The scores as a rich table for a terminal."""
    return _table(SCORE_HEADINGS, score_rows(scores), names=2)


def gain_words(each: Measurement | Score) -> str:
    """The gain over greedy with its interval; "-" where there is none."""
    if each.gain is None:
        return "-"
    if each.gain_lo is None or each.gain_hi is None:
        return format_difference(each.gain)
    return f"{format_difference(each.gain)} ({format_difference(each.gain_lo)} to {format_difference(each.gain_hi)})"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]], names: int = 1) -> Table:
    """Cells as they are, those of the first columns left, numbers right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place < names else "right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _strictly(measurement: Measurement) -> str:
    accuracy = measurement.accuracy_unknown_wrong
    return "-" if accuracy is None else format_accuracy(accuracy)


def _k_words(measurement: Measurement) -> str:
    return str(measurement.k) + (f" x {measurement.num_verdicts}" if measurement.num_verdicts else "")


def _short_flops(flops: float | None) -> str:
    return "-" if flops is None else format_flops(flops).removesuffix("FLOPs").rstrip()
