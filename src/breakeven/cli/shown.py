"""Decisions and sentences on the console: a decision in short lines, and all that is known of it on demand."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from breakeven.cli.common import console
from breakeven.cli.decided import filled
from breakeven.records import Decision
from breakeven.report import brief, explain, outlook_words
from breakeven.report.outlook import member_rows
from breakeven.report.words import projection

_MOST = 100
"""Characters of a line of text at most, however wide the terminal is."""

VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say in full why, what would change it, and what the forecast is of.")
]


def say(text: str, *, label: str = "", style: str | None = None) -> None:
    """Print a text: whole, or on a terminal in lines broken between words that begin below each other."""
    width = min(_MOST, console.width)
    for line in filled(text, width, label) if console.is_terminal else [label + text]:
        console.print(line, style=style)


def print_decision(decision: Decision, *, verbose: bool = False) -> None:
    """Print a decision in three short lines; with `verbose` all that was recorded of it below them."""
    for place, (label, text) in enumerate(brief(decision)):
        say(text, label=f"{label:10}", style=None if place else "bold")
    if not verbose:
        return
    console.print()
    say(explain(decision))
    for sentence in outlook_words(decision):
        say(sentence, label="- ")
    if members := member_rows(projection(decision)):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
        table.add_column("The forecast is mixed from")
        for heading in ("weight", "full run ends at"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in members:
            table.add_row(*map(Text, row))
        console.print(table)
    console.print()
