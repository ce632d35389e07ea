"""What the model wrote at the checkpoints of a run: RUN/texts.jsonl, a line a checkpoint.

A line holds zlib's compression of one line of JSON a problem, in base64. Level and order are fixed, so that equal texts
give equal bytes. Decisions need none of it: without the file, or without its switch, they are the same.
"""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from breakeven.errors import CorruptLogError, argument_error
from breakeven.store.append import AppendLog, Layout
from breakeven.store.kinds import Line, PackedTexts
from breakeven.store.lines import LineError

TEXTS_NAME: Final = "texts.jsonl"
_LEVEL: Final = 6
_MAX_BYTES: Final = 1 << 30
"""Texts of one checkpoint, unpacked: zlib packs a thousandfold at most, and 1 MiB is kept unless more is asked for."""
_LAYOUT: Final = Layout(
    name="file of texts",
    records=(PackedTexts,),
    shared=True,
    when_full="Free space, then go on with --resume.",
    when_damaged="Restore it from a copy, or delete it: no decision needs it.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The texts of one checkpoint, of its first P problems."""

    step: int
    greedy_P: tuple[str, ...]
    texts_PN: tuple[tuple[str, ...], ...]
    """Of the samples at the run's temperature, as many of each problem as were drawn."""
    num_left_out: int
    """Problems after these whose texts were too much."""


class TextFile:
    """The texts of a run, read when first needed.

    A checkpoint's texts are appended before its line in the run log, under the lock of that log: a crash between the
    two leaves texts of a step that the log does not have. The resumed run then comes to that step again, and what it
    appends there takes the place of what is left, so that the bytes are those of an uninterrupted run.

    Args:
        run_dir: of a run log.
        max_bytes: of one checkpoint, compressed (in the file they are a third more). The first problems are kept, as
            many as fit whole.
    """

    def __init__(self, run_dir: str | Path, *, max_bytes: int = 1 << 20) -> None:
        self.max_bytes = max_bytes
        self._log = AppendLog(Path(run_dir) / TEXTS_NAME, _LAYOUT)
        self._starts: dict[int, int] | None = None
        """By step, in their order: the byte at which its line begins."""

    def steps(self) -> tuple[int, ...]:
        """The steps whose texts are there.

        Raises:
            LogError: the file cannot be read; CorruptLogError: a line of it is damaged.
        """
        return tuple(self._known())

    def read(self, step: int) -> Texts | None:
        """The texts of a step; None where there are none. Raises as `steps`."""
        start = self._known().get(step)
        if start is None:
            return None
        record = self._log.read_at(start, PackedTexts, lambda texts: texts.step == step)
        try:
            return _unpacked(record)
        except (ValueError, TypeError, IndexError, RecursionError, zlib.error) as error:
            what = f"its texts of step {step} are not packed as breakeven packs them: {error}"
            raise CorruptLogError(f"{self._log.path} is damaged: {what}. {_LAYOUT.when_damaged}") from error

    def append(self, step: int, greedy_P: Sequence[str], texts_PN: Sequence[Sequence[str]]) -> None:
        """Keep the texts of a checkpoint that the run log does not have yet.

        Nothing is written where they are there already. Else whatever is there of this step and later ones is
        replaced: it belongs to checkpoints that were never recorded.

        Raises:
            ArgumentError: not one row of texts for each greedy one.
            RunStorageError: the disk refused; the call may be repeated. Else as `steps`.
        """
        if len(greedy_P) != len(texts_PN):
            raise argument_error("texts_PN", f"have a row for each of {len(greedy_P)} greedy texts", len(texts_PN))
        record = _packed(step, greedy_P, texts_PN, self.max_bytes)
        known = self._known()
        if step in known and self.read(step) == _unpacked(record):  # another version of zlib may pack them otherwise
            return
        replaced = [start for each, start in known.items() if each >= step]
        self._starts = None  # read again, should the disk refuse
        self._log.append([record], at=min(replaced, default=None))
        self._starts = {each: start for each, start in known.items() if each < step} | {step: self._log.start}

    def _known(self) -> dict[int, int]:
        if self._starts is None:
            self._starts = {}
            try:
                self._log.read(self._take)
            except BaseException:
                self._starts = None
                raise
        return self._starts

    def _take(self, record: Line) -> None:
        assert isinstance(record, PackedTexts)
        assert self._starts is not None
        if self._starts and record.step <= next(reversed(self._starts)):
            raise LineError(f"its step {record.step} was passed before")
        self._starts[record.step] = self._log.start


def _packed(step: int, greedy_P: Sequence[str], texts_PN: Sequence[Sequence[str]], max_bytes: int) -> PackedTexts:
    pack = zlib.compressobj(_LEVEL)
    begun, size, last, num_kept = bytearray(), 0, zlib.compress(b"", _LEVEL), 0
    for greedy, texts_N in zip(greedy_P, texts_PN, strict=True):
        begun += pack.compress(json.dumps([greedy, *texts_N], separators=(",", ":")).encode() + b"\n")
        end = pack.copy().flush()  # as if this were the last problem
        if len(begun) + len(end) > max_bytes:
            break
        size, last, num_kept = len(begun), end, num_kept + 1
    packed = base64.b64encode(bytes(begun[:size]) + last).decode()
    return PackedTexts(step=step, num_left_out=len(greedy_P) - num_kept, packed=packed)


def _unpacked(record: PackedTexts) -> Texts:
    unpack = zlib.decompressobj()
    content = unpack.decompress(base64.b64decode(record.packed), _MAX_BYTES)
    if not unpack.eof:
        raise ValueError(f"they are cut short, or more than {_MAX_BYTES >> 20} MiB")
    rows = [msgspec.convert(json.loads(line), tuple[str, ...]) for line in content.splitlines()]
    return Texts(
        step=record.step,
        greedy_P=tuple(row[0] for row in rows),
        texts_PN=tuple(row[1:] for row in rows),
        num_left_out=record.num_left_out,
    )
