"""`breakeven status`: where a run stands, whether it trains now or has ended, read without disturbing it."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.cli.policies import required_of
from breakeven.cli.shown import say
from breakeven.records import CheckpointRecord, Reason, spec_at
from breakeven.report.charts.workload import workload_of
from breakeven.report.continued import start_rows, start_words
from breakeven.report.cooldown import cooldown_words
from breakeven.report.facts import fact_rows, lead_words, verdict_words
from breakeven.report.format import format_accuracy, format_hours, format_share
from breakeven.report.ledger import ledger_rows
from breakeven.report.spark import spark
from breakeven.report.verification import verification_words
from breakeven.report.words import baseline_accuracy, headline, interval_words, projection, wall_rows
from breakeven.session.steering import asked_of
from breakeven.store import LOG_NAME, Header, RunRecord, holder_of, read_log

_CURVE = 40
"""Characters of the curve at most."""


def status(
    run: Annotated[Path, typer.Argument(help="A run directory, or its log.jsonl.")],
    json: JsonOption = False,
) -> None:
    """Show where a run stands: its decision, its curve, the next evaluation, and where time and FLOPs went."""
    record = read_log(run)
    directory = run if run.is_dir() else run.parent
    holder, request = holder_of(directory), asked_of(directory)
    steered = record.steering[-1] if record.steering else None
    checkpoint = _present(record, running=holder is not None)
    coming = _next_step(record) if holder is not None else None
    age = max(0.0, time.time() - (directory / LOG_NAME).stat().st_mtime)
    if json:
        print_json(
            {
                "run": str(run),
                "process": holder,
                "seconds_since_recorded": age,
                "start": record.header.start,
                "decision": None if checkpoint is None else checkpoint.decision,
                "curve": [_point(each) for each in record.checkpoints],
                "next_evaluation_step": coming,
                "failures": list(record.failures),
                "cooldown": record.cooldown,
                "steered": steered,
                "request": request,
            }
        )
        return
    state = f"training now, process {holder}" if holder else "not training now"
    say(f"{run}: {state}; last recorded {format_hours(age / 3600)} ago.", style="bold")
    if checkpoint is None:
        say("No evaluation is recorded yet.")
    else:
        _print_decision(checkpoint, record.header)
        for label, text in _curves(record.checkpoints):
            console.print(f"{label:10}{text}", no_wrap=True, overflow="ellipsis")
    if coming is not None:
        say(f"step {coming} at the earliest.", label="Next      ")
    if record.failures:
        say(
            f"{len(record.failures)} evaluations failed, the last at step {record.failures[-1].step}.",
            label="Failed    ",
        )
    for sentence in start_words(record.header.start):
        say(sentence, label="Began     ")
    for sentence in cooldown_words(record.cooldown):
        say(sentence, label="Cooldown  ")
    if record.verification is not None:
        say(verification_words(record.verification), label="Verified  ")
    if steered is not None:
        why = f": {steered.reason}" if steered.reason else "."
        say(f"{steered.action} by hand, taken up at step {steered.step}{why}", label="Steered   ")
    if request is not None:
        say(f"{request.action}, not taken up yet.", label="Asked     ")
    if checkpoint is not None:
        decision, observed = checkpoint.decision, checkpoint.observation
        ledger = ledger_rows(decision, observed.train_flops, observed.rollout_flops)
        rows = [*start_rows(record.header.start), *ledger, *wall_rows(decision)]
        table = Table.grid(padding=(0, 2))
        table.add_column()
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print()
        console.print(table)
        if decision.wall is None:
            say("Wall time is not recorded: the run declares no hours, price_per_hour or max_evaluation_seconds_share.")


def _print_decision(checkpoint: CheckpointRecord, header: Header) -> None:
    """Verdict, sentence and numbers that the page of the run opens with."""
    decision = checkpoint.decision
    say(f"{verdict_words(decision)} ({format_share(decision.used)} of the budget).", label="Decision  ", style="bold")
    say(lead_words(decision))
    console.print()
    load = workload_of(checkpoint, header.spec.queries)
    facts = fact_rows(checkpoint, load, required_of(header.policy))
    whats, numbers = (2 + max(len(getattr(each, name)) for each in facts) for name in ("what", "number"))
    for each in facts:
        say(each.how, label=f"{each.what:{whats}}{each.number:{numbers}}")
    console.print()


def _present(record: RunRecord, *, running: bool) -> CheckpointRecord | None:
    """The last checkpoint of a run that goes on; of one that has ended, that of its stop."""
    if not record.checkpoints:
        return None
    return record.checkpoints[-1 if running else headline(record.checkpoints)]


def _next_step(record: RunRecord) -> int | None:
    """The step of the next evaluation that is due; None where the budget is spent, or it cannot be told."""
    steps = [0, *(each.observation.step for each in record.checkpoints)]
    config = record.budget_changes[-1].config if record.budget_changes else record.header.config
    evaluate = config.get("evaluate")
    every = evaluate.get("every_steps") if isinstance(evaluate, dict) else None
    if not isinstance(every, int):
        every = min((after - before for before, after in pairwise(steps)), default=None)
    if every is None:
        return None
    if record.checkpoints:
        last = record.checkpoints[-1].observation
        if spec_at(last.step, record.header.spec, record.budget_changes).is_spent(last.train_flops):
            return None
    return (steps[-1] // every + 1) * every


def _point(checkpoint: CheckpointRecord) -> dict[str, Any]:
    forecast = projection(checkpoint.decision)
    return {
        "step": checkpoint.decision.step,
        "used": checkpoint.decision.used,
        "accuracy": baseline_accuracy(checkpoint),
        "forecast": None if forecast is None else forecast.mean,
    }


def _curves(checkpoints: tuple[CheckpointRecord, ...]) -> list[tuple[str, str]]:
    """The measured curve and the projections, as small as a line."""
    measured = [baseline_accuracy(each) for each in checkpoints]
    forecasts = [projection(each.decision) for each in checkpoints]
    means = [None if each is None else each.mean for each in forecasts]
    top = max(1e-9, *measured, *(each for each in means if each is not None))
    columns = max(8, min(_CURVE, console.width - 66))
    last = checkpoints[-1].decision
    now = f"{format_accuracy(measured[-1])} measured, {last.baseline}, at {format_share(last.used)} of the budget"
    rows = [("Accuracy", f"{spark(measured, top, columns)}  {now}")]
    if (forecast := forecasts[-1]) is not None and last.reason is not Reason.BUDGET_SPENT:
        words = f"{format_accuracy(forecast.mean)} forecast{interval_words(forecast.lo, forecast.hi)}"
        rows.append(("Full run", f"{spark(means, top, columns)}  {words}"))
    return rows
