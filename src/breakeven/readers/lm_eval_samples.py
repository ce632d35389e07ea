"""lm-eval 0.4 with --log_samples: `samples_<task>_<date>.jsonl` a checkpoint, one line a problem and filter.

Versions before 0.4.3 write `<model_args>_<task>.jsonl`, one JSON list without the names of filters.

lm-eval grades one answer a problem and filter even where `repeats` drew more, except for metrics that see them all.
So samples come from, in this order: a metric that is a list of verdicts, `pass@1` over N answers, or one verdict.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from breakeven.errors import LogError
from breakeven.readers.documents import load
from breakeven.readers.lines import json_object, lines_of
from breakeven.readers.log import EvalLog, listed
from breakeven.readers.metrics import check_same, choose_filter, choose_metric, choose_task
from breakeven.readers.options import ReadOptions, step_in_text
from breakeven.readers.places import counted, latest, step_if_any, step_of
from breakeven.readers.single import Lines
from breakeven.readers.table import Table
from breakeven.readers.votes import NO_ANSWER_TEXT

FORMAT = "lm-eval samples"
_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d\d-\d\dT[\d.\-]+)\.jsonl(?:\.gz)?")
_ROW_KEYS = frozenset(("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"))


def is_samples(path: Path) -> bool:
    """Whether a file is named as lm-eval names its samples, or is such a list as its earlier versions wrote."""
    if _NAME.fullmatch(path.name):
        return True
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        return False
    try:
        start = "".join(line for _, line in zip(range(4), lines_of(path), strict=False))
    except LogError:
        return False
    return re.match(r'\s*\[\s*\{\s*"doc_id"', start) is not None


def _task_of(path: Path, tasks: Sequence[str]) -> str:
    """The task of a file of samples, of those in the results beside it where its name alone does not tell."""
    if match := _NAME.fullmatch(path.name):
        return match["task"]
    stem = path.name.partition(".jsonl")[0]
    if found := [name for name in tasks if stem.endswith(f"_{name}")]:
        return max(found, key=len)
    place = step_in_text(stem)
    return stem if place is None else stem[place[1] :].lstrip("0123456789").lstrip("_") or stem


def tasks_of(paths: Sequence[Path], results: Mapping[Path, dict[str, Any]], asked: str | None) -> dict[Path, str]:
    """The task of each file of samples; `asked` where its name ends so and no results beside it say more."""
    more = () if asked is None else (asked,)
    return {path: _task_of(path, tuple(_beside(path, results).get("results", more))) for path in paths}


def read_samples(
    paths: Sequence[Path], root: Path, options: ReadOptions, results: Mapping[Path, dict[str, Any]]
) -> EvalLog:
    """The log in a folder of lm-eval outputs, one folder (or file) a checkpoint.

    Args:
        paths: files of samples.
        root: the folder.
        options: the user's choices.
        results: the results files beside them, which may say what the names do not.
    """
    tasks = tasks_of(paths, results, options.task)
    task = choose_task(sorted(set(tasks.values())), options.task, root)
    table = Table(root, single=True)
    own = {
        path: step
        for path in paths
        if (step := (step_of if tasks[path] == task else step_if_any)(path, root, _beside(path, results))) is not None
    }
    of_results = {
        path: step
        for path, content in results.items()
        if task in content["results"] and (step := step_if_any(path, root, content)) is not None
    }
    steps, notes = counted(own | of_results, root)
    chosen, older = latest({path: step for path, step in steps.items() if tasks.get(path) == task}, root)
    if older:
        notes.append(f"{older} older evaluations of a checkpoint were left out: the latest of each counts.")
    for others, what in ((of_results, f"results of {task}"), (own, "samples of other tasks")):
        if lacking := sorted({steps[path] for path in others if path in steps} - set(chosen)):
            notes.append(
                f"{len(lacking)} checkpoints have {what} but no samples of {task}, and were left out "
                f"(steps {listed(lacking)})."
                + (" To decide on results alone, give a folder without the samples." if others is of_results else "")
            )
    table.notes += notes
    ungraded = 0
    chosen_in: dict[Path, str] = {}
    for step, path in sorted(chosen.items()):
        code = table.code_of(step, options.flops_at(step, FORMAT), path)
        lines, skipped, chosen_in[path] = _read(path, task, options)
        ungraded = max(ungraded, skipped)
        lines.into(table, path, code)
    check_same(chosen_in)
    if ungraded:
        table.notes.append(
            f"lm-eval graded one answer a problem and left {ungraded} responses ungraded; only graded ones count."
        )
    return table.log(FORMAT, oracle=not options.checker)


def _beside(path: Path, results: Mapping[Path, dict[str, Any]]) -> dict[str, Any]:
    """The results that were written with a file of samples: those of its date, or the only ones in its folder."""
    match = _NAME.fullmatch(path.name)
    if match and (same := results.get(path.with_name(f"results_{match['date']}.json"))):
        return same
    near = [content for each, content in results.items() if each.parent == path.parent]
    return near[0] if len(near) == 1 else {}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of a file with their numbers, from 1."""
    if _NAME.fullmatch(path.name):
        for number, text in enumerate(lines_of(path), 1):
            if text.strip():
                yield number, json_object(text, path, number)
    else:
        yield from ((number, row) for number, row in enumerate(load(path), 1) if isinstance(row, dict))


