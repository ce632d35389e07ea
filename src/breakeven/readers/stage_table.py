"""A pipeline in a table of stages, TOML: what may do each stage, what a call reads and writes, how good each is."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from breakeven import check
from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.readers.lines import lines_of
from breakeven.readers.option_table import check_readable
from breakeven.settings import as_record, refuse_unknown, types_of


@dataclass(frozen=True, slots=True, kw_only=True)
class StageModel:
    """One model that may do a stage: its accuracies are given, or read from where they were measured."""

    name: str
    params: float | None = None
    """Active parameters, by which its tokens are priced; None: as the source has it."""
    train_flops: float = 0.0
    accuracy: tuple[float, ...] = ()
    """Of the stage, at each of its numbers of samples."""
    source: str = ""
    """A directory of `breakeven eval`, or of a run; from the table's own folder."""
    step: int | None = None
    """Of the run's checkpoint; None: its last."""
    strategy: str = "majority_vote"
    """Of the source: how samples are made one answer."""

    def __post_init__(self) -> None:
        if self.params is not None:
            check.positive("params", self.params)
        check.finite("train_flops", self.train_flops)
        for each in self.accuracy:
            check.share("accuracy", each, "Divide percentages by 100.")
        if self.accuracy and self.source:
            raise argument_error("source", "be left out where accuracy is given", self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """One stage."""

    name: str
    model: tuple[StageModel, ...]
    samples: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    prompt_tokens: int | None = None
    """Read once a call."""
    output_tokens: int | None = None
    """Written for each sample."""
    calls: int = 1
    """Of the stage, for a query; each has to be right."""

    def __post_init__(self) -> None:
        check.increasing("samples", self.samples)
        check.at_least("calls", self.calls, 1)
        for name in ("prompt_tokens", "output_tokens"):
            if getattr(self, name) is not None:
                check.at_least(name, getattr(self, name), 1)
        names = [each.name for each in self.model]
        if not names or len(set(names)) < len(names):
            raise argument_error("model", "be at least one, each with a name of its own", names)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTable:
    """A pipeline."""

    stage: tuple[StageEntry, ...]
    """In the order in which they are called."""
    unit: Literal["flops", "published"] = "flops"
    """Of the budgets: FLOPs, or B of arXiv 2508.00890, in which a stage costs at least 0."""
    budgets: tuple[float, ...] = ()
    """A query; none: multiples of what the default costs."""
    cells: str = ""
    """A table of all configurations as they were measured (CSV or JSONL); none: stages are taken to factorise."""

    def __post_init__(self) -> None:
        names = [each.name for each in self.stage]
        if not names or len(set(names)) < len(names):
            raise argument_error("stage", "be at least one, each with a name of its own", names)
        for each in self.budgets:
            check.positive("budgets", each)


def read_stages(path: Path) -> StageTable:
    """The stages in a TOML file.

    Raises:
        LogError: it is no such file; the message says where and what.
    """
    check_readable(path, "a table of stages")
    try:
        content = tomllib.loads("".join(lines_of(path)))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LogError(f"{path} must be TOML; {error}.") from error
    try:
        _refuse_unknown(content)
        return as_record(content, StageTable)
    except ArgumentError as error:
        raise LogError(f"{path}: {error}") from error


def _refuse_unknown(content: dict[str, Any]) -> None:
    """Refuses keys that a table, a stage or a model does not have."""
    refuse_unknown(content, types_of(StageTable))
    for stage in _tables(content, "stage"):
        refuse_unknown(stage, types_of(StageEntry), "stage")
        for model in _tables(stage, "model"):
            refuse_unknown(model, types_of(StageModel), "stage.model")


def _tables(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The tables of an array of tables; what is none is refused later, by its type."""
    found = content.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
