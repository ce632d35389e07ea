"""Results without samples, one file a checkpoint: an accuracy per task, so a learning curve and nothing more.

Read are the layout of EleutherAI/pythia's evals/ (`"acc": 0.3`), the one of lm-eval 0.4 (`"acc,none": 0.3`),
lighteval's (`"leaderboard|gsm8k|5|0"`) and bigcode's (`"humaneval": {"pass@1": 0.3}`). How many problems were solved
follows from their number, and that, where it is not recorded, from the standard error.
"""

import re
import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakeven.errors import LogError, argument_error
from breakeven.readers import sizes
from breakeven.readers.documents import Document
from breakeven.readers.log import EvalCheckpoint, EvalLog, in_order, listed
from breakeven.readers.metrics import check_same, choose_filter, choose_metric, choose_task
from breakeven.readers.options import ReadOptions
from breakeven.readers.places import counted, latest, step_of
from breakeven.ttc.tally import Tally

FORMAT = "lm-eval results"
_TEMPERATURE = re.compile(r"\btemperature['\"]?\s*[:=]\s*(\d+(?:\.\d+)?)")
_NOT_DRAWN = re.compile(r"\bdo_sample['\"]?\s*[:=]\s*False")
_NO_METRIC = frozenset(("sample_len", "samples", "sample_count", "alias", "name"))


@dataclass(frozen=True, slots=True)
class _Result:
    key: str
    """Metric and filter, as lm-eval writes them."""
    accuracy: float
    num_problems: int | None
    derived: float | None
    mean_of_tasks: bool
    """Whether it is a group's, which averaged its tasks and not their problems."""


def tasks_of(content: dict[str, Any]) -> list[str]:
    """The tasks of a results file, without lighteval's average of them all."""
    names = list(content["results"])
    return [name for name in names if name != "all"] if "config_general" in content and len(names) > 1 else names


def steps_of(read: Sequence[Document], task: str, root: Path) -> dict[Path, int]:
    """The steps of those files that hold a task, each as the file names it."""
    return {each.path: step_of(each.path, root, each.content) for each in read if task in each.content["results"]}


def read_results(read: Sequence[Document], root: Path, options: ReadOptions) -> EvalLog:
    """The learning curve in a folder of results files."""
    names = sorted({name for each in read for name in tasks_of(each.content)})
    task = choose_task(names, _named(options.task, names), root)
    contents = {each.path: each.content for each in read}
    own = steps_of(read, task, root)
    steps, notes = counted(own, root)
    chosen, older = latest(steps, root)
    if left_out := len(read) - len(own):
        notes.append(f"{left_out} of {len(read)} files do not have the task {task} and were left out.")
    if older:
        notes.append(f"{older} older evaluations of a checkpoint were left out: the latest of each counts.")
    flops_at: dict[int, float] = {}
    results: list[_Result] = []
    unknown = []
    keys: dict[Path, str] = {}
    for step, path in chosen.items():
        if (result := _result(path, contents[path], task, options)) is None:
            unknown.append(step)
        else:
            flops_at[step] = options.flops_at(step, FORMAT)
            results.append(result)
            keys[path] = result.key
    check_same(keys)
    if unknown:
        notes.append(f"Checkpoints without a number for {task} (null or NaN) were left out: steps {listed(unknown)}.")
    notes.append("No samples were recorded: what can be decided is one greedy answer and the forecast, no larger K.")
    notes += _differing([contents[path] for path in chosen.values()], task)
    notes += _drawn([contents[path] for path in chosen.values()], task)
    if any(each.mean_of_tasks for each in results):
        notes.append(f"{task} averages its tasks, not their problems: its accuracy is taken for a share of problems.")
    order = in_order(root, flops_at)
    notes += [note for note in order.notes if "sorted" not in note]  # files have no order of their own
    size = _num_problems(results, options, notes)
    kept = [results[code] for code in order.codes]

    def build(index: int) -> EvalCheckpoint:
        tally = Tally.of_accuracy(kept[index].accuracy, size)
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


