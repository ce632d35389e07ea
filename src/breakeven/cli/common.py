"""What the commands share: consoles, the --json option, errors turned into exit codes."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Annotated, ParamSpec

import msgspec
import typer
from rich.console import Console

from breakeven.errors import ArgumentError, BreakevenError, LogError, MissingExtraError, RunInUseError

P = ParamSpec("P")
_ON_TERMINAL = sys.stdout.isatty()  # there lines are broken between words; elsewhere they are left whole
console = Console(highlight=False, markup=False, soft_wrap=not _ON_TERMINAL, width=None if _ON_TERMINAL else 120)
error_console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)

USAGE_ERROR = 2
RUN_FAILED = 3

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


def print_json(value: object) -> None:
    """One JSON object on standard output; records as their fields."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")
