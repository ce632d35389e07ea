"""One line: a record in its checksummed envelope, encoded and decoded."""

import math
import re
import zlib
from collections.abc import Iterator
from numbers import Integral, Rational, Real
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from breakeven.errors import ArgumentError, NewerLogError, argument_error
from breakeven.store import renamed
from breakeven.store.kinds import HEADERS, KINDS, LEFT_OUT, LOG_FORMAT, Line


class LineError(ValueError):
    """What is wrong with a line; whoever knows the file and the line's number makes a `CorruptLogError` of it."""


class _Envelope(msgspec.Struct):
    kind: str
    data: msgspec.Raw
    crc32: str


class _Stamp(msgspec.Struct):
    """What every header holds, whatever its format."""

    format: int
    versions: dict[str, str] = {}


_Given = TypeVar("_Given", bound=Line)
_CLASSES: Final[dict[str, type[Line]]] = {kind: cls for cls, kind in KINDS.items()}
_DECODERS: Final = {kind: msgspec.json.Decoder[Any](cls) for cls, kind in KINDS.items()}
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_STAMP: Final = msgspec.json.Decoder(_Stamp)


def _crc32(kind: str, data: bytes) -> str:
    return f"{zlib.crc32(data, zlib.crc32(kind.encode())):08x}"


def encode(record: _Given) -> tuple[bytes, _Given]:
    """The line that stores `record`, and the record as it reads back: what could not be read is never written."""
    kind = KINDS[type(record)]
    try:
        plain = _without_nulls(kind, msgspec.to_builtins(record, str_keys=True, enc_hook=_plain_number))
        for name, value in _leaves(kind, plain):
            if isinstance(value, float) and not math.isfinite(value):
                raise argument_error(name, "be finite", value, "JSON has no NaN or infinity: find where it arose.")
        data = msgspec.json.encode(plain)
        stored: _Given = _DECODERS[kind].decode(data)
    except ArgumentError:
        raise
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise argument_error(kind, "hold only values of the declared types", str(error)) from error
    kept = _without_nulls(kind, msgspec.to_builtins(stored))
    if kept != plain:  # lists in place of tuples are harmless
        found = dict(_leaves(kind, kept))
        for name, value in _leaves(kind, plain):
            if found.get(name) != value:
                raise argument_error(name, "read back as it was", value, f"It would be {found.get(name)!r}.")
    return b'{"kind":"%b","data":%b,"crc32":"%b"}\n' % (kind.encode(), data, _crc32(kind, data).encode()), stored


def _without_nulls(kind: str, plain: Any) -> Any:
    """Plain data without the nulls that are left out of a file; in place."""
    for path in LEFT_OUT.get(kind, ()):
        *holders, name = path.split(".")
        fields = plain
        for holder in holders:
            fields = (fields or {}).get(holder)
        if fields and fields.get(name, 0) is None:
            del fields[name]
    return plain


_END: Final = re.compile(rb',"crc32":"[0-9a-f]{8}"(,"chain":"([0-9a-f]{8})")?\}\n$')


def chained(line: bytes, before: int) -> tuple[bytes, int]:
    """A line as a chained file stores it, and the chain to go on with.

    Args:
        line: as `encode` gives it.
        before: CRC-32 of all lines before, without their own chains; 0 where there are none.
    """
    chain = zlib.crc32(line, before)
    return line[:-2] + b',"chain":"%08x"}\n' % chain, chain


def follow(line: bytes, before: int) -> int:
    """The chain after a line that was read; one of an earlier version records none, and is taken as it is.

    Raises:
        LineError: lines before it are missing, or are others than when it was written; or it ends otherwise.
    """
    end = _END.search(line)
    if end is None:
        raise LineError("it does not end as a record does")
    if end[1] is None:
        return zlib.crc32(line, before)
    chain, recorded = zlib.crc32(line[: end.start(1)] + b"}\n", before), end[2].decode()
    if int(recorded, 16) != chain:
        raise LineError(f"lines before it are missing or changed: their chain is {chain:08x}, not {recorded}")
    return chain


def _plain_number(value: object) -> float:
    """The Python number equal to a NumPy one; msgspec hands over what it does not know itself."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, Rational):
        return float(value)
    rule = "be a number, a string, a list or a dictionary"
    raise argument_error("a recorded value", rule, value, "Convert it first, as in float(loss).")


def _leaves(name: str, value: object) -> Iterator[tuple[str, object]]:
    """The values inside nested lists and dictionaries, each with the name a user would write."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(f"{name}.{key}", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _leaves(f"{name}[{index}]", item)
    else:
        yield name, value


def decode(path: Path, line: bytes) -> Line:
    """The record that a line of `path` stores.

    Raises:
        LineError: It is damaged.
        NewerLogError: It is the header of a later format.
    """
    try:
        envelope = _ENVELOPE.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # ValueError: text that is not UTF-8
        raise LineError(f"it is not a whole record: {error}") from error
    kind, data = envelope.kind, bytes(envelope.data)
    checksum = _crc32(kind, data)
    if checksum != envelope.crc32:
        raise LineError(f"its contents have checksum {checksum}, but {envelope.crc32} is recorded")
    kind = renamed.KINDS.get(kind, kind)
    if kind not in _DECODERS:
        raise LineError(f"its kind {kind!r} is unknown")
    try:
        stamp = _STAMP.decode(data) if kind in HEADERS else None
        if stamp is None or stamp.format <= LOG_FORMAT:
            if renamed.may_be_old(kind, data):
                plain = renamed.renamed(kind, msgspec.json.decode(data))
                old: Line = msgspec.convert(plain, _CLASSES[kind])
                return old
            record: Line = _DECODERS[kind].decode(data)
            return record
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LineError(f"it is not a {kind} of format {LOG_FORMAT}: {error}") from error
    writer = f"breakeven {stamp.versions.get('breakeven', '(unknown version)')}"
    rule = f"has log format {stamp.format}, written by {writer}; this breakeven reads formats up to {LOG_FORMAT}"
    raise NewerLogError(f"{path} {rule}. Upgrade with `pip install --upgrade breakeven`.")


def decode_bare(cls: type[Line], line: bytes) -> Line:
    """The record of a line from before its file had envelopes.

    Raises:
        LineError: It is damaged.
    """
    try:
        record: Line = _DECODERS[KINDS[cls]].decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise LineError(f"it is not a whole record: {error}") from error
    return record
