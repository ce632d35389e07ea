"""The reference training run, top to bottom: train, observe, stop or train on, ship, verify.

Plain PyTorch. Data order and learning rate are functions of (seed, step), so a run resumes bit-exactly from its
last saved state, and a step that the log already holds is not evaluated twice.
"""

import dataclasses
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from breakeven.config import RunConfig, config_to_builtins
from breakeven.data.task import Task, answers_of
from breakeven.errors import argument_error
from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import (
    CheckpointRecord,
    Cooldown,
    Decision,
    Reason,
    SegmentRule,
    Start,
    Steering,
    Verification,
)
from breakeven.sampling.average import WeightAverage
from breakeven.sampling.transformer import TransformerSampler
from breakeven.session.failing import diverged
from breakeven.session.recording import start_log
from breakeven.session.searching import TreeSearch
from breakeven.session.serving import serving_point
from breakeven.session.session import Mode, Session
from breakeven.session.voice import warn
from breakeven.session.witnesses import with_witnesses
from breakeven.store import RunLog
from breakeven.train.budget import schedule_at
from breakeven.train.checkpoint import (
    LEFTOVERS,
    STATE_NAME,
    are_whole,
    load_state,
    load_weights,
    save_state,
    save_weights,
    saved_step,
)
from breakeven.train.cooldown import START, cool_down, is_to_be_cooled
from breakeven.train.costs import cost_of, sequence_tokens, spec_for
from breakeven.train.reward_model.files import SavedRewardModel, load_reward_model
from breakeven.train.start import begin, spent_at, start_of
from breakeven.train.step import learning_rate, train_step, training_batches
from breakeven.ttc.strategies.named import strategy_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What a run tells its caller after each step, and before an evaluation."""

    step: int
    loss: float
    checkpoint: CheckpointRecord | None = None
    """The checkpoint just recorded, after a step with an evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How a run ended."""

    step: int
    """Last step trained."""
    stopped: CheckpointRecord | None
    """The checkpoint at which the decision was to stop, if it was."""
    verification: Verification | None
    interrupted: bool
    by_hand: Steering | None
    """The stop from outside at which it ended, if it did."""
    cooldown: Cooldown | None
    """Of the stop, where one was asked for."""
    train_seconds: float
    """Wall time in this process, of training steps and of evaluations (verification apart)."""
    evaluation_seconds: float


def start_run(config: RunConfig, run_dir: Path) -> RunLog:
    """A new run directory with the log's first line: configuration, spec, policy, versions, seed.

    Raises:
        ArgumentError: the configuration cannot be run, or `run_dir` holds a run already.
    """
    if leftover := next((name for name in LEFTOVERS if (run_dir / name).exists()), None):
        remedy = f"It holds {leftover} of a run: go on with it by --resume, or choose another."
        raise argument_error("--out", "be a new directory", str(run_dir), remedy)
    config.task.problems("validation", config.evaluate.num_problems)  # refused before anything is made
    if config.mode == "shadow":
        config.task.problems("test", config.verify.num_problems)
    spec = with_witnesses(
        spec_for(config),
        config.like,
        problems=config.task.problems("validation", config.evaluate.num_problems),
        cost=cost_of(config),
        sequence_tokens=sequence_tokens(config.task),
        task=dataclasses.asdict(config.task),
    )
    return start_log(
        run_dir,
        spec=spec,
        policy=config.policy,
        seed=config.seed,
        config=config_to_builtins(config),
        start=start_of(config),
    )


def run(
    config: RunConfig,
    run_dir: Path,
    log: RunLog,
    *,
    mode: Mode = "stop",
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_evaluation: Callable[[Progress], None] = lambda progress: None,
    on_cooldown: Callable[[Cooldown], None] = lambda plan: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Train until the decision says stop, or to the end; go on from `run_dir` where it holds a state.

    Args:
        config: the run, as in `log`'s first line, or in the last change of its budget.
        run_dir: where the log is; states, weights and the shipped checkpoint go there too.
        log: a log just started, or opened to resume.
        mode: see `Session`: "advise" and "shadow" train on to the full budget, "shadow" verifies the decision there.
        on_progress: called after every step.
        on_evaluation: called before every evaluation.
        on_cooldown: called before a cooldown, with what it costs and is expected to bring.
        interrupted: asked after every step; True ends the run cleanly, to be resumed.

    Raises:
        DivergedError: the loss became NaN or infinite; the log is kept.
        RunStorageError: the disk refused a write; the log is whole up to its last record.
    """
    torch.set_num_threads(config.train.threads)
    torch.manual_seed(config.seed)
    task, train, parent, start = config.task, config.train, log.header.parent, log.header.start
    shape = config.model.shape_for(task)
    model = Transformer(shape)
    if start is not None and parent is None:
        begin(model, config, start)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=train.learning_rate, betas=(0.9, 0.95), weight_decay=train.weight_decay
    )
    average = WeightAverage(model) if train.average else None
    saved_reward = load_reward_model(Path(config.evaluate.reward_model)) if config.evaluate.reward_model else None

    def searches(which: Transformer) -> TreeSearch | None:
        return tree_search(config, which, saved_reward) if saved_reward else None

    def note(decision: Decision | None = None) -> dict[str, object]:
        return serving_note(config, step, start, decision)

    session = Session(
        sampler=sampler_for(model, task),
        verifier=task,
        problems=task.problems("validation", config.evaluate.num_problems),
        cost=cost_of(config),
        sequence_tokens=sequence_tokens(task),
        spec=log.spec if parent else dataclasses.replace(spec_for(config), like=log.spec.like),
        policy=config.policy,
        num_samples=config.evaluate.num_samples,
        temperature=config.evaluate.temperature,
        evaluate_every=train.steps - parent.step if parent else config.evaluate.every_steps,
        seed=config.seed,
        answers=answers_of(task),
        reward_model=saved_reward.reward_model if saved_reward else None,
        reward_cost=saved_reward.cost if saved_reward else None,
        search=searches(model),
        averaged=average.swapped if average is not None else None,
        log=log,
        mode=mode,
        test_problems=task.problems("test", config.verify.num_problems) if mode == "shadow" else (),
        test_samples=config.verify.num_samples,
        quiet=True,
    )
    step = saved_step(run_dir)
    last_recorded = log.checkpoints[-1].observation.step if log.checkpoints else 0
    step_tokens = train.batch_size * sequence_tokens(task)
    if any(session.will_evaluate(due, due * step_tokens) for due in range(last_recorded + 1, step + 1)):
        step = 0  # the log lost evaluations that the state has passed: train up to them again
    if step:
        load_state(run_dir, model, optimizer, average)
    elif parent is not None and (step := load_state(run_dir / START, model, optimizer)) != parent.step:
        remedy = f"Delete {run_dir}; of the run in {os.path.normpath(run_dir / parent.run)} it is begun anew."
        raise argument_error(str(run_dir / START), f"hold the state of step {parent.step}", f"step {step}", remedy)
    if lost := lost_weights(config, run_dir, session, step):
        names = ", ".join(str(each.relative_to(run_dir)) for each in lost)
        remedy = f"To make them again, delete {run_dir / STATE_NAME} and go on with --resume"
        warn(f"weights that this run saved are no longer there: {names}. {remedy}; nothing is evaluated twice.")
    if mode == "shadow" and session.stopped_at and step >= session.stopped_at.observation.step:
        stopped = Transformer(shape)
        load_weights(run_dir / "stopped", stopped)
        session.measure_stop(sampler_for(stopped, task), search=searches(stopped))
    batches = training_batches(task, train, config.seed)
    started = time.perf_counter()
    if parent is not None and step == parent.step:
        session.observe(step=step, train_tokens=step * step_tokens)  # the stop, measured as what comes of it will be
    was_interrupted, cooling_seconds = False, 0.0
    while True:
        if is_to_be_cooled(config, session, log, step):
            began = time.perf_counter()
            cooled = cool_down(
                config,
                log,
                session,
                rate=learning_rate(step, schedule_at(step, config, log)),
                train=run,
                on_plan=on_cooldown,
                on_progress=lambda each: on_progress(Progress(step=each.step, loss=each.loss)),
                on_evaluation=on_evaluation,
                interrupted=interrupted,
            )
            session.clock.leave_out(time.perf_counter() - began)
            cooling_seconds += 0.0 if cooled is None else cooled.evaluation_seconds
            if cooled is not None and cooled.interrupted:
                was_interrupted = session.take_up(step) is None  # else it was ended by what was asked from outside
                if was_interrupted:
                    break
                if session.steered and _has_ended(session, step):
                    save_weights(run_dir / "stopped_by_hand", model, note())
                continue
        if step >= train.steps or _has_ended(session, step):
            break
        step += 1
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, schedule_at(step, config, log))
        loss = train_step(model, optimizer, batches(step), task.prompt_tokens, train.clip_norm)
        if not math.isfinite(loss):
            raise diverged(step, loss)
        if average is not None:
            average.update(step)
        num_recorded = len(session.checkpoints)
        train_tokens = step * step_tokens
        if session.will_evaluate(step, train_tokens):
            on_evaluation(Progress(step=step, loss=loss))
        decision = session.observe(step=step, train_tokens=train_tokens, loss=loss)
        if session.stopped_at and session.stopped_at.observation.step == step:
            save_average(run_dir / "stopped", model, average, note())
            save_weights(run_dir / "stopped", model, note(session.stopped_at.decision))
        kept = kept_weights(run_dir, step)
        if config.evaluate.keep_weights and log.find(step) and not are_whole(kept):  # also where a kill came between
            save_average(kept, model, average, note())  # first, for raw weights make it whole
            save_weights(kept, model, note(decision))
        if step == train.steps:  # before the state, from which a resumed run would not come here again
            save_average(run_dir / "full", model, average, note())
            save_weights(run_dir / "full", model, note())
        by_hand = decision.reason is Reason.BY_HAND
        if by_hand:
            save_weights(run_dir / "stopped_by_hand", model, note())
        was_interrupted = interrupted()
        is_time = step % config.evaluate.every_steps == 0 or session.is_due(step, train_tokens)  # also in a cooldown
        if is_time or was_interrupted or by_hand:
            save_state(run_dir, model, optimizer, step, average)
        recorded = session.checkpoints[-1] if len(session.checkpoints) > num_recorded else None
        on_progress(Progress(step=step, loss=loss, checkpoint=recorded))
        if was_interrupted:
            break
    wall_seconds = time.perf_counter() - started

    if step == train.steps:
        session.verify()
    return RunResult(
        step=step,
        stopped=session.stopped_at,
        verification=session.verification,
        interrupted=was_interrupted,
        by_hand=session.steered if session.steered and _has_ended(session, step) else None,
        cooldown=log.cooldown if session.stopped_at else None,
        train_seconds=wall_seconds - session.evaluation_seconds - session.verification_seconds - cooling_seconds,
        evaluation_seconds=session.evaluation_seconds + cooling_seconds,
    )