def _result(path: Path, content: dict[str, Any], task: str, options: ReadOptions) -> _Result | None:
    """The accuracy of one file; None where it is null or NaN."""
    values = content["results"][task]
    if not isinstance(values, dict):
        raise LogError(f"{path}, task {task}, must be a JSON object of metrics; got {type(values).__name__}.")
    keys = [
        key
        for key, value in values.items()
        if (value is None or (isinstance(value, int | float) and not isinstance(value, bool)))
        and not _bare(key).endswith("_stderr")
        and key not in _NO_METRIC
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
    by_filter = {key.partition(",")[2]: key for key in keys if _bare(key) == metric}
    key = by_filter[choose_filter(sorted(by_filter), options.answer_filter, f"{path}, task {task},")]
    if values[key] is None:
        return None
    accuracy = float(values[key])
    if not 0.0 <= accuracy <= 1.0:
        raise LogError(
            f"{path}, task {task}, metric {key}, must be a share from 0 to 1; got {accuracy}. "
            f"Divide percentages by 100."
        )
    error_key = f"{metric}_stderr" + key.removeprefix(metric)
    if sizes.is_group(content, task):
        size, right = sizes.group_size(content, task, key, error_key)
        size = sizes.recorded(content, task) or size
        return _Result(key, accuracy, size, None, right is not None and abs(right - accuracy) > 1e-3)
    size, error = sizes.recorded(content, task), values.get(error_key)
    if size is not None and options.num_problems is None:
        sizes.check_error(accuracy, error, size, f"{path}, task {task}, metric {key},")
    return _Result(key, accuracy, size, sizes.derived(accuracy, error), mean_of_tasks=False)


def _bare(key: str) -> str:
    return key.partition(",")[0]


def _named(asked: str | None, names: Collection[str]) -> str | None:
    """The task asked for, by lighteval's full name where only its middle part was given."""
    full = [name for name in names if asked in name.split("|")]
    return full[0] if asked not in names and len(full) == 1 else asked


def _differing(contents: Sequence[dict[str, Any]], task: str) -> list[str]:
    """Notes on settings in which the evaluations of the checkpoints differ."""
    notes = []
    for name, what in (("n-shot", "numbers of shots"), ("versions", "versions of the task")):
        tables = [content.get(name) for content in contents]
        found = {str(table[task]) for table in tables if isinstance(table, dict) and task in table}
        if name == "n-shot" and not found:
            configs = [content.get("config") for content in contents]
            found = {str(each["num_fewshot"]) for each in configs if isinstance(each, dict) and "num_fewshot" in each}
        if len(found) > 1:
            notes.append(
                f"Checkpoints were evaluated with several {what}, {', '.join(sorted(found))}: compare with care."
            )
    return notes


def _drawn(contents: Sequence[dict[str, Any]], task: str) -> list[str]:
    """A note where the answers were drawn at a temperature, as far as the settings say."""
    for content in contents:
        configs = content.get("configs")
        own = configs.get(task) if isinstance(configs, dict) else None
        for settings in (own, content.get("config"), content.get("config_general")):
            found = _TEMPERATURE.search(str(settings))
            if found and float(found[1]) > 0 and not _NOT_DRAWN.search(str(settings)):
                return [
                    f"{task} was drawn at temperature {found[1]}: what is called greedy is the accuracy of one drawn "
                    f"sample."
                ]
    return []


def _num_problems(results: list[_Result], options: ReadOptions, notes: list[str]) -> int:
    """How many problems stand behind the accuracies.

    Raises:
        ArgumentError: nothing tells, or the checkpoints tell different numbers.
    """
    tells = [each.num_problems or each.derived for each in results]
    told = [each for each in tells if each is not None]
    if options.num_problems is not None:
        size = round(statistics.median(told)) if told else options.num_problems
        if sizes.differ(options.num_problems, size):
            notes.append(f"--num-problems says {options.num_problems} problems, where the log tells {size}.")
        return options.num_problems
    if not told:
        rule = "be given, since no checkpoint's standard error tells how many there are"
        raise argument_error("--num-problems", rule, "none")
    size = sizes.agreed(told)
    if all(each.num_problems is None for each in results):
        notes.append(f"{size} problems, as the standard errors tell (--num-problems to say otherwise).")
    return size
