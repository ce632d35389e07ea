"""`breakeven demo`: a recorded run that ships, and its page, without training and without torch."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.report import write_report
from breakeven.cli.shown import print_decision, say
from breakeven.report import headline, verification_lines
from breakeven.store import read_log


def demo(
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = Path("breakeven-demo.html"),
    json: JsonOption = False,
) -> None:
    """Show a recorded run: where it could have stopped, what came of it, and the page that shows why."""
    with as_file(files("breakeven.recorded") / "countdown") as run:
        record = read_log(run)
        page = write_report(run, out)
    decision = record.checkpoints[headline(record.checkpoints)].decision
    if json:
        print_json({"report": str(page), "decision": decision, "verification": record.verification})
        return
    say(
        "A small model that learnt Countdown from scratch, recorded to the end of its budget to see whether the advice "
        "to stop was right. Nothing is trained now; `breakeven run countdown` trains it before your eyes."
    )
    console.print()
    print_decision(decision)
    if record.verification is not None:
        console.print()
        for line in verification_lines(record.verification):
            say(line)
    console.print()
    console.print(f"Page: {page}")
