"""The samples of one model on one task, on disk: append-only, crash-safe, only ever extended."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Self, TypeAlias

from breakeven.errors import LogError, argument_error
from breakeven.store.append import AppendLog, Layout, View
from breakeven.store.files import make_directory, storage_errors
from breakeven.store.kinds import Drawn, Graded, Line, SamplesHeader, Scored, Searched
from breakeven.store.lines import encode

SAMPLES_NAME: Final = "samples.jsonl"
Key: TypeAlias = tuple[str, bool, int]
"""(problem id, greedy, number of the first sample): a batch of samples that were drawn together."""
Sampled: TypeAlias = Drawn | Graded | Scored | Searched
_LAYOUT: Final = Layout(
    name="sample file",
    header=SamplesHeader,
    records=(Drawn, Graded, Scored, Searched),
    when_full="Free space, then start again.",
)


class SampleFile(View):
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
        self._num_drawn: dict[tuple[str, bool], int] = {}
        with storage_errors(f"directory {self.path.parent} cannot be made", "Choose another path."):
            make_directory(self.path.parent)
        self._expected = header
        self._log = AppendLog(self.path, _LAYOUT)
        self._log.open(self._take, None if header is None else encode(header)[0])

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

    def append(self, records: Iterable[Sampled]) -> None:
        """Record lines, all of them or, where the disk refuses, none.

        Raises:
            ArgumentError: samples whose numbers do not follow on those recorded.
            RunStorageError: the disk refused; the file is as before, and the call may be repeated.
        """
        records = list(records)
        new: dict[tuple[str, bool], int] = {}
        for each in records:
            if isinstance(each, Drawn):
                place = (each.problem, each.greedy)
                new[place] = self._next(each, new.get(place, self._num_drawn.get(place, 0)))
        for stored in self._log.append(records):
            self._take(stored)

    def _next(self, record: Drawn, known: int) -> int:
        """The number of the sample after those of a record, which must go on from the known ones."""
        if record.first != known:
            rule = f"go on from the {known} recorded for {record.problem!r}"
            raise argument_error("first", rule, record.first)
        return known + len(record.completions)

    def _take(self, record: Line) -> None:
        match record:
            case SamplesHeader():
                self.header = record
                self._check_header()
            case Drawn():
                place = (record.problem, record.greedy)
                self._num_drawn[place] = self._next(record, self._num_drawn.get(place, 0))
                self.drawn[(*place, record.first)] = record
            case Graded():
                self.graded[record.problem, record.greedy, record.first] = record
            case Searched():
                self.searched[record.setting, record.k, record.problem] = record
            case Scored():
                self.scored[record.reward_model, record.problem, record.first] = record

    def _check_header(self) -> None:
        for field in dataclasses.fields(SamplesHeader) if self._expected is not None else ():
            given, recorded = getattr(self._expected, field.name), getattr(self.header, field.name)
            if given != recorded and field.name not in ("format", "versions"):
                remedy = "Samples of different settings are not mixed: choose another directory (--out)."
                raise argument_error(field.name, f"be the {recorded!r} of the samples in {self.path}", given, remedy)
