"""Which kind of log a path holds."""

import itertools
import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from breakeven.errors import LogError, SeveralTasksError
from breakeven.readers.curves import is_curve, read_curve, trainer_state
from breakeven.readers.documents import EVALPLUS, INSPECT, RESULTS, Documents, documents
from breakeven.readers.evalplus import read_evalplus
from breakeven.readers.inspect_logs import read_inspect
from breakeven.readers.lines import lines_of
from breakeven.readers.lm_eval_results import read_results
from breakeven.readers.lm_eval_samples import is_samples, read_samples, tasks_of
from breakeven.readers.log import EvalLog, listed
from breakeven.readers.options import ReadOptions, step_in_name
from breakeven.readers.rows import layout_in, read_rows

_ROW_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".csv.gz", ".tsv.gz", ".jsonl.gz", ".ndjson.gz")
_RESULT_SUFFIXES = (".json", ".json.gz")
_READERS = {RESULTS: read_results, INSPECT: read_inspect, EVALPLUS: read_evalplus}
_NO_LOGS = ("node_modules", "site-packages", "__pycache__")
"""Folders that are not looked into, besides hidden ones and virtual environments."""


def read_evals(path: Path, options: ReadOptions | None = None) -> EvalLog:
    """The checkpoints in a file of rows or of accuracies, or in a folder of rows, of lm-eval results or samples.

    Raises:
        LogError: not a log of any known layout, or one with a fault; the message says where.
        ArgumentError: an option that this log needs was not given.
    """
    try:
        return _read_evals(path, ReadOptions() if options is None else options)
    except OverflowError as error:  # JSON bounds no integer
        raise LogError(f"{path} must hold numbers that a float can hold; got a larger one: {error}.") from error


def _read_evals(path: Path, options: ReadOptions) -> EvalLog:
    """`read_evals`, but for integers beyond any float."""
    if not path.exists():
        raise LogError(f"there is no log at {path}.")
    if not path.is_dir():
        if not path.is_file():
            rule = "be a file or a folder, since it is read more than once"
            raise LogError(f"{path} must {rule}; got a pipe or a device. Give - to read standard input.")
        if is_curve(path, options):
            return read_curve(path, options)
        _refuse_results(path)
        return read_rows([path], path, options)
    files = [each for each in _files(path) if not each.name.startswith(".") and each.is_file()]
    named, jsons = _ending(files, _ROW_SUFFIXES), _ending(files, _RESULT_SUFFIXES)
    found = documents(jsons)
    results = [each.path for each in found.results]
    samples = [each for each in files if is_samples(each)]
    beside = {each.path: each.content for each in found.results if each.kind == RESULTS}
    if samples and (
        options.task in tasks_of(samples, beside, options.task).values() or not found.has_task(options.task)
    ):
        return _said(read_samples(samples, path, options, beside), path, files, [*samples, *beside])
    rows = [each for each in named if _reads(layout_in, each, options)]
    if rows and results:
        raise LogError(
            f"{path} must hold files of one kind; got {rows[0].relative_to(path)} and {results[0].relative_to(path)}. "
            f"Give the folder of the one or the other."
        )
    curves = [] if rows or results else [each for each in named + jsons if _reads(is_curve, each, options)]
    if curves:
        latest = max(curves, key=lambda each: (trainer_state(each) or {}).get("global_step") or 0)
        if len(curves) > 1 and any(trainer_state(each) is None for each in curves):
            found_in = ", ".join(str(each.relative_to(path)) for each in curves[:12])
            raise LogError(f"{path} must hold the accuracies of one run; it has {found_in}. Give one of these files.")
        return _said(read_curve(latest, options), path, files, [latest])
    if not rows and not results and any(each.suffix == ".eval" for each in files):
        remedy = "Write them as JSON: inspect log convert --to json --output-dir OUT FOLDER."
        raise LogError(f"{path} must hold inspect_ai's logs as JSON; got .eval files. {remedy}")
    if rows or (named and not results):
        return _said(read_rows(rows or named, path, options), path, files, rows)
    if results:
        return _said(_read_documents(found, path, options), path, files, results)
    if jsons:
        raise found.none(path)
    raise LogError(
        f"{path} must hold CSV or JSONL rows, lm-eval results or lm-eval samples; it has no such file. Hidden folders "
        f"and virtual environments are not looked into."
    )


def tasks_in(path: Path, options: ReadOptions) -> tuple[str | None, ...]:
    """The tasks of a log: None alone where it has no more than one, which need not be named.

    Raises:
        LogError: not a log, or one with a fault.
        ArgumentError: as of `read_evals`.
    """
    try:
        read_evals(path, replace(options, task=None))
    except SeveralTasksError as error:
        return error.tasks
    return (None,)


def _read_documents(found: Documents, root: Path, options: ReadOptions) -> EvalLog:
    """The log in files of results, with a note on those that cannot be read.

    Raises:
        LogError: results of several tools.
    """
    kinds = {each.kind: each.path.relative_to(root) for each in found.results}
    if len(kinds) > 1:
        got = ", ".join(f"{kind} ({each})" for kind, each in kinds.items())
        raise LogError(f"{root} must hold results of one kind; got {got}. Give the folder of one.")
    log = _READERS[found.results[0].kind](found.results, root, options)
    more = f" {len(found.faults) - 1} more likewise." if len(found.faults) > 1 else ""
    unread = [f"Left out, as it cannot be read: {fault}{more}" for fault in found.faults[:1]]
    return replace(log, notes=(*log.notes, *unread))


def _files(root: Path) -> list[Path]:
    """All files below a folder in order, but for those of hidden folders and of virtual environments."""
    found: list[Path] = []
    for place, folders, names in os.walk(root):
        found += [Path(place, name) for name in names]
        folders[:] = [
            each
            for each in folders
            if not each.startswith(".") and each not in _NO_LOGS and not Path(place, each, "pyvenv.cfg").exists()
        ]
    return sorted(found)


def _reads(reader: Callable[..., object], *arguments: object) -> bool:
    """Whether a reader finds in a file what it looks for."""
    try:
        return reader(*arguments) not in (None, False)
    except LogError:
        return False


def _said(log: EvalLog, root: Path, files: Sequence[Path], read: Collection[Path]) -> EvalLog:
    """The log, with a note on the files of its folder that were not read."""
    others = [each for each in files if each not in set(read)]
    if not others:
        return log
    count = "1 file that is no such log was" if len(others) == 1 else f"{len(others)} files that are no such log were"
    names = ", ".join(each.name for each in others[:3]) + (", ..." if len(others) > 3 else "")
    known = {*log.steps, *(step_in_name(each, root) for each in read)}
    steps = {step for each in others if (step := step_in_name(each, root)) is not None and step not in known}
    lacking = f" Nothing else was there of steps {listed(steps)}." if steps and len(read) > 1 else ""
    return replace(log, notes=(*log.notes, f"{count} passed over ({names}).{lacking}"))


def _ending(files: Iterable[Path], suffixes: tuple[str, ...]) -> list[Path]:
    return [each for each in files if each.name.lower().endswith(suffixes)]


def _refuse_results(path: Path) -> None:
    """Refuse one lm-eval results file by itself: JSON over several lines is no file of rows."""
    lines = itertools.islice((line.strip() for line in lines_of(path) if line.strip()), 2)
    first = next(lines, "")
    if first.startswith("{") and not first.endswith("}"):
        raise LogError(
            f"{path}, row 1, must be one JSON object on one line. Results of lm-eval are read from the folder that "
            f"holds one file a checkpoint."
        )
