"""`breakeven plan`: where the next FLOP should go, as one of some options."""

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, Final

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from breakeven import check
from breakeven.cli.common import (
    JsonOption,
    console,
    error_console,
    is_animated,
    new_directory,
    print_json,
    starting_with,
)
from breakeven.cli.documents import FiguresOption, check_place, write_document
from breakeven.cli.shown import say
from breakeven.errors import argument_error
from breakeven.plan.row import ROWS, row_of
from breakeven.plan.run import PLAN_NAME, held_by, run_plan, settings_of
from breakeven.plan.wanted import Wanted
from breakeven.report.plan import plan_document, plan_lines

PAGE_NAME: Final = "report.html"
_SECONDS: Final = 5.0
"""Between two lines on cells, at least, where there is no terminal."""


def plan(
    row: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="What is asked; none: the list.", autocompletion=starting_with(lambda: ROWS)
        ),
    ] = None,
    from_: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="What the row reads: a table, a run, ...; may be repeated."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the row; may be repeated.")
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Settings of the row by name, such as gpu.")] = None,
    queries: Annotated[
        float | None, typer.Option(help="Queries that will be served: options are compared over that life.")
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="Most FLOPs: a query, or with --queries in all. The best for that.")
    ] = None,
    target: Annotated[float | None, typer.Option(help="Quality to reach, as 0.8. The cheapest that does.")] = None,
    sure: Annotated[
        bool, typer.Option("--sure", help="The lower end of the 90 % interval must reach the target.")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Points read in a paper or a model card may be chosen.")
    ] = False,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="LINE", help='A cost to leave out, as "reward model"; may be repeated.'),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="New directory of the plan; default plans/NAME-N.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the plan in this directory, or ask it anew.")] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="A further report: a page (.html), Markdown (.md) or JSON; OUT/report.html is written anyway.",
        ),
    ] = None,
    figures: FiguresOption = None,
    json: JsonOption = False,
) -> None:
    """Say where the next FLOP should go: which option is the cheapest, from how many queries on.

    Exit code 0 whether or not an option does what was asked for: the verdict says it.
    """
    if row is None and resume is None:
        _list(json)
        return
    for option, number in (("--queries", queries), ("--budget", budget)):
        if number is not None:
            check.positive(option, number)
    if target is not None:
        check.number("--target", target)
    wanted = Wanted(
        queries=queries,
        budget=budget,
        target=target,
        without=tuple(without or ()),
        published=published,
        sure=sure,
    )
    if page is not None:
        check_place("--report", page)
    if resume is not None and out is not None:
        raise argument_error("--out", "be given without --resume", str(out), "A plan goes on where it was begun.")
    held = None if resume is None else held_by(resume)
    asked = row_of(row or (held.row if held else ""))
    settings = settings_of(asked, set_ or (), preset=preset, held=held.settings if held else {})
    files = tuple(from_ or map(Path, held.files if held else ()))
    if files and not asked.takes_files:
        raise argument_error("--from", f"be left out of the row {asked.name}, which reads no file", str(files[0]))
    directory = resume or out or new_directory("plans", asked.name)
    live = _Live(quiet=json)
    try:
        with live, _interruptible(directory, live, kept=resume is not None or out is not None):
            result = run_plan(asked, directory, settings=settings, files=files, wanted=wanted, on_cell=live.on_cell)
    except BaseException:
        if out is resume is None and not live.num_cells:  # nothing is left of a plan that was refused
            shutil.rmtree(directory, ignore_errors=True)
            with suppress(OSError):
                directory.parent.rmdir()
        raise
    document = plan_document(result, ROWS.get(asked.name, ("", ""))[1])
    own = directory / PAGE_NAME  # of the question that plan.json answers, wherever else a report is asked for
    page, remedy = page or own, "The cells are kept: go on by --resume."
    if page != own:
        write_document("--out", own, document, remedy=remedy)
    write_document("--report", page, document, figures, remedy=remedy)
    if json:
        print_json(result)
        return
    for place, (label, text) in enumerate(plan_lines(result)):
        say(text, label=f"{label:10}", style=None if place else "bold")
    say(
        f"{directory / PLAN_NAME}; page: {page}{'' if figures is None else f'; charts: {figures}'}",
        label=f"{'Numbers':10}",
    )


def _list(json: bool) -> None:
    if json:
        print_json({name: question for name, (_, question) in ROWS.items()})
        return
    width = max(map(len, ROWS))
    for name, (_, question) in ROWS.items():
        say(question, label=f"{name:{width + 2}}")
    console.print()
    say("Ask one: breakeven plan NAME. What each reads, and what may be set: docs/plan.md.")


class _Interrupted(BaseException):
    """A signal came."""


@contextmanager
def _interruptible(directory: Path, live: "_Live", *, kept: bool) -> Iterator[None]:
    """Ends at Ctrl-C and SIGTERM between two instructions: what was finished is kept, and the cell in progress lost.

    Args:
        directory: of the plan.
        live: tells whether a cell was begun.
        kept: whether the directory stays although none was.
    """
    previous: dict[int, signal.Handlers | int | Callable[[int, FrameType | None], object] | None] = {}

    def receive(number: int, frame: FrameType | None) -> None:
        for each, handler in previous.items():  # a second one acts as usual
            signal.signal(each, handler)
        raise _Interrupted(number)

    for each in (signal.SIGINT, signal.SIGTERM):
        previous[each] = signal.signal(each, receive)
    try:
        yield
    except _Interrupted as interrupted:
        live.stop()
        further = f" Go on with: breakeven plan --resume {directory}" if live.num_cells or kept else ""
        error_console.print(f"Interrupted.{further}")
        raise typer.Exit(128 + interrupted.args[0]) from None
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Live:
    """The cell in progress: a line that lives on a terminal, a line now and then elsewhere, nothing with --json."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet, self.animated = quiet, is_animated(error_console)
        self.num_cells = 0
        """Read back, computed, and in progress."""
        self.said = -_SECONDS
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=error_console,
            transient=True,
            disable=quiet or not self.animated,
        )

    def __enter__(self) -> "_Live":
        self.bar.start()
        self.task = self.bar.add_task("starting", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the line away."""
        self.bar.stop()

    def on_cell(self, key: str, known: bool) -> None:
        """Take in that a cell is read back, or begun."""
        self.num_cells += 1
        if known or self.quiet:
            return
        self.bar.reset(self.task, description=f"cell {self.num_cells}: {key}")
        now = time.monotonic()
        if not self.animated and now - self.said >= _SECONDS:
            self.said = now
            error_console.print(f"cell {self.num_cells}: {key}")
            sys.stderr.flush()
