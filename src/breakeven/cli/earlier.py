"""The earlier runs of `breakeven decide --like`, each read as a witness, and how much they count."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from breakeven.cli.budget import Budget, amount
from breakeven.cli.decided import witness_weight
from breakeven.errors import ArgumentError, argument_error
from breakeven.readers import EvalLog, ReadOptions, read_evals
from breakeven.records import Forecast, Witness
from breakeven.report.format import format_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How logs are read, and what the budget of the run that is decided on is said in."""

    log: Path
    """Of that run."""
    options: ReadOptions
    budget: Budget
    tokens_per_step: float | None


def read_witnesses(like: Sequence[str], reading: Reading, baseline: str) -> tuple[tuple[Witness, ...], list[str]]:
    """The witnesses, and what was read and taken for granted of each, in sentences.

    Args:
        like: as written: a log, LOG@BUDGET, or a run directory.
        reading: as of the run that is decided on.
        baseline: its decoding.

    Raises:
        ArgumentError: a log that cannot be a witness.
        LogError: a fault in one, or none there.
    """
    witnesses, notes = [], []
    for written in dict.fromkeys(like):
        try:
            witness, said = _read(written, reading)
        except ArgumentError as error:
            raise ArgumentError(f"--like {written}: {error}") from None
        if len(witness.curve(baseline)) < 2:
            rule = f"have two checkpoints at least at which the {baseline} accuracy was measured"
            raise argument_error(f"--like {written}", rule, len(witness.curve(baseline)), "Leave it out.")
        witnesses.append(witness)
        notes += said
    return tuple(witnesses), notes


def witness_note(number: int, forecast: Forecast | None) -> str:
    """How many of the earlier runs count today, with which weight."""
    one = number == 1
    runs = "the earlier run" if one else f"the {number} earlier runs"
    if forecast is None or not forecast.members:
        return f"Nothing is projected from {runs} today."
    if not forecast.num_witnesses:
        none = "The earlier run does not count today: it did" if one else f"None of {runs} counts today: they did"
        return f"{none} not go further than this one."
    heard = "The earlier run" if one else f"{forecast.num_witnesses} of {runs}"
    return f"{heard} went further than this one: weight {witness_weight(forecast):.2f} in today's forecast."


def _read(written: str, reading: Reading) -> tuple[Witness, list[str]]:
    from breakeven.session.witnesses import recorded_witness  # most calls name no earlier run, and need no store
    from breakeven.store import LOG_NAME

    path, declared = Path(written), None
    if not path.exists() and "@" in written:
        head, _, declared = written.rpartition("@")
        path = Path(head)
    task = reading.options.task
    if task is not None and (path / task / LOG_NAME).is_file():  # a run that was watched on several
        path = path / task
    if path.exists() and reading.log.exists() and path.samefile(reading.log):
        raise argument_error("it", "be an earlier run", "the log that is decided on")
    if path.name == LOG_NAME or (path / LOG_NAME).is_file():
        if declared is not None:
            raise argument_error("a run directory", "be given without @BUDGET", declared, "It holds its own budget.")
        return _said(path, recorded_witness(path), "of its budget")
    options = reading.options
    if declared is None and options.flops_per_step is None:  # only shares of its own budget are asked for
        options = replace(options, flops_per_step=1.0, flops_per_token=1.0)
    log = read_evals(path, options)
    if declared is not None:
        budget = Budget(unit=reading.budget.unit, amount=amount("BUDGET", declared) or 0.0, written="BUDGET")
        whole = budget.flops(log, reading.tokens_per_step)
        known = "of its budget"
    elif log.budget_steps is not None:
        whole = Budget(unit="steps", amount=log.budget_steps).flops(log, None)
        known = f"of its {log.budget_steps} steps"
    else:
        whole = log.train_flops[-1]
        known = "of its budget, as its last checkpoint is taken for its end (--like LOG@BUDGET to say otherwise)"
    witness, notes = _said(path, _witness(path.name, log, whole), known)
    return witness, [*notes, *(f"{path}: {note}" for note in log.notes)]


def _witness(name: str, log: EvalLog, whole: float) -> Witness:
    tallies = [checkpoint.tally for checkpoint in log]
    return Witness(
        name=name,
        share=tuple(min(1.0, flops / whole) for flops in log.train_flops),
        greedy_accuracy=tuple(each.greedy_accuracy for each in tallies),
        sampled_accuracy=tuple(each.sampled_accuracy for each in tallies),
        num_problems=log.num_problems,
    )


def _said(path: Path, witness: Witness, known: str) -> tuple[Witness, list[str]]:
    size, end = len(witness.share), format_share(witness.share[-1])
    return witness, [f"Earlier run {path}: {size} checkpoints, {witness.num_problems} problems, {end} {known}."]
