"""What a classifier's run keeps on disk: its recipe, and a checkpoint of the Trainer at each evaluation.

RUN/checkpoint-STEP has the weights of an evaluated step; the last one has the optimizer's state too, to go on from.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from safetensors.torch import load_file

from breakeven.classifiers.data import Splits
from breakeven.classifiers.families import Deberta
from breakeven.classifiers.models import make_model
from breakeven.classifiers.recipe import RECIPE, ClassifierConfig, classifier_from, classifier_to_builtins
from breakeven.classifiers.text import tokenizer_for
from breakeven.errors import LogError, argument_error
from breakeven.store import LOG_NAME, RunRecord, read_log
from breakeven.store.files import make_directory, write_whole

_TO_GO_ON: Final = ("optimizer.pt", "scheduler.pt", "rng_state.pth")
_WEIGHTS: Final = "model.safetensors"
_STATE: Final = "trainer_state.json"
"""Written last: a checkpoint that has it is whole."""


def start_run(config: ClassifierConfig, run_dir: Path) -> None:
    """A new run directory, with its recipe.

    Raises:
        ArgumentError: `run_dir` holds a run already.
        RunStorageError: the disk refused.
    """
    if leftover := next((each for each in (RECIPE, LOG_NAME) if (run_dir / each).exists()), None):
        remedy = f"It holds {leftover} of a run: go on with it by --resume, or choose another."
        raise argument_error("--out", "be a new directory", str(run_dir), remedy)
    make_directory(run_dir)
    text = json.dumps(classifier_to_builtins(config), indent=2) + "\n"
    write_whole(run_dir / RECIPE, text, remedy="Free space, then start the run anew.")


def recorded_config(run_dir: Path) -> ClassifierConfig:
    """The recipe of a run.

    Raises:
        LogError: it cannot be read.
    """
    try:
        settings = json.loads((run_dir / RECIPE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LogError(f"{run_dir / RECIPE} cannot be read: {error}. Start the run anew.") from error
    return classifier_from(settings)


def recorded_run(run_dir: Path) -> RunRecord | None:
    """What the log of a run holds; None before there is one.

    Raises:
        LogError: it cannot be read.
    """
    return read_log(run_dir) if (run_dir / LOG_NAME).exists() else None


def last_checkpoint(run_dir: Path) -> Path | None:
    """The checkpoint to go on from: the last one that is whole."""
    whole = [each for each in _checkpoints(run_dir) if _is_whole(each)]
    return max(whole, key=step_of, default=None)


def step_of(checkpoint: Path | None) -> int:
    """At which it was saved; of none 0."""
    return 0 if checkpoint is None else int(checkpoint.name.removeprefix("checkpoint-"))


def thin_out(run_dir: Path, step: int, every_steps: int) -> None:
    """Of checkpoints before the whole one of `step` leave the weights, of those that were not evaluated nothing."""
    for each in _checkpoints(run_dir):
        if step_of(each) >= step:
            continue
        if step_of(each) % every_steps:
            shutil.rmtree(each, ignore_errors=True)
        for name in _TO_GO_ON:
            (each / name).unlink(missing_ok=True)


def tokenizer_of(config: ClassifierConfig, splits: Splits, run_dir: Path) -> Any:
    """Of texts that of the run, made where there is none; else None."""
    model = config.model
    if not isinstance(model, Deberta):
        return None
    return tokenizer_for(
        splits.train.texts, vocab_size=model.vocab_size, max_tokens=model.max_tokens, directory=run_dir
    )


def load_model(config: ClassifierConfig, splits: Splits, run_dir: Path, step: int) -> Any:
    """The model as it was at an evaluated step, to be served, in evaluation mode.

    Raises:
        ArgumentError: there is no such checkpoint.
    """
    checkpoint = run_dir / f"checkpoint-{step}"
    if not (checkpoint / _WEIGHTS).exists():
        steps = ", ".join(str(step_of(each)) for each in _checkpoints(run_dir)) or "none"
        raise argument_error("step", f"be that of a checkpoint in {run_dir}", step, f"There are {steps}.")
    model = make_model(config.model, splits.train, tokenizer_of(config, splits, run_dir))
    load_weights(model, checkpoint)
    return model.eval()


def load_weights(model: Any, checkpoint: Path) -> None:
    """Put the weights of a checkpoint into a model of its kind."""
    if hasattr(model, "from_pretrained"):  # which knows by what names they are in the file: of ViT by others
        with no_bars():
            state = model.from_pretrained(checkpoint).state_dict()
    else:
        state = load_file(checkpoint / _WEIGHTS)
    model.load_state_dict(state)


@contextmanager
def no_bars() -> Iterator[None]:
    """Without the bars that transformers draws for every file."""
    from transformers.utils import logging

    was_enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_enabled:
            logging.enable_progress_bar()


def _checkpoints(run_dir: Path) -> list[Path]:
    found = [each for each in run_dir.glob("checkpoint-*") if each.name.removeprefix("checkpoint-").isdecimal()]
    return sorted(found, key=step_of)


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all((checkpoint / name).exists() for name in _TO_GO_ON)
