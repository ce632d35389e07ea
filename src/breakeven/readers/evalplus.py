"""EvalPlus results, one `..._eval_results.json` a checkpoint: of each program whether it passes base and plus tests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from breakeven.errors import LogError
from breakeven.readers.documents import EVALPLUS, Document
from breakeven.readers.log import EvalLog
from breakeven.readers.metrics import choose_task
from breakeven.readers.options import ReadOptions
from breakeven.readers.places import counted, latest, step_of
from breakeven.readers.single import Lines, choose_score
from breakeven.readers.table import Table


def read_evalplus(read: Sequence[Document], root: Path, options: ReadOptions) -> EvalLog:
    """The log in a folder of EvalPlus results. `--metric plus` wants base and plus tests passed, as EvalPlus counts.

    Raises:
        LogError: both kinds of tests and no choice, or a result that is in no known form.
    """
    contents = {each.path: each.content for each in read}
    tasks = {path: str(next(iter(each["eval"]), "")).partition("/")[0] for path, each in contents.items()}
    task = choose_task(sorted(set(tasks.values())), options.task, root)
    own = {path: step_of(path, root, contents[path]) for path in contents if tasks[path] == task}
    steps, notes = counted(own, root)
    chosen, _ = latest(steps, root)
    table = Table(root, single=True)
    table.notes += [*notes, "Completions are programs and are not voted on."]
    for step, path in sorted(chosen.items()):
        code = table.code_of(step, options.flops_at(step, EVALPLUS), path)
        _samples(path, contents[path]["eval"], options).into(table, path, code)
    return table.log(EVALPLUS, oracle=not options.checker)


def _samples(path: Path, problems: dict[str, Any], options: ReadOptions) -> Lines:
    programs = {name: _programs(path, name, each) for name, each in problems.items()}
    both = any(plus is not None for each in programs.values() for _, plus in each)
    tests = choose_score(["base", "plus"] if both else ["base"], options.metric, path)
    greedy = "temp_0.0" in path.name and all(len(each) == 1 for each in programs.values())
    lines = Lines()
    for name, each in programs.items():
        for base, plus in each:
            passed = base == "pass" and (tests == "base" or plus == "pass")
            lines.add(name, int(passed), greedy=greedy, answer=None, row=len(lines.row) + 1)
    return lines


def _programs(path: Path, name: str, value: Any) -> list[tuple[Any, Any]]:
    """Outcomes of a problem's programs on base and on plus tests: "pass" or another word, None where not run."""
    try:
        if isinstance(value, dict):  # before EvalPlus 0.2
            plus = value.get("plus") or [[None]] * len(value["base"])
            return [(one[0], two[0]) for one, two in zip(value["base"], plus, strict=True)]
        return [(each["base_status"], each.get("plus_status")) for each in value]
    except (KeyError, TypeError, ValueError, IndexError):
        raise LogError(
            f"{path}, problem {name}, must hold base_status of each program; got {str(value)[:60]!r}."
        ) from None
