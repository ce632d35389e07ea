"""Models of several sizes in a table: parameters N, training tokens D, and a loss or an accuracy at K samples."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.errors import LogError
from breakeven.readers import cells
from breakeven.readers.columns import plain
from breakeven.readers.lines import Chunk, first_row, read_chunks
from breakeven.readers.option_table import check_readable

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "params": ("parameters", "num_params", "n_params"),
    "train_tokens": ("tokens", "training_tokens"),
    "k": (),
    "loss": ("validation_loss", "eval_loss"),
    "accuracy": ("pass@k", "pass_at_k"),
    "problem": (),
    "n": (),
    "c": (),
    "train_flops": (),
    "query_flops": (),
}
"""Our columns, with other names; N is params, and D train_tokens, in capitals alone."""
_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeRow:
    """A row: one model at one K, or one problem of it."""

    where: str
    """File and row, in words."""
    params: float
    train_tokens: float
    train_flops: float
    """6 N D where the table does not say."""
    loss: float | None = None
    k: int | None = None
    accuracy: float | None = None
    """Of K samples."""
    problem: str | None = None
    n: int | None = None
    """Problems, of which c were solved by K samples; with `problem`: samples of it, c of them right."""
    c: int | None = None
    query_flops: float | None = None
    """Of K samples; None: not said."""


def read_sizes(path: Path) -> tuple[SizeRow, ...]:
    """The rows of a table, CSV or JSONL.

    Raises:
        LogError: no such table, a column that is missing, or a fault in a row: the message says where, what, the value.
    """
    check_readable(path)
    names = _columns(path)
    rows = list[SizeRow]()
    for chunk in read_chunks(path, list(names), names):
        rows += (_row(chunk, index) for index in range(len(chunk.row_R)))
        if len(rows) > _MOST:
            raise LogError(f"{path} must hold at most {_MOST} rows; got more.")
    if not rows:
        raise LogError(f"{path} must hold at least one model; it has a header alone.")
    return tuple(rows)


def _columns(path: Path) -> dict[str, str]:
    """What the table calls our columns."""
    written = list(first_row(path))
    found = {ours: theirs for ours, theirs in (("params", "N"), ("train_tokens", "D")) if theirs in written}
    for ours, others in _NAMES.items():
        free = {plain(each): each for each in written if each not in found.values()}
        match = next((free[each] for each in (ours, *others) if each in free), None)
        if ours not in found and match is not None:
            found[ours] = match
    missing = [each for each in ("params", "train_tokens") if each not in found]
    if not missing and not ({"loss", "accuracy"} & {*found} or {"n", "c"} <= {*found}):
        missing = ["loss, or accuracy, or n and c"]
    if not missing and "loss" not in found and "k" not in found and "problem" not in found:
        missing = ["k"]
    if missing:
        has = ", ".join(written)
        raise LogError(
            f"{path}, row 1, must name the columns params (N), train_tokens (D), and loss, or k and accuracy, or k, n "
            f"and c, or problem, n and c; missing: {', '.join(missing)}. It has {has}."
        )
    return found


def _row(chunk: Chunk, index: int) -> SizeRow:
    def held(name: str) -> Any:
        value = chunk.columns[name][index] if name in chunk.columns else None
        return None if isinstance(value, str) and not value.strip() else value

    def number(name: str, *, above: float = -1.0) -> float | None:
        if held(name) is None:
            return None
        value = cells.positive(chunk, name, index)
        if value <= above:
            raise chunk.refuse(index, name, f"be above {above:g}")
        return value

    def whole(name: str, least: int) -> int | None:
        if held(name) is None:
            return None
        value = cells.whole(chunk, name, index)
        if value < least:
            raise chunk.refuse(index, name, f"be at least {least}")
        return value

    params, tokens = number("params", above=0), number("train_tokens", above=0)
    if params is None or tokens is None:
        raise chunk.refuse(index, "params" if params is None else "train_tokens", "be a number")
    accuracy, loss, k = number("accuracy"), number("loss", above=0), whole("k", 1)
    n, c = whole("n", 1), whole("c", 0)
    if accuracy is not None and accuracy > 1:
        raise chunk.refuse(index, "accuracy", "be a share from 0 to 1", "Divide percentages by 100.")
    if (n is None) != (c is None):
        raise chunk.refuse(index, "n" if n is None else "c", "be given beside the other of n and c")
    if n is not None and c is not None and c > n:
        raise chunk.refuse(index, "c", f"be at most the row's n, {n}")
    problem = held("problem")
    if loss is None and accuracy is None and n is None:
        first = next(each for each in ("loss", "accuracy", "n") if each in chunk.columns)
        raise chunk.refuse(index, first, "be a number")
    if (accuracy is not None or (n is not None and problem is None)) and k is None:
        raise chunk.refuse(index, "k" if "k" in chunk.columns else "accuracy", "have a K beside it")
    flops = number("train_flops", above=0)
    return SizeRow(
        where=f"{chunk.path}, row {chunk.row_R[index]}",
        params=params,
        train_tokens=tokens,
        train_flops=6 * params * tokens if flops is None else flops,
        loss=loss,
        k=k,
        accuracy=accuracy,
        problem=None if problem is None else str(problem),
        n=n,
        c=c,
        query_flops=number("query_flops", above=0),
    )


def by_model(rows: tuple[SizeRow, ...]) -> Iterator[tuple[tuple[float, float], list[SizeRow]]]:
    """The rows of each model, by (N, D), in the order in which models come.

    Raises:
        LogError: a model has one K or one problem twice, or two numbers of training FLOPs.
    """
    models: dict[tuple[float, float], dict[object, SizeRow]] = {}
    for row in rows:
        own = models.setdefault((row.params, row.train_tokens), {})
        key = row.problem if row.problem is not None else row.k
        if key in own:
            what = "problem" if row.problem is not None else "K"
            raise LogError(f"{row.where}, must be of another {what} than {own[key].where}, of the same model.")
        first = next(iter(own.values()), row)
        if row.train_flops != first.train_flops:
            rule = f"must be {first.train_flops:g}, as in {first.where}"
            raise LogError(f"{row.where}, train_flops, {rule}; got {row.train_flops:g}.")
        own[key] = row
    for model, own in models.items():
        yield model, list(own.values())
