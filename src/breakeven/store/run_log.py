"""A run log as a whole: read back, or open to be extended by this process alone."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from breakeven.errors import LogError, argument_error
from breakeven.records import CheckpointRecord, Verification
from breakeven.store.files import (
    LOG_NAME,
    find_log,
    lock_directory,
    storage_errors,
    unlock,
    write_first,
    write_through,
)
from breakeven.store.lines import KINDS, LOG_FORMAT, Header, corrupt_log, decode, encode


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that a run log holds."""

    header: Header
    checkpoints: tuple[CheckpointRecord, ...]
    """In the order of their steps, each step once."""
    verification: Verification | None
    """The last one recorded."""
    recovered: bool
    """True if a torn last line was left out: a write was cut short, or is under way right now."""


def read_log(path: str | Path) -> RunRecord:
    """All that a run log holds, read without a lock and without writing.

    Args:
        path: A run directory, or the log file itself.

    Raises:
        LogError: There is no log, or it has no header.
        CorruptLogError: A line is damaged, and it is not just a torn last one.
        NewerLogError: A later version of breakeven wrote it.
    """
    return _read(find_log(path))[0]


class RunLog:
    """An open run log, which this process alone may extend; made by `RunLog.create` or `RunLog.open`.

    `header`, `checkpoints` and `verification` (the last one, if any) are as they read back from disk; `recovered` says
    that opening cut off a torn last line.

    >>> import tempfile
    >>> from breakeven.records import RunSpec
    >>> header = Header(versions={}, config={}, spec=RunSpec(budget_flops=1e18), policy={}, seed=0)
    >>> with tempfile.TemporaryDirectory() as run_dir:
    ...     with RunLog.create(run_dir, header) as log:
    ...         print(log.checkpoints)
    ...     print(read_log(run_dir).header.spec.budget_flops)
    ()
    1e+18
    """

    def __init__(self, path: Path, record: RunRecord, end: int, log_fd: int, lock_fd: int) -> None:
        """Take over open files; `record` is what the first `end` bytes of the log hold."""
        self.header: Final = record.header
        self.verification = record.verification
        self.recovered: Final = record.recovered
        self._checkpoints = {checkpoint.observation.step: checkpoint for checkpoint in record.checkpoints}
        self._path = path
        self._end = end
        self._log_fd = log_fd
        self._lock_fd = lock_fd
        self._open = True

    @classmethod
    def create(cls, run_dir: str | Path, header: Header) -> Self:
        """A new log that holds `header`; makes the directory if need be.

        Raises:
            ArgumentError: `run_dir` holds a log already or is no directory, or `header` cannot be stored.
            RunInUseError: Another process holds the directory.
            RunStorageError: The disk refused; no log is left behind.
        """
        if header.format != LOG_FORMAT:
            raise argument_error("header.format", f"be {LOG_FORMAT}", header.format, "Leave it out.")
        line, _ = encode(header)
        directory = Path(run_dir)
        with storage_errors(f"run directory {directory} cannot be made", "Choose another path."):
            try:
                directory.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise argument_error("run_dir", "be a directory", str(run_dir), "Choose another path.") from error
        return cls._start(directory / LOG_NAME, line)

    @classmethod
    def open(cls, run_dir: str | Path) -> Self:
        """The log of an earlier run, ready to be extended; a torn last line is cut off on disk.

        Raises:
            LogError: There is no log, or it cannot be read; see `read_log`.
            RunInUseError: Another process holds the directory.
            RunStorageError: The disk refused.
        """
        return cls._start(find_log(run_dir))

    @classmethod
    def _start(cls, path: Path, first_line: bytes | None = None) -> Self:
        lock_fd = lock_directory(path.parent)
        try:
            if first_line is not None:
                write_first(path, first_line)
            record, end = _read(path)
            with storage_errors(
                f"{path} cannot be extended", "Make it writable for this user, or copy the run elsewhere."
            ):
                if record.recovered:
                    os.truncate(path, end)
                log_fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        except BaseException:
            unlock(lock_fd)
            raise
        return cls(path, record, end, log_fd, lock_fd)

    @property
    def checkpoints(self) -> tuple[CheckpointRecord, ...]:
        """The recorded checkpoints, in the order of their steps."""
        return tuple(self._checkpoints.values())

    def find(self, step: int) -> CheckpointRecord | None:
        """The checkpoint recorded at `step`, in constant time."""
        return self._checkpoints.get(step)

    def append(self, record: CheckpointRecord | Verification) -> None:
        """Record one line. Once this returns, it survives a crash of the process and of the machine.

        Args:
            record: A verification, or a checkpoint at a later step than every recorded one.

        Raises:
            ArgumentError: `record` cannot be stored (it holds NaN, say, which JSON lacks); nothing was written.
            RunStorageError: The disk refused; the log is as before, and the call may be repeated.
        """
        if not self._open:
            raise argument_error("log", "be open", "closed", "Open it again with RunLog.open(run_dir).")
        if type(record) not in (CheckpointRecord, Verification):
            raise argument_error("record", "be a Checkpoint or a Verification", record)
        line, stored = encode(record)
        if isinstance(stored, CheckpointRecord) and self._checkpoints:
            step, last = stored.observation.step, next(reversed(self._checkpoints))
            if step <= last:
                rule = f"be greater than the last recorded step {last}"
                raise argument_error("observation.step", rule, step, "Use find(step) where a step may be recorded.")
        kept = f"The header and {len(self._checkpoints)} checkpoints recorded before stay readable."
        with storage_errors(f"{self._path} cannot be extended", f"{kept} Free space, then go on with --resume."):
            try:
                os.ftruncate(self._log_fd, self._end)  # a part may be left of an append that a signal cut short
                write_through(self._log_fd, line)
            except OSError:
                with suppress(OSError):  # where this fails too, readers leave out the torn line
                    os.ftruncate(self._log_fd, self._end)
                raise
        self._end += len(line)
        if isinstance(stored, CheckpointRecord):
            self._checkpoints[stored.observation.step] = stored
        else:
            self.verification = stored

    def close(self) -> None:
        """Release the run directory. What was recorded stays readable here."""
        if self._open:
            self._open = False
            os.close(self._log_fd)
            unlock(self._lock_fd)

    def __enter__(self) -> Self:
        """The log itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the log."""
        self.close()


