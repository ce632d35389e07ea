"""Every checkpoint on one line, as plain cells and as a terminal table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from breakeven.records import Checkpoint
from breakeven.report.explain import baseline_accuracy, largest_measured, projection
from breakeven.report.format import format_accuracy, format_share

HEADINGS = (
    "step",
    "used",
    "one sample (measured)",
    "largest K (measured)",
    "fully trained (forecast)",
    "smallest sufficient K",
    "in a row",
    "decision",
)


def decision_rows(checkpoints: Sequence[Checkpoint]) -> list[list[str]]:
    """One row of cells per checkpoint, in the order of `HEADINGS`; "-" where a number was not recorded."""
    return [_row(checkpoint) for checkpoint in checkpoints]


def decision_table(checkpoints: Sequence[Checkpoint], title: str | None = None) -> Table:
    """The rows as a rich table for the terminal; checkpoints at which training may stop are bold."""
    table = Table(title=None if title is None else Text(title))
    for heading in HEADINGS:
        last = heading == HEADINGS[-1]
        table.add_column(
            heading, justify="left" if last else "right", no_wrap=last or heading == "smallest sufficient K"
        )
    for checkpoint, row in zip(checkpoints, decision_rows(checkpoints), strict=True):
        table.add_row(*map(Text, row), style="bold" if checkpoint.decision.stop else None)
    return table


def _row(checkpoint: Checkpoint) -> list[str]:
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
        sufficient = f"K={serving.k}, {format_accuracy(serving.accuracy)} {serving.made}"
    reason = decision.reason.value.replace("_", " ")
    return [
        str(decision.step),
        format_share(decision.used),
        format_accuracy(baseline_accuracy(checkpoint)),
        best,
        projected,
        sufficient,
        str(decision.streak),
        f"stop: {reason}" if decision.stop else reason,
    ]
