"""A classifier's run, top to bottom: data, model, the Trainer of transformers with EarlyStop, and how it ended.

Everything is a function of the recipe and its seed: a run that was killed and gone on with leaves the same log.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from breakeven.classifiers.data import Splits
from breakeven.classifiers.models import make_model, rows_of
from breakeven.classifiers.recipe import ClassifierConfig, PassesConfig, classifier_to_builtins
from breakeven.classifiers.saved import (
    last_checkpoint,
    load_weights,
    no_bars,
    recorded_run,
    step_of,
    thin_out,
    tokenizer_of,
)
from breakeven.errors import MissingExtraError
from breakeven.records import Steering
from breakeven.sampling import augment
from breakeven.session.failing import diverged
from breakeven.session.session import Mode
from breakeven.store import RunRecord
from breakeven.train.loop import Progress, RunResult

try:
    from transformers import DataCollatorWithPadding, PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    from breakeven.adapters.classes import Classification
    from breakeven.adapters.transformers import EarlyStop
except ImportError as error:
    raise MissingExtraError("classifiers need: pip install 'breakeven[hf]'") from error


def run(
    config: ClassifierConfig,
    splits: Splits,
    run_dir: Path,
    *,
    mode: Mode = "stop",
    on_progress: Callable[[Progress], None] = lambda progress: None,
    on_evaluation: Callable[[Progress], None] = lambda progress: None,
    interrupted: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Train until the decision says stop, or to the end; go on from the last checkpoint in `run_dir`, if there is one.

    Args:
        config: the run.
        splits: as `load_splits` reads them.
        run_dir: as `saved.start_run` made it; log, checkpoints and what is kept of passes go there.
        mode: see `Session`.
        on_progress: called after every step.
        on_evaluation: called before every evaluation that is due.
        interrupted: asked after every step; True ends the run cleanly, to be resumed.

    Raises:
        DivergedError: the loss became NaN or infinite; the log is kept.
    """
    torch.set_num_threads(config.train.threads)
    torch.manual_seed(config.seed)
    tokenizer = tokenizer_of(config, splits, run_dir)
    model = make_model(config.model, splits.train, tokenizer)
    early_stop = EarlyStop(
        classification=classification_of(config, splits, tokenizer),
        mode=mode,
        evaluate_every=config.evaluate.every_steps,
        policy=config.policy,
        seed=config.seed,
        log=run_dir,
        resume=True,
        config=classifier_to_builtins(config),
        quiet=True,
        num_samples=config.passes.num_passes,
        **config.declared,
    )
    told = _Told(config, run_dir, early_stop, on_progress, interrupted)
    trainer = _Trainer(
        model=model,
        args=_arguments(config, run_dir),
        train_dataset=rows_of(splits.train, tokenizer),
        processing_class=tokenizer,
        data_collator=None if tokenizer is None else DataCollatorWithPadding(tokenizer),
        callbacks=[_Due(config, on_evaluation), early_stop, told],
    )
    trainer.remove_callback(PrinterCallback)
    checkpoint = last_checkpoint(run_dir)
    step, started = step_of(checkpoint), time.perf_counter()
    if not _has_ended(run_dir, step, config.train.steps, mode):
        try:
            with no_bars():
                trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        finally:
            if early_stop.session is not None and early_stop.session.log is not None:
                early_stop.session.log.close()
        step = trainer.state.global_step
    seconds, session = time.perf_counter() - started, early_stop.session
    evaluation_seconds = 0.0 if session is None else session.evaluation_seconds
    verification_seconds = 0.0 if session is None else session.verification_seconds
    record = recorded_run(run_dir)
    return RunResult(
        step=step,
        stopped=None if record is None else record.stopped_at,
        verification=None if record is None else record.verification,
        interrupted=told.was_interrupted,
        by_hand=None if record is None else _stop_by_hand(record),
        cooldown=None,
        train_seconds=seconds - evaluation_seconds - verification_seconds,
        evaluation_seconds=evaluation_seconds,
    )


def classification_of(config: ClassifierConfig, splits: Splits, tokenizer: Any = None) -> Classification:
    """What a run is measured on, and of what passes."""
    passes = config.passes
    return Classification(
        rows_of(splits.validation, tokenizer),
        test_examples=rows_of(splits.test, tokenizer),
        classes=splits.train.classes,
        augment=augmentation_of(passes),
        dropout=passes.dropout,
        snapshots=passes.snapshots,
        num_examples=max(len(splits.validation), len(splits.test)),
        max_rows=config.evaluate.batch_size,
    )


