"""Tasks by name, as in `breakeven eval --task NAME`. What a task needs is imported when it is named."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final, cast, get_type_hints

from breakeven import check
from breakeven.data.splits import hashed_order
from breakeven.data.task import DryRun, PartlyRight, Solved, Task, TextTask
from breakeven.errors import argument_error
from breakeven.names import load_object

NAMES = (
    "countdown",
    "chain",
    "rules",
    "latin",
    "calculation",
    "sorting",
    "reasoning-gym:GENERATOR",
    "human-eval",
    "human-eval:FILE",
    "gsm8k:FILE",
    "math:FILE",
    "drop:FILE",
    "jsonl:FILE",
    "package.module:callable",
)
"""What can be named. A callable of one's own gets the settings as arguments and returns a `TextTask`."""
DEFAULT_PROBLEMS = 100
"""Of tasks that make their problems."""
TASKS: Final = {
    "countdown": "breakeven.data.made.countdown:Countdown",
    "calculation": "breakeven.data.made.calculation:Calculation",
    "chain": "breakeven.data.made.chain:Chain",
    "latin": "breakeven.data.made.latin:Latin",
    "mixture": "breakeven.data.made.mixture:Mixture",
    "rules": "breakeven.data.made.rules:Rules",
    "sorting": "breakeven.data.made.sorting:Sorting",
    "text": "breakeven.data.text:Text",
}
"""The kinds of task that the reference model can be trained on, as in a recipe."""
_SETS: Final = {
    "gsm8k": "breakeven.data.sets.gsm8k:Gsm8kFile",
    "math": "breakeven.data.sets.math_500:Math500File",
    "drop": "breakeven.data.sets.drop:DropFile",
    "jsonl": "breakeven.data.sets.plain:PlainFile",
}


def is_own(name: str) -> bool:
    """Whether the name of a task is `package.module:callable`, if it is the name of one at all."""
    kind, _, rest = name.partition(":")
    return bool(rest) and kind not in ("reasoning-gym", "human-eval", *_SETS, *TASKS)


def task_class(kind: object, name: str = "task.kind") -> type[Task]:
    """The class of a kind of task, one of `TASKS` or one's own, `package.module:Name`; the user wrote it as `name`.

    Raises:
        ArgumentError: there is none of this name, or it is no task that a recipe can name.
    """
    own = isinstance(kind, str) and kind not in TASKS
    if not isinstance(kind, str) or (own and ":" not in kind):
        remedy = "Or a class of your own, as package.module:Name."
        raise argument_error(name, f"be one of {', '.join(sorted(TASKS))}", kind, remedy)
    found: Any = load_object(TASKS.get(kind, kind), name, shipped=not own)
    if not own:
        return cast("type[Task]", found)
    fault = ""
    if not isinstance(found, type) or not dataclasses.is_dataclass(found):
        fault = "It is no dataclass."
    elif missing := _members(Task) - {*dir(found), *(each.name for each in dataclasses.fields(found))}:
        fault = f"It lacks {', '.join(sorted(missing))}."
    elif get_type_hints(found).get("kind") is not str:
        fault = "It needs a field kind: str, which keeps this name in the log."
    if fault:
        raise argument_error(name, "name a breakeven.data.task.Task", kind, fault)
    return cast("type[Task]", found)


