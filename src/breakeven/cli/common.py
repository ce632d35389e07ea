"""What the commands share: consoles, the --json option, errors turned into exit codes."""

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, ParamSpec

import msgspec
import typer
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from breakeven.errors import (
    ArgumentError,
    BreakevenError,
    LogError,
    MissingExtraError,
    RunInUseError,
    SandboxError,
    argument_error,
    printable,
)
from breakeven.names import Trust

P = ParamSpec("P")
_ON_TERMINAL = sys.stdout.isatty()  # there lines are broken between words; elsewhere they are left whole


class _Harmless(RenderHook):
    """What a console prints may hold the words of a server, a program or a file's name: a terminal obeys none."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Shown(each) for each in renderables]


class _Shown:
    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, shown_on: Console, options: ConsoleOptions) -> RenderResult:
        for text, style, control in shown_on.render(self._renderable, options):
            yield Segment(text if control else "\n".join(map(printable, text.split("\n"))), style, control)


console = Console(highlight=False, markup=False, soft_wrap=not _ON_TERMINAL, width=None if _ON_TERMINAL else 120)
error_console = Console(stderr=True, highlight=False, markup=False, soft_wrap=not sys.stderr.isatty())
for _each in (console, error_console):
    _each.push_render_hook(_Harmless())

USAGE_ERROR = 2
RUN_FAILED = 3

UnsafeExecOption = Annotated[
    bool, typer.Option("--unsafe-exec", help="Run model-written code without a sandbox, if there is none.")
]
SandboxPackageOption = Annotated[
    list[str] | None,
    typer.Option(help="Installed package that code and its tests may import, as numpy; may be repeated."),
]
TrustOption = Annotated[
    bool,
    typer.Option("--trust-recipe", help="Run the code that a log or a saved model names as package.module:name."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]


def with_exit_codes(function: Callable[P, None]) -> Callable[P, None]:
    """`function`, with breakeven's own errors as one line on standard error and an exit code."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except BreakevenError as error:
            error_console.print(f"error: {error}", style="red")
            usage = isinstance(error, ArgumentError | LogError | RunInUseError | MissingExtraError)
            raise typer.Exit(USAGE_ERROR if usage else RUN_FAILED) from error

    return guarded


def require_sandbox(task: str, *, unsafe_exec: bool) -> None:
    """Refuses HumanEval where its programs cannot be run: before samples are drawn, not after."""
    if task.partition(":")[0] == "human-eval" and not unsafe_exec:
        from breakeven.checking import find_sandbox

        try:
            find_sandbox()
        except SandboxError as error:
            raise argument_error(f"--task {task}", "have a sandbox to run programs in", None, str(error)) from error


def trusting(given: bool) -> Trust:
    """What `breakeven.names.named_in` is to do with code that a file names: with --trust-recipe say so, once each."""
    said: set[str] = set()

    def say(sentence: str) -> None:
        if sentence not in said:
            said.add(sentence)
            error_console.print(sentence)

    return say if given else None


def is_animated(shown_on: Console) -> bool:
    """Whether a console is a terminal that can redraw lines: not a pipe that colours were forced on."""
    return shown_on.is_interactive and shown_on.file.isatty()


def new_directory(above: str, name: str) -> Path:
    """ABOVE/NAME-N, made with the first N that is free, so that two runs started at once take two."""
    number = 1
    while True:
        path = Path(above, f"{name}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            number += 1
        except OSError:  # which the start of the run puts into words
            return path
        else:
            return path


def starting_with(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """For shell completion: those of some names that begin with what was typed; of a list with commas, its last."""

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{each}" for each in names() if each.startswith(last)]

    return complete


def print_json(value: object) -> None:
    """One JSON object on standard output; records as their fields."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
    sys.stdout.flush()
