"""A model that `breakeven run` saved, with the task it was trained on."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakeven.config import config_from
from breakeven.data.task import Task
from breakeven.errors import argument_error
from breakeven.model.transformer import KVCache, Transformer
from breakeven.names import named_in
from breakeven.sampling.transformer import TransformerSampler
from breakeven.train.checkpoint import load_weights, shape_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedModel:
    """Weights with what their `serving.json` says of them."""

    model: Transformer
    task: Task
    settings: dict[str, Any]
    """Of the task, as written there."""
    spent: dict[str, Any]
    """On its training, as written there; empty where it is not, as in those of earlier versions."""

    def sampler(self) -> TransformerSampler:
        """A sampler of it."""
        return TransformerSampler(self.model, self.task, new_cache=lambda: KVCache([], []))


def load_saved_model(folder: Path, *, name: str) -> SavedModel:
    """What `save_weights` wrote into `folder`, which the user gave as `name`.

    Raises:
        ArgumentError: there is no such model, or a damaged one.
    """
    try:
        note: dict[str, Any] = json.loads((folder / "serving.json").read_text(encoding="utf-8"))
        shape, settings = shape_of(note["model"], folder), dict(note["task"])
        spent = dict(note.get("spent") or {})
        with named_in(folder / "serving.json"):
            task = config_from({"name": "saved", "task": {"kind": "countdown", **settings}}).task
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        rule = "have a serving.json as breakeven run writes it"
        raise argument_error(name, rule, str(folder), f"{type(error).__name__}: {error}.") from error
    model = Transformer(shape)
    load_weights(folder, model)
    return SavedModel(model=model, task=task, settings=settings, spent=spent)
