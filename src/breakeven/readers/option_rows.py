"""Rows of a table as options: every cell by its column, and what is wrong with one by where it stands."""

import math
import statistics
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from breakeven.check import did_you_mean
from breakeven.errors import ArgumentError, LogError
from breakeven.records.curves import NORMAL_95, Made
from breakeven.records.options import Option, Quality, Setting

QUALITIES: Final = ("quality", "accuracy", "score")
"""Columns that hold how good an option is; an accuracy is a share."""
COSTS: Final = ("train_flops", "query_flops", "reward_flops")
ONE_OFF: Final = "one_off."
"""What the columns of costs that are spent once begin with."""
SETTING: Final = "settings."
"""What a column of a setting may begin with; one of another name is a setting, too."""
_MEASURED: Final = ("bytes_moved", "sequential_tokens", "seconds")
_KNOWN: Final = ("name", *QUALITIES, *COSTS, *_MEASURED, "lo", "hi", "stderr", "made", "values", "problems")
_MEAN_WITHIN: Final = 1e-6
"""How far a quality may be from the mean of its values, for rounding."""


def option_of(where: str, row: Mapping[str, Any], columns: Mapping[str, object], quality: str) -> Option:
    """The option in a row.

    Args:
        where: it stands, in words.
        row: its cells by column; those that are empty are missing.
        columns: of the table: FLOPs that some row has, all have.
        quality: what it is, in a word.

    Raises:
        LogError: a cell that does not hold what it must, by where, column and value.
    """
    name = row.get("name")
    if isinstance(name, bool) or not isinstance(name, str | int | float):
        raise LogError(f"{where}, name, must name the option; got {name!r}.")
    where = f"{where} ({str(name)[:60]})"
    for each in COSTS:
        if each in columns and each not in row:
            raise LogError(f"{where}, {each}, must be a number, as in other rows; got nothing. Write 0 for none.")
    numbers = {each: _number(where, each, row[each]) for each in (*COSTS, *_MEASURED) if each in row}
    lines = {each.partition(".")[2]: each for each in row if each.startswith(ONE_OFF)}
    settings = {
        each.removeprefix(SETTING): _setting(where, each, cell) for each, cell in row.items() if _is_setting(each)
    }
    try:
        return Option(
            name=str(name),
            settings=settings,
            one_off={line: _number(where, column, row[column]) for line, column in lines.items()},
            quality=_quality(where, row, quality),
            **numbers,
        )
    except ArgumentError as error:
        raise LogError(f"{where}: {error}") from error


def _is_setting(column: str) -> bool:
    return column not in _KNOWN and not column.startswith(ONE_OFF)


def _quality(where: str, row: Mapping[str, Any], word: str) -> Quality:
    problems, values = _values(where, row)
    named = next((each for each in QUALITIES if each in row), None)
    if named is None and not values:
        raise LogError(
            f"{where}, {word}, must be given: an option without it cannot be chosen, or be told from others."
        )
    value = statistics.fmean(values) if named is None else _number(where, named, row[named])
    if values and abs(value - statistics.fmean(values)) > _MEAN_WITHIN * max(1.0, abs(value)):
        raise LogError(
            f"{where}, {named}, must be the mean of its values, {statistics.fmean(values):.6g}; got {value}."
        )
    share = word == "accuracy"
    if share and not 0 <= value <= 1:
        remedy = "Divide percentages by 100, or call the column quality."
        raise LogError(f"{where}, {named}, must be a share from 0 to 1; got {value}. {remedy}")
    made = str(row.get("made", Made.MEASURED)).strip().lower()
    if made not in {*Made}:
        raise LogError(
            f"{where}, made, must be one of {', '.join(Made)}; got {made!r}. {did_you_mean(made, Made)}".strip()
        )
    lo, hi = (_number(where, each, row[each]) if each in row else None for each in ("lo", "hi"))
    error = _number(where, "stderr", row["stderr"]) if "stderr" in row else None
    if error is None and len(values) > 1:
        error = statistics.stdev(values) / math.sqrt(len(values))
    if lo is None and hi is None and error is not None:
        if not 0 <= error < math.inf:
            raise LogError(f"{where}, stderr, must be finite and at least 0; got {error}.")
        lo, hi = value - NORMAL_95 * error, value + NORMAL_95 * error
        lo, hi = (max(0.0, lo), min(1.0, hi)) if share else (lo, hi)
    for column, end in (("lo", lo), ("hi", hi)):
        if share and end is not None and not 0 <= end <= 1:
            raise LogError(f"{where}, {column}, must be a share from 0 to 1, as the accuracy is; got {end}.")
    return Quality(value=value, lo=lo, hi=hi, made=Made(made), value_P=tuple(values), problems=problems)


def _values(where: str, row: Mapping[str, Any]) -> tuple[str, Sequence[float]]:
    """Which problems a quality is known on, and what it is on each."""
    given, said = row.get("values"), str(row.get("problems", ""))
    if given is None:
        return said, ()
    if not isinstance(given, dict | list) or not given:
        raise LogError(
            f"{where}, values, must be a list of numbers, or an object from problem to number; got {given!r}."
        )
    if isinstance(given, dict):
        names = sorted(given)
        said = said or f"{len(names)} problems {zlib.crc32(chr(0).join(names).encode('utf-8', 'replace')):08x}"
        given = [given[each] for each in names]
    return said, [_number(where, "values", each) for each in given]


def _number(where: str, column: str, cell: object) -> float:
    try:
        if isinstance(cell, bool) or not isinstance(cell, str | int | float):
            raise ValueError
        return float(cell)
    except (ValueError, OverflowError):
        written = isinstance(cell, str) and any(each.isdigit() for each in cell)
        remedy = (
            " Write it as 0.612 or 1.2e21: a point, no other separators, and no sign of percent." if written else ""
        )
        raise LogError(f"{where}, {column}, must be a number; got {str(cell)[:60]!r}.{remedy}") from None


def _setting(where: str, column: str, cell: object) -> Setting:
    """A cell as a number where it is written as one."""
    if isinstance(cell, str):
        for kind in (int, float):
            try:
                number = kind(cell)
            except ValueError:
                continue
            return number if math.isfinite(number) else cell
        return cell
    if isinstance(cell, bool | int | float):
        return cell
    raise LogError(f"{where}, {column}, must be a text, a number, true or false; got {str(cell)[:60]!r}.")
