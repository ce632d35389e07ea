"""The run log: append-only, crash-safe, versioned; read back. Nothing else writes it.

A run directory holds two files:

    RUN/log.jsonl   one JSON object a line, the header first, then checkpoints and verifications as they were decided:
                    {"kind":"checkpoint","data":{...},"crc32":"0f3a99c1"}
    RUN/lock        held with flock while a process may write; it survives the run and holds the last writer's id

The checksum is CRC-32 over the bytes of `kind` followed by the bytes of `data`. This envelope is the same in every
format, so that an old reader can tell a newer log from a damaged one; `LOG_FORMAT` counts the changes to what `data`
holds. Nothing in a log depends on when it was written: an interrupted and resumed run leaves the same bytes as an
uninterrupted one.

A crash can only leave a last line without its newline, a torn line, which readers leave out and `RunLog.open` cuts
off. Anything else that does not check is damage, and is refused.
"""

import fcntl
import math
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from numbers import Integral, Rational, Real
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias, TypeVar

import msgspec

from breakeven.errors import (
    ArgumentError,
    CorruptLogError,
    LogError,
    NewerLogError,
    RunInUseError,
    RunStorageError,
    argument_error,
)
from breakeven.records import Checkpoint, Plan, Verification

LOG_FORMAT: Final = 1
"""The format this version writes, and the newest it reads."""
LOG_NAME: Final = "log.jsonl"
LOCK_NAME: Final = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a run log: all that decisions rest on besides the checkpoints."""

    format: int = LOG_FORMAT
    versions: dict[str, str]
    """Version by name: breakeven, python and the libraries that took part."""
    config: dict[str, Any]
    """The resolved configuration; reads back as JSON has it: tuples as lists, keys as strings."""
    plan: Plan
    policy: dict[str, Any]
    """The settings of the stop policy."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """All that a run log holds."""

    header: Header
    checkpoints: tuple[Checkpoint, ...]
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
    return _read(_find(path))[0]


class RunLog:
    """An open run log, which this process alone may extend; made by `RunLog.create` or `RunLog.open`.

    `header`, `checkpoints` and `verification` (the last one, if any) are as they read back from disk; `recovered` says
    that opening cut off a torn last line.

    >>> import tempfile
    >>> header = Header(versions={}, config={}, plan=Plan(budget_flops=1e18), policy={}, seed=0)
    >>> with tempfile.TemporaryDirectory() as run_dir:
    ...     with RunLog.create(run_dir, header) as log:
    ...         print(log.checkpoints)
    ...     print(read_log(run_dir).header.plan.budget_flops)
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
        line, _ = _encode(header)
        directory = Path(run_dir)
        with _disk(f"run directory {directory} cannot be made", "Choose another path."):
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
        return cls._start(_find(run_dir))

    @classmethod
    def _start(cls, path: Path, first_line: bytes | None = None) -> Self:
        lock_fd = _lock(path.parent)
        try:
            if first_line is not None:
                _write_first(path, first_line)
            record, end = _read(path)
            with _disk(f"{path} cannot be extended", "Make it writable for this user, or copy the run elsewhere."):
                if record.recovered:
                    os.truncate(path, end)
                log_fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        except BaseException:
            _unlock(lock_fd)
            raise
        return cls(path, record, end, log_fd, lock_fd)

    @property
    def checkpoints(self) -> tuple[Checkpoint, ...]:
        """The recorded checkpoints, in the order of their steps."""
        return tuple(self._checkpoints.values())

    def find(self, step: int) -> Checkpoint | None:
        """The checkpoint recorded at `step`, in constant time."""
        return self._checkpoints.get(step)

    def append(self, record: Checkpoint | Verification) -> None:
        """Record one line. Once this returns, it survives a crash of the process and of the machine.

        Args:
            record: A verification, or a checkpoint at a later step than every recorded one.

        Raises:
            ArgumentError: `record` cannot be stored (it holds NaN, say, which JSON lacks); nothing was written.
            RunStorageError: The disk refused; the log is as before, and the call may be repeated.
        """
        if not self._open:
            raise argument_error("log", "be open", "closed", "Open it again with RunLog.open(run_dir).")
        if type(record) not in (Checkpoint, Verification):
            raise argument_error("record", "be a Checkpoint or a Verification", record)
        line, stored = _encode(record)
        if isinstance(stored, Checkpoint) and self._checkpoints:
            step, last = stored.observation.step, next(reversed(self._checkpoints))
            if step <= last:
                rule = f"be greater than the last recorded step {last}"
                raise argument_error("observation.step", rule, step, "Use find(step) where a step may be recorded.")
        kept = f"The header and {len(self._checkpoints)} checkpoints recorded before stay readable."
        with _disk(f"{self._path} cannot be extended", f"{kept} Free space, then go on with --resume."):
            try:
                os.ftruncate(self._log_fd, self._end)  # a part may be left of an append that a signal cut short
                _write(self._log_fd, line)
            except OSError:
                with suppress(OSError):  # where this fails too, readers leave out the torn line
                    os.ftruncate(self._log_fd, self._end)
                raise
        self._end += len(line)
        if isinstance(stored, Checkpoint):
            self._checkpoints[stored.observation.step] = stored
        else:
            self.verification = stored

    def close(self) -> None:
        """Release the run directory. What was recorded stays readable here."""
        if self._open:
            self._open = False
            os.close(self._log_fd)
            _unlock(self._lock_fd)

    def __enter__(self) -> Self:
        """The log itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the log."""
        self.close()


