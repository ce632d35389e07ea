"""`EarlyStop` for the `Trainer` of Lightning, by either of its names: one callback, no other line."""

import math
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

from breakeven.adapters.ranks import is_first
from breakeven.adapters.schedule import decay_share
from breakeven.adapters.subject import Subject
from breakeven.adapters.watching import Watching
from breakeven.errors import MissingExtraError, argument_error
from breakeven.session.voice import warn

__all__ = ["EarlyStop"]

_NAMES = {"lightning": "lightning.pytorch", "pytorch_lightning": "pytorch_lightning"}
_SHARDED = ("FSDPStrategy", "ModelParallelStrategy", "XLAFSDPStrategy", "XLAStrategy")


def _bases() -> tuple[type, ...]:
    """The `Callback` of each name that the program has imported; of none, that of the first that is installed.

    They are different classes with the same hooks. A trainer asks for its own only where a callback is given without a
    list around it.
    """
    known = [each for name, each in _NAMES.items() if name in sys.modules and find_spec(name)]
    known = known or [each for name, each in _NAMES.items() if find_spec(name)][:1]
    if not known:
        raise MissingExtraError("breakeven.lightning needs: pip install 'breakeven[lightning]'")
    return tuple(import_module(each).Callback for each in known)


class EarlyStop(Watching, *_bases()):  # type: ignore[misc]
    """Evaluates the model while a `Trainer` of Lightning trains it, and says where training may stop.

    The budget is the trainer's own: `max_steps` or epochs, over accumulated batches, times the tokens of a step as the
    model is given them, padding left out, over all processes. The schedule is read off the optimizer's scheduler. The
    tokenizer is an attribute `tokenizer` of the module or its data module, and the run directory `breakeven` in
    `default_root_dir`, unless others are given. A stop saves `checkpoint-STEP.ckpt` there, for Lightning to go on from,
    and the model as transformers saves it, to be served, in `model-STEP`. With `fast_dev_run` nothing is done.

    Args:
        model: which part of the module is measured, by the name of an attribute, with dots into others; None: its one
            attribute that is a causal language model of transformers, or of a classifier its one attribute with
            weights, or else the module itself, whose `forward` then gives the logits.
        watching: see `breakeven.adapters.watching.Watching`, for errors too.
    """

    def __init__(self, *, model: str | None = None, **watching: Any) -> None:
        super().__init__(**watching)
        self._name, self._seen = model, 0
        self._rate: float | None = None
        self._saved_average: dict[str, Any] | None = None

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Everything is checked here, before a step is trained; a run that is to stay stopped ends here."""
        if trainer.fast_dev_run:
            return
        _refuse_sharded(trainer)
        self._model = _measured(pl_module, self._subject, self._name)
        self._own = getattr(pl_module, "tokenizer", None) or getattr(trainer.datamodule, "tokenizer", None)
        self._seen = trainer.global_step
        default = Path(trainer.default_root_dir) / "breakeven"
        self._directory = default if self._log is None else Path(self._log)
        steps = _steps(trainer, pl_module)
        self._begin(
            self._model,
            tokenizer=self._own,
            steps=steps,
            step=trainer.global_step,
            step_rows=_step_rows(trainer),
            decay_share=_decay_share(trainer, steps),
            directory=self._directory,
            config={"trainer": _settings(trainer)},
            collate=getattr(trainer.train_dataloader, "collate_fn", None),
            training_data=getattr(trainer.train_dataloader, "dataset", None),
        )
        if self.average is not None and self._saved_average is not None:
            self.average.load_state_dict(self._saved_average)
        trainer.should_stop = trainer.should_stop or self._has_stopped

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
        """The learning rate of the step, which the scheduler changes before it ends."""
        self._rate = float(optimizer.param_groups[0]["lr"])

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """After an optimizer step, evaluate where it is due, and stop where that is decided and asked for."""
        step = trainer.global_step
        if trainer.fast_dev_run or step == self._seen:  # a micro-batch whose gradients are added to
            return
        self._seen = step
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if not self._stops_at(step, device=pl_module.device, loss=loss, learning_rate=self._rate):
            return
        trainer.should_stop = True  # unless min_steps or min_epochs say otherwise, which Lightning then does
        if not self._has_stopped:
            self._has_stopped = True
            trainer.save_checkpoint(self._directory / f"checkpoint-{step}.ckpt")
            if is_first():
                self._export(step)

    def state_dict(self) -> dict[str, Any]:
        """The average of the weights, where one is kept, which Lightning saves in its checkpoints."""
        return {} if self.average is None else {"average": self.average.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Kept until training begins, when there is an average to go on with."""
        self._saved_average = state_dict.get("average")

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Verify where that is asked for, and release the run directory."""
        self._end(trainer.global_step)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Release the run directory."""
        self._end(-1)

    def _export(self, step: int) -> None:
        """The model as transformers loads it, for a checkpoint of Lightning is a pickle, which nobody should read."""
        if not hasattr(self._model, "save_pretrained"):  # a module of one's own: whoever made it loads it
            return
        place = self._directory / f"model-{step}"
        try:
            self._model.save_pretrained(place)
            tokenizer: Any = self._tokenizer or self._own
            if tokenizer is not None:
                tokenizer.save_pretrained(place)
        except Exception as error:
            warn(f"the model could not be saved in {place}, and training ends: {type(error).__name__}: {error}")


