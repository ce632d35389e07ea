"""Decisions on an evaluation log as sentences, as a table that fits the terminal, as JSON fields and as a page."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from breakeven.cli.common import console
from breakeven.cli.deciding import Decided
from breakeven.records import Decision, Forecast, LearningPoint, Reason, ServingPoint
from breakeven.records.words import witness_words
from breakeven.report import explain, outlook_words
from breakeven.report.format import format_accuracy, format_probability, format_share
from breakeven.report.words import interval_words, projection, serving_words

_ACCURACIES, _FORECAST = ("greedy", "pass@1"), "full run, forecast"
_LEFT = ("task", "would serve", "decision")
_DROPPED = ("pass@1", "greedy", "sure", "used")
"""Columns that a narrow terminal does without, in this order."""
_BEFORE, _AFTER = 30, 10
"""Rows shown around the final decision."""


def print_decided(name: str, decided: Decided, notes: list[str], *, now: bool) -> None:
    """Print today's decision, the table, why it was decided so, and notes; with `now` the table leads up to today."""
    width = min(100, console.width)
    final = len(decided.decisions) - 1 if now else decided.final
    read = decided.log
    some = f"{len(read)} checkpoint{'s' if len(read) != 1 else ''}"
    say(f"{name}: {read.format}, {some}, {read.num_problems} problems.")
    for line in now_lines(decided, width):
        console.print(line, style="bold" if line.startswith("Now") else None)
    console.print(decided_table(decided.decisions, decided.points, final, width))
    say(explain(decided.decisions[final]), style="bold")
    for note in (*outlook_notes(decided.decisions[final]), *notes):
        say(note, label="- ")


def outlook_notes(decision: Decision) -> list[str]:
    """What would change the decision, with the option's name for what a recipe calls otherwise."""
    return [each.replace("(checker = true)", "(--checker)") for each in outlook_words(decision)]


def say(text: str, *, label: str = "", style: str | None = None) -> None:
    """Print a text: whole, or in a terminal in lines that are broken between words."""
    lines = filled(text, console.width, label) if console.is_terminal else [label + text]
    for line in lines:
        console.print(line, style=style)


def now_lines(decided: Decided, width: int = 10_000) -> list[str]:
    """Today's question in short lines: what to do, what to serve, what that rests on, what could have been done before.

    Args:
        decided: the log, decided on.
        width: characters of a line.
    """
    decision, last = decided.now.decision, decided.decisions[-1]
    stop, spent = decision.stop, last.reason is Reason.BUDGET_SPENT
    what = "stop training" if stop else "training is over" if spent else "train on"
    why = "" if stop or spent else f"; {last.reason.value.replace('_', ' ')}"
    lines = [("Now", f"{what} (step {last.step}, {format_share(last.used)} of the budget{why}).")]
    serving, best = decision.serving, decided.now.best
    if stop and serving is not None:
        lines.append(("Serve", _served(serving)))
    elif best is not None:
        lucky = "" if len(decided.decisions) == 1 else f"; the best of {len(decided.decisions)} is lucky too"
        lines.append(("Best yet", _served(best).removesuffix(".") + lucky + "."))
    if (forecast := projection(last)) and last.reason is not Reason.TOO_FEW_PROBLEMS:
        known = forecast.method == "target"
        how = f"forecast{interval_words(forecast.lo, forecast.hi)}{witness_words(forecast)}"
        rests = f"{format_accuracy(forecast.mean)} " + ("asked for" if known else f"({how}) at the end")
        confidence = decision.confidence if stop else last.confidence
        if confidence is not None:
            margin = f" less {format_accuracy(decision.margin)}" if decision.margin > 0 else ""
            rests += f"; reached{margin} with probability {format_probability(confidence)} (forecast)"
        lines.append(("Against", f"{rests}."))
    first = decided.decisions[decided.final]
    if first.stop and decided.final < len(decided.decisions) - 1:
        lines.append(("Before", f"a stop was advised at step {first.step} ({format_share(first.used)} of the budget)."))
    return [line for label, text in lines for line in filled(text, width, f"{label:10}")]


