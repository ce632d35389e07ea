"""Configurations of a pipeline as they were measured: model and samples of each stage, and an accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.errors import LogError
from breakeven.readers import cells
from breakeven.readers.lines import Chunk, first_row, read_chunks
from breakeven.readers.option_table import check_readable

Ways: TypeAlias = tuple[tuple[str, int], ...]
"""Model and samples of each stage."""
_MOST: Final = 5_000_000


@dataclass(frozen=True, kw_only=True)
class Configurations:
    """What a table holds."""

    stages: tuple[str, ...]
    """In the order of the columns."""
    accuracy_P: dict[Ways, npt.NDArray[np.float64]]
    """Of each configuration: on each problem, all in one order; one number where problems are not told apart."""
    flops: tuple[dict[tuple[str, int], float], ...]
    """Of each stage, by model and samples: of a query; empty where the table has none."""


def read_configurations(path: Path) -> Configurations:
    """The rows of a table, CSV or JSONL.

    Its columns are `STAGE.model` and `STAGE.samples` for each stage, with `STAGE.flops` where they are known, and
    `accuracy`; or `problem` and `correct`, a row for each problem.

    Raises:
        LogError: no such table, a column that is missing, a configuration that is missing or there twice, or a fault in
            a row: the message says where, what, the value.
    """
    check_readable(path, "a table of configurations")
    columns = [*first_row(path)]
    stages = tuple(each.removesuffix(".model") for each in columns if each.endswith(".model"))
    _check_columns(path, columns, stages)
    found: dict[Ways, dict[str, float]] = {}
    flops: tuple[dict[tuple[str, int], float], ...] = tuple({} for _ in stages)
    count = 0
    for chunk in read_chunks(path, columns):
        models = [cells.names(chunk, f"{stage}.model") for stage in stages]
        problems = cells.names(chunk, "problem") if "problem" in columns else None
        values = _values(chunk, problems is not None)
        for index, value in enumerate(values):
            ways = tuple(
                (str(each[index]), _samples(chunk, stage, index)) for stage, each in zip(stages, models, strict=True)
            )
            for stage, way, known in zip(stages, ways, flops, strict=True):
                if f"{stage}.flops" in columns:
                    _same_price(chunk, stage, index, way, known)
            problem = "" if problems is None else str(problems[index])
            own = found.setdefault(ways, {})
            if problem in own:
                what = f"problem {problem} of {_words(stages, ways)}" if problem else _words(stages, ways)
                raise LogError(f"{path}, row {chunk.row_R[index]}, must be the only one of {what}.")
            own[problem] = value
        count += len(chunk.row_R)
        if count > _MOST:
            raise LogError(f"{path} must hold at most {_MOST} rows; got more.")
    if not found:
        raise LogError(f"{path} must hold at least one configuration; it has a header alone.")
    return Configurations(stages=stages, accuracy_P=_paired(path, stages, found), flops=flops)


def _check_columns(path: Path, columns: Sequence[str], stages: Sequence[str]) -> None:
    missing = [f"{each}.samples" for each in stages if f"{each}.samples" not in columns]
    priced = [each for each in stages if f"{each}.flops" in columns]
    if priced:
        missing += [f"{each}.flops" for each in stages if each not in priced]
    if "accuracy" not in columns and not {"problem", "correct"} <= {*columns}:
        missing.append("accuracy, or problem and correct")
    if not stages or missing:
        lacks = ", ".join(missing) if stages else "STAGE.model"
        raise LogError(
            f"{path}, row 1, must name the columns STAGE.model and STAGE.samples for each stage, and accuracy, or "
            f"problem and correct; missing: {lacks}. It has {', '.join(columns)}."
        )


def _samples(chunk: Chunk, stage: str, index: int) -> int:
    name = f"{stage}.samples"
    value = cells.whole(chunk, name, index)
    if value < 1:
        raise chunk.refuse(index, name, "be at least 1")
    return value


def _same_price(
    chunk: Chunk, stage: str, index: int, way: tuple[str, int], known: dict[tuple[str, int], float]
) -> None:
    value = cells.positive(chunk, f"{stage}.flops", index)
    if known.setdefault(way, value) != value:
        rule = f"be {known[way]:g}, as in an earlier row of {way[0]} with {way[1]} samples"
        raise chunk.refuse(index, f"{stage}.flops", rule)


def _values(chunk: Chunk, by_problem: bool) -> list[float]:
    """Of each row."""
    if by_problem:
        return [float(each) for each in cells.verdicts(chunk, "correct")]
    values = [cells.positive(chunk, "accuracy", index) for index in range(len(chunk.row_R))]
    for index, value in enumerate(values):
        if value > 1:
            raise chunk.refuse(index, "accuracy", "be a share from 0 to 1", "Divide percentages by 100.")
    return values


def _paired(
    path: Path, stages: Sequence[str], found: dict[Ways, dict[str, float]]
) -> dict[Ways, npt.NDArray[np.float64]]:
    """Accuracies in one order of the problems."""
    first = next(iter(found))
    problems = list(found[first])
    for ways, own in found.items():
        if {*own} != {*problems}:
            other = sorted({*own} ^ {*problems})[0]
            raise LogError(
                f"{path} must hold every configuration on the same problems; {other} is missing of "
                f"{_words(stages, first if other in own else ways)}."
            )
    return {ways: np.array([own[each] for each in problems]) for ways, own in found.items()}


def _words(stages: Sequence[str], ways: Ways) -> str:
    return ", ".join(f"{stage} {model} x {samples}" for stage, (model, samples) in zip(stages, ways, strict=True))
