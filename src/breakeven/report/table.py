"""Every checkpoint on one line, as plain cells and as a terminal table."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from breakeven.report.format import format_accuracy, format_probability, format_share
from breakeven.report.shown import Shown
from breakeven.report.words import baseline_accuracy, largest_measured, projection, strategy_words

HEADINGS = (
    "step",
    "used",
    "one sample, measured",
    "largest K, measured",
    "fully trained, forecast",
    "least K that suffices",
    "sure, forecast",
    "in a row",
    "decision",
)
_WIDTHS = (5, 5, 8, 12, 9, 18, 8, 4, 13)
"""Characters of each column in the terminal, where cells are broken into lines between words to fit 100 in all."""
_WORDY: Mapping[int, int] = {3: 8, 4: 8, 5: 12, 8: 11}
"""Columns whose cells hold several words, which a narrower terminal breaks further, and their longest words."""
_FORECAST = HEADINGS.index("fully trained, forecast")
_NARROW = 100
"""Characters of a terminal below which columns stand one space apart."""


def decision_rows(checkpoints: Sequence[Shown]) -> list[list[str]]:
    """One row of cells per checkpoint, in the order of `HEADINGS`; "-" where a number was not recorded."""
    return [_row(checkpoint) for checkpoint in checkpoints]


def decision_table(checkpoints: Sequence[Shown], title: str | None = None, *, width: int = 120) -> Table:
    """The rows as a rich table for a terminal of `width` characters; where training may stop they are bold."""
    table = Table(
        title=None if title is None else Text(title),
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        padding=(0, 0) if width < _NARROW else (0, 1),
        pad_edge=False,
        show_edge=False,
    )
    for heading in HEADINGS:
        column, last = len(table.columns), heading == HEADINGS[-1]
        justify: Literal["left", "right"] = "left" if last else "right"
        table.add_column(
            _broken(heading, column),
            justify=justify,
            no_wrap=column not in _WORDY,
            min_width=_WORDY.get(column),
            overflow="fold",
        )
    for checkpoint, row in zip(checkpoints, decision_rows(checkpoints), strict=True):
        cells = [Text(_broken(cell, column)) for column, cell in enumerate(row)]
        table.add_row(*cells, style="bold" if checkpoint.decision.stop else None)
    return table


def _broken(cell: str, column: int) -> str:
    width = _WIDTHS[column]
    if len(cell) <= width:
        return cell
    parts = cell.split(" (") if column == _FORECAST else [cell.replace("(", "")]  # an interval has lines of its own
    return "\n".join(
        textwrap.fill(each.replace(")", ""), width, break_long_words=False, break_on_hyphens=False) for each in parts
    )


def _row(checkpoint: Shown) -> list[str]:
    decision = checkpoint.decision
    curve, serving = decision.k_curve, decision.serving
    measured = largest_measured(curve)
    best = projected = sufficient = "-"
    if curve is not None and measured is not None:
        best = f"{format_accuracy(measured[1])} at K={measured[0]}" + ("" if curve.deployable else " (oracle)")
    if forecast := projection(decision):
        interval = f" ({format_accuracy(forecast.lo)} to {format_accuracy(forecast.hi)})"
        projected = format_accuracy(forecast.mean) + (interval if forecast.lo < forecast.hi else "")
    if serving is not None:
        kind = "" if serving.deployable else " (oracle)"
        how = "greedy" if serving.strategy == "greedy" else f"K={serving.k} {strategy_words(serving.strategy)}"
        sufficient = f"{how}{kind}, {format_accuracy(serving.accuracy)} {serving.made}"
    reason = decision.reason.value.replace("_", " ")
    return [
        str(decision.step),
        format_share(decision.used),
        format_accuracy(baseline_accuracy(checkpoint)),
        best,
        projected,
        sufficient,
        "-" if decision.confidence is None else format_probability(decision.confidence),
        str(decision.streak),
        f"stop: {reason}" if decision.stop else reason,
    ]
