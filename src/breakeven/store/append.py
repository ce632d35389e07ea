"""A file of records, a line each: read with checks, and extended so that no crash leaves half a record."""

import fcntl
import mmap
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Final, Self, TypeVar

from breakeven.errors import CorruptLogError, LogError, RunStorageError, argument_error
from breakeven.store.files import storage_errors, sync, write_all, write_whole
from breakeven.store.kinds import KINDS, Line
from breakeven.store.lines import LineError, chained, decode, decode_bare, encode, follow
from breakeven.store.lock import lock_directory, unlock

_KNOWN_BY: Final = 64
"""Bytes at the end of a line, checksum included, by which the file is known again."""
_ENVELOPED: Final = b'{"kind":'
"""How a line begins that is not bare."""
_ONE_THREAD: Final = threading.Lock()
"""Held while a shared file is extended: where the disk has no locks, threads are kept apart by this alone."""

_Read = TypeVar("_Read", bound=Line)


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
    """Whether any number of objects, threads and processes may append; else one process, which holds the directory,
    and every line is chained to those before it."""
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
        self.starts: list[int] = []
        """Of each of the lines that were appended last."""
        self.recovered = False
        """Whether a torn last line was left out: a write was cut short, or is under way right now."""
        self._fd = self._lock_fd = -1
        self._chain, self._last = 0, b""
        """Of all lines so far; and how the last of them ends, by which a file is known again."""

    def read(self, take: Callable[[Line], None]) -> None:
        """Hand over every record in its order, the header first. Needs no lock, and writes nothing.

        Args:
            take: raises a LineError where a record cannot follow on those before.

        Raises:
            LogError: the file cannot be read, or has no header.
            CorruptLogError: a line is damaged, and it is not just a torn last one.
            NewerLogError: a later version wrote it.
        """
        self.start = self.end = self._chain = number = 0
        self.recovered, self._last = False, b""
        try:
            with self.path.open("rb") as file:
                for line in file:
                    number += 1
                    if not line.endswith(b"\n"):
                        self.recovered = True
                        break
                    self.start, self.end = self.end, self.end + len(line)
                    take(self._decoded(line))
                    self._last = line[-_KNOWN_BY:]
                    if not self.layout.shared:
                        self._chain = follow(line, self._chain)
        except LineError as error:
            raise self._corrupt(f"line {number}", str(error), number) from error
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or self.layout.header:
                what = f"{self.path} cannot be read: {error.strerror or error}"
                raise LogError(f"{what}. Check its permissions.") from error
        if self.layout.header and not self.end:
            what = "holds no whole line" if number else "is empty"
            raise LogError(f"{self.path} {what}, so nothing was recorded. Delete it and start again.")

    def read_at(self, start: int, kind: type[_Read], is_it: Callable[[_Read], bool]) -> _Read:
        """The record whose line begins at a byte, if it is still the one that was read there; raises as `read`."""
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                line = file.readline()
            record = self._record(line)
            if not isinstance(record, kind) or not is_it(record):
                raise LineError("another line was there before")
            return record
        except LineError as error:
            raise self._corrupt(f"byte {start}", str(error)) from error
        except OSError as error:
            raise LogError(f"{self.path} cannot be read: {error.strerror or error}.") from error

    def _record(self, line: bytes) -> Line:
        bare = self.layout.bare
        return decode(self.path, line) if bare is None or line.startswith(_ENVELOPED) else decode_bare(bare, line)

    def _decoded(self, line: bytes) -> Line:
        layout, record = self.layout, self._record(line)
        if type(record) is layout.bare:
            return record
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
                self._begin(chained(first, 0)[0])
            self.read(take)
            remedy = "Make it writable for this user, or copy it elsewhere."
            with storage_errors(f"{self.path} cannot be extended", remedy):
                self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND)
                if self.recovered:
                    os.truncate(self.path, self.end)
                    os.fsync(self._fd)
        except BaseException:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
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
            RunStorageError: the disk refused; the file is as before, and the call may be repeated. Or the file is no
                longer there, or no longer the one that was read and written until now.
        """
        layout, chain = self.layout, self._chain
        lines, stored = [], []
        for record in records:
            if type(record) not in layout.records:
                names = " or a ".join(each.__name__ for each in layout.records)
                raise argument_error("record", f"be a {names}", record)
            line, as_read = encode(record)
            if not layout.shared:
                line, chain = chained(line, chain)
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
            self.starts = list(accumulate(map(len, lines[:-1]), initial=start)) if lines else []
            self._chain, self._last = chain, data[-_KNOWN_BY:]
        return stored

    @contextmanager
    def _to_append(self) -> Iterator[tuple[int, int]]:
        """The open file, and the size in bytes of its whole lines."""
        if not self.layout.shared:
            if self._fd < 0:
                raise argument_error(f"the {self.layout.name}", "be open", "closed", "Open it again.")
            self._check_known(self._fd)
            yield self._fd, self.end
            return
        with _ONE_THREAD:
            try:
                fd = os.open(self.path, os.O_RDWR | os.O_APPEND | (0 if self.end else os.O_CREAT), 0o666)
            except FileNotFoundError:
                self._check_known(-1)
                raise
            try:
                with suppress(OSError):  # a disk without locks: then only the threads of one process may append
                    fcntl.flock(fd, fcntl.LOCK_EX)
                self._check_known(fd)
                yield fd, _whole_lines(fd)
            finally:
                with suppress(OSError):
                    fcntl.flock(fd, fcntl.LOCK_UN)
                os.close(fd)

    def _check_known(self, fd: int) -> None:
        """Refuse a file that somebody took away, replaced or cut while it was written to: what follows would be lost.

        Raises:
            RunStorageError: the open file is not what has this path, or lacks the line that was last.
        """
        try:
            there = self.path.stat() if self.end else None
        except FileNotFoundError:
            what = "was removed or moved"
        else:
            if there is None:
                return
            if not os.path.samestat(os.fstat(fd), there):
                what = "was replaced by another file"
            elif os.pread(fd, len(self._last), self.end - len(self._last)) != self._last:
                what = "was cut short or changed"
            else:
                return
        remedy = "Nothing was written: put it back as it was, then start again from there."
        raise RunStorageError(f"{self.path} {what} while this process was extending it. {remedy}")

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
