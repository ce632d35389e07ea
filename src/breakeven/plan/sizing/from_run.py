"""A run's log beside the grid or the table: where it stands against more training and against more samples."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from breakeven.plan.from_runs import options_of_run
from breakeven.plan.sizing.forms import Form, accuracy_points, best_form, fit_forms, forms_table, t2_laws
from breakeven.plan.sizing.measured import PASS_AT_K, Model, Sampled
from breakeven.records import Observation, Option, Quality
from breakeven.records.plans import PlanTable
from breakeven.store import read_log
from breakeven.ttc.calibrated_curve import until_right


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run brings to a plan."""

    name: str
    options: tuple[Option, ...]
    models: tuple[Model, ...]
    """Its checkpoints, with Pass@K where it is known."""
    last: Observation
    budget_flops: float
    task: Any
    """As its recipe has it; None: not recorded."""
    notes: tuple[str, ...]


def read_run(path: Path) -> Run:
    """The checkpoints of a run, with sizes and tokens.

    Raises:
        LogError, ArgumentError: see `options_of_run`.
    """
    name = path.resolve().name if path.is_dir() else path.resolve().parent.name
    found, record = options_of_run(path, prefix=f"{name} "), read_log(path)
    by_step = {each.observation.step: each.observation for each in record.checkpoints}
    last = record.checkpoints[-1].observation
    options, sampled = list[Option](), dict[int, list[Sampled]]()
    for option in found.options:
        at = by_step.get(int(option.settings.get("step", -1)))
        if at is None:
            options.append(option)
            continue
        params = _params(at)
        further = {"size": name} | (
            {} if params is None else {"params": params, "tokens_per_param": at.train_tokens / params}
        )
        options.append(replace(option, settings=option.settings | further | {"train_tokens": float(at.train_tokens)}))
        if option.settings.get("strategy") == PASS_AT_K:
            each = Sampled(
                strategy=PASS_AT_K,
                k=int(option.settings["k"]),
                accuracy=option.quality.value,
                query_flops=option.query_flops,
                made=option.quality.made,
            )
            sampled.setdefault(at.step, []).append(each)
    models = tuple(
        Model(
            name=f"{name} step {step}",
            size=name,
            params=_params(by_step[step]) or 1.0,
            train_tokens=max(1.0, by_step[step].train_tokens),
            train_flops=by_step[step].train_flops,
            level=by_step[step].train_flops,
            sampled=tuple(each),
        )
        for step, each in sampled.items()
    )
    spec = record.budget_changes[-1].spec if record.budget_changes else record.header.spec
    return Run(
        name=name,
        options=tuple(options),
        models=models,
        last=last,
        budget_flops=spec.budget_flops,
        task=record.header.config.get("task"),
        notes=found.notes,
    )


def _params(observation: Observation) -> float | None:
    cost = observation.model_cost
    return None if cost is None else cost["body_params"] + cost["head_params"]


def is_of(run: Run, task: Any) -> bool:
    """Whether a run is of a task."""
    return run.task is not None and run.task == msgspec.to_builtins(asdict(task))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run stands."""

    tables: tuple[PlanTable, ...]
    options: tuple[Option, ...]
    """The run trained on to its budget, by its own law, which is held to its later checkpoints."""
    notes: tuple[str, ...]


def standing_of(
    run: Run, k_values: Sequence[int], law: Form | None, *, draws: int = 60, num_starts: int = 8
) -> Standing:
    """More samples now against more training, by the run's own law, and both against the law of the plan.

    Args:
        run: read.
        k_values: samples a query that are planned.
        law: of the grid or table, if it is of the same task and may be relied on.
        draws: resamplings of its checkpoints.
        num_starts: of each fit.
    """
    if not run.models:
        return Standing(tables=(), options=(), notes=(f"{run.name} has no Pass@K to be held against a law.",))
    points, _ = accuracy_points(run.models, k_values)
    forms = [] if points is None else fit_forms(run.models, points, t2_laws(points), draws=draws, num_starts=num_starts)
    own = best_form(forms)
    tables = [forms_table(forms, label=f"Laws of {run.name} alone, held to its later checkpoints")] if forms else []
    now, notes = run.models[-1], list[str]()
    later = now.train_tokens * max(1.0, run.budget_flops / now.train_flops)
    if own is None:
        notes.append(f"No law of {run.name} alone may be relied on: nothing is said of training it on.")
    rows = []
    for k in k_values:
        measured = now.pass_at_k.get(k)
        cells = ["not measured" if measured is None else f"{measured:.3f}"]
        for form, tokens in ((law, now.train_tokens), (law, later), (own, later)):
            cells.append("" if form is None else _told(form, now.params, tokens, k))
        rows.append((str(k), *cells))
    headings = (
        "K",
        f"{now.name}, measured",
        "by the plan's law",
        "by the plan's law at the full budget",
        "by its own law at the full budget",
    )
    tables.append(PlanTable(label=f"Where {run.name} stands", headings=headings, rows=tuple(rows)))
    for form, whose in ((law, "the plan's law"), (own, "its own law")):
        if form is not None:
            notes.append(f"{run.name}, {whose}: {form.fitted.in_words}")
    return Standing(
        tables=tuple(tables),
        options=() if own is None or later == now.train_tokens else tuple(_trained_on(run, own, later, k_values)),
        notes=tuple(notes),
    )


def _told(form: Form, params: float, tokens: float, k: int) -> str:
    told = form.fitted.predict({"params": params, "train_tokens": tokens, "k": float(k)})
    return f"{float(told.value):.3f} ({float(told.lo):.3f} to {float(told.hi):.3f}, {told.made})"


def _trained_on(run: Run, form: Form, tokens: float, k_values: Sequence[int]) -> Iterator[Option]:
    every_k = list(range(1, k_values[-1] + 1))
    told = form.fitted.predict({"params": run.models[-1].params, "train_tokens": tokens, "k": np.array(every_k, float)})
    values = np.minimum(told.value, 1.0)
    drawn = until_right(np.array(every_k), values, tuple(every_k))
    for k in k_values:
        at = k - 1
        yield Option(
            name=f"{run.name} trained to its budget, pass@{k}",
            settings={
                "size": run.name,
                "params": run.models[-1].params,
                "train_tokens": tokens,
                "strategy": PASS_AT_K,
                "k": k,
                "law": form.fitted.law.name,
                "law_error": round(form.fitted.error, 4),
            },
            train_flops=run.budget_flops,
            query_flops=run.last.query_flops.total(drawn[at]),
            quality=Quality(
                value=float(values[at]),
                lo=float(min(told.lo[at], values[at])),
                hi=float(max(min(told.hi[at], 1.0), values[at])),
                made=told.made,
            ),
        )