def augmentation_of(passes: PassesConfig) -> augment.Augmentation | None:
    """Those named, one after the other; None: no name."""
    known: dict[str, Callable[[], augment.Augmentation]] = {
        "moves": lambda: augment.moves(degrees=passes.degrees, shift=passes.shift),
        "flips": augment.flips,
        "shifts": lambda: augment.shifts(most=passes.shift_places),
    }
    return augment.together(*(known[name]() for name in passes.augment)) if passes.augment else None


def _arguments(config: ClassifierConfig, run_dir: Path) -> Any:
    train, every = config.train, config.evaluate.every_steps
    falls = {"num_decay_steps": train.num_decay_steps, "decay_type": "linear"}
    return TrainingArguments(
        output_dir=str(run_dir),
        max_steps=train.steps,
        per_device_train_batch_size=train.batch_size,
        learning_rate=train.learning_rate,
        lr_scheduler_type="warmup_stable_decay" if train.num_decay_steps else "constant_with_warmup",
        lr_scheduler_kwargs=falls if train.num_decay_steps else {},
        warmup_steps=train.warmup_steps,
        weight_decay=train.weight_decay,
        max_grad_norm=train.clip_norm,
        seed=config.seed,
        dataloader_drop_last=True,  # every step has as many examples
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        save_steps=every,
        logging_steps=1,
        logging_nan_inf_filter=False,
        disable_tqdm=True,
        report_to=[],
        use_cpu=True,
    )


class _Trainer(Trainer):  # type: ignore[misc]
    """Goes on with the weights of a checkpoint also where the file has other names for them than the model."""

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_weights(self.model, Path(resume_from_checkpoint))


class _Due(TrainerCallback):  # type: ignore[misc]
    """Before EarlyStop in the order of callbacks: says that an evaluation is due."""

    def __init__(self, config: ClassifierConfig, on_evaluation: Callable[[Progress], None]) -> None:
        self._config, self._on_evaluation = config, on_evaluation

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        step, config = state.global_step, self._config
        if step % config.evaluate.every_steps == 0 or step == config.train.steps:
            loss = next((each["loss"] for each in reversed(state.log_history) if "loss" in each), math.nan)
            self._on_evaluation(Progress(step=step, loss=loss))


class _Told(TrainerCallback):  # type: ignore[misc]
    """Behind EarlyStop: tells of every step, ends an interrupted run, and keeps of checkpoints what is needed."""

    was_interrupted = False

    def __init__(
        self,
        config: ClassifierConfig,
        run_dir: Path,
        early_stop: EarlyStop,
        on_progress: Callable[[Progress], None],
        interrupted: Callable[[], bool],
    ) -> None:
        self._config, self._run_dir, self._early_stop = config, run_dir, early_stop
        self._on_progress, self._interrupted = on_progress, interrupted

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        if "loss" not in logs:  # of an evaluation
            return
        if not math.isfinite(logs["loss"]):
            raise diverged(state.global_step, logs["loss"])
        session = self._early_stop.session
        last = session.checkpoints[-1] if session is not None and session.checkpoints else None
        is_new = last is not None and last.observation.step == state.global_step
        self._on_progress(Progress(step=state.global_step, loss=logs["loss"], checkpoint=last if is_new else None))
        if self._interrupted() and not control.should_training_stop:
            self.was_interrupted = control.should_training_stop = control.should_save = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        thin_out(self._run_dir, state.global_step, self._config.evaluate.every_steps)


def _has_ended(run_dir: Path, step: int, steps: int, mode: Mode) -> bool:
    """Whether a run whose last checkpoint is of `step` has nothing more to train."""
    record = recorded_run(run_dir)
    if record is None or step == steps:
        return step == steps
    if record.steering:
        return _stop_by_hand(record) is not None
    stop = record.stopped_at
    return mode == "stop" and stop is not None and step >= stop.observation.step


def _stop_by_hand(record: RunRecord) -> Steering | None:
    steered = record.steering[-1] if record.steering else None
    return steered if steered is not None and steered.action == "stop" else None
