"""The pieces of a plan: each is computed once, recorded when it is finished, and read back where it is there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec

from breakeven.errors import LogError
from breakeven.store import CellFile

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """Where a row keeps what it has finished.

    A row that is run again computes what is missing only, in the same order, so that a plan that was killed and resumed
    leaves the same bytes as one that was not.
    """

    file: CellFile
    on_cell: Callable[[str, bool], None] = field(default=lambda key, known: None)
    """Told the key of each cell, before it is computed (False) or read back (True)."""

    def of(self, key: str, kind: type[_Value], compute: Callable[[], _Value]) -> _Value:
        """The value of a cell, computed if it is not there yet.

        Args:
            key: by which it is known, such as "train size=M seed=0".
            kind: dataclass or other type that msgspec converts plain data to.
            compute: deterministic; what it draws follows from the key and the settings.

        Raises:
            ArgumentError: the value cannot be stored, as NaN cannot.
            RunStorageError: the disk refused; what is there stays.
            LogError: what is there is not of that kind.
        """
        known = key in self.file
        self.on_cell(key, known)
        plain = self.file[key] if known else self.file.put(key, msgspec.to_builtins(compute(), str_keys=True))
        try:
            return msgspec.convert(plain, kind)
        except msgspec.ValidationError as error:
            what = f"{self.file.path}: cell {key} does not hold a {kind.__name__}: {error}"
            raise LogError(f"{what}. Begin the plan anew in another directory (--out).") from None

    def place(self, name: str) -> Path:
        """A file beside the cells, for what is too large for a line: weights, samples. Written before its cell is."""
        return self.file.path.parent / name
