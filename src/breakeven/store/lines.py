"""One line of a run log or a sample file: a record in its checksummed envelope, encoded and decoded."""

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Rational, Real
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from breakeven.errors import ArgumentError, CorruptLogError, NewerLogError, argument_error
from breakeven.records import CheckpointRecord, Completion, Reward, RunSpec, Verification
from breakeven.store import renamed

LOG_FORMAT: Final = 2
"""The format this version writes, and the newest it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a run log: all that decisions rest on besides the checkpoints."""

    format: int = LOG_FORMAT
    versions: dict[str, str]
    """Version by name: breakeven, python and the libraries that took part."""
    config: dict[str, Any]
    """The resolved configuration; reads back as JSON has it: tuples as lists, keys as strings."""
    spec: RunSpec
    policy: dict[str, Any]
    """The settings of the stop policy."""
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesHeader:
    """The first line of a sample file: all that its samples depend on besides the problem and the sample's number."""

    format: int = LOG_FORMAT
    versions: dict[str, str]
    model: str
    task: str
    temperature: float
    seed: int
    max_tokens: int
    settings: dict[str, Any]
    """Whatever else changes a sample: chat template, adapter, stop strings, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Samples of one problem, from number `first` on; samples of the greedy decoding count apart."""

    problem: str
    prompt: str
    """What was sampled: a task whose problems have changed is not mixed with it."""
    greedy: bool = False
    first: int = 0
    prompt_tokens: int
    completions: tuple[Completion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What the checker said of the samples of a `Drawn`, and the answer each gave."""

    problem: str
    greedy: bool = False
    first: int = 0
    verdicts: str
    """`1` right, `0` wrong, `?` the check failed, one character a sample."""
    answers: tuple[str | None, ...]
    reference_crc32: str = ""
    """Of the gold answer it was graded by: with another one it is graded again. Empty: none, or not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a reward model said of the samples of a `Drawn`."""

    problem: str
    first: int = 0
    reward_model: str
    rewards: tuple[Reward, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCandidate:
    """One solution that a search ended with, graded."""

    text: str
    finished: bool
    reward: float | None
    """None where nothing was scored."""
    group: int
    """Of its subtree: candidates of one group share a beginning."""
    verdict: str
    """`1` right, `0` wrong, `?` the check failed."""
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """One search of one problem, with all that it took."""

    problem: str
    prompt: str
    setting: str
    """Strategy, its width and its steps, and the reward model."""
    k: int
    """Candidates asked for."""
    candidates: tuple[FoundCandidate, ...]
    cost: dict[str, int]
    """Counts by name, as in `breakeven.ttc.search.trees.SearchCost`."""
    reference_crc32: str = ""
    """As in `Graded`."""


class _Envelope(msgspec.Struct):
    kind: str
    data: msgspec.Raw
    crc32: str


class _Stamp(msgspec.Struct):
    """What every header holds, whatever its format."""

    format: int
    versions: dict[str, str] = {}


Line: TypeAlias = Header | CheckpointRecord | Verification | SamplesHeader | Drawn | Graded | Scored | Searched
_Given = TypeVar("_Given", bound=Line)
KINDS: Final[dict[type, str]] = {
    Header: "header",
    CheckpointRecord: "checkpoint",
    Verification: "verification",
    SamplesHeader: "samples",
    Drawn: "drawn",
    Graded: "graded",
    Scored: "scored",
    Searched: "searched",
}
_CLASSES: Final[dict[str, type[Line]]] = {kind: cls for cls, kind in KINDS.items()}
_HEADERS: Final = ("header", "samples")
_DECODERS: Final = {kind: msgspec.json.Decoder[Any](cls) for cls, kind in KINDS.items()}
_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_STAMP: Final = msgspec.json.Decoder(_Stamp)


def _crc32(kind: str, data: bytes) -> str:
    return f"{zlib.crc32(data, zlib.crc32(kind.encode())):08x}"


def encode(record: _Given) -> tuple[bytes, _Given]:
    """The line that stores `record`, and the record as it reads back: what could not be read is never written."""
    kind = KINDS[type(record)]
    try:
        plain = msgspec.to_builtins(record, str_keys=True, enc_hook=_plain_number)
        for name, value in _leaves(kind, plain):
            if isinstance(value, float) and not math.isfinite(value):
                raise argument_error(name, "be finite", value, "JSON has no NaN or infinity: find where it arose.")
        data = msgspec.json.encode(plain)
        stored: _Given = _DECODERS[kind].decode(data)
    except ArgumentError:
        raise
    except (msgspec.MsgspecError, TypeError, ValueError) as error:
        raise argument_error(kind, "hold only values of the declared types", str(error)) from error
    kept = msgspec.to_builtins(stored)
    if kept != plain:  # lists in place of tuples are harmless
        found = dict(_leaves(kind, kept))
        for name, value in _leaves(kind, plain):
            if found.get(name) != value:
                raise argument_error(name, "read back as it was", value, f"It would be {found.get(name)!r}.")
    return b'{"kind":"%b","data":%b,"crc32":"%b"}\n' % (kind.encode(), data, _crc32(kind, data).encode()), stored


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


def decode(path: Path, number: int, line: bytes) -> Line:
    """The record that line `number` (from 1) stores."""
    try:
        envelope = _ENVELOPE.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:  # ValueError: text that is not UTF-8
        raise corrupt_log(path, number, f"it is not a whole record: {error}") from error
    kind, data = envelope.kind, bytes(envelope.data)
    checksum = _crc32(kind, data)
    if checksum != envelope.crc32:
        raise corrupt_log(path, number, f"its contents have checksum {checksum}, but {envelope.crc32} is recorded")
    kind = renamed.KINDS.get(kind, kind)
    if kind not in _DECODERS:
        raise corrupt_log(path, number, f"its kind {kind!r} is unknown")
    try:
        stamp = _STAMP.decode(data) if kind in _HEADERS else None
        if stamp is None or stamp.format <= LOG_FORMAT:
            if renamed.may_be_old(kind, data):
                plain = renamed.renamed(kind, msgspec.json.decode(data))
                old: Line = msgspec.convert(plain, _CLASSES[kind])
                return old
            record: Line = _DECODERS[kind].decode(data)
            return record
    except (msgspec.MsgspecError, ValueError) as error:
        raise corrupt_log(path, number, f"it is not a {kind} of format {LOG_FORMAT}: {error}") from error
    writer = f"breakeven {stamp.versions.get('breakeven', '(unknown version)')}"
    rule = f"has log format {stamp.format}, written by {writer}; this breakeven reads formats up to {LOG_FORMAT}"
    raise NewerLogError(f"{path} {rule}. Upgrade with `pip install --upgrade breakeven`.")


def corrupt_log(path: Path, number: int, what: str) -> CorruptLogError:
    """The error for a damaged line, with what can still be saved."""
    if number == 1:
        remedy = "Check that it is a run log, and restore it from a copy; nothing after a damaged header can be used."
    else:
        remedy = f"Restore it from a copy, or keep only the whole lines before: head -n {number - 1}."
    return CorruptLogError(f"{path}, line {number}, is damaged: {what}. {remedy}")