def _steps(trainer: Any, pl_module: Any) -> int:
    """Optimizer steps of the full run."""
    accumulations = next((set(each.scheduling.values()) for each in trainer.callbacks if _schedules(each)), set())
    if len(accumulations) > 1:
        got = sorted(accumulations)
        remedy = "Use one accumulate_grad_batches, or Session."
        raise argument_error("GradientAccumulationScheduler", "accumulate the same all along", got, remedy)
    if len(trainer.optimizers) != 1:
        remedy = "Use Session in a loop of your own."
        raise argument_error("configure_optimizers", "return one optimizer", len(trainer.optimizers), remedy)
    steps = trainer.estimated_stepping_batches if pl_module.automatic_optimization else trainer.max_steps
    if not 0 < steps < math.inf:
        remedy = "It is the budget that a stop is to save. Without automatic optimization, say max_steps."
        raise argument_error("max_steps or max_epochs", "tell how long the full run is", steps, remedy)
    return int(steps)


def _schedules(callback: Any) -> bool:
    return type(callback).__name__ == "GradientAccumulationScheduler"


def _step_rows(trainer: Any) -> float | None:
    """Rows of a step, mean over an epoch with its short last batch; None where the loader does not tell."""
    loader, batches = trainer.train_dataloader, trainer.num_training_batches
    try:
        rows, whole = len(loader.dataset), len(loader)
    except (AttributeError, TypeError):
        return None
    if loader.batch_size is None or batches != whole:  # batched by hand, or only some are trained on
        return None
    if loader.drop_last:
        rows = min(rows, whole * loader.batch_size * trainer.world_size)
    return float(rows / math.ceil(batches / trainer.accumulate_grad_batches))


def _decay_share(trainer: Any, steps: int) -> float | None:
    configs = trainer.lr_scheduler_configs
    if len(configs) != 1 or configs[0].frequency != 1:
        return None
    by_epoch = configs[0].interval == "epoch"
    if by_epoch and trainer.max_epochs < 1:
        return None
    return decay_share(configs[0].scheduler, trainer.max_epochs if by_epoch else steps)


def _settings(trainer: Any) -> dict[str, Any]:
    """For people to read beside the log."""
    names = ("accumulate_grad_batches", "world_size", "max_steps", "max_epochs", "num_training_batches")
    return {name: getattr(trainer, name) for name in names} | {"precision": str(trainer.precision)}


def _measured(module: Any, subject: Subject, name: str | None) -> Any:
    """The part of a LightningModule that is measured: the one that is named, its only such attribute, or it itself."""
    if name is not None:
        try:
            found = attrgetter(name)(module)
        except AttributeError:
            found = None
        if not subject.fits(found):
            raise argument_error("model", f"name {subject.kind} in the module", name)
        return found
    parts = {each: part for each, part in module.named_children() if subject.fits(part)}
    if len(parts) == 1:
        return next(iter(parts.values()))
    if not subject.fits(module):
        remedy = 'Name it: EarlyStop(model="policy").'
        rule = f"be named where the LightningModule has not just one attribute that is {subject.kind}"
        raise argument_error("model", rule, ", ".join(parts) or type(module).__name__, remedy)
    return module


def _refuse_sharded(trainer: Any) -> None:
    """Of a model that no process holds whole, all would have to sample together."""
    strategy = trainer.strategy
    if (name := type(strategy).__name__) in _SHARDED or getattr(strategy, "zero_stage_3", False):
        remedy = "Use DDP or ZeRO up to stage 2; or evaluate saved checkpoints and hand them to Session.record."
        raise argument_error("strategy", "hold the whole model in each process", name, remedy)
