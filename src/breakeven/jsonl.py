"""Files of lines, plain or gzip, with or without BOM and CRLF; and strict JSONL: one JSON object a line.

What is wrong is told by file, line, rule and value, as the exception that the caller names.
"""

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from breakeven.errors import ArgumentError, BreakevenError

MAX_LINE = 16 << 20
"""Longest line, in bytes."""
_MOST_RATIO: Final = 250
_MOST_INFLATED: Final = 256 << 20
"""Bytes that a gzip file may hold whatever its size, as verdicts without texts do; above, so many times its size."""
LINE_WEIGHT: Final = 16
"""Bytes that a line counts beside its own: an empty one takes time, too."""
_SHOWN: Final = 60
_JSON: Final = msgspec.json.Decoder()
Fault: TypeAlias = type[BreakevenError]


def lines_of(path: Path | str, fault: Fault = ArgumentError) -> Iterator[str]:
    """The lines of a text file with their ends, one at a time in memory.

    Raises:
        fault: not readable, not UTF-8, a damaged gzip file, or a line above MAX_LINE bytes.
    """
    number = 0
    try:
        left = inflates_to(path)
        with (gzip.open if is_packed(path) else open)(path, "rb") as file:
            for number, line in enumerate(iter(partial(file.readline, MAX_LINE + 1), b""), 1):
                left -= len(line) + LINE_WEIGHT
                if left < 0:
                    rule = f"must be reached before the file inflates more than {_MOST_RATIO}-fold"
                    raise line_fault(path, number, rule, line[:_SHOWN], "If all is well, unpack it first.", fault)
                if len(line) > MAX_LINE:
                    rule = f"must be at most {MAX_LINE >> 20} MiB long"
                    raise line_fault(path, number, rule, line[:_SHOWN], "Is it one record a line?", fault)
                yield (line if number > 1 else line.removeprefix(b"\xef\xbb\xbf")).decode()
    except UnicodeDecodeError as error:
        got = error.object[max(0, error.start - 10) : error.start + 10]
        raise line_fault(path, number, "must be UTF-8 text", got, "Save the file as UTF-8.", fault) from None
    except (OSError, EOFError, zlib.error) as error:
        after = f" after line {number}" if number else ""
        raise fault(
            f"{path} must be a readable file; got {getattr(error, 'strerror', None) or error}{after}."
        ) from None


def is_packed(path: Path | str) -> bool:
    """Whether a file is a gzip file."""
    with open(path, "rb") as raw:
        return raw.read(2) == b"\x1f\x8b"


def inflates_to(path: Path | str) -> float:
    """Bytes that may be read of a file, LINE_WEIGHT for each line included; infinite where it is no gzip file."""
    return max(_MOST_INFLATED, _MOST_RATIO * os.stat(path).st_size) if is_packed(path) else math.inf


def json_rows(path: Path | str, fault: Fault = ArgumentError) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSONL file with the numbers of their lines, from 1. Blank lines are skipped, and count.

    Raises:
        fault: as of `lines_of` and `json_object`.
    """
    for number, line in enumerate(lines_of(path, fault), 1):
        if not line.isspace():
            yield number, json_object(line, path, number, fault)


def json_object(line: str, path: Path | str, number: int, fault: Fault = ArgumentError) -> dict[str, Any]:
    """One line as a JSON object. Neither NaN nor half a surrogate pair is JSON.

    Raises:
        fault: it is none.
    """
    try:
        value = _JSON.decode(line)
    except (ValueError, RecursionError) as error:
        raise line_fault(
            path, number, "must be one JSON object on one line", line.strip(), f"{error}.", fault
        ) from None
    if not isinstance(value, dict):
        raise line_fault(path, number, "must be a JSON object", line.strip(), "Write {...} on every line.", fault)
    return value


def line_fault(
    path: Path | str, number: int, rule: str, got: object, remedy: str, fault: Fault = ArgumentError
) -> BreakevenError:
    """The error for one line, worded `<path>, line <number>, <rule>; got <value>. <remedy>`, a long value cut."""
    shown = repr(got)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return fault(f"{path}, line {number}, {rule}; got {shown}.{' ' + remedy if remedy else ''}")
