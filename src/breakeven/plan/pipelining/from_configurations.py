"""A pipeline from a table of its configurations, as they were measured elsewhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from breakeven.errors import LogError
from breakeven.plan.pipelining.table import Stage, Table
from breakeven.readers.configurations import Configurations, read_configurations
from breakeven.records.curves import Made


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What files hold: kept as a cell, since they may be gone when the plan is asked again."""

    stages: tuple[Stage, ...]
    accuracy_CP: tuple[tuple[float, ...], ...]
    """In the order of the table; one column where problems are not told apart."""
    budgets: tuple[float, ...] = ()
    """FLOPs a query; empty: not said."""
    made: Made = Made.MEASURED
    problems: str = ""
    notes: tuple[str, ...] = ()


def of_configurations(path: Path) -> Found:
    """A pipeline of which every configuration was measured, with prices of its stages.

    Raises:
        LogError: it cannot be read, has no prices, or lacks a configuration.
    """
    read = read_configurations(path)
    if not read.flops[0]:
        raise LogError(
            f"{path} must say what stages cost, in columns STAGE.flops; or name it as cells of a table of stages."
        )
    stages = []
    for place, name in enumerate(read.stages):
        ways = [each[place] for each in read.accuracy_P]
        models = sorted({model for model, _ in ways}, key=lambda each: (min(_prices(read, place, each)), each))
        samples = tuple(sorted({k for _, k in ways}))
        flops_MK = tuple(tuple(_price(path, read, place, model, k) for k in samples) for model in models)
        stages.append(
            Stage(
                name=name,
                models=tuple(models),
                samples=samples,
                flops_MK=flops_MK,
                train_flops_M=(0.0,) * len(models),
            )
        )
    return Found(
        stages=tuple(stages),
        accuracy_CP=in_order(path, read, stages),
        problems=path.name,
        notes=(_NO_TRAINING, *one_column(read)),
    )


_NO_TRAINING = "The table does not say what training its models took: it stands as 0."


def one_column(read: Configurations) -> tuple[str, ...]:
    """What is not known where problems are not told apart."""
    if len(next(iter(read.accuracy_P.values()))) > 1:
        return ()
    return ("Accuracies are not known problem by problem: trials see the truth, and there are no intervals.",)


def _prices(read: Configurations, place: int, model: str) -> list[float]:
    return [price for (name, _), price in read.flops[place].items() if name == model]


def _price(path: Path, read: Configurations, place: int, model: str, samples: int) -> float:
    price = read.flops[place].get((model, samples))
    if price is None:
        stage = read.stages[place]
        raise LogError(f"{path} must hold {stage} {model} x {samples}, as it does other models; it is missing.")
    return price


def in_order(path: Path, read: Configurations, stages: Sequence[Stage]) -> tuple[tuple[float, ...], ...]:
    """Accuracies of all configurations as `Table` has them, stages by their names."""
    at = [read.stages.index(each.name) for each in stages]
    empty = np.zeros((math.prod(len(each.models) * len(each.samples) for each in stages), 1))
    table = Table(stages=tuple(stages), trial_CP=empty, fresh_CP=empty)
    rows = []
    for configuration in table.configurations:
        own = [(str(configuration[each.model_choice]), int(configuration[each.samples_choice])) for each in stages]
        ways = tuple(own[at.index(place)] for place in range(len(own)))
        accuracy_P = read.accuracy_P.get(ways)
        if accuracy_P is None:
            raise LogError(f"{path} must hold every configuration; {table.words(configuration)} is missing.")
        rows.append(tuple(accuracy_P.tolist()))
    return tuple(rows)
