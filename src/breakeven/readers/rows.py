"""Files of rows, CSV or JSONL: counts per problem, single samples with their answers, HumanEval results."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from breakeven.errors import LogError, SeveralTasksError
from breakeven.readers import cells
from breakeven.readers.columns import names_in
from breakeven.readers.lines import Chunk, first_row, read_chunks
from breakeven.readers.log import EvalLog
from breakeven.readers.options import ReadOptions, required_step
from breakeven.readers.places import counted, joined, overlapping
from breakeven.readers.plain import Column
from breakeven.readers.table import Rows, Table
from breakeven.readers.votes import fingerprint

COUNTS, SAMPLES, HUMANEVAL = "counts per problem", "single samples", "HumanEval results"
_NEEDED = {
    COUNTS: ("problem", "n", "c"),
    SAMPLES: ("problem", "answer", "correct"),
    HUMANEVAL: ("task_id",),
}
_OPTIONAL = ("step", "train_flops", "train_tokens", "greedy", "task")


def layout_of(columns: Collection[str], path: Path) -> str:
    """Which layout has these columns.

    Raises:
        LogError: none; the message says what each lacks.
    """
    if "task_id" in columns and ("passed" in columns or "result" in columns):
        return HUMANEVAL
    for layout in (COUNTS, SAMPLES):
        if set(_NEEDED[layout]) <= set(columns):
            return layout
    if "doc_id" in columns or "filtered_resps" in columns:
        raise LogError(f"{path} holds lm-eval samples of one checkpoint. Give the folder that holds all checkpoints.")
    missing = [
        f"{', '.join(name for name in needed if name not in columns)} (for {layout})"
        for layout, needed in list(_NEEDED.items())[:2]
    ]
    raise LogError(
        f"{path}, row 1, must name the columns step, train_flops, problem, n, c, or step, train_flops, problem, "
        f"answer, correct; missing: {' or '.join(missing)}. Accuracies per checkpoint are in columns step, accuracy "
        "(--column accuracy=... where it has another name)."
    )


def layout_in(path: Path, options: ReadOptions) -> str:
    """Which layout a file has, by its first row.

    Raises:
        LogError: none, or no row can be read.
    """
    return layout_of(_columns(path, options), path)


def read_rows(paths: Sequence[Path], root: Path, options: ReadOptions) -> EvalLog:
    """The log in one file of rows, or in one file a checkpoint with the step in each one's name."""
    layout = layout_in(paths[0], options)
    table = Table(root, single=layout != COUNTS)
    tasks: set[str] = set()
    columns_of = {path: _columns(path, options) for path in paths}
    named = {path: required_step(path, root) for path in paths if len(paths) > 1 and "step" not in columns_of[path]}
    steps, notes = counted(named, root)
    table.notes += [*notes, *joined(steps, root)]
    for path, columns in columns_of.items():
        if path in named and path not in steps:
            continue  # where a later stage begins, which is where the one before ended
        other = layout_of(columns, path)
        if other != layout:
            raise LogError(f"{path} must be of one layout with the other files, {layout}; it holds {other}.")
        wanted = [*_NEEDED[layout], *_OPTIONAL]
        if layout == HUMANEVAL:
            wanted.append("passed" if "passed" in columns else "result")
        if len(paths) == 1 and "step" not in columns and layout != HUMANEVAL:
            raise LogError(f"{path}, row 1, must name the column step.")
        for chunk in read_chunks(path, wanted, columns):
            chosen = _of_task(chunk, options.task, tasks)
            if chosen.row_R:
                table.blocks.append(_block(chosen, layout, table, steps, options))
    if len(tasks) > 1 and options.task is None:
        raise SeveralTasksError(
            f"{root}, column task, must name one task; got {_listed(tasks)}. Choose one with --task, or several.",
            tuple(sorted(tasks)),
        )
    if tasks and not table.blocks:
        raise LogError(f"{root}, column task, must name --task {options.task}; got {_listed(tasks)}.")
    if len(paths) > 1:
        in_column: dict[Path, set[int]] = defaultdict(set)
        met = list(table.codes)
        for block in table.blocks:
            if block.path not in named:
                in_column[block.path] |= {met[code] for code in np.unique(block.code_R)}
        table.notes += overlapping(in_column, root)
    if layout == HUMANEVAL:
        table.notes.append("Completions are programs and are not voted on.")
    log = table.log(layout, oracle=not options.checker)
    if options.flops_per_token is not None and "train_tokens" in columns and "train_flops" not in columns:
        return replace(log, train_tokens=log.train_flops[-1] / options.flops_per_token)
    return log


def _columns(path: Path, options: ReadOptions) -> dict[str, str]:
    """What the file calls its columns, by our names as far as they are ours."""
    first = first_row(path)
    return {name: name for name in first} | names_in(first, options.columns, path)