def _read(path: Path) -> tuple[RunRecord, int]:
    """What the log holds, and the size in bytes of its whole lines."""
    header: Header | None = None
    checkpoints: list[CheckpointRecord] = []
    verification: Verification | None = None
    number = end = 0
    torn = False
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if torn := not line.endswith(b"\n"):
                    break
                record = decode(path, number, line)
                end += len(line)
                if header is None:
                    if not isinstance(record, Header):
                        what = f"its first record is of kind {KINDS[type(record)]}, not a header"
                        raise LogError(f"{path} is not a run log: {what}. Restore it from a copy.")
                    header = record
                elif isinstance(record, Header):
                    raise corrupt_log(path, number, "it is a second header")
                elif isinstance(record, Verification):
                    verification = record
                elif not isinstance(record, CheckpointRecord):
                    raise corrupt_log(path, number, f"it is a {KINDS[type(record)]}, which no run log holds")
                else:
                    if checkpoints and record.observation.step <= checkpoints[-1].observation.step:
                        raise corrupt_log(path, number, f"its step {record.observation.step} was passed before")
                    checkpoints.append(record)
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from error
    if header is None:
        what = "holds no whole line" if number else "is empty"
        raise LogError(f"{path} {what}, so nothing was recorded. Delete it and start the run again.")
    return RunRecord(header=header, checkpoints=tuple(checkpoints), verification=verification, recovered=torn), end
