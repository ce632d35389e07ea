"""Every checkpoint on one line, as plain cells and as a terminal table."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

from breakeven.records.words import told
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
"""Characters of a terminal below which columns stand one space apart, and those that say nothing are left out."""
_DROPPED = (3, 7, 6, 1, 2)
"""Columns that a narrow terminal does without, in this order; step, forecast, what suffices and decision stay."""


def decision_rows(checkpoints: Sequence[Shown]) -> list[list[str]]:
    """One row of cells per checkpoint, in the order of `HEADINGS`; "-" where a number was not recorded."""
    return [_row(checkpoint) for checkpoint in checkpoints]


def decision_table(checkpoints: Sequence[Shown], title: str | None = None, *, width: int = 120) -> Table:
    """The rows as a rich table for a terminal of `width` characters; where training may stop they are bold."""
    narrow, rows = width < _NARROW, decision_rows(checkpoints)
    if narrow:
        rows = [[cell.replace(" to ", "-") for cell in row] for row in rows]
    cells = [[_broken(cell, column, narrow) for column, cell in enumerate(row)] for row in rows]
    table = Table(
        title=None if title is None else Text(title),
        box=box.SIMPLE_HEAD,
        collapse_padding=True,
        padding=(0, 0) if narrow else (0, 1),
        pad_edge=False,
        show_edge=False,
    )
    headings = [told(each.decision, heading) for each in checkpoints[:1] for heading in HEADINGS] or HEADINGS
    kept = _kept(cells, width) if narrow else range(len(HEADINGS))
    for column in kept:
        justify: Literal["left", "right"] = "left" if column == len(HEADINGS) - 1 else "right"
        table.add_column(
            _broken(headings[column], column),
            justify=justify,
            no_wrap=column not in _WORDY,
            min_width=_WORDY.get(column) if column else max((len(row[0]) for row in rows), default=0),
            overflow="fold",
        )
    for checkpoint, row in zip(checkpoints, cells, strict=True):
        table.add_row(*(Text(row[column]) for column in kept), style="bold" if checkpoint.decision.stop else None)
    return table


def _kept(cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """The columns that fit: without those that hold nothing, and then without some more."""
    kept = [column for column in range(len(HEADINGS)) if any(row[column] != "-" for row in cells)]
    heads = [_broken(heading, column) for column, heading in enumerate(HEADINGS)]
    needed = {
        column: max(len(line) for text in (heads[column], *(row[column] for row in cells)) for line in text.split("\n"))
        for column in kept
    }
    for column in _DROPPED:
        if sum(needed[each] + 1 for each in kept) - 1 > width and column in kept:
            kept.remove(column)
    return kept


def _broken(cell: str, column: int, narrow: bool = False) -> str:
    width = _WIDTHS[column]
    if len(cell) <= width:
        return cell
    parts = cell.split(" (") if column == _FORECAST else [cell.replace("(", "")]  # an interval has lines of its own
    if narrow and column == _FORECAST:
        width = len("0.400-0.600")
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
        sufficient = told(decision, f"{how}{kind}, {format_accuracy(serving.accuracy)} {serving.made}")
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
