"""Accuracies per checkpoint without samples: exports of wandb and tensorboard, JSONL, transformers' trainer_state.json.

One accuracy a checkpoint is a learning curve and nothing more, so what can be decided is one greedy sample.
"""

import json
import math
import statistics
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeGuard

from breakeven.errors import LogError
from breakeven.readers.accuracy_column import TENSORBOARD, accuracy_column, candidates, loss_beside, metric_in
from breakeven.readers.columns import names_in, plain
from breakeven.readers.lines import first_row, is_jsonl, lines_of, read_chunks
from breakeven.readers.log import EvalLog
from breakeven.readers.metrics import choose_task
from breakeven.readers.options import ReadOptions
from breakeven.readers.points import Point, curve_log

FORMAT, TRAINER_STATE = "accuracies per checkpoint", "transformers' trainer_state.json"
_OTHER_LAYOUTS = {"problem", "task_id", "doc_id", "filtered_resps", "n", "c", "answer", "correct"}
_READ = {each.name for each in fields(Point)} | {"seconds"}
_LARGEST = 1e100
_HEAD = 1000
"""Rows by which a file is told."""

Row = tuple[int, Mapping[str, Any]]
"""Its number in the file, and its cells."""


def is_curve(path: Path, options: ReadOptions) -> bool:
    """Whether a file holds accuracies per checkpoint."""
    if (state := trainer_state(path)) is not None:
        return bool(state)
    rows = _rows(path)
    columns = _columns(islice(rows, 1)) or list(first_row(path))
    others = _OTHER_LAYOUTS - set(map(plain, options.columns.values()))
    if not others.isdisjoint({*names_in(columns, {}, path), *options.columns, *map(plain, columns)}):
        return False
    columns += _columns(islice(rows, _HEAD))
    known = {plain(each) for each in columns} | {metric_in(each) for each in columns}
    asked = (options.columns.get("accuracy"), options.metric)
    return bool(candidates(columns)) or any(each is not None and plain(each) in known for each in asked)


def read_curve(path: Path, options: ReadOptions) -> EvalLog:
    """The learning curve in one file.

    Raises:
        LogError: no step or accuracy in it, several columns that may be the accuracy, or a cell that is no number.
        ArgumentError: nothing tells how many problems there are.
    """
    state = trainer_state(path)
    rows = list(_rows(path)) if state is None else list(enumerate(state["log_history"], 1))
    columns = _columns(rows) or ([] if state else list(first_row(path)))
    names = names_in(columns, options.columns, path)
    if "step" not in names:
        raise LogError(f"{path} must have a column step (--column step=...); it has {', '.join(columns) or 'no rows'}.")
    notes: list[str] = []
    if "accuracy" not in options.columns:
        names["accuracy"] = accuracy_column(columns, options, path)
        if plain(names["accuracy"]) not in ("accuracy", plain(options.task or "")):
            notes.append(f'Accuracy: column "{names["accuracy"]}" (--column accuracy=... for another).')
        names.setdefault("stderr", f"{names['accuracy']}_stderr")
    if "validation_loss" not in options.columns and (beside := loss_beside(names["accuracy"])) in columns:
        names["validation_loss"] = beside
    rows = [row for row in rows if row[1].get(names["accuracy"]) not in (None, "")]
    tasks = {str(row[names["task"]]) for _, row in rows if "task" in names and row.get(names["task"]) not in (None, "")}
    if tasks:
        task = choose_task(sorted(tasks), options.task, path)
        rows = [row for row in rows if str(row[1].get(names["task"])) == task]
    points = _points(rows, names, path, options, notes)
    if not points:
        raise LogError(f"{path} must hold an accuracy; column {names['accuracy']} is empty.")
    loss_column = names.get("validation_loss") if any(each.validation_loss is not None for each in points) else None
    if state is None:
        return curve_log(points, path, FORMAT, options, notes, loss_column=loss_column)
    if all(each.num_problems is None and each.stderr is None for each in points):
        points = _sized(points, rows, names["accuracy"].rpartition("_")[0], notes)
    last, spent, steps = (state.get(each) for each in ("global_step", "total_flos", "max_steps"))
    per_step = float(spent) / float(last) if spent and last else None
    if per_step is not None:
        notes.append("Training FLOPs: total_flos of trainer_state.json, the same for each step.")
    budget_steps = steps if isinstance(steps, int) and steps > 0 else None
    return curve_log(
        points,
        path,
        TRAINER_STATE,
        options,
        notes,
        flops_per_step=per_step,
        budget_steps=budget_steps,
        loss_column=loss_column,
    )


def _sized(points: list[Point], rows: Collection[Row], prefix: str, notes: list[str]) -> list[Point]:
    """The points with the number of examples that the trainer's times and rates of evaluation tell."""
    told = [(row.get(f"{prefix}_runtime"), row.get(f"{prefix}_samples_per_second")) for _, row in rows]
    sizes = [time * rate for time, rate in told if _is_number(time) and _is_number(rate)]
    size = round(statistics.median(sizes)) if sizes else 0
    if size < 1 or max(abs(each - size) for each in sizes) > 0.5 + 0.005 * size:  # the trainer rounds both
        return points
    notes.append(f"{size} problems, as {prefix}_runtime and {prefix}_samples_per_second tell (or --num-problems).")
    return [replace(each, num_problems=size) for each in points]


