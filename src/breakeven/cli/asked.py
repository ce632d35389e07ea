"""What the options of `breakeven decide` ask: a log read and decided on, by itself or for each of several tasks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from breakeven import check
from breakeven.cli.assumed import assumptions, loss_words, refuse_unmeasured
from breakeven.cli.budget import Budget, budget_of, share_note
from breakeven.cli.deciding import Decided, decide_on
from breakeven.cli.earlier import Reading, read_witnesses, witness_note
from breakeven.cli.query_costs import QueryCosts
from breakeven.errors import LogError, argument_error
from breakeven.readers import EvalLog, ReadOptions, read_evals, tasks_in, thinned
from breakeven.records import RunSpec
from breakeven.stopping.course import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options, whatever the task."""

    reading: ReadOptions
    """Without `task` and `num_problems`."""
    sizes: Mapping[str | None, int]
    """Problems by task, as `sizes_of` tells them."""
    declared: Budget | None
    """None: the log has to say it."""
    tokens_per_step: float | None
    baseline: str | None
    """None: what the log has."""
    like: Sequence[str]
    """Earlier runs, as written."""
    spec: Callable[..., RunSpec]
    """Takes what depends on the log: `budget_flops`, `baseline` and `like`."""
    rule: Policy
    costs: QueryCosts | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was decided on one task."""

    decided: Decided
    notes: list[str]
    """What was read and assumed, in sentences."""
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    log: EvalLog
    spec: RunSpec
    budget: Budget
    said: tuple[str, ...]
    """Of the budget."""
    like: tuple[str, ...]
    """Of the earlier runs."""


def sizes_of(given: Sequence[str]) -> dict[str | None, int]:
    """Problems by task, as --num-problems tells them: NUMBER, under None, is that of all others.

    Raises:
        ArgumentError: no whole number of at least 1.

    >>> sizes_of(["500", "gsm8k=1319"])
    {None: 500, 'gsm8k': 1319}
    """
    sizes: dict[str | None, int] = {}
    for written in given:
        task, equals, number = written.rpartition("=")
        try:
            size = int(number)
        except ValueError:
            rule = "be a whole number, or TASK=NUMBER"
            raise argument_error("--num-problems", rule, written, "For example 1319 or gsm8k=1319.") from None
        check.at_least("--num-problems", size, 1)
        sizes[task if equals else None] = size
    return sizes


def answers(path: Path, tasks: Sequence[str], asked: Asked) -> dict[str | None, Answer]:
    """The decisions on each task; where there is no more than one, under whatever name.

    Args:
        path: of the log.
        tasks: as written; "all" for all that the log has.
        asked: the other options.

    Raises:
        ArgumentError: several tasks where the log has one, or another option that does not fit the log.
        LogError: a fault in the log, or tasks that share no checkpoint.
    """
    names: tuple[str | None, ...] = tuple(dict.fromkeys(tasks)) or (None,)
    if "all" in names or len(names) > 1:
        held = tasks_in(path, replace(asked.reading, num_problems=1))
        if "all" not in names and held == (None,):
            raise argument_error("--task", "be given once at most, as the log has one task", list(names))
        names = held if "all" in names else names
    unknown = [name for name in asked.sizes if name not in (None, *names)]
    if unknown:
        rule = "begin with a task that is decided on: --num-problems TASK=NUMBER"
        raise argument_error("--num-problems", rule, f"{unknown[0]}={asked.sizes[unknown[0]]}", "Name it with --task.")
    read = {name: _read(path, name, asked) for name in names}
    shared = set.intersection(*(set(each.log.steps) for each in read.values()))
    if not shared:
        listed = ", ".join(map(str, names))
        raise LogError(f"{path} must have a checkpoint at which all tasks were evaluated; {listed} share none.")
    return {name: _answer(each, max(shared), asked) for name, each in read.items()}


def _read(path: Path, task: str | None, asked: Asked) -> _Read:
    options = replace(asked.reading, task=task, num_problems=asked.sizes.get(task, asked.sizes.get(None)))
    log = read_evals(path, options)
    budget, note = budget_of(log, asked.declared)
    baseline = asked.baseline or ("greedy" if log.has_greedy else "sampled")
    refuse_unmeasured(log, baseline)
    how = Reading(log=path, options=options, budget=budget, tokens_per_step=asked.tokens_per_step)
    like, like_notes = read_witnesses(asked.like, how, baseline)
    flops = budget.flops(log, asked.tokens_per_step)
    return _Read(
        log=log,
        spec=asked.spec(budget_flops=flops, baseline=baseline, like=like),
        budget=budget,
        said=tuple(filter(None, (note, share_note(log, budget)))),
        like=tuple(each for each in like_notes if each.partition(": ")[2] not in log.notes),
    )


def _answer(read: _Read, last: int, asked: Asked) -> Answer:
    """The decisions up to step `last`."""
    log, spec = read.log, read.spec
    if later := [step for step in log.steps if step > last]:
        kept = len(log) - len(later)
        note = f"Not every task was evaluated after step {last}: decided up to there, without {len(later)} checkpoints."
        log = replace(log, steps=log.steps[:kept], train_flops=log.train_flops[:kept], notes=(*log.notes, note))
    log = thinned(log)
    decided = decide_on(log, spec, asked.rule, asked.costs)
    forecast = decided.decisions[-1].forecast
    notes = [*log.notes, *decided.remarks, *read.said]
    if spec.like:
        notes += [witness_note(len(spec.like), forecast), *read.like]
    notes += loss_words(log, forecast)
    notes += assumptions(log, spec, asked.costs, baseline=asked.baseline, checker=asked.reading.checker)
    return Answer(decided=decided, notes=notes, budget=read.budget)


def merged(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """The notes on several tasks: once what is said of all, and before the others whose they are."""
    owners: dict[str, list[str]] = {}
    for task, said in notes.items():
        for note in said:
            owners.setdefault(note, []).append(task)
    return [note if len(own) == len(notes) else f"{', '.join(own)}: {note}" for note, own in owners.items()]