# -- lines ------------------------------------------------------------------------------------------------------------


class _Envelope(msgspec.Struct):
    kind: str
    data: msgspec.Raw
    crc32: str


class _Stamp(msgspec.Struct):
    """What every header holds, whatever its format."""

    format: int
    versions: dict[str, str] = {}


_Line: TypeAlias = Header | Checkpoint | Verification
_Given = TypeVar("_Given", bound=_Line)
_KINDS: Final[dict[type, str]] = {Header: "header", Checkpoint: "checkpoint", Verification: "verification"}
_DECODERS: Final = {kind: msgspec.json.Decoder[Any](cls) for cls, kind in _KINDS.items()}
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_STAMP: Final = msgspec.json.Decoder(_Stamp)


def _crc32(kind: str, data: bytes) -> str:
    return f"{zlib.crc32(data, zlib.crc32(kind.encode())):08x}"


def _encode(record: _Given) -> tuple[bytes, _Given]:
    """The line that stores `record`, and the record as it reads back: what could not be read is never written."""
    kind = _KINDS[type(record)]
    try:
        plain = msgspec.to_builtins(record, str_keys=True, enc_hook=_plain_number)
        for name, value in _leaves(kind, plain):
            if isinstance(value, float) and not math.isfinite(value):
                raise argument_error(name, "be finite", value, "JSON has no NaN or infinity: find where it arose.")
        data = msgspec.json.encode(plain)
        stored: _Given = _DECODERS[kind].decode(data)
    except ArgumentError:
        raise
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise argument_error(kind, "hold only values of the declared types", str(error)) from error
    kept = msgspec.to_builtins(stored)
    if kept != plain:  # lists in place of tuples are harmless
        found = dict(_leaves(kind, kept))
        for name, value in _leaves(kind, plain):
            if found.get(name) != value:
                raise argument_error(name, "read back as it was", value, f"It would be {found.get(name)!r}.")
    return b'{"kind":"%b","data":%b,"crc32":"%b"}\n' % (kind.encode(), data, _crc32(kind, data).encode()), stored


