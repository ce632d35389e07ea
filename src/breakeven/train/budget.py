"""Another number of steps for a recorded run, and the schedule that each step is trained under."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from breakeven.config import RunConfig, TrainConfig, config_from, config_to_builtins
from breakeven.errors import argument_error
from breakeven.records import BudgetChange, CheckpointRecord, Parent
from breakeven.store import RunLog
from breakeven.train.checkpoint import saved_step
from breakeven.train.costs import spec_for


def changed_budget(
    config: RunConfig,
    run_dir: Path,
    checkpoints: Sequence[CheckpointRecord],
    steps: int,
    *,
    parent: Parent | None = None,
) -> RunConfig:
    """The configuration of a recorded run with another number of steps for the full run.

    Raises:
        ArgumentError: the run has gone as far already, or has a parent: it is a cooldown.
    """
    if parent is not None:
        rule = "be given for the run itself, not for its cooldown"
        raise argument_error("--budget-steps", rule, steps, f"That run is in {os.path.normpath(run_dir / parent.run)}.")
    step = stands_at(run_dir, checkpoints)
    if steps <= step:
        raise argument_error("--budget-steps", f"be above the {step} steps that are trained already", steps)
    return dataclasses.replace(config, train=dataclasses.replace(config.train, steps=steps))


def record_budget(config: RunConfig, run_dir: Path, log: RunLog) -> None:
    """Leave in the log that `config`, of another budget, holds from where the run stands."""
    step = stands_at(run_dir, log.checkpoints)
    spec = dataclasses.replace(spec_for(config), like=log.spec.like)
    log.append(BudgetChange(step=step, spec=spec, config=config_to_builtins(config)))


def stands_at(run_dir: Path, checkpoints: Sequence[CheckpointRecord]) -> int:
    """The last step of a run that is saved or recorded."""
    return max(saved_step(run_dir), checkpoints[-1].observation.step if checkpoints else 0)


def schedule_at(step: int, config: RunConfig, log: RunLog) -> TrainConfig:
    """The schedule under which a step is trained: where a budget was changed later, that of before."""
    later = [place for place, each in enumerate(log.budget_changes) if step <= each.step]
    if not later:
        return config.train
    before = log.budget_changes[later[0] - 1].config if later[0] else log.header.config
    return config_from(before).train
