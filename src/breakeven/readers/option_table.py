"""Options in a table of the user's own: CSV, JSON or JSONL, and the plan.json of another plan. Read as data alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from breakeven.check import did_you_mean
from breakeven.errors import LogError
from breakeven.jsonl import json_rows
from breakeven.readers.columns import plain
from breakeven.readers.lines import first_row, is_jsonl, lines_of, read_chunks
from breakeven.readers.option_rows import COSTS, ONE_OFF, QUALITIES, SETTING, option_of
from breakeven.records.options import Option

_MOST: Final = 100_000
"""Options of a table."""
_LARGEST: Final = 256 << 20
"""Bytes of a table."""
_RUNS_CODE: Final = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionTable:
    """What a file says of options."""

    options: tuple[Option, ...]
    quality: str
    """What their quality is, in a word."""
    not_counted: tuple[str, ...] = ()
    """FLOPs that it says nothing of."""


_Row = tuple[str, Mapping[str, Any]]
"""Where it stands, in words, and its cells by column."""


def read_options(path: Path) -> OptionTable:
    """The options in a table.

    Raises:
        LogError: no such table, or one with a fault: the message says in which row, what, and the value.
    """
    check_readable(path)
    quality, columns, rows = _rows(path)
    if not rows:
        raise LogError(f"{path} must hold at least one option; it is empty.")
    quality = _checked(columns, quality, path)
    options, first = [], dict[str, str]()
    for where, row in rows:
        option = option_of(where, row, columns, quality)
        if option.name in first:
            raise LogError(
                f"{where}, name, must be of one option; {option.name!r} is that of {first[option.name]} too."
            )
        first[option.name] = where
        options.append(option)
    lacking = [name for name in COSTS[:2] if name not in columns]
    said = {"train_flops": "training", "query_flops": "the model's own FLOPs of a query"}
    return OptionTable(
        options=tuple(options),
        quality=quality,
        not_counted=tuple(f"{said[name]}: {path.name} has no {name}" for name in lacking),
    )


def check_readable(path: Path, what: str = "a table of options") -> None:
    """Refuse what is not there, is too large to be a table, or would run code when it is read.

    Args:
        path: of a file.
        what: it should be.

    Raises:
        LogError: it is so.
    """
    if not path.is_file():
        raise LogError(f"{path} must be {what}; got {'a folder' if path.is_dir() else 'nothing'}.")
    with path.open("rb") as file:
        pickled = file.read(1) == b"\x80"
    if pickled or path.suffix.lower() in _RUNS_CODE:
        raise LogError(
            f"{path} must be text; got a pickle, which may run code when it is read. Write it as CSV or JSON."
        )
    if path.stat().st_size > _LARGEST:
        raise LogError(f"{path} must be at most {_LARGEST >> 20} MiB; got {path.stat().st_size >> 20} MiB.")


def _rows(path: Path) -> tuple[str, dict[str, None], list[_Row]]:
    """What the quality is, where that is said; the columns; and all rows, without their empty cells."""
    rows: Iterator[_Row]
    word, columns = "", dict[str, None]()
    if not is_jsonl(path):
        rows = _csv_rows(path)
    elif _has_a_line_each(path):
        rows = ((f"{path}, line {number}", row) for number, row in json_rows(path, LogError))
    else:
        word, items = _json_items(path)
        rows = ((f"{path}, option {number}", row) for number, row in enumerate(items, 1))
    found = list[_Row]()
    for where, row in rows:
        if len(found) == _MOST:
            raise LogError(f"{path} must hold at most {_MOST} options; got more.")
        cells = {plain(name): cell for name, cell in _flat(where, row)}
        columns |= dict.fromkeys(cells)
        found.append((where, {name: cell for name, cell in cells.items() if cell not in (None, "")}))
    return word, columns, found


def _csv_rows(path: Path) -> Iterator[_Row]:
    columns = list(first_row(path))
    for chunk in read_chunks(path, columns):
        for place, number in enumerate(chunk.row_R):
            cells = {name: chunk.columns[name][place].strip() for name in columns}
            if any(cells.values()):
                yield f"{path}, row {number}", cells


def _has_a_line_each(path: Path) -> bool:
    lines = [line.strip() for line, _ in zip((line for line in lines_of(path) if line.strip()), range(2), strict=False)]
    return len(lines) == 2 and lines[0].startswith("{") and lines[0].endswith("}")


def _json_items(path: Path) -> tuple[str, list[dict[str, Any]]]:
    """What the quality is, where that is said, and the objects of a JSON file.

    Raises:
        LogError: it is not strictly JSON, which NaN is none of, or holds no list of objects.
    """
    try:
        content: Any = msgspec.json.decode("".join(lines_of(path)))
    except (ValueError, RecursionError) as error:
        raise LogError(f"{path} must be JSON, which holds neither NaN nor infinity: {error}.") from error
    word = ""
    if isinstance(content, dict):
        content = content.get("answer", content)  # of a plan
        word = str(content.get("quality", "")) if isinstance(content, dict) else ""
        content = content.get("options") if isinstance(content, dict) else content
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise LogError(f"{path} must hold a list of options, each an object, or an object with such a list as options.")
    return word, content


def _flat(where: str, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The cells of a row; objects inside it, as JSON may have them, are spread out."""
    for name, cell in row.items():
        if not isinstance(cell, dict) or name == "values":
            yield name, cell
        elif name == "quality":
            yield "quality", cell.get("value")
            yield from ((key, cell.get(key)) for key in ("lo", "hi", "made", "problems"))
            yield "values", cell.get("values", cell.get("value_P")) or None
        elif name == "one_off":
            yield from ((f"{ONE_OFF}{line}", flops) for line, flops in cell.items())
        elif name == "settings":
            yield from ((f"{SETTING}{key}", value) for key, value in cell.items())
        else:
            rule = "must be a text, a number, true or false"
            raise LogError(
                f"{where}, {name}, {rule}; got an object. One-off costs stand in one_off, others in settings."
            )


def _checked(columns: Mapping[str, object], word: str, path: Path) -> str:
    """What the quality is, if the columns are those of options.

    Raises:
        LogError: a column that is needed is missing, or one is there that counts FLOPs under a name that is not known.
    """
    has = f"it has {', '.join(columns) or 'none'}"
    named = [each for each in QUALITIES if each in columns]
    if len(named) > 1:
        raise LogError(f"{path} must have one column of {', '.join(QUALITIES)}; it has {', '.join(named)}.")
    lacking = [] if "name" in columns else ["name"]
    lacking += [] if named or "values" in columns else [f"quality (or {' or '.join(QUALITIES[1:])})"]
    if lacking:
        near = did_you_mean(lacking[0].partition(" ")[0], columns) or "Rename yours."
        raise LogError(f"{path} must have a column {' and a column '.join(lacking)}; {has}. {near}")
    for each in columns:
        if "flop" in each and each not in COSTS and not each.startswith((ONE_OFF, SETTING)):
            near = did_you_mean(each, COSTS) or "Spent once: one_off.NAME."
            raise LogError(f"{path}, column {each}, must be one of {', '.join(COSTS)} or one_off.NAME. {near}")
    if not any(each in COSTS or each.startswith(ONE_OFF) for each in columns):
        raise LogError(f"{path} must have a column of FLOPs: {', '.join(COSTS)} or one_off.NAME; {has}.")
    return word or (named[0] if named else "quality")
