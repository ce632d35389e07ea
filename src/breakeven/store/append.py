"""A file of records, a line each: read with checks, and extended so that no crash leaves half a record."""

import fcntl
import mmap
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from breakeven.errors import CorruptLogError, LogError, argument_error
from breakeven.store.files import storage_errors, sync, write_all, write_whole
from breakeven.store.kinds import KINDS, Line
from breakeven.store.lines import LineError, decode, decode_bare, encode
from breakeven.store.lock import lock_directory, unlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a file holds, and what to do where it fails."""

    name: str
    """As in "the run log"."""
    header: type[Line] | None = None
    """Of the first line; None: there is no header, and a file that is missing holds nothing."""
    records: tuple[type[Line], ...]
    """Of all other lines."""
    shared: bool = False
    """Whether any number of objects, threads and processes may append; else one process, which holds the directory."""
    bare: type[Line] | None = None
    """Of lines without an envelope, as earlier versions wrote them."""
    when_full: str
    """What to do where the disk refuses a record."""
    when_damaged: str = ""
    """What to do about a damaged line; empty: only what is before it can be used."""


class AppendLog:
    """One such file. The views on it know what its records mean, and which may follow on which."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path, self.layout = path, layout
        self.start = self.end = 0
        """In bytes: of the line that was read or the lines that were appended last."""
        self.recovered = False
        """Whether a torn last line was left out: a write was cut short, or is under way right now."""
        self._fd = self._lock_fd = -1

    def read(self, take: Callable[[Line], None]) -> None:
        """Hand over every record in its order, the header first. Needs no lock, and writes nothing.

        Args:
            take: raises a LineError where a record cannot follow on those before.

        Raises:
            LogError: the file cannot be read, or has no header.
            CorruptLogError: a line is damaged, and it is not just a torn last one.
            NewerLogError: a later version wrote it.
        """
        self.start = self.end = number = 0
        self.recovered = False
        try:
            with self.path.open("rb") as file:
                for line in file:
                    number += 1
                    if not line.endswith(b"\n"):
                        self.recovered = True
                        break
                    self.start, self.end = self.end, self.end + len(line)
                    take(self._decoded(line))
        except LineError as error:
            raise self._corrupt(f"line {number}", str(error), number) from error
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or self.layout.header:
                what = f"{self.path} cannot be read: {error.strerror or error}"
                raise LogError(f"{what}. Check its permissions.") from error
        if self.layout.header and not self.end:
            what = "holds no whole line" if number else "is empty"
            raise LogError(f"{self.path} {what}, so nothing was recorded. Delete it and start again.")

    def read_at(self, start: int) -> Line:
        """The record whose line begins at a byte; raises as `read`."""
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return decode(self.path, file.readline())
        except LineError as error:
            raise self._corrupt(f"byte {start}", str(error)) from error
        except OSError as error:
            raise LogError(f"{self.path} cannot be read: {error.strerror or error}.") from error

    def _decoded(self, line: bytes) -> Line:
        layout = self.layout
        if layout.bare is not None and not line.startswith(b'{"kind":'):
            return decode_bare(layout.bare, line)
        record = decode(self.path, line)
        kind = KINDS[type(record)]
        if layout.header is not None and self.start == 0:
            if type(record) is not layout.header:
                what = f"its first record is of kind {kind}, not {KINDS[layout.header]}"
                raise LogError(f"{self.path} is not a {layout.name}: {what}. Restore it from a copy.")
        elif type(record) is layout.header:
            raise LineError("it is a second header")
        elif type(record) not in layout.records:
            raise LineError(f"it is a {kind}, which no {layout.name} holds")
        return record

    def _corrupt(self, where: str, what: str, number: int = 0) -> CorruptLogError:
        """The error for a damaged line, with what can still be saved."""
        remedy = self.layout.when_damaged or (
            f"Restore it from a copy, or keep only the whole lines before: head -n {number - 1}."
            if number > 1
            else f"Check that it is a {self.layout.name}, and restore it from a copy; nothing after a damaged header "
            "can be used."
        )
        return CorruptLogError(f"{self.path}, {where}, is damaged: {what}. {remedy}")

    def open(self, take: Callable[[Line], None], first: bytes | None = None, *, must_be_new: bool = False) -> None:
        """Hold the directory for this process alone, and read; a torn last line is cut off on disk.

        Args:
            take: as of `read`.
            first: line that a new file begins with; None: the file exists.
            must_be_new: refuse a file that exists.

        Raises:
            FileExistsError: as `must_be_new` asks.
            RunInUseError: another process holds the directory.
            RunStorageError: the disk refused. Else as `read`.
        """
        self._lock_fd = lock_directory(self.path.parent)
        try:
            exists = self.path.exists()
            if exists and must_be_new:
                raise FileExistsError(self.path)
            if first is not None and not exists:
                self._begin(first)
            self.read(take)
            remedy = "Make it writable for this user, or copy it elsewhere."
            with storage_errors(f"{self.path} cannot be extended", remedy):
                if self.recovered:
                    os.truncate(self.path, self.end)
                self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        except BaseException:
            unlock(self.path.parent, self._lock_fd)
            raise

    def _begin(self, first: bytes) -> None:
        try:
            remedy = "Nothing was recorded. Free space or choose another directory, then start again."
            write_whole(self.path, first, remedy=remedy)
        except OSError:
            with suppress(OSError):
                self.path.unlink()
            raise

    def append(self, records: Iterable[Line], *, at: int | None = None) -> list[Line]:
        """Record lines, all of them or, where the disk refuses, none. Then they survive a crash of the machine.

        Args:
            records: of the kinds that the file holds.
            at: byte from which on earlier lines are replaced; None: none is.

        Returns:
            The records as they read back.

        Raises:
            ArgumentError: a record cannot be stored (it holds NaN, say, which JSON lacks); nothing was written.
            RunStorageError: the disk refused; the file is as before, and the call may be repeated.
        """
        layout = self.layout
        lines, stored = [], []
        for record in records:
            if type(record) not in layout.records:
                names = " or a ".join(each.__name__ for each in layout.records)
                raise argument_error("record", f"be a {names}", record)
            line, as_read = encode(record)
            lines.append(line)
            stored.append(as_read)
        data = b"".join(lines)
        remedy = f"What was recorded before stays readable. {layout.when_full}"
        with storage_errors(f"{self.path} cannot be extended", remedy), self._to_append() as (fd, whole):
            start = whole if at is None else min(at, whole)
            try:
                os.ftruncate(fd, start)  # a part may be left of an append that a signal cut short
                write_all(fd, data)
                os.fsync(fd)
                if start == 0:  # the file is new
                    sync(self.path.parent)
            except OSError:
                with suppress(OSError):  # where this fails too, readers leave out the torn line
                    os.ftruncate(fd, start)
                raise
            self.start, self.end = start, start + len(data)
        return stored

    @contextmanager
    def _to_append(self) -> Iterator[tuple[int, int]]:
        """The open file, and the size in bytes of its whole lines."""
        if not self.layout.shared:
            if self._fd < 0:
                raise argument_error(f"the {self.layout.name}", "be open", "closed", "Open it again.")
            yield self._fd, self.end
            return
        fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            with suppress(OSError):  # a disk without locks: then only the threads of one process may append
                fcntl.flock(fd, fcntl.LOCK_EX)
            yield fd, _whole_lines(fd)
        finally:
            with suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    def close(self) -> None:
        """Release the directory. What was read and appended stays known."""
        if self._fd >= 0:
            os.close(self._fd)
            unlock(self.path.parent, self._lock_fd)
            self._fd = -1


def _whole_lines(fd: int) -> int:
    """The size in bytes of a file up to its last newline."""
    size = os.fstat(fd).st_size
    if size == 0 or os.pread(fd, 1, size - 1) == b"\n":
        return size
    with mmap.mmap(fd, size, access=mmap.ACCESS_READ) as content:
        return content.rfind(b"\n") + 1


class View:
    """What an open run log and an open sample file have in common."""

    _log: AppendLog

    @property
    def recovered(self) -> bool:
        """Whether a torn last line was left out, on opening cut off: a write had been cut short."""
        return self._log.recovered

    def close(self) -> None:
        """Release the directory. What was recorded stays readable here."""
        self._log.close()

    def __enter__(self) -> Self:
        """The view itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
