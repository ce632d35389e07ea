"""The trained model that a run begins with, in place of a random one: continued training.

What was spent on it before is recorded and shown, and is no part of the run's budget. Optimizer and schedule begin
anew. Rows of the vocabulary are matched by word, so that a model of several tasks goes on with one of them.
"""

import zlib
from pathlib import Path
from typing import Any, Final

from breakeven.config import RunConfig
from breakeven.data.task import Task
from breakeven.errors import argument_error
from breakeven.model.transformer import Transformer
from breakeven.records import Spent, Start
from breakeven.settings import as_record
from breakeven.train.checkpoint import are_whole
from breakeven.train.costs import cost_of, sequence_tokens
from breakeven.train.saved_model import SavedModel, load_saved_model

_NAME: Final = "model.start"
_OF_WORDS: Final = ("embed.weight", "head.weight")
"""The weights that have a row a word."""
_SIZES: Final = ("num_layers", "embedding", "num_heads", "feed_forward")


def start_of(config: RunConfig) -> Start | None:
    """What the configured run begins with; None where that is a random model.

    Raises:
        ArgumentError: there is no such directory, none with whole weights, or they are of a model that does not fit.
    """
    if not config.model.start:
        return None
    folder = _folder(config.model.start)
    saved = load_saved_model(folder, name=_NAME)
    _fitting(config, saved)
    spent = as_record(saved.spent, Spent, f"{_NAME}.spent") if saved.spent else None
    return Start(weights=str(folder), crc32=_crc32(folder), spent=spent)


def begin(model: Transformer, config: RunConfig, start: Start) -> None:
    """Load into `model` the weights that the configured run began with.

    Raises:
        ArgumentError: they are gone, or others by now.
    """
    folder = Path(start.weights)
    if not are_whole(folder) or (found := _crc32(folder)) != start.crc32:
        rule = f"hold the weights that this run began with, of checksum {start.crc32}"
        got = f"{folder} of checksum {found}" if are_whole(folder) else f"{folder}, without weights"
        raise argument_error(_NAME, rule, got, "Put them back, or start a new run.")
    model.load_state_dict(_fitting(config, load_saved_model(folder, name=_NAME)))


def spent_at(step: int, config: RunConfig, start: Start | None) -> Spent | None:
    """What has been spent on a run's model at `step`, what it began with included; None: unknown."""
    tokens_each, num_sequences = sequence_tokens(config.task), step * config.train.batch_size
    own = Spent(
        steps=step,
        train_tokens=num_sequences * tokens_each,
        train_flops=cost_of(config).train_flops(num_sequences, tokens_each),
    )
    if start is None:
        return own
    return None if start.spent is None else start.spent + own


def _folder(start: str) -> Path:
    """The folder of weights that `start` names: itself, or the full or else the stopped one of a run.

    Raises:
        ArgumentError: there is none.
    """
    path = Path(start)
    if not path.is_dir():
        raise argument_error(_NAME, "be a directory", start, "Give a run, or a model that a run saved.")
    found = next((each for each in (path, path / "full", path / "stopped") if are_whole(each)), None)
    if found is None:
        rule = "hold model.safetensors and serving.json, itself or in full or stopped"
        raise argument_error(_NAME, rule, start, "A run saves them where it stops and at its end: train it to there.")
    return found


def _fitting(config: RunConfig, saved: SavedModel) -> dict[str, Any]:
    """The weights for the configured model.

    Raises:
        ArgumentError: other sizes, a shorter length, or a vocabulary that lacks words of the task.
    """
    ours, theirs = config.model.shape_for(config.task), saved.model.shape
    for name in _SIZES:
        if (known := getattr(theirs, name)) != (given := getattr(ours, name)):
            raise argument_error(f"model.{name}", f"be {known}, as of {_NAME}", given)
    if ours.max_tokens > theirs.max_tokens:
        rule = f"have problems of at most {theirs.max_tokens} tokens, the longest that {_NAME} was trained on"
        raise argument_error("task", rule, ours.max_tokens)
    words, known_words = _words(config.task), _words(saved.task)
    if missing := [each for each in words if each not in known_words]:
        rule = f"be trained on every word of the task, such as {' '.join(map(str, missing[:5]))}"
        got = f"{config.model.start}, which lacks {len(missing)} of {len(words)}"
        raise argument_error(_NAME, rule, got, "Pretrain on a mixture that holds this task.")
    rows = [known_words.index(each) for each in words]
    weights = saved.model.state_dict()
    return {name: value[rows] if name in _OF_WORDS else value for name, value in weights.items()}


def _words(task: Task) -> list[str | None]:
    """What each token reads as, alone; None for the end token."""
    return [None if token == task.end_token else task.decode([token]) for token in range(task.vocab_size)]


def _crc32(folder: Path) -> str:
    return f"{zlib.crc32((folder / 'model.safetensors').read_bytes()):08x}"
