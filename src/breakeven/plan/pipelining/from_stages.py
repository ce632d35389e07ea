"""A pipeline from a table of its stages, whose accuracies are given, or were measured by an evaluation or a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from breakeven.errors import LogError
from breakeven.plan.from_runs import options_of_run
from breakeven.plan.pipelining.from_configurations import Found, in_order, one_column
from breakeven.plan.pipelining.published import FREE_UNITS, UNIT_FLOPS, clamped_flops
from breakeven.plan.pipelining.table import Stage
from breakeven.readers.configurations import read_configurations
from breakeven.readers.eval_results import evaluation_in, read_evaluation
from breakeven.readers.stage_table import StageEntry, StageModel, StageTable, read_stages
from breakeven.records.as_options import option_of_measurement
from breakeven.records.curves import Made
from breakeven.records.options import Option
from breakeven.store import LOG_NAME


def of_stages(path: Path) -> Found:
    """A pipeline from its stages: priced by tokens, or as they were measured; multiplied, unless cells are named.

    Raises:
        LogError: it cannot be read, or its parts do not fit.
    """
    read = read_stages(path)
    measured = [[_measured(path, stage, model) for model in stage.model] for stage in read.stage]
    stages, notes = [], list[str]()
    for entry, models in zip(read.stage, measured, strict=True):
        raw_MK = [each.flops_K for each in models]
        order = sorted(range(len(models)), key=lambda place: raw_MK[place][0])
        flops_MK = [raw_MK[place] for place in order]
        if read.unit == "published":
            clamped = [entry.model[place].name for place in order if raw_MK[place][0] <= FREE_UNITS * UNIT_FLOPS]
            flops_MK = [tuple(map(clamped_flops, row)) for row in flops_MK]
            if clamped:
                notes.append(
                    f"In the published unit {entry.name} by {', '.join(clamped)} costs 0 or less with one sample: such "
                    "costs are taken as 0, the 128 tokens of a 3B model that the unit leaves out."
                )
        stages.append(
            Stage(
                name=entry.name,
                models=tuple(entry.model[place].name for place in order),
                samples=entry.samples,
                flops_MK=tuple(flops_MK),
                train_flops_M=tuple(models[place].train_flops for place in order),
            )
        )
    budgets = tuple(_flops_of(each, read, len(stages)) for each in read.budgets)
    if read.cells:
        cells_path = path.parent / read.cells
        known = read_configurations(cells_path)
        if {*known.stages} != {each.name for each in stages}:
            raise LogError(
                f"{cells_path} must be of the stages of {path}, {', '.join(each.name for each in stages)}; it has "
                f"{', '.join(known.stages)}."
            )
        rows, made, problems = in_order(cells_path, known, stages), Made.MEASURED, cells_path.name
        notes += one_column(known)
    else:
        rows, made, problems = _factorised(path, read, measured, stages), Made.EXTRAPOLATED, ""
        notes.append(
            "Accuracies of the whole are products of those of its stages: what one stage does to the next is not in "
            "them, and there are no intervals. cells = FILE takes configurations that were measured."
        )
    return Found(
        stages=tuple(stages),
        accuracy_CP=rows,
        budgets=budgets,
        made=made,
        problems=problems,
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """A model of a stage, as it is priced and known."""

    accuracy_K: tuple[float, ...]
    """Empty: not said, as beside measured configurations."""
    flops_K: tuple[float, ...]
    train_flops: float


def _measured(path: Path, stage: StageEntry, model: StageModel) -> _Model:
    """Accuracies and FLOPs of a query at each number of samples."""
    where = f"{path}, {stage.name}, {model.name},"
    options = _source(path.parent / model.source, model, where) if model.source else {}
    missing = [k for k in stage.samples if k not in options] if model.source else []
    if missing:
        had = f"K = {', '.join(map(str, sorted(options)))}" if options else "nothing of it"
        raise LogError(f"{where} must have {model.strategy} of {missing[0]} samples in {model.source}; it has {had}.")
    accuracy_K = model.accuracy or tuple(options[k].quality.value for k in stage.samples if options)
    if model.accuracy and len(model.accuracy) != len(stage.samples):
        rule = f"must hold an accuracy for each of samples, {list(stage.samples)}"
        raise LogError(f"{where} {rule}; got {len(model.accuracy)}.")
    if model.params is None and not options:
        raise LogError(f"{where} must have params, or a source that says what a query costs.")
    prompt, output = stage.prompt_tokens, stage.output_tokens
    if model.params is None:
        flops_K = tuple(stage.calls * options[k].per_query for k in stage.samples)
    elif prompt is None or output is None:
        raise LogError(f"{where} must have prompt_tokens and output_tokens of the stage beside params.")
    else:
        flops_K = tuple(stage.calls * 2 * model.params * (prompt + k * output) for k in stage.samples)
    trained = model.train_flops or max((each.train_flops for each in options.values()), default=0.0)
    return _Model(accuracy_K=accuracy_K, flops_K=flops_K, train_flops=trained)


def _source(source: Path, model: StageModel, where: str) -> dict[int, Option]:
    """What a source measured of a model with its strategy, by K."""
    if source.name == LOG_NAME or (source / LOG_NAME).is_file():
        options = options_of_run(source).options
        steps = [int(each.settings["step"]) for each in options if "step" in each.settings]
        step = max(steps, default=0) if model.step is None else model.step
        if step not in steps:
            raise LogError(f"{where} must name a checkpoint of {source}: {', '.join(map(str, sorted({*steps})))}.")
        options = tuple(each for each in options if each.settings.get("step") == step)
    elif (file := evaluation_in(source)) is not None:
        results = read_evaluation(file)
        options = tuple(option_of_measurement(each, name=model.name) for each in results.measurements)
    else:
        raise LogError(f"{where} must name a directory of breakeven eval, or of a run, as its source; got {source}.")
    return {int(each.settings["k"]): each for each in options if each.settings.get("strategy") == model.strategy}


def _factorised(
    path: Path, read: StageTable, measured: Sequence[Sequence[_Model]], stages: Sequence[Stage]
) -> tuple[tuple[float, ...], ...]:
    """The product of what stages do alone, a stage that is called several times having to be right each time."""
    whole_C = np.ones(1)
    for entry, models, stage in zip(read.stage, measured, stages, strict=True):
        by_name = {each.name: known for each, known in zip(entry.model, models, strict=True)}
        for each in entry.model:
            if not by_name[each.name].accuracy_K:
                raise LogError(f"{path}, {entry.name}, {each.name}, must have an accuracy or a source.")
        own_MK = np.array([by_name[name].accuracy_K for name in stage.models]) ** entry.calls
        whole_C = (whole_C[:, None] * own_MK.ravel()).ravel()
    return tuple((float(each),) for each in whole_C)


def _flops_of(budget: float, read: StageTable, num_stages: int) -> float:
    """A budget of the table in FLOPs."""
    return budget if read.unit == "flops" else (budget + FREE_UNITS * num_stages) * UNIT_FLOPS
