"""`EarlyStop` for the `Trainer` of transformers, and for what is built on it: one callback, no other line."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from breakeven import check
from breakeven.adapters.asked import Asked, asked_from
from breakeven.adapters.ranks import agreed, summed
from breakeven.adapters.schedule import decay_share
from breakeven.adapters.tokens import TokenCount
from breakeven.adapters.watch import Watch
from breakeven.cost.families import cost_of_config
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import TextTask
from breakeven.errors import ArgumentError, MissingExtraError, argument_error
from breakeven.records import Problem, RunSpec
from breakeven.sampling.hf import HFSampler
from breakeven.session.session import MODES, Mode, Session
from breakeven.stopping.course import Policy

try:
    from transformers import TrainerCallback
except ImportError as error:
    raise MissingExtraError("breakeven.transformers needs: pip install 'breakeven[hf]'") from error

__all__ = ["EarlyStop"]

_EVALUATIONS = 20
"""In a run, where nobody says how often."""


_NO_ONE_FALL = ("inverse_sqrt", "cosine_with_restarts")
"""Schedules by step whose rate falls, but not once and to the end, as a forecast takes it."""


class EarlyStop(TrainerCallback):  # type: ignore[misc]
    """Evaluates the model while a `Trainer` trains it, and says where training may stop and what to serve then.

    The budget is the trainer's own: `max_steps` or epochs, times the tokens of a step as its batches have them, padding
    left out, over all processes. Its schedule is read off the scheduler. Only the first process measures and writes;
    all are told the decision.

    Args:
        task: as in `breakeven eval --task`, such as "gsm8k:validation.jsonl"; or a `TextTask` of your own.
        problems: in place of a task: Problems, dicts of their fields, or prompts.
        is_right: in place of a task, `is_right(problem, text)`: whether a completion solves a problem.
        extract: with `is_right`: the final answer of a completion, or None, where samples are voted on at serving time.
        mode: "advise" says where training may stop, and trains on; "stop" saves a checkpoint there and ends training;
            "shadow" trains on, and at the end holds the stop against the fully trained model on test problems.
        test_problems: for mode "shadow"; of a task by default as many others as it is decided on.
        num_problems: most problems of a task.
        evaluate_every: steps between evaluations; None: 20 evaluations in a run.
        num_samples: N, most samples per problem.
        temperature: of the samples.
        max_tokens: of one completion; None: as the task says, or 256.
        stop: strings before which a completion ends, besides the task's.
        tokenizer: None: the trainer's `processing_class`.
        chat: whether prompts go through its chat template; None: if it has one.
        policy: the stop rule; None: the calibrated one.
        cost: FLOPs per token; None: as the model's config tells.
        seed: of the samples, and of the choice of problems.
        log: the run directory; None: `breakeven` in the trainer's `output_dir`.
        declared: what else a `RunSpec` takes, such as queries, target or checker.

    Raises:
        ArgumentError: an argument out of its range. What the trainer has to tell is checked when training begins; later
            than that nothing is raised, and evaluation is switched off with a warning.
    """

    def __init__(
        self,
        *,
        task: str | TextTask | None = None,
        problems: Sequence[Problem | Mapping[str, Any] | str] = (),
        is_right: Callable[[Problem, str], bool] | None = None,
        extract: Callable[[str], str | None] | None = None,
        mode: Mode = "advise",
        test_problems: Sequence[Problem | Mapping[str, Any] | str] = (),
        num_problems: int = 200,
        evaluate_every: int | None = None,
        num_samples: int = 16,
        temperature: float = 0.8,
        max_tokens: int | None = None,
        stop: Sequence[str] = (),
        tokenizer: Any = None,
        chat: bool | None = None,
        policy: Policy | None = None,
        cost: ModelCost | None = None,
        seed: int = 0,
        log: str | Path | None = None,
        **declared: Any,
    ) -> None:
        check.one_of("mode", mode, MODES)
        check.whole("num_problems", num_problems, 1)
        if evaluate_every is not None:
            check.whole("evaluate_every", evaluate_every, 1)
        known = sorted({each.name for each in fields(RunSpec)} - {"budget_flops"})
        for name in declared:
            check.one_of("argument", name, known, check.did_you_mean(name, known))
        self._asked_for: dict[str, Any] = {
            "task": task,
            "problems": problems,
            "is_right": is_right,
            "extract": extract,
            "test_problems": test_problems,
            "num_problems": num_problems,
            "verified": mode == "shadow",
            "seed": seed,
        }
        self._mode: Mode = mode
        self._every, self._max_tokens, self._stop = evaluate_every, max_tokens, tuple(stop)
        self._session = {"num_samples": num_samples, "temperature": temperature, "seed": seed}
        self._tokenizer, self._chat = tokenizer, chat
        self._policy, self._cost, self._log, self._declared = policy, cost, log, declared
        self._count = TokenCount()
        self._watch: Watch | None = None
        self._rate: float | None = None
        self._has_stopped = False

    @property
    def session(self) -> Session | None:
        """Of the first process, from its first evaluation on: checkpoints, `stopped_at`, `verification`."""
        return None if self._watch is None else self._watch.session

    # -- what the trainer calls ---------------------------------------------------------------------------------------

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Everything is checked here, before a step is trained."""
        self._every = self._every or max(1, state.max_steps // _EVALUATIONS)
        _refuse_sharded(args)
        self._has_stopped = agreed(lambda: self._begin(args, state, model, kwargs))
        self._count.attach(model)

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, optimizer: Any = None, **kwargs: Any) -> None:
        """The learning rate of the step, which the scheduler changes before it ends."""
        self._rate = None if optimizer is None else float(optimizer.param_groups[0]["lr"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Evaluate where it is due, and stop where that is decided and asked for."""
        step = state.global_step
        assert self._every is not None, "training has begun"
        if self._has_stopped:  # in the run that is gone on with: its checkpoint is saved already
            control.should_training_stop = True
            return
        if step % self._every and step != state.max_steps:
            return
        counts = summed(self._count.so_far, args.device)
        if agreed(lambda: self._observe(state, *counts)):
            control.should_save = control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Verify where that is asked for, and release the run directory."""
        self._count.detach()
        if self._watch is not None:
            self._watch.end(complete=state.global_step >= state.max_steps)

    # -- in the first process -----------------------------------------------------------------------------------------

    def _begin(self, args: Any, state: Any, model: Any, kwargs: Mapping[str, Any]) -> bool:
        """Whether the run that is gone on with has stopped already, and is to stay so."""
        asked = asked_from(**self._asked_for)
        self._watch = Watch(
            asked=asked,
            sampler=self._sampler(asked, model, kwargs.get("processing_class")),
            cost=self._cost or _cost(model),
            steps=state.max_steps,
            step_rows=_step_rows(args, kwargs.get("train_dataloader")),
            directory=Path(args.output_dir) / "breakeven" if self._log is None else Path(self._log),
            mode=self._mode,
            policy=self._policy,
            session_settings=self._session,
            declared={"decay_share": _decay_share(args, state, kwargs.get("lr_scheduler"))} | self._declared,
            config={"trainer": _settings(args)},
        )
        self._watch.begin(state.global_step)
        return self._watch.stops

    def _sampler(self, asked: Asked, model: Any, processing_class: Any) -> HFSampler:
        tokenizer = processing_class if self._tokenizer is None else self._tokenizer
        if not hasattr(tokenizer, "decode"):
            remedy = "Or give the trainer its processing_class."
            raise argument_error("tokenizer", "be given, for prompts are text", tokenizer, remedy)
        limit = asked.max_tokens if self._max_tokens is None else self._max_tokens
        return HFSampler(model, tokenizer, max_tokens=limit, stop=(*asked.stop, *self._stop), chat=self._chat)

    def _observe(self, state: Any, tokens: int, sequences: int, rows: int) -> bool:
        assert self._watch is not None, "training has begun"
        loss = next((each["loss"] for each in reversed(state.log_history) if "loss" in each), None)
        self._watch.observe(
            step=state.global_step,
            tokens=tokens,
            sequences=sequences,
            rows=rows,
            loss=loss,
            learning_rate=self._rate,
        )
        return self._watch.stops


def _cost(model: Any) -> ModelCost:
    try:
        return cost_of_config(model.config)
    except ArgumentError as error:
        raise ArgumentError(f"{error} Or say what a token costs: EarlyStop(cost=ModelCost(...)).") from error


def _decay_share(args: Any, state: Any, scheduler: Any) -> float | None:
    return None if str(args.lr_scheduler_type.value) in _NO_ONE_FALL else decay_share(scheduler, state.max_steps)


def _step_rows(args: Any, loader: Any) -> float | None:
    """Rows of a step, mean over an epoch with its short last batch; None where a data set has no length."""
    try:
        batches, rows = len(loader), len(loader.dataset)
    except (AttributeError, TypeError):
        return None
    if args.dataloader_drop_last:
        rows = min(rows, batches * args.train_batch_size * args.world_size)
    return rows / math.ceil(batches / int(args.gradient_accumulation_steps))


def _settings(args: Any) -> dict[str, Any]:
    """For people to read beside the log."""
    names = (
        *("per_device_train_batch_size", "gradient_accumulation_steps", "world_size"),
        *("max_steps", "num_train_epochs", "learning_rate"),
    )
    return {name: getattr(args, name) for name in names} | {"lr_scheduler_type": str(args.lr_scheduler_type)}


def _refuse_sharded(args: Any) -> None:
    """Of a model that no process holds whole, all would have to sample together."""
    from transformers.integrations import is_deepspeed_zero3_enabled
    from transformers.integrations.fsdp import is_fsdp_enabled

    if (is_fsdp := bool(args.fsdp) or is_fsdp_enabled()) or is_deepspeed_zero3_enabled():
        got = "FSDP" if is_fsdp else "ZeRO-3"
        remedy = "Use DDP or ZeRO up to stage 2; or evaluate saved checkpoints and hand them to Session.record."
        raise argument_error("trainer", "hold the whole model in each process", got, remedy)
