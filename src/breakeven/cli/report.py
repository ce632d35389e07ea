"""`breakeven report`: what was decided and why, as one self-contained page, Markdown or JSON, and as figures."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.compared import compared_runs
from breakeven.cli.deciding import Decided
from breakeven.cli.documents import FiguresOption, check_place, write_document, write_figures
from breakeven.cli.page_server import serve
from breakeven.cli.policies import required_of
from breakeven.config import recorded_policy
from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.names import named_in
from breakeven.records import ServingPoint
from breakeven.report import Beside, Evaluated, branch_words, cooldown_words, decided_document, headline, start_words
from breakeven.report.compare import compared_document
from breakeven.report.document import Document
from breakeven.report.format import format_share
from breakeven.session.offers import offers, offers_at, told
from breakeven.stopping.patience import policy_settings
from breakeven.store import LOG_NAME, RunRecord, read_log
from breakeven.store.texts import TextFile, Texts


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="A run directory, or its log.jsonl; of several, one page side by side."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write it: a page (.html), Markdown (.md) or JSON (.json); default RUN/report.html, of "
            "several runs ./report.html."
        ),
    ] = None,
    figures: FiguresOption = None,
    live: Annotated[
        bool, typer.Option("--live", help="Serve the page on this machine alone, as the log grows.")
    ] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="For --live; default a free one.")] = None,
    json: JsonOption = False,
) -> None:
    """Write a page with the learning curve, the K-curves, the decision and the FLOPs ledger."""
    if live:
        if len(runs) > 1 or out is not None or figures is not None:
            raise argument_error("--live", "have one RUN, no --out and no --figures", " ".join(map(str, runs)))
        read_log(runs[0])  # one that is missing or damaged is refused at once
        serve(runs[0], port or 0, run_document, lambda url: _say({"report": url}, json))
        return
    if port is not None:
        raise argument_error("--port", "come with --live", port)
    page = write_report(runs[0], out, figures) if len(runs) == 1 else write_compared(runs, out, figures)
    _say({"report": str(page)} | ({} if figures is None else {"figures": str(figures)}), json)


def _say(places: dict[str, str], json: bool) -> None:
    if json:
        print_json(places)
    else:
        console.print("\n".join(places.values()))


def write_report(run: Path, out: Path | None = None, figures: Path | None = None) -> Path:
    """Write the report of a recorded run, in the form that the suffix of `out` says, and return its path.

    Raises:
        ArgumentError: the run holds no evaluation yet, or `out` is in no directory or has another suffix.
        RunStorageError: the report or a figure could not be written.
    """
    if out is not None:
        check_place("--out", out)
    path = out or (run if run.is_dir() else run.parent) / "report.html"
    write_document("--out", path, run_document(run), figures, remedy="The run itself is whole; choose another --out.")
    return path


def write_compared(runs: Sequence[Path], out: Path | None = None, figures: Path | None = None) -> Path:
    """Write the report of several recorded runs side by side, as `write_report` that of one.

    Raises:
        ArgumentError: a run is named twice or holds no evaluation yet, or `out` is in no directory or has another
            suffix.
        RunStorageError: the report or a figure could not be written.
    """
    path = out or Path("report.html")
    check_place("--out", path)
    write_document("--out", path, compared_document(compared_runs(runs)), figures, remedy="Choose another --out.")
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
        start=record.header.start,
        cooldown=record.cooldown,
        failures=record.failures,
        queries=record.header.spec.queries,
        remarks=[*_origin(record), *cooldown_words(record.cooldown)],
        required=required_of(record.header.policy),
        offers=_offers(run, record),
        texts=_texts(run, record),
        made_by=_made_by(run, record),
    )
    return decided_document(str(config.get("name", run.name)), config, record.checkpoints, beside)


def _origin(record: RunRecord) -> list[str]:
    """Where the run comes from, where that is not a random model."""
    return [*branch_words(record.header.parent), *start_words(record.header.start)]


def _offers(run: Path, record: RunRecord) -> list[ServingPoint] | None:
    """What each checkpoint could serve; None where the log's policy is not known here."""
    observed = [each.observation for each in record.checkpoints]
    decided = [each.decision for each in record.checkpoints]
    try:
        with named_in(run, None):
            policy = recorded_policy(record.header.policy)
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
        "given": {} if record.fingerprint is None else record.fingerprint.parts,
        "log last written": f"{written:%Y-%m-%d %H:%M} UTC",
    }


def write_decided(
    path: Path | None,
    figures: Path | None,
    name: str,
    decided: Decided,
    notes: Sequence[str],
    *,
    budget: str,
    flops_known: bool,
) -> None:
    """Write the report of what was decided on a log of evaluations, its charts as files, or both.

    Args:
        path: of the report; its suffix says in which form.
        figures: directory of the charts.
        name: of the log.
        decided: the decisions.
        notes: what was read and assumed, in sentences.
        budget: as declared, in words.
        flops_known: whether training FLOPs are FLOPs; otherwise nothing but shares of the budget are shown.

    Raises:
        ArgumentError: `path` is in no directory, or has another suffix.
        RunStorageError: the report or a figure could not be written.
    """
    checkpoints = [
        Evaluated(decision=decision, point=point, train_flops=point.train_flops if flops_known else None)
        for decision, point in zip(decided.decisions, decided.points, strict=True)
    ]
    checkpoints[-1] = replace(checkpoints[-1], decision=decided.now.decision)  # today's: it may serve an earlier one
    settings = {
        "log": name,
        "format": decided.log.format,
        "budget": budget,
        "baseline": decided.spec.baseline,
        "policy": policy_settings(decided.policy),
    }
    first = decided.decisions[decided.final]
    before = []
    if first.stop and decided.final < len(decided.decisions) - 1:
        before = [f"A stop was advised before, at step {first.step} ({format_share(first.used)} of the budget)."]
    places = sorted(told(decided.decisions))
    offered = [
        each
        for place in places
        for each in offers_at(decided.seen[place].point, decided.seen[place].curves, decided.spec)
    ]
    beside = Beside(
        queries=decided.spec.queries,
        required=required_of(policy_settings(decided.policy)),
        leads_with_last=True,
        offers=offered,
        remarks=before,
        assumed=notes,
    )
    document = decided_document(Path(name).name or name, settings, checkpoints, beside)
    if path is not None:
        write_document("--report", path, document, figures)
    elif figures is not None:
        write_figures(figures, document)
