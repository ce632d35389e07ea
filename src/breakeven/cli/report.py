"""`breakeven report`: one self-contained page that shows what was decided and why."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.decided import now_lines
from breakeven.cli.deciding import Decided
from breakeven.config import policy_from
from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.evenly import evenly
from breakeven.names import named_in
from breakeven.records import ServingPoint
from breakeven.report import Beside, Evaluated, branch_words, cooldown_words, decided_document, headline, render_page
from breakeven.report.document import Document
from breakeven.session.offers import MOST, offers, offers_at
from breakeven.stopping.patience import policy_settings
from breakeven.store import LOG_NAME, RunRecord, read_log
from breakeven.store.texts import TextFile, Texts


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
    record = read_log(run)
    config = record.budget_changes[-1].config if record.budget_changes else record.header.config
    beside = Beside(
        verification=record.verification,
        cooldown=record.cooldown,
        failures=record.failures,
        queries=record.header.spec.queries,
        remarks=[*branch_words(record.header.parent), *cooldown_words(record.cooldown)],
        offers=_offers(run, record),
        texts=_texts(run, record),
        made_by=_made_by(run, record),
    )
    return decided_document(str(config.get("name", run.name)), config, record.checkpoints, beside)


def _offers(run: Path, record: RunRecord) -> list[ServingPoint] | None:
    """What each checkpoint could serve; None where the log's policy is not known here."""
    observed = [each.observation for each in record.checkpoints]
    decided = [each.decision for each in record.checkpoints]
    try:
        with named_in(run, None):
            policy = policy_from(record.header.policy)
            return offers(observed, decided, record.header.spec, policy, record.budget_changes)
    except ArgumentError:  # of a later version, or names somebody's own code
        return None


def _texts(run: Path, record: RunRecord) -> Texts | None:
    """What the model wrote at the checkpoint that the report leads with, where it was kept whole."""
    step = record.checkpoints[headline(record.checkpoints, str(run))].decision.step
    try:
        return TextFile(run if run.is_dir() else run.parent).read(step)
    except LogError:  # no decision needs it
        return None


def _made_by(run: Path, record: RunRecord) -> dict[str, object]:
    header, log = record.header, run / LOG_NAME if run.is_dir() else run
    written = datetime.fromtimestamp(log.stat().st_mtime, UTC)
    return {
        **header.versions,
        "seed": header.seed,
        "machine": header.machine or "not recorded",
        "log last written": f"{written:%Y-%m-%d %H:%M} UTC",
    }


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
    places = evenly(len(decided.seen), MOST)
    offered = [
        each
        for place in places
        for each in offers_at(decided.seen[place].point, decided.seen[place].curves, decided.spec)
    ]
    beside = Beside(queries=decided.spec.queries, offers=offered, remarks=today, assumed=notes)
    document = decided_document(Path(name).name or name, settings, checkpoints, beside)
    _write(path, render_page(document), "--report")


def _write(path: Path, page: str, option: str, remedy: str = "Choose another file.") -> None:
    if not path.parent.is_dir():
        raise argument_error(option, "be a file in a directory that exists", str(path))
    from breakeven.store import write_whole

    write_whole(path, page, remedy=remedy)