def task_from(
    name: str,
    *,
    num_problems: int | None = None,
    seed: int = 0,
    settings: Mapping[str, Any] | None = None,
    unsafe_exec: bool = False,
    sandbox_packages: Sequence[str] = (),
) -> TextTask:
    """The task of a name.

    Args:
        name: one of `NAMES`.
        num_problems: problems to make, by default 100; of a file at most so many, chosen by `seed`, by default all. A
            larger number adds to the problems of a smaller.
        seed: of the problems.
        settings: of the task, by name: its class says which. Of reasoning-gym's also those of the generator; of
            breakeven's own tasks also `split`.
        unsafe_exec: run model-written code without a sandbox where there is none (HumanEval).
        sandbox_packages: installed packages that such code and its tests may import.

    Raises:
        ArgumentError: an unknown name or setting, or a value out of its range.
        MissingExtraError: a package that the task needs is not installed.
        SandboxError: a task runs model-written code, `unsafe_exec` is given, and the code cannot be run even so.
    """
    if num_problems is not None:
        check.at_least("num_problems", num_problems, 1)
    given = dict(settings or {})
    kind, _, rest = name.partition(":")
    if name in TASKS and name in NAMES:
        return _own(name, num_problems or DEFAULT_PROBLEMS, seed, given)
    if kind == "reasoning-gym" and rest:
        from breakeven.data.sets.reasoning_gym import ReasoningGym

        theirs = {"generator", "num_problems", "seed", "settings"}
        mine = {each.name for each in dataclasses.fields(ReasoningGym)} - theirs
        own = {key: value for key, value in given.items() if key in mine}
        others = {key: value for key, value in given.items() if key not in mine}
        count = num_problems or DEFAULT_PROBLEMS
        task: TextTask = _made(ReasoningGym, own, generator=rest, num_problems=count, seed=seed, settings=others)
        return task
    if kind == "human-eval":
        from breakeven.data.sets.human_eval import HumanEval

        run = None
        if unsafe_exec:
            from breakeven.checking import find_sandbox

            run = find_sandbox(unsafe=True, packages=sandbox_packages).run
        lent = tuple(sandbox_packages)
        return _some(_made(HumanEval, given, path=rest or None, run=run, sandbox_packages=lent), num_problems, seed)
    if sandbox_packages:
        remedy = "It runs no code that a model wrote."
        raise argument_error("--sandbox-package", f"be left out for {name}", list(sandbox_packages), remedy)
    if kind in _SETS and rest:
        return _some(_made(load_object(_SETS[kind], "task", shipped=True), given, path=rest), num_problems, seed)
    if is_own(name) and kind.replace(".", "").isidentifier() and rest.isidentifier():
        return _some(_outside(name, given), num_problems, seed)
    raise argument_error("task", f"be one of {', '.join(NAMES)}", name, check.did_you_mean(name, NAMES))


def head(task: TextTask, num_problems: int, seed: int = 0) -> TextTask:
    """`task` with at most `num_problems` of its problems, in its order, chosen by a hash of `seed` and id.

    More problems add to fewer. Checks, answers, F1 and solutions are the task's own; the whole of it is `task`.
    """
    everything = task.problems
    order = hashed_order([each.id for each in everything], seed)
    chosen = {everything[place].id for place in order[:num_problems]}
    own = _members(TextTask, PartlyRight, Solved, DryRun) - {"problems"}
    members = {name: getattr(task, name) for name in own if hasattr(task, name)}
    some = tuple(each for each in everything if each.id in chosen)
    return cast(TextTask, SimpleNamespace(task=task, problems=some, **members))


def _members(*protocols: type) -> set[str]:
    return {name for each in protocols for name in dir(each) if not name.startswith("_")}


def _some(task: TextTask, num_problems: int | None, seed: int) -> TextTask:
    return task if num_problems is None else head(task, num_problems, seed)


def _own(name: str, count: int, seed: int, given: dict[str, Any]) -> TextTask:
    from breakeven.data.reference import ReferenceProblems

    split = given.pop("split", "test")
    task = _made(task_class(name), given, {"split"})
    return ReferenceProblems(task=task, split=split, count=count, seed=seed)


def _made(cls: Any, given: Mapping[str, Any], more: set[str] | frozenset[str] = frozenset(), **fixed: Any) -> Any:
    """An instance of a task's dataclass, its settings checked by name and by the type of their defaults."""
    defaults = {each.name: each.default for each in dataclasses.fields(cls) if each.name not in fixed}
    defaults.pop("kind", None)
    converted: dict[str, Any] = {}
    for name, value in given.items():
        known = sorted({*defaults, *more})
        check.one_of(f"settings of {cls.__name__}", name, known, check.did_you_mean(name, known))
        converted[name] = _value(name, value, defaults[name])
    return cls(**fixed, **converted)


def _value(name: str, value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list | tuple) or not all(isinstance(each, str) for each in texts):
            raise argument_error(name, "be a list of texts", value)
        return tuple(texts)
    if isinstance(default, float) and type(value) is int:
        return float(value)
    if isinstance(default, str | int | float) and type(value) is not type(default):
        raise argument_error(name, f"be of type {type(default).__name__}, as its default {default!r}", value)
    return value


def _outside(name: str, given: Mapping[str, Any]) -> TextTask:
    make: Callable[..., object] = load_object(name, "task")
    try:
        task = make(**given)
    except TypeError as error:
        raise argument_error("task", "name a callable that takes the settings", name, f"{error}.") from error
    if not isinstance(task, TextTask):
        got = f"{name} gave a {type(task).__name__}"
        raise argument_error("task", "give a breakeven.data.task.TextTask", got, "See the protocol.")
    return task