def filled(text: str, width: int, label: str = "") -> list[str]:
    """A text in lines of at most so many characters, broken between words and never inside a share of the budget."""
    kept = text.replace(" %", "\u00a0%").replace(" FLOPs", "\u00a0FLOPs")
    lines = textwrap.wrap(
        kept,
        width,
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\u00a0", " ") for line in lines]


def decided_table(
    decisions: Sequence[Decision], points: Sequence[LearningPoint], final: int, width: int = 100
) -> Table:
    """One line a checkpoint, of at most `width` characters where dropping columns can bring it to that.

    Those after the decision at `final` are dim and say what would have been decided.
    """
    first, last = max(0, final - _BEFORE), min(len(decisions), final + 1 + _AFTER)
    rows = [row_of(decisions[index], points[index], index > final) for index in range(first, last)]
    table, shown = fitted([{"step": str(decisions[first + place].step)} | row for place, row in enumerate(rows)], width)
    if first:
        table.add_row(f"({first} before)", style="dim")
    for index, cells in zip(range(first, last), shown, strict=True):
        style = "dim" if index > final else "bold" if decisions[index].stop else None
        table.add_row(*cells, style=style, end_section=index == final)
    if last < len(decisions):
        table.add_row(f"({len(decisions) - last} after)", style="dim")
    return table


def fitted(rows: Sequence[Mapping[str, str]], width: int) -> tuple[Table, list[list[Text]]]:
    """A table without rows, of at most `width` characters where dropping columns can bring it to that; its cells.

    Args:
        rows: the same columns in each, by heading.
        width: characters.
    """
    kept = [name for name in rows[0] if name not in _ACCURACIES or any(row[name] != "-" for row in rows)]
    if _width(kept, rows) > width:
        rows = [{**row, _FORECAST: row[_FORECAST].partition(" ")[0]} for row in rows]
    for name in _DROPPED:
        if _width(kept, rows) > width and name in kept and not {name} >= set(kept) & {*_ACCURACIES}:
            kept.remove(name)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0), pad_edge=False, show_edge=False)
    for name in kept:
        justify: Literal["left", "right"] = "left" if name in _LEFT else "right"
        table.add_column(_heading(name, rows), justify=justify, no_wrap=name != "task", overflow="fold")
    return table, [[Text(row[name]) for name in kept] for row in rows]


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
        "forecast": None if forecast is None else _forecast_fields(forecast),
        "reason": decision.reason,
        "confidence": decision.confidence,
    }


def now_fields(decided: Decided, *, costs_known: bool) -> dict[str, Any]:
    """Today's decision: the fields of any, with `step` today's; `serve`, null where nothing suffices; `best` so far."""
    decision, last = decided.now.decision, decided.decisions[-1]
    best = decided.now.best
    return {
        **as_fields(decision, costs_known=costs_known),
        "step": last.step,
        "serve": _serving_fields(decision.serving) if decision.stop else None,
        "best": _serving_fields(best),
    }


def all_fields(decided: Decided, notes: list[str], *, costs_known: bool) -> dict[str, Any]:
    """The one JSON object: the first stop, or else the last checkpoint; today's decision; notes; all checkpoints."""
    return {
        **as_fields(decided.decisions[decided.final], costs_known=costs_known),
        "now": now_fields(decided, costs_known=costs_known),
        "notes": notes,
        "checkpoints": [as_fields(each, costs_known=costs_known) for each in decided.decisions],
    }


def witness_weight(forecast: Forecast) -> float:
    """Weight of earlier runs in a forecast."""
    return next((each.weight for each in forecast.members if each.name == "witnesses"), 0.0)


def _forecast_fields(forecast: Forecast) -> dict[str, float]:
    heard = {"num_witnesses": forecast.num_witnesses, "witness_weight": witness_weight(forecast)}
    return {"mean": forecast.mean, "lo": forecast.lo, "hi": forecast.hi, **heard}


def _serving_fields(point: ServingPoint | None) -> dict[str, Any] | None:
    names = ("step", "strategy", "deployable", "k", "accuracy", "made", "expected_samples", "flops_per_query")
    return None if point is None else {name: getattr(point, name) for name in names}


def _served(point: ServingPoint) -> str:
    return f"step {point.step}, {serving_words(point)}: accuracy {format_accuracy(point.accuracy)} ({point.made})."


def _heading(name: str, rows: Sequence[Mapping[str, str]]) -> str:
    """A heading, in two lines where one would make the column wider than its cells."""
    return name.replace(", ", ",\n") if len(name) > max(len(row[name]) for row in rows) else name


def _width(kept: Sequence[str], rows: Sequence[Mapping[str, str]]) -> int:
    widths = [max(*map(len, _heading(name, rows).split("\n")), *(len(row[name]) for row in rows)) for name in kept]
    return sum(widths) + len(widths) - 1


def row_of(decision: Decision, point: LearningPoint, after: bool = False) -> dict[str, str]:
    """The cells of one decision, by heading; in brackets what would have been decided `after` the final one."""
    served = "-"
    if (serving := decision.serving) is not None:
        how = "greedy" if serving.strategy == "greedy" else f"{_short(serving.strategy)} K={serving.k}"
        served = f"{how}: {format_accuracy(serving.accuracy)}" + ("" if serving.deployable else " oracle")
    projected = "-"
    if forecast := projection(decision):
        interval = f" {format_accuracy(forecast.lo)}-{format_accuracy(forecast.hi)}"
        projected = format_accuracy(forecast.mean) + (interval if forecast.lo < forecast.hi else "")
    reason = decision.reason.value.replace("_", " ")
    reason = f"stop: {reason}" if decision.stop else reason
    greedy, sampled = (
        "-" if each is None else format_accuracy(each) for each in (point.greedy_accuracy, point.sampled_accuracy)
    )
    return {
        "used": format_share(decision.used),
        "greedy": greedy,
        "pass@1": sampled,
        _FORECAST: projected,
        "would serve": served,
        "sure": "-" if decision.confidence is None else format_probability(decision.confidence),
        "decision": f"({reason})" if after else reason,
    }


def _short(strategy: str) -> str:
    return "vote" if strategy == "majority_vote" else strategy
