"""`breakeven report`: one self-contained page that shows what was decided and why."""

from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.errors import argument_error
from breakeven.report import render_page
from breakeven.store import read_log, write_whole


def report(
    run: Annotated[Path, typer.Argument(help="A run directory, or its log.jsonl.")],
    out: Annotated[Path | None, typer.Option(help="Where to write the page; default RUN/report.html.")] = None,
    json: JsonOption = False,
) -> None:
    """Write a page with the learning curve, the K-curves, the decision and the FLOPs ledger."""
    page = write_report(run, out)
    if json:
        print_json({"report": str(page)})
    else:
        console.print(str(page))


def write_report(run: Path, out: Path | None = None) -> Path:
    """Render the recorded run into one HTML file and return its path.

    Raises:
        ArgumentError: the run holds no evaluation yet, or `out` is in no directory.
        RunStorageError: the page could not be written.
    """
    record = read_log(run)
    config = record.budget_changes[-1].config if record.budget_changes else record.header.config
    page = render_page(str(config.get("name", run.name)), config, record.checkpoints, record.verification)
    path = out or (run if run.is_dir() else run.parent) / "report.html"
    if not path.parent.is_dir():
        raise argument_error("--out", "be a file in a directory that exists", str(path))
    write_whole(path, page, remedy="The run itself is whole; choose another --out.")
    return path
