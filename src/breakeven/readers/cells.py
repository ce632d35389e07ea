"""Columns of text or JSON values as arrays; what does not fit is refused by file, row and column."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from breakeven.readers.lines import Chunk
from breakeven.readers.plain import Column

_VERDICTS: dict[object, int] = {
    **dict.fromkeys((1, "1", "1.0", "true", "True", "TRUE"), 1),
    **dict.fromkeys((0, "0", "0.0", "false", "False", "FALSE"), 0),
}
_LARGEST = 2**31 - 1


def counts(chunk: Chunk, name: str) -> npt.NDArray[np.int32]:
    """Whole numbers from 0 up, shape (R,)."""
    values: Sequence[Any] = chunk.columns[name]
    if isinstance(values, Column) and (number_R := values.numbers()) is not None and number_R.max() <= _LARGEST:
        return number_R.astype(np.int32)
    try:
        known: dict[Any, int] = dict.fromkeys(values, 0)
        kinds = set(map(type, known))
        if kinds == {str}:
            known = {value: int(value) for value in known}
            array = np.fromiter(map(known.__getitem__, values), dtype=np.int64, count=len(values))
        elif kinds == {int} == set(map(type, values)):  # True is 1
            array = np.array(values, dtype=np.int64)
        else:
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        array = np.array([_whole(chunk, name, index) for index in range(len(values))], dtype=np.int64)
    bad = np.flatnonzero((array < 0) | (array > _LARGEST))
    if len(bad):
        raise chunk.refuse(int(bad[0]), name, f"be a whole number from 0 to {_LARGEST}")
    return array.astype(np.int32)


def verdicts(chunk: Chunk, name: str, *, absent: int | None = None) -> npt.NDArray[np.int8]:
    """Flags, 0 or 1, however written, shape (R,); `absent` stands for an empty cell where there may be one."""
    values = chunk.columns[name]
    if isinstance(values, Column) and values.longest == 1:  # 01 is no flag
        number_R = values.numbers()
        if number_R is not None and number_R.max() <= 1:
            return number_R.astype(np.int8)
    known = _VERDICTS if absent is None else {**_VERDICTS, None: absent, "": absent}
    try:
        return np.array(list(map(known.__getitem__, values)), dtype=np.int8)
    except (KeyError, TypeError):
        index = next(place for place, value in enumerate(values) if _flag(value, known) is None)
        raise chunk.refuse(index, name, "be 0 or 1, or true or false") from None


def passed(chunk: Chunk, name: str) -> npt.NDArray[np.int8]:
    """HumanEval's `result`, shape (R,): 1 for "passed", 0 for any other text."""
    values = chunk.columns[name]
    for index, value in enumerate(values):
        if not isinstance(value, str) or not value:
            raise chunk.refuse(index, name, 'be a text such as "passed" or "failed: ..."')
    return np.array([value.strip() == "passed" for value in values], dtype=np.int8)


def names(chunk: Chunk, name: str) -> Sequence[str]:
    """Texts that name something: JSON numbers as they are written, never empty."""
    values = chunk.columns[name]
    if isinstance(values, Column) and values.shortest:
        return values
    if set(map(type, values)) != {str}:
        for index, value in enumerate(values):
            if not isinstance(value, str | int | float) or isinstance(value, bool):
                raise chunk.refuse(index, name, "be a text or a number")
        values = list(map(str, values))
    if "" in values:
        raise chunk.refuse(values.index(""), name, "not be empty")
    return values


def whole(chunk: Chunk, name: str, index: int) -> int:
    """One whole number from 0 up."""
    number = _whole(chunk, name, index)
    if number < 0:
        raise chunk.refuse(index, name, "be a whole number from 0 up")
    return number


def positive(chunk: Chunk, name: str, index: int) -> float:
    """One finite number from 0 up."""
    value = chunk.columns[name][index]
    number = _number(value)
    if number is None or not math.isfinite(number) or number < 0:
        raise chunk.refuse(index, name, "be a finite number of at least 0")
    return number


def _whole(chunk: Chunk, name: str, index: int) -> int:
    value = chunk.columns[name][index]
    number = _number(value)
    if number is None or not math.isfinite(number) or number != math.floor(number):
        remedy = "A share or a percentage does not say how many samples there were." if number is not None else ""
        raise chunk.refuse(index, name, "be a whole number", remedy)
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _flag(value: object, known: dict[object, int]) -> int | None:
    try:
        return known.get(value)
    except TypeError:
        return None
