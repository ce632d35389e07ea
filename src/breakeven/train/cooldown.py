"""Stop, then cool down: a branch off the reference run, as a run of its own in a directory inside the parent's.

It begins with weights and optimizer state of the stop and a copy of them, so that it can be resumed at any time. Its
first step has the first rate of the decay already, its data are those that the parent would have seen.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from breakeven.config import RunConfig, config_to_builtins
from breakeven.errors import DivergedError, argument_error
from breakeven.records import Cooldown, Decision, Parent
from breakeven.session.cooling import branch_spec, plan_of, weighed
from breakeven.session.recording import start_log
from breakeven.session.serving import serving_point
from breakeven.session.session import Session
from breakeven.session.steering import asked_of
from breakeven.session.voice import warn
from breakeven.store import LOG_NAME, RunLog, make_directory, storage_errors, write_whole
from breakeven.train.checkpoint import STATE_NAME
from breakeven.train.costs import sequence_tokens

if TYPE_CHECKING:
    from breakeven.train.loop import RunResult

START: Final = "start"
"""The folder of a branch with the state that it begins from."""
_REMEDY = "Free some space, then go on with --resume."


def is_to_be_cooled(config: RunConfig, session: Session, log: RunLog, step: int) -> bool:
    """Whether a run stands at a stop with a cooldown asked for and not over; a stop or veto by hand goes first."""
    stop = session.stopped_at
    if config.on_stop != "cooldown" or stop is None or session.steered is not None:
        return False
    known = log.cooldown is not None and log.cooldown.step == stop.observation.step
    if known and log.cooldown is not None and log.cooldown.is_over:
        return False
    if step > stop.observation.step:
        session.warn_once(
            "cooldown",
            f"the stop at step {stop.observation.step} was not cooled down: training has gone on to step {step}, and "
            "the optimizer state of the stop is no longer there.",
        )
    return step == stop.observation.step


def cool_down(
    config: RunConfig,
    log: RunLog,
    session: Session,
    *,
    rate: float,
    train: "Callable[..., RunResult]",
    on_plan: Callable[[Cooldown], None],
    interrupted: Callable[[], bool],
    **told: Any,
) -> "RunResult | None":
    """Plan the cooldown of the stop at which a run stands, train the branch, weigh it; all of it recorded.

    Args:
        config: of the run.
        log: likewise; its directory holds the state of the stop.
        session: likewise.
        rate: of the learning at the stop.
        train: `breakeven.train.loop.run`.
        on_plan: told what it costs and is expected to bring, before it is run.
        interrupted: asked after every step; a request from outside to the run ends the branch as well.
        told: what else `train` is to tell.

    Returns:
        How the branch ended; None where it was not run.
    """
    stop, run_dir = session.stopped_at, log.directory
    assert stop is not None, "which is asked before"
    step = stop.observation.step
    step_tokens = config.train.batch_size * sequence_tokens(config.task)
    plan = plan_of(session, stop, share=config.train.cooldown_share, step_tokens=step_tokens)
    on_plan(plan)
    if plan.is_over:
        return None
    branch, branch_dir = branch_of(config, step, rate=rate, steps=plan.steps), run_dir / plan.branch
    with _begun(branch, branch_dir, log, session, step) as branch_log:
        try:
            result = train(
                branch,
                branch_dir,
                branch_log,
                mode="advise",
                interrupted=lambda: interrupted() or asked_of(run_dir) is not None,
                **told,
            )
        except DivergedError as error:
            warn(f"the cooldown of the stop at step {step} was given up, and the stop holds: {error}")
            log.append(replace(plan, left_out="failed"))
            return None
        if result.interrupted:
            return result
        if len(branch_log.checkpoints) < 2:
            log.append(replace(plan, left_out="failed"))
            return result
        stopped, cooled = branch_log.checkpoints[0].observation, branch_log.checkpoints[-1].observation
        found = weighed(session, stop, plan, stopped, cooled)
    if found.cooled is not None and found.cooled.serving is not None:
        used = stop.decision.used + plan.train_flops / session.spec.budget_flops
        _ship(branch_dir / "full", replace(stop.decision, used=used), found, config.evaluate.temperature)
    log.append(found)
    return result


def branch_of(config: RunConfig, step: int, *, rate: float, steps: int) -> RunConfig:
    """The configuration of a cooldown of `steps` from the stop at `step`, where the learning rate is `rate`."""
    train = replace(
        config.train,
        steps=step + steps,
        learning_rate=rate,
        warmup_steps=0,
        decay_share=steps / (step + steps),
        decay="1-sqrt",
        decay_to=0.0,
        average=False,
    )
    evaluate = replace(config.evaluate, keep_weights=False)
    alone = replace(config, like=(), hours=None, max_evaluation_seconds_share=None)
    return replace(alone, train=train, evaluate=evaluate, mode="advise", on_stop="serve")


def _begun(branch: RunConfig, branch_dir: Path, log: RunLog, session: Session, step: int) -> RunLog:
    """The log of the branch, which the parent's state is copied beside before there is one.

    Raises:
        ArgumentError: another run is there.
        RunStorageError: the disk refused.
    """
    parent = Parent(run="../..", step=step, fingerprint=log.fingerprint)
    if (branch_dir / LOG_NAME).exists():
        found = RunLog.open(branch_dir)
        if found.header.parent != parent:
            found.close()
            raise argument_error(str(branch_dir), f"be the cooldown of step {step}", found.header.parent, "Move it.")
        return found
    with storage_errors(f"{branch_dir} could not be begun", _REMEDY):
        make_directory(branch_dir / START)
        state = (log.directory / STATE_NAME).read_bytes()
    write_whole(branch_dir / START / STATE_NAME, state, remedy=_REMEDY)
    tokens = branch.train.steps * branch.train.batch_size * sequence_tokens(branch.task)
    spec = branch_spec(session, train_tokens=tokens, decay_share=branch.train.decay_share)
    config, start = config_to_builtins(branch), log.header.start
    return start_log(
        branch_dir, spec=spec, policy=branch.policy, seed=branch.seed, config=config, parent=parent, start=start
    )


def _ship(folder: Path, stopped: Decision, found: Cooldown, temperature: float) -> None:
    """Say beside the cooled weights how they are to be served."""
    cooled, path = found.cooled, folder / "serving.json"
    assert cooled is not None, "which is asked before"
    decision = replace(
        stopped,
        serving=cooled.serving,
        net_saving=cooled.net_saving,
        confidence=None,
        break_even_queries=None,
    )
    note = json.loads(path.read_text(encoding="utf-8")) | serving_point(decision, temperature)
    note["step"] = found.step + found.steps
    write_whole(path, json.dumps(note, indent=2) + "\n", remedy=_REMEDY)
