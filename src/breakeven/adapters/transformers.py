"""`EarlyStop` for the `Trainer` of transformers, and for what is built on it: one callback, no other line."""

import inspect
import math
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from breakeven import check
from breakeven.adapters.ranks import gathered
from breakeven.adapters.rewards import RecordedReward, asked_of_trainer, check_alone
from breakeven.adapters.schedule import decay_share
from breakeven.adapters.watching import Watching, check_wrapper
from breakeven.errors import MissingExtraError, argument_error
from breakeven.records.agree import answers_from
from breakeven.session.voice import warn
from breakeven.store import TextFile

try:
    from transformers import TrainerCallback
    from transformers.trainer_utils import RemoveColumnsCollator

    from breakeven.adapters import reporting
    from breakeven.adapters.averages import load_average, save_average
except ImportError as error:
    raise MissingExtraError("breakeven.transformers needs: pip install 'breakeven[hf]'") from error

__all__ = ["EarlyStop", "RecordedReward"]

_NO_ONE_FALL = ("inverse_sqrt", "cosine_with_restarts")
"""Schedules by step whose rate falls, but not once and to the end, as a forecast takes it."""


class EarlyStop(Watching, TrainerCallback):  # type: ignore[misc]
    """Evaluates the model while a `Trainer` trains it, and says where training may stop and what to serve then.

    The budget is the trainer's own: `max_steps` or epochs, times the tokens of a step as its batches have them, padding
    left out, over all processes. Its schedule is read off the scheduler. All processes draw samples, the first one
    decides and writes, and all are told the decision. A stop saves a checkpoint. The tokenizer is the trainer's
    `processing_class` and the run directory `breakeven` in its `output_dir`, unless others are given.

    What is measured is in `state.log_history` and in every tracker the trainer reports to, as of
    `breakeven.adapters.metrics`. `metric_for_best_model` may name one of these: then each evaluation of the trainer is
    one of ours too, and an EarlyStoppingCallback that comes later in `callbacks` sees it.

    In the GRPOTrainer of TRL the samples that it draws to train on, and a reference model, count as training's FLOPs.
    With `rewards` its own evaluation is what is decided on: `num_generations_eval` samples of each prompt of its
    `eval_dataset` at its temperature, none of them greedy.

    Args:
        completions: of so many problems the greedy completion is shown beside, as a table of the tracker.
        on_stop: "serve" ends training at the stop. "cooldown", with mode "stop": it saves the checkpoint of the stop,
            trains on at learning rates that fall to the end, whatever the scheduler says, saves, measures and ends.
        cooldown_share: steps of that, as a share of those up to the stop.
        rewards: one of the trainer's `reward_funcs`, in place of a task and of all that says how it is sampled.
        watching: see `breakeven.adapters.watching.Watching`, errors too.
    """

    _rate: float | None = None
    _handler: Any = None
    _chosen_by: str | None = None
    _asked_at: int = 0
    _began_at: int = 0
    _seen_before: int = 0

    def __init__(
        self,
        *,
        completions: int = 0,
        rewards: RecordedReward | None = None,
        on_stop: Literal["serve", "cooldown"] = "serve",
        cooldown_share: float = 0.1,
        **watching: Any,
    ) -> None:
        check.whole("completions", completions)
        check.either("on_stop", on_stop, "serve", "cooldown")
        check.above("cooldown_share", cooldown_share, 0, 'For no cooldown leave out on_stop="cooldown".')
        check.share("cooldown_share", cooldown_share)
        if rewards is not None:
            check_alone(rewards, watching | {"on_stop": on_stop})
            watching = {"baseline": "sampled"} | watching
        super().__init__(**watching)
        self._snapshots: int = getattr(watching.get("classification"), "snapshots", 1)
        self._completions, self._rewards, self._extract = completions, rewards, watching.get("extract")
        self._rates: list[float] = []
        if on_stop == "cooldown":
            if self._mode != "stop":
                remedy = "In the other modes the trainer goes on at its own learning rate."
                raise argument_error("on_stop", 'be "cooldown" with mode="stop" alone', f"mode={self._mode!r}", remedy)
            self._cooldown_share = cooldown_share

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Everything is checked here, before a step is trained."""
        check_wrapper(model)
        self._handler, self._chosen_by = reporting.handler_of(self), reporting.chosen_by(args)
        if self._chosen_by is not None:
            reporting.check_order(self._handler, self)
        trainer = reporting.trainer_of(self._handler)
        reference = getattr(trainer, "ref_model", None)
        asked = None
        if self._rewards is not None:
            asked, sampled = asked_of_trainer(
                self._rewards,
                args,
                trainer,
                tokenizer=self._tokenizer,
                answers=answers_from(self._extract),
            )
            self._rewards.watch(model, sampled)
            self._session |= {"num_samples": sampled.num_samples, "temperature": sampled.temperature}
        self._began_at, self._seen_before = state.global_step, state.num_input_tokens_seen
        self._begin(
            model,
            tokenizer=kwargs.get("processing_class"),
            collate=_collate(args, model, kwargs.get("train_dataloader")),
            steps=state.max_steps,
            step=state.global_step,
            step_rows=_step_rows(args, kwargs.get("train_dataloader")),
            decay_share=_decay_share(args, state, kwargs.get("lr_scheduler")),
            directory=Path(args.output_dir) / "breakeven",
            config={"trainer": _settings(args)},
            training_data=getattr(trainer, "train_dataset", None),
            references=() if reference is None else (reference,),
            asked=asked,
        )
        self._warn_of_unsaved(args)
        if self.average is not None and state.global_step:
            load_average(self.average, _checkpoint(args, state))

    def _warn_of_unsaved(self, args: Any) -> None:
        """Of checkpoints that are averaged together, where the trainer does not keep them to be served."""
        is_saved = str(args.save_strategy.value) == "steps" and self._every and self._every % args.save_steps == 0
        if self._snapshots > 1 and not (is_saved and (args.save_total_limit or self._snapshots) >= self._snapshots):
            warn(
                f"the last {self._snapshots} evaluated checkpoints are measured together, and can be served only if "
                f'they are kept: save_strategy="steps", save_steps={self._every}, and no lower save_total_limit.'
            )

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The average goes into the checkpoint."""
        if self.average is not None:
            save_average(self.average, _checkpoint(args, state))

    def on_step_begin(self, args: Any, state: Any, control: Any, optimizer: Any = None, **kwargs: Any) -> None:
        """In a cooldown the rates of the step are set, before DeepSpeed takes it together with the backward pass."""
        if self._cooling is not None and optimizer is not None:
            self._cooling.set_rates(optimizer.param_groups, state.global_step + 1)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, optimizer: Any = None, **kwargs: Any) -> None:
        """The learning rates of the step, which the scheduler changes before it ends."""
        groups = [] if optimizer is None else optimizer.param_groups
        rates = [float(each["lr"]) for each in groups]
        self._rate = rates[0] if rates else None
        if self._cooling is None:
            self._rates = rates

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Evaluate where it is due, and stop where that is decided and asked for."""
        self._observe(args, state, control)

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """The trainer's own evaluation: our metrics are among its own, where they are of this step."""
        if not self._steps or state.global_step == self._began_at or (self._rewards is not None and not self._handler):
            if self._rewards is not None:
                self._rewards.taken()
            return  # outside of training, or before its first step
        if self._rewards is not None:
            self._observe(args, state, control, metrics=metrics)
        elif self._chosen_by is not None and self._asked_at != state.global_step:
            self._observe(args, state, control, now=True)
        if metrics is not None:
            measured = self.metrics if self.metrics_step == state.global_step else {}
            metrics.update(reporting.for_choosing(measured, self._chosen_by))

    def _observe(self, args: Any, state: Any, control: Any, *, now: bool = False, metrics: Any = None) -> None:
        """Evaluate where that is due or wanted `now`; `metrics`: of the trainer's own evaluation, to be taken up."""
        known: dict[str, Any] = {}
        if metrics is not None and self._rewards is not None:
            bank = partial(self._rewards.bank, gathered(self._rewards.taken()))
            known = {"bank": bank, "seconds": metrics.get("eval_runtime", 0.0)}
        if hasattr(args, "num_generations"):  # of TRL: then these are the tokens of its samples, wherever drawn
            self._generated_elsewhere = (state.num_input_tokens_seen - self._seen_before) / args.world_size
        step, before = state.global_step, self.metrics_step
        loss = next((each["loss"] for each in reversed(state.log_history) if "loss" in each), None)
        was_stopped = self._has_stopped  # in the run that is gone on with: its checkpoint is saved already
        if self._stops_at(step, device=args.device, loss=loss, learning_rate=self._rate, now=now, **known):
            control.should_training_stop = True
            control.should_save = control.should_save or not was_stopped
        elif self._cooling is not None and self._cooling.step == step:
            self._cooling.rates, control.should_save = self._rates, True
        if self.metrics_step != before:
            self._asked_at = step
            self._report(args, state, control)

    def _report(self, args: Any, state: Any, control: Any) -> None:
        """A tracker that fails is said, and training goes on."""
        try:
            reporting.log(self._handler, args, state, control, self.metrics)
            if self._completions and self.session is not None and self.session.log is not None:
                texts = TextFile(self.session.log.directory).read(state.global_step)
                pairs = zip(self.session.problems, () if texts is None else texts.greedy_P, strict=False)
                rows = [(state.global_step, each.prompt, text) for each, text in islice(pairs, self._completions)]
                if rows:
                    reporting.log_completions(self._handler, args, state, rows)
        except Exception as error:
            warn(f"the metrics of step {state.global_step} were not reported: {type(error).__name__}: {error}")

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Verify where that is asked for, and release the run directory."""
        self._end(state.global_step)
        self._handler = None
        if self._rewards is not None:
            self._rewards.watch(None)


def _checkpoint(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"


def _decay_share(args: Any, state: Any, scheduler: Any) -> float | None:
    return None if str(args.lr_scheduler_type.value) in _NO_ONE_FALL else decay_share(scheduler, state.max_steps)


def _step_rows(args: Any, loader: Any) -> float | None:
    """Rows of a step, mean over an epoch with its short last batch; None where a data set has no length."""
    try:
        batches, rows = len(loader), len(loader.dataset)
    except (AttributeError, TypeError):
        return None
    batch_rows = args.train_batch_size * args.world_size
    if args.dataloader_drop_last:
        rows = min(rows, batches * batch_rows)
    if batches != math.ceil(rows / batch_rows):  # rows that are repeated, as GRPO does
        return None
    return rows / math.ceil(batches / int(args.gradient_accumulation_steps))


def _collate(args: Any, model: Any, loader: Any) -> Callable[[list[Any]], Any] | None:
    """As the trainer makes batches of rows: of the columns that the model takes."""
    collate: Callable[[list[Any]], Any] | None = getattr(loader, "collate_fn", None)
    if collate is None or not args.remove_unused_columns:
        return collate
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model  # under an adapter
    columns = [*inspect.signature(inner.forward).parameters, "label", "label_ids", *(args.label_names or ["labels"])]
    known: Callable[[list[Any]], Any] = RemoveColumnsCollator(collate, columns)
    return known


def _settings(args: Any) -> dict[str, Any]:
    """For people to read beside the log."""
    names = (
        *("per_device_train_batch_size", "gradient_accumulation_steps", "world_size"),
        *("max_steps", "num_train_epochs", "learning_rate"),
    )
    return {name: getattr(args, name) for name in names} | {"lr_scheduler_type": str(args.lr_scheduler_type.value)}
