"""Earlier runs read as witnesses, for the spec of a run that is about to begin."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error
from breakeven.records import Problem, RunSpec, Witness
from breakeven.session.resume import problems_crc32
from breakeven.store import LOG_NAME, RunLog, RunRecord, read_log
from breakeven.ttc.tally import learning_point


def with_witnesses(
    spec: RunSpec,
    like: Sequence[str | Path | RunLog],
    *,
    problems: Sequence[Problem],
    cost: ModelCost,
    sequence_tokens: int,
    task: Any = None,
) -> RunSpec:
    """`spec` with what is read of earlier runs.

    Args:
        spec: of this run.
        like: run directories, or logs.
        problems: validation problems of this run.
        cost: FLOPs per token of its model.
        sequence_tokens: tokens of one of its training sequences.
        task: its settings, as in a recipe; None if there are none.

    Raises:
        ArgumentError: a run of another task, or one with too few checkpoints.
        LogError: there is no log.
    """
    if not like:
        return spec
    own_tokens = spec.budget_flops / cost.train_flops(1.0 / sequence_tokens, sequence_tokens)
    own_ratio = own_tokens / (cost.body_params + cost.head_params)
    asked, settings = problems_crc32(problems), msgspec.to_builtins(task)
    return replace(spec, like=tuple(_witness(each, asked, settings, own_ratio) for each in like))


def recorded_witness(run: str | Path | RunLog) -> Witness:
    """A run as it was recorded, for a later one of which tokens per parameter are not known.

    Raises:
        ArgumentError: it has too few checkpoints.
        LogError: there is no log.
    """
    return _recorded(_record(run), _name(run))


def _recorded(record: RunRecord, name: str) -> Witness:
    if len(record.checkpoints) < 2:
        raise argument_error("like", "hold runs with two checkpoints at least", name, "Leave that run out.")
    spec = record.budget_changes[-1].spec if record.budget_changes else record.header.spec
    points = [learning_point(each.observation) for each in record.checkpoints]
    return Witness(
        name=name,
        share=tuple(
            1.0 if spec.is_spent(each.train_flops) else each.train_flops / spec.budget_flops for each in points
        ),
        greedy_accuracy=tuple(each.greedy_accuracy for each in points),
        sampled_accuracy=tuple(each.sampled_accuracy for each in points),
        num_problems=min(each.num_problems for each in points),
        decay_share=spec.decay_share,
        fingerprint={} if record.fingerprint is None else record.fingerprint.parts,
    )


def as_recorded(spec: RunSpec, like: Sequence[str | Path | RunLog], log: RunLog) -> RunSpec:
    """`spec` with the witnesses in the log of this run, which stay as they were read when it was begun.

    Raises:
        ArgumentError: `like` names others.
    """
    names, given = [each.name for each in log.spec.like], list(map(_name, like))
    if not spec.like and names != given:
        remedy = "They are read when a run is begun: start a new one for others, with log=DIR."
        raise argument_error("like", f"be the recorded runs, {names}", given, remedy)
    return replace(spec, like=spec.like or log.spec.like)


def _witness(run: str | Path | RunLog, problems: str, task: Any, own_ratio: float) -> Witness:
    record, name = _record(run), _name(run)
    parts = {} if record.fingerprint is None else record.fingerprint.parts
    theirs = parts.get("problems"), record.header.config.get("task")
    if theirs != (None, None) and problems != theirs[0] and (task is None or task != theirs[1]):
        rule = "hold runs of the same task, with the same validation problems"
        got = f"{name} with {theirs[0] or theirs[1]}"
        raise argument_error("like", rule, got, f"This run has {problems}. Leave that run out.")
    witness, last = _recorded(record, name), record.checkpoints[-1].observation
    if (model := last.model_cost) is None:
        return witness
    tokens = last.train_tokens / witness.share[-1]
    return replace(witness, token_ratio=tokens / (model["body_params"] + model["head_params"]) / own_ratio)


def _record(run: str | Path | RunLog) -> RunRecord:
    return read_log(run.directory if isinstance(run, RunLog) else run)


def _name(run: str | Path | RunLog) -> str:
    if isinstance(run, RunLog):
        return run.directory.resolve().name
    path = Path(run).resolve()
    return (path if path.is_dir() or path.name != LOG_NAME else path.parent).name