def _is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number to compute with: finite, and within what anything is counted in."""
    return isinstance(value, float | int) and abs(value) < _LARGEST


def trainer_state(path: Path) -> dict[str, Any] | None:
    """What is in a trainer_state.json; {} for any other JSON object over several lines; None for other files.

    Raises:
        LogError: its count of steps or of FLOPs is no number.
    """
    first = next((line.strip() for line in lines_of(path) if line.strip()), "")
    if not first.startswith("{") or (first.endswith("}") and '"log_history"' not in first):
        return None
    try:
        content: Any = json.loads("".join(lines_of(path)))  # it may hold NaN, which is no JSON
    except (ValueError, RecursionError):
        return {}
    if not isinstance(content, dict):
        return {}
    history = content.get("log_history")
    if not isinstance(history, list) or not all(isinstance(each, dict) for each in history):
        return {}
    for name in ("global_step", "total_flos"):
        if content.get(name) is not None and not _is_number(content[name]):
            raise LogError(f"{path} must have a finite number as {name}; got {str(content[name])[:60]!r}.")
    return content


def _rows(path: Path) -> Iterator[Row]:
    if not is_jsonl(path):
        for chunk in read_chunks(path, list(first_row(path))):
            for index, number in enumerate(chunk.row_R):
                yield number, {name: cells[index] for name, cells in chunk.columns.items()}
        return
    if _starts_array(path):
        items: Iterable[tuple[int, Any]] = enumerate(_array(path), 1)
    else:
        lines = ((number, line) for number, line in enumerate(lines_of(path), 1) if line.strip())
        items = ((number, _json(line, f"{path}, line {number}")) for number, line in lines)
    for number, item in items:
        if not isinstance(item, dict):
            raise LogError(f"{path}, row {number}, must be a JSON object; got {str(item)[:60]!r}.")
        yield number, item


def _starts_array(path: Path) -> bool:
    return next((line.lstrip().startswith("[") for line in lines_of(path) if line.strip()), False)


def _array(path: Path) -> list[Any]:
    """The objects of one JSON array, or the [wall time, step, value] of tensorboard's."""
    items: list[Any] = _json("".join(lines_of(path)), f"{path}")
    if items and all(isinstance(each, list) and len(each) == len(TENSORBOARD) for each in items):
        return [dict(zip(TENSORBOARD, each, strict=True)) for each in items]
    if not items or not isinstance(items[0], dict):
        first_row(path)  # says what is wrong
    return items


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_named_once)  # it may hold NaN, which is no JSON
    except (ValueError, RecursionError) as error:
        raise LogError(f"{where}, must be JSON: {error}.") from None


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"one object names {twice!r} twice")
    return made


def _columns(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for _, row in rows for name in row))


def _points(
    rows: Collection[Row], names: Mapping[str, str], path: Path, options: ReadOptions, notes: list[str]
) -> list[Point]:
    points: dict[int, Point] = {}
    unknown = 0
    for number, row in rows:
        cell = {ours: _number(row.get(theirs), path, number, theirs) for ours, theirs in names.items() if ours in _READ}
        accuracy, step = cell["accuracy"], cell["step"]
        if accuracy is None or math.isnan(accuracy):
            unknown += 1
            continue
        accuracy /= 100.0 if options.percent else 1.0
        where = f"{path}, row {number}"
        if not 0.0 <= accuracy <= 1.0:
            remedy = "Are these percentages? Then add --percent." if 1.0 < accuracy <= 100.0 else "Is it an accuracy?"
            raise LogError(
                f"{where}, column {names['accuracy']}, must be a share from 0 to 1; got {accuracy:.6g}. {remedy}"
            )
        if step is None or not 0 <= step < 2**63 or step % 1:
            raise LogError(f"{where}, column {names['step']}, must be a whole number from 0 up; got {step}.")
        hours = cell.get("hours")
        if hours is None and (seconds := cell.get("seconds")) is not None:
            hours = seconds / 3600.0
        error, loss = cell.get("stderr"), cell.get("validation_loss")
        if loss is not None and loss < 0:
            raise LogError(f"{where}, column {names['validation_loss']}, must be a loss of at least 0; got {loss:.6g}.")
        for name in ("num_problems", "train_flops", "train_tokens", "hours", "wall_time"):
            if (value := cell.get(name)) is not None and not 0 <= value < math.inf:
                raise LogError(f"{where}, column {names[name]}, must be finite and at least 0; got {value}.")
        point = Point(
            where=where,
            step=int(step),
            accuracy=accuracy,
            stderr=None if error is None or not 0 < error < math.inf else error / (100.0 if options.percent else 1.0),
            validation_loss=loss if loss is not None and math.isfinite(loss) else None,
            hours=hours,
            **{name: cell.get(name) for name in ("num_problems", "train_flops", "train_tokens", "wall_time")},
        )
        met = points.setdefault(point.step, point)
        if met.accuracy != point.accuracy:
            raise LogError(
                f"{where}: step {point.step} must have one accuracy; got {point.accuracy:.6g} after {met.accuracy:.6g} "
                f"in row {met.where.rpartition(' ')[2]}. Are there several runs, tasks or stages? Give one of them."
            )
    if unknown:
        notes.append(f"{unknown} row{'s' if unknown > 1 else ''} without a number as accuracy left out.")
    return list(points.values())


def _number(value: object, path: Path, row: int, column: str) -> float | None:
    """A number however written, NaN and percentages with their sign included; None for an empty cell."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        if isinstance(value, str) and value.rstrip().endswith("%"):
            return float(value.rstrip()[:-1]) / 100.0
        return float(value)
    except ValueError:
        raise LogError(f"{path}, row {row}, column {column}, must be a number; got {value!r}.") from None
