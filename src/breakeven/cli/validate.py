"""`breakeven validate`: a task held against itself, before anything is measured on it."""

from typing import Annotated

import typer
from rich.table import Table

from breakeven.cli.common import (
    JsonOption,
    SandboxPackageOption,
    UnsafeExecOption,
    console,
    print_json,
    require_sandbox,
)
from breakeven.data.named import task_from
from breakeven.data.task import DryRun
from breakeven.data.validation import validate as validate_task
from breakeven.errors import argument_error
from breakeven.settings import key_value

BROKEN = 1
_MOST_SHOWN = 3


def validate(
    task: Annotated[str, typer.Argument(help="As for eval: human-eval, gsm8k:FILE, math:FILE, jsonl:FILE, ...")],
    num_problems: Annotated[int | None, typer.Option(help="Problems; default all, or 100 of a generator.")] = None,
    task_seed: Annotated[int, typer.Option(help="Of generated or chosen problems.")] = 0,
    task_set: Annotated[list[str] | None, typer.Option(help="A setting of the task: key=value.")] = None,
    workers: Annotated[int, typer.Option(help="Checks at once.")] = 2,
    unsafe_exec: UnsafeExecOption = False,
    sandbox_package: SandboxPackageOption = None,
    json: JsonOption = False,
) -> None:
    """Hold a task against itself: gold answers pass, wrong ones fail, forms and comparisons are sound.

    Exit code 1 where something is not so.
    """
    require_sandbox(task, unsafe_exec=unsafe_exec)
    problems = task_from(
        task,
        num_problems=num_problems,
        seed=task_seed,
        settings=dict(key_value("--task-set", each, "max_terms=2") for each in task_set or []),
        unsafe_exec=unsafe_exec,
        sandbox_packages=sandbox_package or (),
    )
    if not problems.problems:
        raise argument_error("TASK", "have at least one problem", problems.name)
    if isinstance(problems, DryRun):
        problems.dry_run(problems.problems)
    findings = validate_task(problems, workers=workers)
    kept = all(each.kept for each in findings)
    if json:
        print_json({"task": problems.name, "num_problems": len(problems.problems), "kept": kept, "findings": findings})
    else:
        table = Table("rule", "tried", "broken", "unknown", box=None, pad_edge=False)
        for each in findings:
            table.add_row(each.rule, *map(str, (each.num_tried, len(each.failed), len(each.unknown))))
        console.print(f"{problems.name}: {len(problems.problems)} problems")
        console.print(table)
        for each in findings:
            said = [*each.failed, *(f"not known: {text}" for text in each.unknown)]
            for text in said[:_MOST_SHOWN]:
                console.print(f"{each.rule}? {text}")
            if len(said) > _MOST_SHOWN:
                console.print(f"... and {len(said) - _MOST_SHOWN} more; --json names all.")
    if not kept:
        raise typer.Exit(BROKEN)
