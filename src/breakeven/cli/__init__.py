"""The command line: one small module a command, each translating arguments to calls and records to text.

Exit codes: 0 done, 1 a task breaks a rule (validate), 2 usage error, 3 the run could not go on (its log is kept), 10
stop advised (decide), 130 and 143 interrupted.
"""

from collections.abc import Callable
from typing import Annotated

import typer

from breakeven._version import __version__
from breakeven.cli.bound import bound
from breakeven.cli.common import with_exit_codes
from breakeven.cli.decide import decide
from breakeven.cli.doctor import doctor
from breakeven.cli.eval import eval_
from breakeven.cli.examples import EXAMPLES
from breakeven.cli.flops import flops
from breakeven.cli.init import init
from breakeven.cli.replay import replay
from breakeven.cli.report import report
from breakeven.cli.reward_model import reward_model
from breakeven.cli.run import run
from breakeven.cli.status import status
from breakeven.cli.steer import stop, veto
from breakeven.cli.validate import validate

__all__ = ["app"]

app = typer.Typer(
    name="breakeven",
    help="May I stop training now? Decide when a checkpoint served with K samples replaces the rest of the run.",
    epilog=EXAMPLES[""],
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "run": run,
    "status": status,
    "stop": stop,
    "veto": veto,
    "init": init,
    "decide": decide,
    "eval": eval_,
    "reward-model": reward_model,
    "replay": replay,
    "report": report,
    "bound": bound,
    "flops": flops,
    "validate": validate,
    "doctor": doctor,
}
for _name, _command in _COMMANDS.items():
    app.command(_name, epilog=EXAMPLES.get(_name))(with_exit_codes(_command))
app.command("scorer", hidden=True)(with_exit_codes(reward_model))  # its name up to 0.4


@app.callback(invoke_without_command=True)
def _main(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit
