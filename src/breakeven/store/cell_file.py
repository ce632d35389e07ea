"""The finished cells of a plan, on disk: a line each, so that a kill loses at most the one in progress."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from breakeven.errors import LogError, argument_error
from breakeven.store.append import AppendLog, Layout, View
from breakeven.store.files import make_directory, storage_errors
from breakeven.store.kinds import Cell, Line, PlanHeader
from breakeven.store.lines import LineError, encode

CELLS_NAME: Final = "cells.jsonl"
_LAYOUT: Final = Layout(
    name="file of cells",
    header=PlanHeader,
    records=(Cell,),
    when_full="Free space, then go on by --resume.",
)


class CellFile(View, Mapping[str, Any]):
    """The values of the finished cells by key, in the order in which they were finished.

    A directory holds one; open for this process alone.

    Args:
        directory: made if need be.
        header: what the cells depend on. An existing file must have been begun with the same row, settings and files;
            None opens an existing one whatever it is of.

    Raises:
        ArgumentError: the directory holds a plan of another row, other settings or other files; the message names it.
        LogError: there is none, and no header is given.
        RunInUseError, RunStorageError, CorruptLogError: see `RunLog`.
    """

    header: PlanHeader

    def __init__(self, directory: str | Path, header: PlanHeader | None) -> None:
        self.path = Path(directory) / CELLS_NAME
        if header is None and not self.path.is_file():
            raise LogError(f"there is no plan at {self.path}. Begin one: breakeven plan NAME --out {directory}")
        self._log = AppendLog(self.path, _LAYOUT)
        self._values: dict[str, Any] = {}
        with storage_errors(f"directory {self.path.parent} cannot be made", "Choose another path."):
            make_directory(self.path.parent)
        self._expected = header
        self._log.open(self._take, None if header is None else encode(header)[0])

    def _take(self, record: Line) -> None:
        if isinstance(record, PlanHeader):
            self.header = record
            for name in ("row", "settings", "files") if self._expected is not None else ():
                self._check_same(name, getattr(self._expected, name), getattr(record, name))
            return
        assert isinstance(record, Cell)
        if record.key in self._values:
            raise LineError(f"cell {record.key} is there twice")
        self._values[record.key] = record.value

    def _check_same(self, name: str, given: Any, held: Any) -> None:
        if given == held:
            return
        if isinstance(given, dict):
            name, given, held = next(
                (f"{name}.{key}", given.get(key), held.get(key))
                for key in sorted({*given, *held})
                if given.get(key) != held.get(key)
            )
        remedy = "Cells of different plans are not mixed: choose another directory (--out)."
        raise argument_error(name, f"be {held!r}, as in {self.path}", given, remedy)

    def put(self, key: str, value: Any) -> Any:
        """Record a finished cell.

        Returns:
            Its value as it reads back.

        Raises:
            ArgumentError: the key is there, or the value holds NaN, say, which JSON lacks.
            RunStorageError: the disk refused; the file is as before.
        """
        if key in self._values:
            raise argument_error("key", "be new", key)
        (stored,) = self._log.append([Cell(key=key, value=value)])
        assert isinstance(stored, Cell)
        self._values[key] = stored.value
        return stored.value

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
