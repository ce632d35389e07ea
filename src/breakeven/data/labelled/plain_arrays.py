"""Pickles of plain arrays, read without running anything that they name.

A pickle is a program: it may call whatever can be imported. Here the few names that pickles of arrays need lead to the
stand-ins of this module, every other name is refused, and NumPy sees nothing but the bytes, in a type of numbers. Each
stand-in has a `__setstate__`, since a pickle sets attributes, of classes too, where there is none.
"""

import pickle
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error

_TYPES: Final = frozenset(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)) | {"f4", "f8", "b1"}


class _Type:
    """A dtype: its code, and `<`, `>` or `|`."""

    __slots__ = ("code", "order")

    def __init__(self, code: Any, *_: Any) -> None:
        if code not in _TYPES:
            raise pickle.UnpicklingError(f"arrays of type {code!r}")
        self.code = code
        self.order = "<"

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"byte order {order!r}")
        self.order = order


class _Array:
    """An array: its shape, type and bytes, which `array_in` makes one of."""

    __slots__ = ("content", "fortran", "shape", "type")

    def __init__(self, *_: Any) -> None:
        self.shape: tuple[int, ...] = ()
        self.type: Any = None
        self.fortran = False
        self.content: Any = b""

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.type, self.fortran, self.content = state

    def array(self) -> npt.NDArray[Any]:
        content = self.content.encode("latin1") if isinstance(self.content, str) else self.content
        flat = np.frombuffer(content, dtype=np.dtype(self.type.order + self.type.code))
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


class _Encoded(bytes):
    """`_codecs.encode(text, "latin1")`, as Python 3 writes bytes in earlier protocols."""

    __slots__ = ()

    def __new__(cls, text: Any, encoding: Any) -> "_Encoded":
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"the encoding {encoding!r}")
        return super().__new__(cls, text.encode("latin1"))

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("bytes with a state")


_STAND_INS: Final[dict[tuple[str, str], type]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("_codecs", "encode"): _Encoded,
}


class _Unpickler(pickle._Unpickler):
    """The reader in Python: that in C fills gigabytes for a few bytes that give an object a high number."""

    def find_class(self, module: str, name: str) -> Any:
        found = _STAND_INS.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"the name {module}.{name}")
        return found


def read_pickle(content: bytes, name: str) -> object:
    """What a pickle holds: tuples, lists, dicts, texts, numbers, and arrays for `array_in`. Python 2's are read too.

    Args:
        content: the pickle.
        name: of the file, for errors.

    Raises:
        ArgumentError: it names anything but plain arrays, or is damaged. Nothing it names was run.
    """
    try:
        return _Unpickler(BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a damaged pickle fails in any way
        got = f"{error}" or type(error).__name__
        raise argument_error(name, "be a pickle of plain arrays", got, "Nothing of it was run.") from error


def array_in(value: object, name: str, dimensions: int) -> npt.NDArray[Any]:
    """An array of whole or real numbers out of what `read_pickle` gave; a list of whole numbers is one too.

    Args:
        value: part of the pickle.
        name: of the part, for errors.
        dimensions: of the array.

    Raises:
        ArgumentError: it is none, or has other dimensions.
    """
    found: npt.NDArray[Any] | None = None
    try:
        if isinstance(value, _Array):
            found = value.array()
        elif isinstance(value, list) and all(type(each) is int for each in value):
            found = np.array(value, dtype=np.int64)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise argument_error(name, "be an array", "a damaged one", f"{error}.") from error
    if found is None or found.ndim != dimensions:
        got = type(value).__name__.strip("_") if found is None else f"one of shape {found.shape}"
        raise argument_error(name, f"be an array of {dimensions} dimensions", got)
    return found
