"""Results of `breakeven eval`: its directory, its results.json, or what --json prints."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from breakeven.errors import ArgumentError, LogError
from breakeven.readers.lines import json_value, lines_of
from breakeven.records import Measurement
from breakeven.settings import as_record
from breakeven.store.renamed import renamed

RESULTS_NAME: Final = "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalResults:
    """What one evaluation measured."""

    model: str
    task: str
    measurements: tuple[Measurement, ...]


def evaluation_in(path: Path) -> Path | None:
    """The file of results at a path, a directory or such a file; None where it holds none."""
    file = path / RESULTS_NAME if path.is_dir() else path
    if not file.is_file() or file.suffix.lower() != ".json":
        return None
    try:
        content = json_value("".join(lines_of(file)))
    except (ValueError, RecursionError, LogError):
        return None
    return file if isinstance(content, dict) and "measurements" in content else None


def read_evaluation(file: Path) -> EvalResults:
    """The results in a file.

    Raises:
        LogError: they are not as `breakeven eval` writes them; the message says where.
    """
    content: Any = renamed("evaluation", json_value("".join(lines_of(file))))
    rows = content["measurements"]
    if not isinstance(rows, list) or not rows:
        raise LogError(f"{file}, measurements, must be a list of at least one; got {str(rows)[:60]!r}.")
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(as_record(_with_nan(row), Measurement))
        except ArgumentError as error:
            raise LogError(f"{file}, measurement {number}: {error}") from error
    return EvalResults(
        model=str(content.get("model", file.parent.name)),
        task=str(content.get("task", "")),
        measurements=tuple(found),
    )


def _with_nan(row: Any) -> Any:
    """The row with the standard error of a single problem, NaN, which JSON has none of."""
    return {**row, "standard_error": math.nan} if isinstance(row, dict) and row.get("standard_error") is None else row