def _read(path: Path, task: str, options: ReadOptions) -> tuple[Lines, int, str]:
    """The samples of one file, how many responses a problem were not graded, and the metric and filter chosen."""
    lines, metric, chosen, ungraded = Lines(), "", _filter_of(path, options.answer_filter), 0
    met: set[str] = set()
    for number, row in _rows(path):
        if "doc_id" not in row:
            raise LogError(f"{path}, row {number}, must have the key doc_id.")
        if chosen is not None and row.get("filter", chosen) != chosen:
            continue
        problem = str(row["doc_id"])
        if chosen is None and problem in met:
            raise LogError(
                f"{path}, row {number}, doc_id {problem}, must stand there once; got it twice. This version of lm-eval "
                f"does not say which filter a row is of: log samples with one filter, or with lm-eval 0.4.3 or later."
            )
        met.add(problem)
        metric = metric or choose_metric(_metrics_of(row), options.metric, where=path, task=task)
        answers = _answers(row)
        verdicts = _verdicts(row, metric, len(answers), path, number)
        greedy = len(verdicts) == 1 and not _sampled(row)
        if len(verdicts) == 1:
            ungraded = max(ungraded, _num_responses(row) - 1)
        voted = len(verdicts) == len(answers) and isinstance(row.get(metric), list)
        for index, verdict in enumerate(verdicts):
            lines.add(problem, verdict, greedy=greedy, answer=answers[index] if voted else None, row=number)
    return lines, ungraded, metric if chosen is None else f"{metric},{chosen}"


def _filter_of(path: Path, asked: str | None) -> str | None:
    """The filter whose verdicts count; None where rows name none.

    Raises:
        LogError: no such filter, several to choose from, or one whose answer is a majority vote of many.
    """
    filters: dict[str, None] = {}
    for _, row in _rows(path):
        if "filter" not in row:
            return None
        filters[str(row["filter"])] = None
    if not filters:
        raise LogError(f"{path} must hold at least one sample; it is empty.")
    return choose_filter(list(filters), asked, str(path))


def _metrics_of(row: dict[str, Any]) -> list[str]:
    named = row.get("metrics")
    if isinstance(named, list):
        return [name for name in named if isinstance(name, str) and name in row]
    return [name for name, value in row.items() if name not in _ROW_KEYS and isinstance(value, int | float | list)]


def _answers(row: dict[str, Any]) -> list[Any]:
    """What the filter left of the responses: N answers, or one."""
    filtered = row.get("filtered_resps")
    while isinstance(filtered, list) and len(filtered) == 1 and isinstance(filtered[0], list):
        filtered = filtered[0]
    return filtered if isinstance(filtered, list) else [NO_ANSWER_TEXT]


def _num_responses(row: dict[str, Any]) -> int:
    """Responses drawn for the first request: `repeats`."""
    responses = row.get("resps")
    if isinstance(responses, list) and len(responses) == 1 and isinstance(responses[0], list):
        return max(1, len(responses[0]))
    return 1


def _verdicts(row: dict[str, Any], metric: str, num_answers: int, path: Path, number: int) -> list[int]:
    """One verdict per graded sample."""
    value = row.get(metric)
    where = f"{path}, row {number}, column {metric},"
    if isinstance(value, list):
        if not value or not all(isinstance(each, int | float) and each in (0, 1) for each in value):
            raise LogError(f"{where} must hold 0 or 1 for each sample; got {str(value)[:60]}.")
        return [int(each) for each in value]
    if not isinstance(value, int | float):
        raise LogError(f"{where} must be 0 or 1; got {str(value)[:60]!r}.")
    if value in (0, 1) and not (metric in ("pass@1", "pass_at_1") and num_answers > 1):
        return [int(value)]
    if metric in ("pass@1", "pass_at_1") and num_answers > 1:
        right = round(value * num_answers)
        if 0 <= right <= num_answers and abs(value * num_answers - right) < 1e-6 * num_answers:
            return [1] * right + [0] * (num_answers - right)
    raise LogError(
        f"{where} must be 0 or 1 for each problem; got {value}. A score in between does not say what is right."
    )


def _sampled(row: dict[str, Any]) -> bool:
    """Whether the answer was drawn at a temperature; greedy is lm-eval's default."""
    arguments = row.get("arguments")
    first = next(iter(arguments.values()), None) if isinstance(arguments, dict) else None
    if isinstance(arguments, list) and arguments:
        first = arguments[0]
    parts = list(first.values()) if isinstance(first, dict) else first if isinstance(first, list) else []
    for part in parts:
        if isinstance(part, dict):
            temperature = part.get("temperature")
            warm = isinstance(temperature, int | float) and temperature > 0
            return warm if temperature is not None else part.get("do_sample") is True
    return False
