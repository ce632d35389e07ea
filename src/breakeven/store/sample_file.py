"""The samples of one model on one task, on disk: append-only, crash-safe, only ever extended."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Self, TypeAlias, TypeVar

from breakeven.errors import LogError, argument_error
from breakeven.store.append import AppendLog, Layout, View
from breakeven.store.files import make_directory, storage_errors
from breakeven.store.kinds import Drawn, Graded, Line, SamplesHeader, Scored, Searched
from breakeven.store.lines import encode

SAMPLES_NAME: Final = "samples.jsonl"
Key: TypeAlias = tuple[str, bool, int]
"""(problem id, greedy, number of the first sample): a batch of samples that were drawn together."""
Sampled: TypeAlias = Drawn | Graded | Scored | Searched
_Key = TypeVar("_Key")
_Sampled = TypeVar("_Sampled", bound=Line)
_LAYOUT: Final = Layout(
    name="sample file",
    header=SamplesHeader,
    records=(Drawn, Graded, Scored, Searched),
    when_full="Free space, then start again.",
)


class OnDisk(Mapping[_Key, _Sampled]):
    """Records by key, each read from the file when it is asked for: held is where its line begins.

    So that millions of samples, whose texts take gigabytes, are extended and measured within little memory.
    """

    def __init__(self, log: AppendLog, kind: type[_Sampled], key_of: Callable[[_Sampled], _Key]) -> None:
        self._log, self._kind, self._key_of = log, kind, key_of
        self._starts: dict[_Key, int] = {}

    def put(self, key: _Key, start: int) -> None:
        """The record of a key is the line that begins at a byte."""
        self._starts[key] = start

    def __getitem__(self, key: _Key) -> _Sampled:
        """Raises CorruptLogError where the line is no longer what was read or written there."""
        return self._log.read_at(self._starts[key], self._kind, lambda record: self._key_of(record) == key)

    def __contains__(self, key: object) -> bool:
        return key in self._starts

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._starts)

    def __len__(self) -> int:
        return len(self._starts)


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
        self._log = AppendLog(self.path, _LAYOUT)
        self.drawn = OnDisk(self._log, Drawn, lambda one: (one.problem, one.greedy, one.first))
        self.graded = OnDisk(self._log, Graded, lambda one: (one.problem, one.greedy, one.first))
        self.scored = OnDisk(self._log, Scored, lambda one: (one.reward_model, one.problem, one.first))
        """By (reward model, problem id, number of the first sample)."""
        self.prompts: dict[tuple[str, str], None] = {}
        """(problem id, prompt) of all that was drawn."""
        self.searched: dict[tuple[str, int, str], Searched] = {}
        """By (setting, K, problem id)."""
        self._num_drawn: dict[tuple[str, bool], int] = {}
        with storage_errors(f"directory {self.path.parent} cannot be made", "Choose another path."):
            make_directory(self.path.parent)
        self._expected = header
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
        stored = self._log.append(records)
        for record, start in zip(stored, self._log.starts, strict=True):
            self._take(record, start)

    def _next(self, record: Drawn, known: int) -> int:
        """The number of the sample after those of a record, which must go on from the known ones."""
        if record.first != known:
            rule = f"go on from the {known} recorded for {record.problem!r}"
            raise argument_error("first", rule, record.first)
        return known + len(record.completions)

    def _take(self, record: Line, start: int | None = None) -> None:
        """A record, and at which byte its line begins: the one that was read last, where None."""
        start = self._log.start if start is None else start
        match record:
            case SamplesHeader():
                self.header = record
                self._check_header()
            case Drawn():
                place = (record.problem, record.greedy)
                self._num_drawn[place] = self._next(record, self._num_drawn.get(place, 0))
                self.prompts[record.problem, record.prompt] = None
                self.drawn.put((*place, record.first), start)
            case Graded():
                self.graded.put((record.problem, record.greedy, record.first), start)
            case Searched():
                self.searched[record.setting, record.k, record.problem] = record
            case Scored():
                self.scored.put((record.reward_model, record.problem, record.first), start)

    def _check_header(self) -> None:
        for field in dataclasses.fields(SamplesHeader) if self._expected is not None else ():
            given, recorded = getattr(self._expected, field.name), getattr(self.header, field.name)
            if given != recorded and field.name not in ("format", "versions"):
                remedy = "Samples of different settings are not mixed: choose another directory (--out)."
                raise argument_error(field.name, f"be the {recorded!r} of the samples in {self.path}", given, remedy)
