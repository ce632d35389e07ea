"""Trainings in a table: parameters N, tokens in full precision and with quantized weights, bits, and the loss."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from breakeven.errors import LogError
from breakeven.readers import cells
from breakeven.readers.columns import plain
from breakeven.readers.lines import Chunk, first_row, read_chunks
from breakeven.readers.option_table import check_readable

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "params": ("n", "parameters", "num_params"),
    "fp_tokens": ("d_fp",),
    "qat_tokens": ("d_qat",),
    "bits": ("b", "bit_width"),
    "loss": ("validation_loss", "eval_loss"),
}
"""Our columns, with other names, capitals or not."""
_MOST_BITS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """A row: one training."""

    params: float
    fp_tokens: float
    qat_tokens: float
    bits: int
    loss: float


def read_splits(path: Path) -> tuple[SplitRow, ...]:
    """The rows of a table, CSV or JSONL.

    Raises:
        LogError: no such table, a column that is missing, or a fault in a row: the message says where, what, the value.
    """
    check_readable(path)
    written = list(first_row(path))
    by_plain = {plain(each): each for each in written}
    names = {
        ours: next((by_plain[each] for each in (ours, *others) if each in by_plain), "")
        for ours, others in _NAMES.items()
    }
    missing = [ours for ours, theirs in names.items() if not theirs]
    if missing:
        raise LogError(
            f"{path}, row 1, must name the columns params (N), fp_tokens (D_fp), qat_tokens (D_qat), bits and loss; "
            f"missing: {', '.join(missing)}. It has {', '.join(written)}."
        )
    rows = [_row(chunk, index) for chunk in read_chunks(path, list(names), names) for index in range(len(chunk.row_R))]
    if not rows:
        raise LogError(f"{path} must hold at least one training; it has a header alone.")
    return tuple(rows)


def _row(chunk: Chunk, index: int) -> SplitRow:
    def number(name: str) -> float:
        return cells.positive(chunk, name, index)

    for name in ("params", "loss"):
        if not number(name):
            raise chunk.refuse(index, name, "be above 0")
    if not number("fp_tokens") + number("qat_tokens"):
        raise chunk.refuse(index, "qat_tokens", "be above 0 where fp_tokens is 0")
    bits = cells.whole(chunk, "bits", index)
    if not 1 <= bits <= _MOST_BITS:
        raise chunk.refuse(index, "bits", f"be from 1 to {_MOST_BITS}")
    return SplitRow(
        params=number("params"),
        fp_tokens=number("fp_tokens"),
        qat_tokens=number("qat_tokens"),
        bits=bits,
        loss=number("loss"),
    )
