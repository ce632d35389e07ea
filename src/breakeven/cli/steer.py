"""`breakeven stop` and `breakeven veto`: what is asked of a run that another process trains."""

from pathlib import Path
from typing import Annotated

import typer

from breakeven.cli.common import JsonOption, console, print_json
from breakeven.errors import argument_error
from breakeven.session.steering import REQUEST_NAME, Asked, ask, asked_of, in_force
from breakeven.session.steering import withdraw as withdraw_now
from breakeven.store import RunLog, holder_of, read_log

_Run = Annotated[Path, typer.Argument(help="Directory of a run that is training now.")]
_Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever reads the log.")]
_Withdraw = Annotated[bool, typer.Option("--withdraw", help="Take back what was asked before; of an ended run too.")]


def stop(run: _Run, reason: _Reason = "", withdraw: _Withdraw = False, json: JsonOption = False) -> None:
    """Have a run end at its next step: its state is saved, and it is recorded as a stop by hand.

    It stays ended when it is gone on with, until that is withdrawn (or with run --resume RUN --past-stop).
    """
    _steer(run, "withdraw" if withdraw else "stop", reason, json=json)


def veto(run: _Run, reason: _Reason = "", withdraw: _Withdraw = False, json: JsonOption = False) -> None:
    """Have a run train on past the stops of its policy, which are recorded all the same, until it is withdrawn."""
    _steer(run, "withdraw" if withdraw else "veto", reason, json=json)


def _steer(run: Path, action: Asked, reason: str, *, json: bool) -> None:
    record = read_log(run)
    directory = run if run.is_dir() else run.parent
    holder = holder_of(directory)
    if holder is None and action != "withdraw":
        remedy = 'To train on past a stop: breakeven run --resume RUN --past-stop, or mode="advise" in your own loop.'
        raise argument_error("RUN", "be a run that is training now; no process holds it", str(run), remedy)
    if holder is None:
        with RunLog.open(directory) as log:
            if in_force(log) is None and asked_of(directory) is None:
                raise argument_error("RUN", "be one that was asked to stop or vetoed", str(run), "Nothing is in force.")
            withdraw_now(log, record.checkpoints[-1].observation.step if record.checkpoints else 0, reason)
            (directory / REQUEST_NAME).unlink(missing_ok=True)
    else:
        ask(directory, action, reason)
    if json:
        print_json({"run": str(run), "asked": action, "reason": reason, "process": holder})
        return
    what = {"stop": "stop", "veto": "train on past its policy's stops", "withdraw": "do as its policy says"}[action]
    if holder is None:
        console.print(f"Withdrawn. When it is gone on with, the run will {what}.")
    else:
        console.print(f"Asked process {holder} to {what}, from its next step on.")
        console.print(f"Whether it has: breakeven status {run}")
