"""The files of a run directory: found, locked, and written so that a crash leaves them whole."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from breakeven.errors import LogError, RunInUseError, RunStorageError, argument_error

LOG_NAME: Final = "log.jsonl"
LOCK_NAME: Final = "lock"


def find_log(run: str | Path) -> Path:
    """The path of the log in a run directory, or of the log itself."""
    path = Path(run)
    if path.is_dir():
        path /= LOG_NAME
    if not path.exists():
        raise LogError(
            f"there is no run log at {path}. Give a run directory, that is one where a run left its {LOG_NAME}."
        )
    return path


@contextmanager
def storage_errors(what: str, remedy: str) -> Iterator[None]:
    """Reword what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise RunStorageError(f"{what}: {error.strerror or error}. {remedy}") from error


def write_through(fd: int, data: bytes) -> None:
    """Write all of `data`, however many calls it takes, and wait until the disk has it."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


def write_first(path: Path, line: bytes) -> None:
    """Make a log of one line, all or nothing: it gets its name only when it is whole."""
    if path.exists():
        remedy = "Pass --resume (RunLog.open) to go on with that run, or choose another directory."
        raise argument_error("run_dir", f"not hold a {LOG_NAME} yet", str(path.parent), remedy)
    new = path.with_suffix(".new")
    remedy = "Nothing was recorded. Free space or choose another directory, then start the run again."
    with storage_errors(f"{path} cannot be written", remedy):
        try:
            with new.open("wb") as file:
                write_through(file.fileno(), line)
            new.rename(path)
            directory_fd = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory_fd)
            finally:
                os.close(directory_fd)
        except OSError:
            new.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            raise


def lock_directory(directory: Path) -> int:
    """An open file that holds the run directory until it is unlocked or the process ends, however it ends."""
    path = directory / LOCK_NAME
    with storage_errors(
        f"{path} cannot be locked", "Choose a directory that is writable and on a disk that supports locks."
    ):
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(fd, 100).decode(errors="replace") or "(unknown)"
            os.close(fd)
            if not isinstance(error, BlockingIOError):
                raise
            rule = f"run directory {directory} is in use by process {holder}"
            raise RunInUseError(f"{rule}. Wait for it to end, or choose another directory.") from error
    with suppress(OSError):  # the process id only helps whoever is refused
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()} on {os.uname().nodename}".encode())
    return fd


def unlock(fd: int) -> None:
    """Let go of a directory that `lock_directory` holds."""
    fcntl.flock(fd, fcntl.LOCK_UN)  # closing alone would leave the lock to forked children
    os.close(fd)
