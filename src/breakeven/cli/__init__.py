"""The command line: one small module a command, each translating arguments to calls and records to text.

Exit codes: 0 done, 1 a task breaks a rule (validate), 2 usage error, 3 the run could not go on (its log is kept), 10
stop advised (decide), 130 and 143 interrupted.
"""

from typing import Annotated

import typer

from breakeven._version import __version__
from breakeven.cli.examples import EXAMPLES
from breakeven.cli.lazily import Commands

__all__ = ["app"]

app = typer.Typer(
    cls=Commands,
    name="breakeven",
    help="May I stop training now? Decide when a checkpoint served with K samples replaces the rest of the run.",
    epilog=EXAMPLES[""],
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def _main(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