def _of_task(chunk: Chunk, task: str | None, tasks: set[str]) -> Chunk:
    """The rows of the task asked for; all where the file names none."""
    if "task" not in chunk.columns or chunk.columns["task"].count(None) == len(chunk.row_R):
        return chunk
    named = list(map(str, chunk.columns["task"]))
    tasks.update(named)
    if task is None or named.count(task) == len(named):
        return chunk
    kept = [index for index, name in enumerate(named) if name == task]
    columns: dict[str, Sequence[Any]] = {
        name: [values[index] for index in kept] for name, values in chunk.columns.items()
    }
    return Chunk(chunk.path, [chunk.row_R[index] for index in kept], columns)


def _block(chunk: Chunk, layout: str, table: Table, steps: Mapping[Path, int], options: ReadOptions) -> Rows:
    size = len(chunk.row_R)
    problem = "task_id" if layout == HUMANEVAL else "problem"
    code_R = _codes(chunk, table, steps, options)
    problem_R = table.problem_codes(cells.names(chunk, problem))
    has_greedy = "greedy" in chunk.columns and chunk.columns["greedy"].count(None) < size
    answer_R: npt.NDArray[np.int64] | None = None
    if layout == COUNTS:
        samples_R, correct_R = cells.counts(chunk, "n"), cells.counts(chunk, "c")
        above = np.flatnonzero(correct_R > samples_R)
        if len(above):
            drawn = int(samples_R[above[0]])
            raise chunk.refuse(int(above[0]), "c", f"be at most the row's n, {drawn}")
        greedy_R = cells.verdicts(chunk, "greedy", absent=-1) if has_greedy else np.full(size, -1, dtype=np.int8)
    else:
        if layout == SAMPLES:
            correct_R = cells.verdicts(chunk, "correct").astype(np.int32)
            answer_R = np.fromiter(map(fingerprint, chunk.columns["answer"]), dtype=np.int64, count=size)
        elif "passed" in chunk.columns:
            correct_R = cells.verdicts(chunk, "passed").astype(np.int32)
        else:
            correct_R = cells.passed(chunk, "result").astype(np.int32)
        samples_R = np.ones(size, dtype=np.int8).astype(np.int32)
        greedy_R = cells.verdicts(chunk, "greedy", absent=0) if has_greedy else np.zeros(size, dtype=np.int8)
    return Rows(
        path=chunk.path,
        code_R=code_R,
        problem_R=problem_R,
        samples_R=samples_R,
        correct_R=correct_R,
        greedy_R=greedy_R,
        row_R=_numbers(chunk.row_R),
        answer_R=answer_R,
    )


def _codes(chunk: Chunk, table: Table, of_files: Mapping[Path, int], options: ReadOptions) -> npt.NDArray[np.int32]:
    """Which checkpoint each row is of. Parsed once for each distinct (step, train_flops) of a chunk."""
    size = len(chunk.row_R)
    columns = chunk.columns
    has_step = "step" in columns and columns["step"].count(None) < size
    named = ("train_flops",) if options.flops_per_token is None else ("train_flops", "train_tokens")
    spent_in = next((name for name in named if name in columns and columns[name].count(None) < size), None)
    unit = options.flops_per_token if spent_in == "train_tokens" and options.flops_per_token else 1.0
    if not has_step:
        step = of_files[chunk.path] if chunk.path in of_files else required_step(chunk.path, table.source)
        if spent_in is None:
            code = table.code_of(step, options.flops_at(step, chunk.path), chunk.path)
            return np.full(size, code, dtype=np.int32)
    steps: Sequence[object] = columns["step"] if has_step else [step] * size
    flops: Sequence[object] = [None] * size if spent_in is None else columns[spent_in]
    starts = _runs(steps, flops)
    keys = [(steps[start], flops[start]) for start in starts]
    try:
        known = dict.fromkeys(keys, -1)
    except TypeError:  # a list or an object in place of a number
        known = {}
        for index in starts:
            if has_step:
                cells.whole(chunk, "step", index)
            if spent_in is not None:
                cells.positive(chunk, spent_in, index)
    for key in known:
        index = starts[keys.index(key)]
        number = cells.whole(chunk, "step", index) if has_step else step
        where = f"{chunk.path}, row {chunk.row_R[index]}"
        if spent_in is None:
            spent = options.flops_at(number, chunk.path)
        else:
            spent = unit * cells.positive(chunk, spent_in, index)
        known[key] = table.code_of(number, spent, where)
    code_S = np.array([known[key] for key in keys], dtype=np.int32)
    return np.repeat(code_S, np.diff([*starts, size]))


def _numbers(row_R: Sequence[int]) -> npt.NDArray[np.int32]:
    if isinstance(row_R, range):
        return np.arange(row_R.start, row_R.stop, row_R.step, dtype=np.int32)
    return np.array(row_R, dtype=np.int32)


def _runs(*columns: Sequence[object]) -> list[int]:
    """Where rows begin that differ in some of the columns from the one before."""
    changed_R = np.ones(len(columns[0]), dtype=bool)
    changed_R[1:] = False
    for column in columns:
        if isinstance(column, Column):
            changed_R[1:] |= column.changes()
            continue
        value_R = np.fromiter(column, dtype=object, count=len(column))
        changed_R[1:] |= value_R[1:] != value_R[:-1]
    return list(np.flatnonzero(changed_R).tolist())


def _listed(names: Collection[str]) -> str:
    shown = sorted(names)
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")
