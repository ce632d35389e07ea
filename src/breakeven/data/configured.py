"""A task from plain settings, as a recipe or a run log holds them."""

from typing import Any, get_args

from breakeven.data.made.generated import GeneratedTask
from breakeven.data.named import task_class
from breakeven.data.task import Task
from breakeven.settings import as_record, refuse_unknown, types_of


def task_of(settings: Any, section: str = "task") -> Task:
    """A task from its settings; `kind` says which, and without one it is Countdown.

    Args:
        settings: of the task; where one of them holds tasks itself, theirs likewise.
        section: where they stand in the whole.

    Raises:
        ArgumentError: an unknown kind or setting, a wrong type or a value out of its range, by where it stands.
    """
    given = settings if isinstance(settings, dict) else {}
    owner = task_class(given.get("kind", "countdown"), f"{section}.kind")
    known = types_of(owner)
    refuse_unknown(given, known, section)
    inner = {
        name: tuple(task_of(each, f"{section}.{name}[{index}]") for index, each in enumerate(value))
        for name, value in given.items()
        if get_args(known[name])[:1] == (GeneratedTask,) and isinstance(value, list | tuple)
    }
    return as_record({**given, **inner} if inner else settings, owner, section)
