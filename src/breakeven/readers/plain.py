"""Plain CSV in blocks of bytes: columns cut out of them as arrays, of which texts are made only where these are wanted.

Ten times as fast as cells of text where rows are many, as counts of many problems at many checkpoints are.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from breakeven.jsonl import LINE_WEIGHT, inflates_to, is_packed

Places: TypeAlias = npt.NDArray[np.intp]

_BLOCK = 1 << 19
"""Bytes that are read at once."""
_DIGITS = 9
"""Most digits of a count."""


class Column(Sequence[str]):
    """The cells of one column of some rows.

    Args:
        data: bytes that hold the rows, UTF-8 and without NUL.
        start_R: where each cell begins.
        end_R: where it ends.
    """

    def __init__(self, data: bytes, start_R: Places, end_R: Places) -> None:
        self._data, self._start_R, self._end_R = data, start_R, end_R
        self._code_B = np.frombuffer(data, dtype=np.uint8)
        self._length_R = end_R - start_R
        self.shortest, self.longest = int(self._length_R.min()), int(self._length_R.max())

    def __len__(self) -> int:
        return len(self._start_R)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return list(self)[place]
        return self._data[self._start_R[place] : self._end_R[place]].decode()

    def __iter__(self) -> Iterator[str]:
        ends = zip(self._start_R.tolist(), self._end_R.tolist(), strict=True)
        return (self._data[start:end].decode() for start, end in ends)

    def count(self, value: object) -> int:
        """How many cells are `value`; none is None."""
        return 0 if value is None else sum(each == value for each in self)

    @cached_property
    def text_R(self) -> npt.NDArray[np.bytes_]:
        """The cells as bytes, to be compared."""
        code_RW = np.zeros((len(self), max(1, self.longest)), dtype=np.uint8)
        for place in range(self.longest):
            code_RW[:, place] = self._at(self._start_R + place, place)
        text_R: npt.NDArray[np.bytes_] = code_RW.view(f"S{code_RW.shape[1]}").ravel()
        return text_R

    def changes(self) -> npt.NDArray[np.bool_]:
        """Whether a cell differs from the one before, shape (R - 1,)."""
        changed: npt.NDArray[np.bool_] = self._length_R[1:] != self._length_R[:-1]
        for place in range(self.longest):
            code_R = self._at(self._start_R + place, place)
            changed |= code_R[1:] != code_R[:-1]
        return changed

    def numbers(self) -> npt.NDArray[np.int64] | None:
        """Whole numbers from 0 up, shape (R,); None where some cell is not simply digits, and not too many."""
        if not self.shortest or self.longest > _DIGITS:
            return None
        number_R = np.zeros(len(self), dtype=np.int64)
        for place in range(self.longest):
            digit_R = self._at(self._end_R - (1 + place), place, ord("0")) - np.uint8(ord("0"))
            if digit_R.max() > 9:
                return None
            number_R += np.multiply(digit_R, 10**place, dtype=np.int64)
        return number_R

    def _at(self, at_R: Places, place: int, absent: int = 0) -> npt.NDArray[np.uint8]:
        """The bytes there, and where a cell has no more than `place` of them `absent`."""
        code_R = self._code_B.take(at_R, mode="clip")
        if place >= self.shortest:
            code_R[self._length_R <= place] = absent
        return code_R


def plain_columns(path: Path, *, skipped: int, delimiter: str, width: int, most: int) -> Iterator[list[Column] | None]:
    """The columns of the rows of a CSV file, some rows at a time; a last None where only `csv.reader` knows.

    That is so of quotes, blank or ragged rows, ends of lines inside a row, cells that it refuses for their length, and
    whatever is wrong with a file.

    Args:
        path: of the file.
        skipped: lines before the first row, the header among them.
        delimiter: one ASCII character.
        width: columns.
        most: bytes that are held at once.
    """
    try:
        for data in _whole_lines(path, skipped, min(_BLOCK, most)):
            columns = _cut(data.replace(b"\r\n", b"\n") if b"\r" in data else data, delimiter, width)
            yield columns
            if columns is None:
                return
    except (OSError, EOFError, zlib.error):
        yield None


def _whole_lines(path: Path, skipped: int, block: int) -> Iterator[bytes]:
    """Some lines at a time, each with its end; at a line that is too long or a file that inflates too much, nothing."""
    packed, left = is_packed(path), inflates_to(path)
    with (gzip.open if packed else open)(path, "rb") as file:
        for _ in range(skipped):
            file.readline()
        rest = b""
        while read := file.read(block):
            head, end, tail = read.rpartition(b"\n")
            left -= len(read) + LINE_WEIGHT * read.count(b"\n") if packed else 0
            if not end or left < 0:
                yield b""
                return
            yield rest + head + end
            rest = tail
        if rest:
            yield rest + b"\n"


def _cut(data: bytes, delimiter: str, width: int) -> list[Column] | None:
    """The columns of some lines; None where one is not plain."""
    if width < 2 or not data or any(mark in data for mark in (b'"', b"\r", b"\0")) or not _is_utf8(data):
        return None
    code_B = np.frombuffer(data, dtype=np.uint8)
    end_M = np.flatnonzero((code_B == ord("\n")) | (code_B == ord(delimiter)))
    if len(end_M) % width:
        return None
    ends_row_RM = (code_B[end_M] == ord("\n")).reshape(-1, width)
    if not ends_row_RM[:, -1].all() or ends_row_RM[:, :-1].any():
        return None
    end_WR = np.ascontiguousarray(end_M.reshape(-1, width).T)
    start_R = np.append(0, end_WR[-1, :-1] + 1)
    if (end_WR[-1] - start_R).max() > csv.field_size_limit():
        return None
    return [Column(data, end_WR[at - 1] + 1 if at else start_R, end_WR[at]) for at in range(width)]


def _is_utf8(data: bytes) -> bool:
    try:
        return data.isascii() or bool(data.decode())
    except UnicodeDecodeError:
        return False


def texts_of(values: Sequence[str]) -> npt.NDArray[np.bytes_] | None:
    """Texts as arrays of bytes, as `Column.text_R`; None where one has a NUL, which no column has."""
    if any("\0" in each for each in values):
        return None
    return np.array([each.encode("utf-8", "surrogatepass") for each in values])
