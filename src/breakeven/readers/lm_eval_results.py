"""lm-eval results, one file a checkpoint: an accuracy per task and no samples, so a learning curve and nothing more.

Read are the layout of EleutherAI/pythia's evals/ (`"acc": 0.3`) and the one of lm-eval 0.4 (`"acc,none": 0.3`). How
many problems were solved follows from their number, and that, where it is not recorded, from the standard error.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from breakeven.errors import LogError, argument_error
from breakeven.readers.lines import lines_of
from breakeven.readers.log import EvalCheckpoint, EvalLog, in_order
from breakeven.readers.metrics import choose_metric, choose_task
from breakeven.readers.options import ReadOptions, required_step
from breakeven.ttc.tally import Tally

FORMAT = "lm-eval results"
_AGREE = 0.02
"""Numbers of problems that follow from the checkpoints' standard errors may differ by this share."""


@dataclass(frozen=True, slots=True)
class _Result:
    path: Path
    accuracy: float
    error: float | None
    num_problems: int | None


def load_results(path: Path) -> dict[str, Any] | None:
    """A results file as read from JSON, or None for any other JSON file.

    Raises:
        LogError: not JSON, or JSON that is no object.
    """
    text = "".join(lines_of(path))
    if not text.strip():
        raise LogError(f"{path} must hold lm-eval results; it is empty.")
    try:
        content = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise LogError(f"{path} must be JSON: {error}.") from error
    if not isinstance(content, dict):
        raise LogError(f"{path} must hold a JSON object; got {type(content).__name__}.")
    return content if isinstance(content.get("results"), dict) else None


def read_results(paths: Sequence[Path], root: Path, options: ReadOptions) -> EvalLog:
    """The learning curve in a folder of results files."""
    read = [(path, content) for path in paths if (content := load_results(path)) is not None]
    if not read:
        raise LogError(f"{root} must hold lm-eval results; no JSON file in it has the key results.")
    task = choose_task(sorted({name for _, content in read for name in content["results"]}), options.task, root)
    flops_at: dict[int, float] = {}
    results: list[_Result] = []
    notes, left_out = [], 0
    steps: dict[int, Path] = {}
    for path, content in read:
        step = required_step(path, root)
        if step in steps:
            raise LogError(f"{path} must be the only file of step {step} in {root}; {steps[step]} is there too.")
        steps[step] = path
        if task not in content["results"]:
            left_out += 1
            continue
        flops_at[step] = options.flops_at(step, FORMAT)
        results.append(_result(path, content, task, options))
    if left_out:
        notes.append(f"{left_out} of {len(read)} files do not have the task {task} and were left out.")
    notes.append("No samples were recorded: what can be decided is one greedy answer and the forecast, no larger K.")
    order = in_order(root, flops_at)
    notes += [note for note in order.notes if "sorted" not in note]  # files have no order of their own
    size = _num_problems(results, options, notes)
    kept = [results[code] for code in order.codes]

    def build(index: int) -> EvalCheckpoint:
        right = round(kept[index].accuracy * size)
        nothing = np.zeros(size, dtype=np.int64)
        tally = Tally(correct_P=nothing, samples_P=nothing, greedy_P=np.arange(size) < right)
        return EvalCheckpoint(step=order.steps[index], train_flops=order.train_flops[index], tally=tally)

    return EvalLog(
        format=FORMAT,
        steps=order.steps,
        train_flops=order.train_flops,
        num_problems=size,
        has_greedy=True,
        has_samples=False,
        notes=tuple(notes),
        build=build,
    )


def _result(path: Path, content: dict[str, Any], task: str, options: ReadOptions) -> _Result:
    values = content["results"][task]
    if not isinstance(values, dict):
        raise LogError(f"{path}, task {task}, must be a JSON object of metrics; got {type(values).__name__}.")
    keys = [
        key
        for key, value in values.items()
        if isinstance(value, int | float)
        and not _bare(key).endswith("_stderr")
        and key not in ("sample_len", "samples")
    ]
    higher = content.get("higher_is_better")
    higher = higher.get(task) if isinstance(higher, dict) else None
    metric = choose_metric(
        {_bare(key) for key in keys},
        options.metric,
        where=path,
        task=task,
        higher=higher if isinstance(higher, dict) else None,
    )
    key = _choose_filter([key for key in keys if _bare(key) == metric], options.answer_filter, path, task)
    accuracy = float(values[key])
    if not 0.0 <= accuracy <= 1.0:
        raise LogError(
            f"{path}, task {task}, metric {key}, must be a share from 0 to 1; got {accuracy}. "
            f"Divide percentages by 100."
        )
    error = values.get(f"{metric}_stderr" + key.removeprefix(metric))
    number = content.get("n-samples")
    number = number.get(task) if isinstance(number, dict) else None
    effective = number.get("effective") if isinstance(number, dict) else None
    return _Result(
        path,
        accuracy,
        float(error) if isinstance(error, int | float) and math.isfinite(error) and error > 0 else None,
        effective if isinstance(effective, int) and effective > 0 else None,
    )


def _bare(key: str) -> str:
    return key.partition(",")[0]


def _choose_filter(keys: list[str], asked: str | None, path: Path, task: str) -> str:
    by_filter = {key.partition(",")[2]: key for key in keys}
    if asked is not None and any(by_filter):
        if asked not in by_filter:
            raise LogError(
                f"{path}, task {task}, must have --answer-filter {asked}; it has {', '.join(sorted(by_filter))}."
            )
        return by_filter[asked]
    if len(keys) > 1:
        raise LogError(
            f"{path}, task {task}, has several filters: {', '.join(sorted(by_filter))}. "
            f"Choose one with --answer-filter."
        )
    return keys[0]


def _num_problems(results: list[_Result], options: ReadOptions, notes: list[str]) -> int:
    """How many problems stand behind the accuracies.

    Raises:
        ArgumentError: nothing tells, or the checkpoints tell different numbers.
    """
    if options.num_problems is not None:
        return options.num_problems
    recorded = {each.num_problems for each in results}
    if len(recorded) == 1 and (only := recorded.pop()) is not None:
        return only
    derived = [
        1.0 + each.accuracy * (1.0 - each.accuracy) / each.error**2
        for each in results
        if each.error is not None and 0.0 < each.accuracy < 1.0
    ]
    if not derived:
        rule = "be given, since no checkpoint's standard error tells how many there are"
        raise argument_error("--num-problems", rule, "none")
    size = round(statistics.median(derived))
    if max(abs(each - size) for each in derived) > max(1.0, _AGREE * size):
        rule = "be given, since the checkpoints' standard errors tell different numbers of problems"
        remedy = "Is the metric a share of problems solved, on the same problems at every checkpoint?"
        raise argument_error("--num-problems", rule, f"{min(derived):.0f} to {max(derived):.0f}", remedy)
    notes.append(f"{size} problems, as the standard errors tell (--num-problems to say otherwise).")
    return size
