"""Numbers and completions in the log of a transformers `Trainer`, and so in every tracker that it reports to."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from transformers import Trainer
from transformers.trainer_callback import CallbackHandler, EarlyStoppingCallback

from breakeven import check
from breakeven.adapters.metrics import NAMES
from breakeven.errors import argument_error
from breakeven.session.voice import warn

Row = tuple[int, str, str]
"""Step, prompt and completion."""


def handler_of(callback: object) -> Any:
    """The `CallbackHandler` that is calling `callback`; None where something else is.

    A Trainer hands itself to no callback, so it is looked for among the callers.
    """
    return _caller(lambda found: isinstance(found, CallbackHandler) and callback in found.callbacks)


def trainer_of(handler: Any) -> Any:
    """The `Trainer` that is calling `handler`; None likewise."""
    return _caller(lambda found: isinstance(found, Trainer) and found.callback_handler is handler)


def _caller(is_it: Callable[[object], bool]) -> Any:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        found = frame.f_locals.get("self")
        if is_it(found):
            return found
        frame = frame.f_back
    return None


def log(handler: Any, args: Any, state: Any, control: Any, values: Mapping[str, float]) -> None:
    """As `Trainer.log` does: into `state.log_history`, and to all callbacks; what the trainer logs itself stays due."""
    logs = dict(values) | ({} if state.epoch is None else {"epoch": state.epoch})
    state.log_history.append(logs | {"step": state.global_step})
    if handler is not None:
        was_due = control.should_log
        handler.on_log(args, state, control, logs)
        control.should_log = was_due


def log_completions(handler: Any, args: Any, state: Any, rows: Sequence[Row]) -> None:
    """A table `completions` in every tracker of the run that has tables; in tensorboard as text."""
    columns = ["step", "prompt", "completion"]
    for each in () if handler is None else handler.callbacks:
        name = type(each).__name__
        if name == "WandbCallback":
            each._wandb.log({"completions": each._wandb.Table(columns=columns, data=[list(row) for row in rows])})
        elif name == "MLflowCallback":
            table = {column: list(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)}
            each._ml_flow.log_table(table, artifact_file="completions.json")
        elif name == "TrackioCallback":
            each._trackio.log({"completions": each._trackio.Table(columns=columns, data=[list(row) for row in rows])})
        elif name == "TensorBoardCallback" and each.tb_writer is not None:
            lines = [
                "| prompt | completion |",
                "|---|---|",
                *(f"| {_cell(row[1])} | {_cell(row[2])} |" for row in rows),
            ]
            each.tb_writer.add_text("completions", "\n".join(lines), state.global_step)


def chosen_by(args: Any) -> str | None:
    """Which of our metrics the best model is chosen by; None: by another, or none is chosen."""
    name = str(args.metric_for_best_model or "").removeprefix("eval_")
    if not name.startswith("breakeven/"):
        return None
    check.one_of("metric_for_best_model", name, NAMES, check.did_you_mean(name, NAMES))
    if str(args.eval_strategy.value) == "no":
        warn(
            f"the best model is not chosen by {name} with eval_strategy no: the trainer looks at it where it evaluates."
        )
    return name


def check_order(handler: Any, callback: object) -> None:
    """Callbacks are asked in turn: those that look at our metrics come after us.

    Raises:
        ArgumentError: an EarlyStoppingCallback comes before.
    """
    callbacks = [] if handler is None else handler.callbacks[: handler.callbacks.index(callback)]
    if any(isinstance(each, EarlyStoppingCallback) for each in callbacks):
        remedy = "Its metric_for_best_model is one of ours, which it would not see."
        raise argument_error("callbacks", "name EarlyStop before EarlyStoppingCallback", "the other order", remedy)


def for_choosing(values: Mapping[str, float], name: str | None) -> dict[str, float]:
    """Metrics for the trainer's own evaluation; the one that it chooses by is NaN, never the best, if not measured."""
    if name is not None and name not in values:
        warn(f"{name} is not known at this evaluation, which is therefore not the best one.")
        values = dict(values) | {name: math.nan}
    return {f"eval_{each}": value for each, value in values.items()}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
