"""Decisions on an evaluation log as a table of at most 100 characters and as JSON fields."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from breakeven.records import Decision, LearningPoint
from breakeven.report.format import format_accuracy, format_share
from breakeven.report.words import projection

_HEADINGS = ("step", "used", "greedy", "pass@1", "full run, forecast", "would serve", "sure", "decision")
_LEFT = ("would serve", "decision")
_BEFORE, _AFTER = 30, 10
"""Rows shown around the final decision."""


def decided_table(decisions: Sequence[Decision], points: Sequence[LearningPoint], final: int) -> Table:
    """One line a checkpoint; those after the decision at `final` are dim and say what would have been decided."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0), pad_edge=False, show_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading in _LEFT else "right", no_wrap=True)
    first, last = max(0, final - _BEFORE), min(len(decisions), final + 1 + _AFTER)
    if first:
        table.add_row(f"({first} before)", style="dim")
    for index in range(first, last):
        after = index > final
        cells = _row(decisions[index], points[index])
        if after:
            cells[-1] = f"({cells[-1]})"
        style = "dim" if after else "bold" if decisions[index].stop else None
        table.add_row(*map(Text, cells), style=style, end_section=index == final)
    if last < len(decisions):
        table.add_row(f"({len(decisions) - last} after)", style="dim")
    return table


def as_fields(decision: Decision, *, costs_known: bool) -> dict[str, Any]:
    """A decision as JSON fields; null is unknown, or, for break_even_queries with costs_known, never."""
    serving, forecast = decision.serving, projection(decision)
    return {
        "action": decision.action,
        "step": decision.step,
        "strategy": None if serving is None else serving.strategy,
        "deployable": None if serving is None else serving.deployable,
        "k": None if serving is None else serving.k,
        "used": decision.used,
        "gross_saving": decision.gross_saving,
        "net_saving": decision.net_saving,
        "costs_known": costs_known,
        "break_even_queries": decision.break_even_queries,
        "forecast": None if forecast is None else {"mean": forecast.mean, "lo": forecast.lo, "hi": forecast.hi},
        "reason": decision.reason,
        "confidence": decision.confidence,
    }


def _row(decision: Decision, point: LearningPoint) -> list[str]:
    served = "-"
    if (serving := decision.serving) is not None:
        how = "greedy" if serving.strategy == "greedy" else f"{_short(serving.strategy)} K={serving.k}"
        served = f"{how}: {format_accuracy(serving.accuracy)}" + ("" if serving.deployable else " oracle")
    projected = "-"
    if forecast := projection(decision):
        interval = f" {format_accuracy(forecast.lo)}-{format_accuracy(forecast.hi)}"
        projected = format_accuracy(forecast.mean) + (interval if forecast.lo < forecast.hi else "")
    reason = decision.reason.value.replace("_", " ")
    return [
        str(decision.step),
        format_share(decision.used),
        *("-" if each is None else format_accuracy(each) for each in (point.greedy_accuracy, point.sampled_accuracy)),
        projected,
        served,
        "-" if decision.confidence is None else f"{decision.confidence:.2f}",
        f"stop: {reason}" if decision.stop else reason,
    ]


def _short(strategy: str) -> str:
    return "vote" if strategy == "majority_vote" else strategy