def _has_ended(session: Session, step: int) -> bool:
    return session.ends_at is not None and step >= session.ends_at


def save_average(folder: Path, model: nn.Module, average: WeightAverage | None, about: dict[str, object]) -> None:
    """The averaged weights, to be served like the raw ones in `folder`; nothing where none are kept."""
    if average is not None:
        with average.swapped():
            save_weights(folder / "average", model, about | {"weights": "average"})


def kept_weights(run_dir: Path, step: int) -> Path:
    """Where the weights of an evaluated step are kept."""
    return run_dir / "checkpoints" / f"step-{step:06d}"


def lost_weights(config: RunConfig, run_dir: Path, session: Session, step: int) -> list[Path]:
    """Folders of weights that a run which stands at `step` has saved, and that are gone or not whole."""
    steps = [each.observation.step for each in session.checkpoints] if config.evaluate.keep_weights else []
    saved = [kept_weights(run_dir, each) for each in steps if each <= step]
    if session.stopped_at and session.stopped_at.observation.step <= step:
        saved.append(run_dir / "stopped")
    if step == config.train.steps:
        saved.append(run_dir / "full")
    return [each for each in saved if not are_whole(each)]


def sampler_for(model: Transformer, task: Task) -> TransformerSampler:
    """The sampler of the live reference model."""
    return TransformerSampler(model, task, new_cache=lambda: KVCache([], []))


