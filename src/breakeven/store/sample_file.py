"""The samples of one model on one task, on disk: append-only, crash-safe, only ever extended."""

import dataclasses
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

from breakeven.errors import LogError, argument_error
from breakeven.store.files import lock_directory, storage_errors, unlock, write_first, write_through
from breakeven.store.lines import KINDS, Drawn, Graded, SamplesHeader, Scored, Searched, corrupt_log, decode, encode

SAMPLES_NAME: Final = "samples.jsonl"
Key: TypeAlias = tuple[str, bool, int]
"""(problem id, greedy, number of the first sample): a batch of samples that were drawn together."""
Line: TypeAlias = Drawn | Graded | Scored | Searched


class SampleFile:
    """All samples drawn so far, with what checkers and reward models said of them.

    A directory holds one; open for this process alone. Every append survives a crash once it returns, and a batch of
    samples is never drawn twice: `num_drawn` says from where on to go.

    Args:
        directory: made if need be.
        header: what the samples depend on. An existing file must have been begun with the same one; None opens an
            existing one whatever it is of.

    Raises:
        ArgumentError: the directory holds samples of another model, task or setting; the message names it.
        RunInUseError, RunStorageError, CorruptLogError: see `RunLog`.
    """

    def __init__(self, directory: str | Path, header: SamplesHeader | None) -> None:
        self.path = Path(directory) / SAMPLES_NAME
        if header is None and not self.path.is_file():
            raise LogError(f"there are no samples at {self.path}. Draw some: breakeven eval ... --out {directory}")
        self.drawn: dict[Key, Drawn] = {}
        self.graded: dict[Key, Graded] = {}
        self.scored: dict[tuple[str, str, int], Scored] = {}
        """By (reward model, problem id, number of the first sample)."""
        self.searched: dict[tuple[str, int, str], Searched] = {}
        """By (setting, K, problem id)."""
        self.recovered = False
        """True if a torn last line was cut off: a write had been cut short."""
        self._num_drawn: dict[tuple[str, bool], int] = {}
        with storage_errors(f"directory {self.path.parent} cannot be made", "Choose another path."):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock_fd = lock_directory(self.path.parent)
        try:
            if header is not None and not self.path.exists():
                write_first(self.path, encode(header)[0])
            self.header, self._end = self._read(header)
            with storage_errors(f"{self.path} cannot be extended", "Make it writable for this user."):
                if self.recovered:
                    os.truncate(self.path, self._end)
                self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        except BaseException:
            unlock(self._lock_fd)
            raise

    @classmethod
    def open(cls, directory: str | Path) -> Self:
        """The samples that a directory holds.

        Raises:
            LogError: There are none. Else as the class.
        """
        return cls(directory, None)

    def num_drawn(self, problem: str, *, greedy: bool = False) -> int:
        """Samples of a problem drawn so far: the number of the next one."""
        return self._num_drawn.get((problem, greedy), 0)

    def append(self, records: Iterable[Line]) -> None:
        """Record lines, all of them or, where the disk refuses, none.

        Raises:
            ArgumentError: samples whose numbers do not follow on those recorded.
            RunStorageError: the disk refused; the file is as before, and the call may be repeated.
        """
        if self._fd < 0:
            raise argument_error("the sample file", "be open", "closed", "Open it again.")
        lines: list[bytes] = []
        stored: list[Line] = []
        for record in records:
            line, as_read = encode(record)
            lines.append(line)
            stored.append(as_read)
        self._check_numbers(stored)
        data = b"".join(lines)
        remedy = f"The {len(self.drawn)} batches recorded before stay readable. Free space and start again."
        with storage_errors(f"{self.path} cannot be extended", remedy):
            try:
                os.ftruncate(self._fd, self._end)
                write_through(self._fd, data)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._fd, self._end)
                raise
        self._end += len(data)
        for each in stored:
            self._take(each)

    def _check_numbers(self, records: Iterable[Line]) -> None:
        new: dict[tuple[str, bool], int] = {}
        for record in records:
            if isinstance(record, Drawn):
                place = (record.problem, record.greedy)
                known = new.get(place, self._num_drawn.get(place, 0))
                if record.first != known:
                    raise argument_error(
                        "first", f"go on from the {known} recorded for {record.problem!r}", record.first
                    )
                new[place] = known + len(record.completions)

    def _take(self, record: Line) -> None:
        match record:
            case Drawn():
                place = (record.problem, record.greedy)
                self.drawn[(*place, record.first)] = record
                self._num_drawn[place] = record.first + len(record.completions)
            case Graded():
                self.graded[record.problem, record.greedy, record.first] = record
            case Searched():
                self.searched[record.setting, record.k, record.problem] = record
            case Scored():
                self.scored[record.reward_model, record.problem, record.first] = record

    def _read(self, header: SamplesHeader | None) -> tuple[SamplesHeader, int]:
        """Take in what the file holds; returns its header and the size in bytes of its whole lines."""
        end = 0
        found: SamplesHeader | None = None
        try:
            with self.path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if not line.endswith(b"\n"):
                        self.recovered = True
                        break
                    record = decode(self.path, number, line)
                    end += len(line)
                    if number == 1:
                        found = self._checked_header(record, header)
                    elif isinstance(record, Drawn | Graded | Scored | Searched):
                        self._check_numbers([record])
                        self._take(record)
                    else:
                        raise corrupt_log(self.path, number, f"it is a {KINDS[type(record)]}")
        except OSError as error:
            raise LogError(f"{self.path} cannot be read: {error.strerror or error}.") from error
        if found is None:
            raise LogError(f"{self.path} holds no whole line. Delete it and draw again.")
        return found, end

    def _checked_header(self, found: object, header: SamplesHeader | None) -> SamplesHeader:
        if not isinstance(found, SamplesHeader):
            raise LogError(f"{self.path} is no sample file: its first record is of kind {KINDS[type(found)]}.")
        for field in dataclasses.fields(SamplesHeader) if header is not None else ():
            if field.name in ("format", "versions"):
                continue
            given, recorded = getattr(header, field.name), getattr(found, field.name)
            if given != recorded:
                remedy = "Samples of different settings are not mixed: choose another directory (--out)."
                raise argument_error(field.name, f"be the {recorded!r} of the samples in {self.path}", given, remedy)
        return found

    def close(self) -> None:
        """Release the directory."""
        if self._fd >= 0:
            os.close(self._fd)
            unlock(self._lock_fd)
            self._fd = -1

    def __enter__(self) -> Self:
        """The file itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
