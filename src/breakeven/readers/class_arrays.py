"""Recorded class passes as arrays: an .npz, compressed or not, or a folder of .npy files.

The large arrays are read one block of problems after another, in the order of the file; those of one number a problem
(labels, ids) are read whole, and so is an array in Fortran order. Nothing is ever unpickled.
"""

import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.errors import ArgumentError, argument_error
from breakeven.readers.class_blocks import (
    DIMENSIONS,
    UNLABELLED,
    Floats,
    PassBlock,
    RecordedPasses,
    block_of,
    problems_a_block,
    recorded,
)
from breakeven.ttc.class_probabilities import fault_in

_PLAIN: Final = "Save plain arrays with numpy.savez: lists of unequal lengths and None are none."
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    SyntaxError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    MemoryError,
)
"""What a file that is cut off, encrypted or no .npy file makes zipfile and numpy raise."""
_Opener: TypeAlias = Callable[[], AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """One array of a file, not read yet."""

    where: str
    open: _Opener
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    def blocks(self, step: int) -> Iterator[npt.NDArray[Any]]:
        """Its values, so many along the first dimension at a time."""
        with self.open() as file:
            _header(file)
            if self.fortran:
                values = self._read(file, self.shape)
                yield from (values[start : start + step] for start in range(0, len(values), step))
                return
            for start in range(0, self.shape[0], step):
                yield self._read(file, (min(step, self.shape[0] - start), *self.shape[1:]))

    def whole(self) -> npt.NDArray[Any]:
        """All values, of one number or name a problem or class."""
        if len(self.shape) != 1:
            raise argument_error(self.where, "have one dimension", f"{len(self.shape)} dimensions")
        try:
            return next(self.blocks(max(1, self.shape[0])), np.empty(0, self.dtype))
        except _DAMAGED as error:
            raise _damaged(self.where, error) from None

    def _read(self, file: IO[bytes], shape: tuple[int, ...]) -> npt.NDArray[Any]:
        size = int(np.prod(shape, dtype=np.int64)) * self.dtype.itemsize
        data = file.read(size)
        if len(data) < size:
            raise EOFError("it ends too early")
        return np.frombuffer(data, dtype=self.dtype).reshape(shape, order="F" if self.fortran else "C")


def passes_of_arrays(path: Path) -> RecordedPasses:
    """The passes of an .npz or of a folder of .npy files.

    Its arrays are `labels` (P,), some of `plain` (P, C), `probabilities` (P, N, C) and `snapshots` (P, S, C), the last
    checkpoint first, and, if wanted, `classes` (C,), their names, and `ids` (P,).

    Raises:
        ArgumentError: the file is damaged or holds pickles; arrays are missing, or break a rule.
    """
    stored = {name: _stored(f"{path}, {name},", opener) for name, opener in _openers(path).items()}
    large = {name: stored[name] for name in DIMENSIONS if name in stored}
    for each in large.values():
        if each.dtype.kind not in "fiu":
            raise argument_error(each.where, "hold numbers", str(each.dtype))
        if not each.shape or not each.shape[0]:
            raise argument_error(each.where, "have at least one problem", each.shape)
    classes = [str(each) for each in stored["classes"].whole()] if "classes" in stored else None
    shapes = {name: each.shape[1:] for name, each in large.items()}
    found = recorded(path, shapes, lambda: _blocks(large, label_P, problems_a_block(shapes)), classes)
    if "labels" not in stored:
        raise argument_error(str(path), "hold labels, one for each problem", sorted(stored))
    label_P = _labels(stored["labels"], None if classes is None else found.classes, len(found.classes))
    for each in large.values():
        if each.shape[0] != len(label_P):
            rule = f"have one row for each of the {len(label_P)} labels"
            raise argument_error(each.where, rule, each.shape[0])
    if "ids" in stored:
        _check_ids(stored["ids"], len(label_P))
    return found


def _openers(path: Path) -> dict[str, _Opener]:
    """How each array is opened, by its name."""
    if path.is_dir():
        return {each.stem: partial(_file, each) for each in sorted(path.glob("*.npy"))}
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except _DAMAGED as error:
        raise _damaged(str(path), error) from None
    return {name.removesuffix(".npy"): partial(_member, path, name) for name in names if name.endswith(".npy")}


@contextmanager
def _file(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        yield file


@contextmanager
def _member(path: Path, name: str) -> Iterator[IO[bytes]]:
    with zipfile.ZipFile(path) as archive, archive.open(name) as file:
        yield file


def _stored(where: str, opener: _Opener) -> _Stored:
    try:
        with opener() as file:
            shape, fortran, dtype = _header(file)
    except _DAMAGED as error:
        raise _damaged(where, error) from None
    if dtype.hasobject:
        raise argument_error(where, "be a plain array, since no pickle is read", "an array of objects", _PLAIN)
    return _Stored(where=where, open=opener, shape=shape, dtype=dtype, fortran=fortran and len(shape) > 1)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    major, _ = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    return tuple(shape), bool(fortran), dtype


def _damaged(where: str, error: Exception) -> ArgumentError:
    got = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return argument_error(where, "be a whole array file of numpy", got, "Write it anew with numpy.savez.")


def _blocks(large: dict[str, _Stored], label_P: npt.NDArray[np.int64], step: int) -> Iterator[PassBlock]:
    sources = {name: each.blocks(step) for name, each in large.items()}
    for start in range(0, len(label_P), step):
        arrays: dict[str, Floats] = {}
        for name, source in sources.items():
            try:
                values = next(source).astype(np.float64)
            except _DAMAGED as error:
                raise _damaged(large[name].where, error) from None
            if (fault := fault_in(values)) is not None:
                place, rule, got, remedy = fault
                raise argument_error(f"{large[name].where} problem {start + place},", rule, got, remedy)
            arrays[name] = values
        yield block_of(label_P[start : start + step], arrays)


def _labels(stored: _Stored, classes: Sequence[str] | None, num_classes: int) -> npt.NDArray[np.int64]:
    values = stored.whole()
    if values.dtype.kind in "US" and classes is not None:
        number_of = {name: number for number, name in enumerate(classes)}
        for name in np.unique(values):
            if str(name) not in number_of:
                raise argument_error(stored.where, f"be among the classes {', '.join(classes)}", str(name))
        return np.array([number_of[str(each)] for each in values], dtype=np.int64)
    if values.dtype.kind not in "iub":
        remedy = "Use labels.astype(int)." if values.dtype.kind == "f" else "Or name the classes in `classes`."
        raise argument_error(stored.where, "be whole numbers, the classes", str(values.dtype), remedy)
    wrong = np.flatnonzero((values < 0) | (values >= num_classes))
    if len(wrong):
        got, remedy = f"{values[wrong[0]]} of problem {wrong[0]}", UNLABELLED if values[wrong[0]] == -1 else ""
        raise argument_error(stored.where, f"be from 0 to {num_classes - 1}", got, remedy)
    return values.astype(np.int64)


def _check_ids(stored: _Stored, size: int) -> None:
    values = stored.whole()
    if len(values) != size:
        raise argument_error(stored.where, f"be one for each of the {size} labels", len(values))
    distinct, counts = np.unique(values, return_counts=True)
    if (counts > 1).any():
        raise argument_error(stored.where, "differ", str(distinct[counts > 1][0]), "Each problem counts once.")