def tree_search(config: RunConfig, model: Transformer, saved_reward: SavedRewardModel) -> TreeSearch | None:
    """The searches that the policy names, on the live model; None where it names none."""
    names = tuple(each for each in config.policy.needs.strategies or () if strategy_of(each).search)
    if not names:
        return None
    evaluate, task = config.evaluate, config.task
    return TreeSearch(
        sampler=sampler_for(model, task),
        reward_model=saved_reward.reward_model,
        verifier=task,
        answers=answers_of(task),
        strategies=names,
        sizes=evaluate.search_k,
        width=evaluate.search_width,
        segments=SegmentRule(ends=evaluate.segment_ends, max_tokens=evaluate.segment_tokens),
        temperature=evaluate.temperature,
        model_cost=cost_of(config),
        reward_cost=saved_reward.cost,
    )


def serving_note(
    config: RunConfig, step: int, start: Start | None, decision: Decision | None = None
) -> dict[str, object]:
    """What someone who goes on with saved weights must know: the model and what was spent on it.

    At a stop also strategy, K and temperature, for whoever serves them.
    """
    spent = spent_at(step, config, start)
    note: dict[str, object] = {
        "task": dataclasses.asdict(config.task),
        "model": dataclasses.asdict(config.model.shape_for(config.task)),
        "spent": None if spent is None else dataclasses.asdict(spent),
    }
    if decision is not None:
        note |= serving_point(decision, config.evaluate.temperature)
    return note
