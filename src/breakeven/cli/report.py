"""`breakeven report`: one self-contained page that shows what was decided and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.decided import now_lines
from breakeven.cli.deciding import Decided
from breakeven.errors import argument_error
from breakeven.report import Beside, Evaluated, branch_words, cooldown_words, decided_document, render_page
from breakeven.report.document import Document
from breakeven.stopping.patience import policy_settings


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
    path = out or (run if run.is_dir() else run.parent) / "report.html"
    remedy = "The run itself is whole; choose another --out."
    _write(path, render_page(run_document(run)), "--out", remedy)
    return path


def run_document(run: Path) -> Document:
    """The report of a recorded run.

    Raises:
        ArgumentError: the run holds no evaluation yet.
    """
    from breakeven.store import read_log  # as below: few calls of `decide` write a page

    record = read_log(run)
    config = record.budget_changes[-1].config if record.budget_changes else record.header.config
    beside = Beside(
        verification=record.verification,
        cooldown=record.cooldown,
        failures=record.failures,
        queries=record.header.spec.queries,
        remarks=[*branch_words(record.header.parent), *cooldown_words(record.cooldown)],
        made_by={**record.header.versions, "seed": record.header.seed},
    )
    return decided_document(str(config.get("name", run.name)), config, record.checkpoints, beside)


def write_decided(
    path: Path, name: str, decided: Decided, notes: Sequence[str], *, budget: str, flops_known: bool
) -> None:
    """Render what was decided on a log of evaluations into one HTML file.

    Args:
        path: of the page.
        name: of the log.
        decided: the decisions.
        notes: what was read and assumed, in sentences.
        budget: as declared, in words.
        flops_known: whether training FLOPs are FLOPs; otherwise nothing but shares of the budget are shown.

    Raises:
        ArgumentError: `path` is in no directory.
        RunStorageError: the page could not be written.
    """
    checkpoints = [
        Evaluated(decision=decision, point=point, train_flops=point.train_flops if flops_known else None)
        for decision, point in zip(decided.decisions, decided.points, strict=True)
    ]
    settings = {
        "log": name,
        "format": decided.log.format,
        "budget": budget,
        "baseline": decided.spec.baseline,
        "policy": policy_settings(decided.policy),
    }
    today = [" ".join(line.split()) for line in now_lines(decided)]
    beside = Beside(queries=decided.spec.queries, remarks=today, assumed=notes)
    document = decided_document(Path(name).name or name, settings, checkpoints, beside)
    _write(path, render_page(document), "--report")


def _write(path: Path, page: str, option: str, remedy: str = "Choose another file.") -> None:
    if not path.parent.is_dir():
        raise argument_error(option, "be a file in a directory that exists", str(path))
    from breakeven.store import write_whole

    write_whole(path, page, remedy=remedy)
