"""Splits in the user's own table, as the grid's own are held."""

from collections.abc import Iterator
from pathlib import Path

from breakeven.plan.quantizing.splits import Split
from breakeven.readers.split_table import SplitRow, read_splits

_DIGITS = 3
"""To which shares of the tokens are told apart, in decimals; tokens in all and FLOPs in as many digits."""


def splits_of_table(path: Path) -> Iterator[Split]:
    """Each size, number of tokens, bits and share of a table; rows that agree in them are seeds of one.

    A query is one token alone: 2 N FLOPs, and all weights read once at their bits.

    Args:
        path: of the table.

    Raises:
        LogError: see `read_splits`.
    """
    alike: dict[tuple[float, float, int, float], list[SplitRow]] = {}
    for row in read_splits(path):
        tokens = float(f"{row.fp_tokens + row.qat_tokens:.{_DIGITS}g}")
        share = round(row.qat_tokens / (row.fp_tokens + row.qat_tokens), _DIGITS)
        alike.setdefault((row.params, tokens, row.bits, share), []).append(row)
    for (params, tokens, bits, share), rows in alike.items():
        size = f"{params:.4g} parameters"
        flops = 6 * params * tokens
        yield Split(
            model=f"{size} on {tokens:.4g} tokens",
            size=size,
            params=params,
            bits=bits,
            tokens=tokens,
            fraction=share,
            level=float(f"{flops:.2g}"),
            loss_SP=tuple((row.loss,) for row in rows),
            train_flops=flops,
            query_flops=2 * params,
            weight_bytes=params * bits / 8,
            query_bytes=params * bits / 8,
        )
