"""How many problems stand behind an accuracy: as recorded, as its standard error tells, or of a group's tasks."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from breakeven.errors import LogError, argument_error

_AGREE = 0.02
"""Numbers of problems that follow from the checkpoints' standard errors may differ by this share."""


def recorded(content: Mapping[str, Any], task: str) -> int | None:
    """The number that lm-eval (`n-samples`) or lighteval (`config_tasks`) recorded for a task, None for none."""
    for table, key in (("n-samples", "effective"), ("config_tasks", "effective_num_docs")):
        rows = content.get(table)
        names = (task, task.rpartition("|")[0]) if table == "config_tasks" else (task,)
        for name in names:
            row = rows.get(name) if isinstance(rows, dict) else None
            number = row.get(key) if isinstance(row, dict) else None
            if isinstance(number, int) and number > 0:
                return number
    return None


def derived(accuracy: float, error: object) -> float | None:
    """The number of problems, each right or wrong, with this standard error of the mean; None where nothing tells.

    >>> derived(0.25, (0.25 * 0.75 / 199) ** 0.5)
    200.0
    """
    usable = isinstance(error, int | float) and math.isfinite(error) and error > 0 and 0.0 < accuracy < 1.0
    return 1.0 + accuracy * (1.0 - accuracy) / error**2 if usable else None  # type: ignore[operator]


def differ(one: float, other: float) -> bool:
    """Whether two numbers of problems differ by more than rounding explains."""
    return abs(one - other) > max(1.0, _AGREE * other)


def agreed(told: Sequence[float]) -> int:
    """The number of problems that all checkpoints tell, one at least.

    Raises:
        ArgumentError: they tell different ones.
    """
    size = max(1, round(statistics.median(told)))
    if any(differ(each, size) for each in told):
        rule = "be given, since the checkpoints' standard errors tell different numbers of problems"
        remedy = "Is the metric a share of problems solved, on the same problems at every checkpoint?"
        raise argument_error("--num-problems", rule, f"{min(told):.0f} to {max(told):.0f}", remedy)
    return size


def tasks_of_group(content: Mapping[str, Any], task: str) -> list[str]:
    """The tasks of a group, also of groups in it, or of lighteval's average; empty for what is no group."""
    before, average, _ = task.partition(":_average")
    if average:
        return [each for each in content["results"] if each.startswith(f"{before}:") and each != task]
    subtasks = content.get("group_subtasks")
    members = subtasks.get(task) if isinstance(subtasks, dict) else None
    if not isinstance(members, list):
        return []
    found: dict[str, None] = {}
    for name in map(str, members):
        if name != task:
            found |= dict.fromkeys(tasks_of_group(content, name) or [name])
    return list(found)


def is_group(content: Mapping[str, Any], task: str) -> bool:
    """Whether a task's numbers are made of those of others."""
    groups = content.get("groups")
    return bool(tasks_of_group(content, task)) or (isinstance(groups, dict) and task in groups)


def group_size(content: Mapping[str, Any], task: str, key: str, error_key: str) -> tuple[int | None, float | None]:
    """The problems of a group and the share of them that is right; None for what its tasks do not tell."""
    total, right = 0, 0.0
    for name in tasks_of_group(content, task):
        values = content["results"].get(name)
        values = values if isinstance(values, dict) else {}
        share = values.get(key)
        share = float(share) if isinstance(share, int | float) else math.nan
        size = recorded(content, name) or derived(share, values.get(error_key))
        if size is None:
            return None, None
        total += round(size)
        right += round(size) * share
    return (total, None if math.isnan(right) else right / total) if total else (None, None)


def check_error(accuracy: float, error: object, size: int, where: str) -> None:
    """Hold a standard error against the number of problems.

    Raises:
        LogError: so many problems that are right or wrong have another one: what was averaged is something else.
    """
    told = derived(accuracy, error)
    if told is not None and abs(told - size) > max(1.0, 0.05 * size):
        expected = math.sqrt(accuracy * (1.0 - accuracy) / max(1, size - 1))
        raise LogError(
            f"{where} must have the standard error of {size} problems that are right or wrong, {expected:.4g}; got "
            f"{error:.4g}. Choose a --metric that is a share of problems solved, or say --num-problems {size}."
        )
