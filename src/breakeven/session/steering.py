"""STEERING FROM OUTSIDE: a request beside the log, which the process of the run takes up and records.

The log has one writer: whoever asks leaves RUN/request.json, and the session looks for it at every step, which is one
look at the disk.
"""

import uuid
from pathlib import Path
from typing import Final, Literal

import msgspec

from breakeven.errors import RunStorageError
from breakeven.records import Steering
from breakeven.session.voice import warn
from breakeven.store import RunLog, write_whole

REQUEST_NAME: Final = "request.json"
Asked = Literal["stop", "veto", "withdraw"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a run."""

    action: Asked
    reason: str
    id: str


def ask(run_dir: Path, action: Asked, reason: str) -> None:
    """Leave a request for the process of a run; one that was not taken up yet is replaced.

    Raises:
        RunStorageError: the disk refused.
    """
    request = Request(action=action, reason=reason, id=uuid.uuid4().hex)
    write_whole(run_dir / REQUEST_NAME, msgspec.json.encode(request), remedy="Free space, then ask again.")


def asked_of(run_dir: Path) -> Request | None:
    """The request that waits to be taken up; None where none does, or it is not one."""
    try:
        return msgspec.json.decode((run_dir / REQUEST_NAME).read_bytes(), type=Request)
    except (OSError, msgspec.MsgspecError, ValueError, RecursionError):
        return None


def in_force(log: RunLog | None) -> Steering | None:
    """The stop or the veto that holds; None where neither does."""
    last = log.steering[-1] if log is not None and log.steering else None
    return None if last is None or last.action == "withdraw" else last


def take_up(log: RunLog, step: int) -> Steering | None:
    """The request that waits, recorded; None where none does, as at nearly every step.

    It is recorded before it is removed, so that a kill between the two neither loses nor repeats it.

    Raises:
        RunStorageError: the log could not be written.
    """
    path = log.directory / REQUEST_NAME
    if not path.exists():
        return None
    request, taken = asked_of(log.directory), None
    if request is None:
        warn(f"{path} is no request of breakeven, and was left out.")
    elif request.id not in {each.request for each in log.steering}:
        taken = Steering(step=step, action=request.action, reason=request.reason, request=request.id)
        log.append(taken)
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RunStorageError(f"{path} cannot be removed: {error.strerror}. Make {log.directory} writable.") from error
    return taken


def withdraw(log: RunLog, step: int, reason: str = "") -> None:
    """Record, in a run that this process holds, that neither a stop nor a veto is in force any more."""
    log.append(Steering(step=step, action="withdraw", reason=reason, request=uuid.uuid4().hex))


def withdraw_stop(log: RunLog, step: int) -> None:
    """The same of a stop by hand, where there is one."""
    if (steered := in_force(log)) is not None and steered.action == "stop":
        withdraw(log, step, "--past-stop")