def _plain_number(value: object) -> float:
    """The Python number equal to a NumPy one; msgspec hands over what it does not know itself."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, Rational):
        return float(value)
    rule = "be a number, a string, a list or a dictionary"
    raise argument_error("a recorded value", rule, value, "Convert it first, as in float(loss).")


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The values inside nested lists and dictionaries, each with the name a user would write."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(f"{name}[{index}]", item)
    else:
        yield name, value


def _decode(path: Path, number: int, line: bytes) -> _Line:
    """The record that line `number` (from 1) stores."""
    try:
        envelope = _ENVELOPE.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # ValueError: text that is not UTF-8
        raise _corrupt(path, number, f"it is not a whole record: {error}") from error
    kind, data = envelope.kind, bytes(envelope.data)
    checksum = _crc32(kind, data)
    if checksum != envelope.crc32:
        raise _corrupt(path, number, f"its contents have checksum {checksum}, but {envelope.crc32} is recorded")
    if kind not in _DECODERS:
        raise _corrupt(path, number, f"its kind {kind!r} is unknown")
    try:
        stamp = _STAMP.decode(data) if kind == "header" else None
        if stamp is None or stamp.format <= LOG_FORMAT:
            record: _Line = _DECODERS[kind].decode(data)
            return record
    except (msgspec.MsgspecError, ValueError) as error:
        raise _corrupt(path, number, f"it is not a {kind} of format {LOG_FORMAT}: {error}") from error
    writer = f"breakeven {stamp.versions.get('breakeven', '(unknown version)')}"
    rule = f"has log format {stamp.format}, written by {writer}; this breakeven reads formats up to {LOG_FORMAT}"
    raise NewerLogError(f"{path} {rule}. Upgrade with `pip install --upgrade breakeven`.")


def _corrupt(path: Path, number: int, what: str) -> CorruptLogError:
    if number == 1:
        remedy = "Check that it is a run log, and restore it from a copy; nothing after a damaged header can be used."
    else:
        remedy = f"Restore it from a copy, or keep only the whole lines before: head -n {number - 1}."
    return CorruptLogError(f"{path}, line {number}, is damaged: {what}. {remedy}")


def _read(path: Path) -> tuple[RunRecord, int]:
    """What the log holds, and the size in bytes of its whole lines."""
    header: Header | None = None
    checkpoints: list[Checkpoint] = []
    verification: Verification | None = None
    number = end = 0
    torn = False
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if torn := not line.endswith(b"\n"):
                    break
                record = _decode(path, number, line)
                end += len(line)
                if header is None:
                    if not isinstance(record, Header):
                        what = f"its first record is a {_KINDS[type(record)]}, not a header"
                        raise LogError(f"{path} is not a run log: {what}. Restore it from a copy.")
                    header = record
                elif isinstance(record, Header):
                    raise _corrupt(path, number, "it is a second header")
                elif isinstance(record, Verification):
                    verification = record
                else:
                    if checkpoints and record.observation.step <= checkpoints[-1].observation.step:
                        raise _corrupt(path, number, f"its step {record.observation.step} was passed before")
                    checkpoints.append(record)
    except OSError as error:
        raise LogError(f"{path} cannot be read: {error.strerror or error}. Check its permissions.") from error
    if header is None:
        what = "holds no whole line" if number else "is empty"
        raise LogError(f"{path} {what}, so nothing was recorded. Delete it and start the run again.")
    return RunRecord(header=header, checkpoints=tuple(checkpoints), verification=verification, recovered=torn), end


# -- files ------------------------------------------------------------------------------------------------------------


def _find(run: str | Path) -> Path:
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
def _disk(what: str, remedy: str) -> Iterator[None]:
    """Reword what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise RunStorageError(f"{what}: {error.strerror or error}. {remedy}") from error


def _write(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


def _write_first(path: Path, line: bytes) -> None:
    """Make a log of one line, all or nothing: it gets its name only when it is whole."""
    if path.exists():
        remedy = "Pass --resume (RunLog.open) to go on with that run, or choose another directory."
        raise argument_error("run_dir", f"not hold a {LOG_NAME} yet", str(path.parent), remedy)
    new = path.with_suffix(".new")
    remedy = "Nothing was recorded. Free space or choose another directory, then start the run again."
    with _disk(f"{path} cannot be written", remedy):
        try:
            with new.open("wb") as file:
                _write(file.fileno(), line)
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


def _lock(directory: Path) -> int:
    """An open file that holds the run directory until it is unlocked or the process ends, however it ends."""
    path = directory / LOCK_NAME
    with _disk(f"{path} cannot be locked", "Choose a directory that is writable and on a disk that supports locks."):
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


def _unlock(fd: int) -> None:
    fcntl.flock(fd, fcntl.LOCK_UN)  # closing alone would leave the lock to forked children
    os.close(fd)
