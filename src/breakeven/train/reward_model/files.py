"""A trained reward model on disk: `model.safetensors`, and `trained.json` with what it is and how good."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from breakeven.config import config_from
from breakeven.cost.tokens import ModelCost
from breakeven.data.task import Task
from breakeven.errors import argument_error
from breakeven.names import named_in
from breakeven.sampling.reward_models.transformer import TransformerReward
from breakeven.store import make_directory, storage_errors, write_whole
from breakeven.train.checkpoint import load_weights, save_tensors, shape_of
from breakeven.train.reward_model.train import TrainedRewardModel, reward_network, reward_network_cost

_NOTE = "reward_model.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRewardModel:
    """A reward model read from disk."""

    reward_model: TransformerReward
    cost: ModelCost
    """What a token costs on it."""
    note: dict[str, Any]
    """What `trained.json` says: `task`, `model`, `report` and `trained_on`."""


def save_reward_model(folder: Path, trained: TrainedRewardModel, task: Task) -> None:
    """Write `trained` into `folder`, replacing one that is there; the note comes last.

    Raises:
        RunStorageError: the disk refused.
    """
    note = {
        "task": dataclasses.asdict(task),
        "model": dataclasses.asdict(trained.model.shape),
        "report": dataclasses.asdict(trained.report),
        "trained_on": sorted(trained.trained_on),
    }
    remedy = "Free some space and save it again."
    with storage_errors(f"{folder} could not be written", remedy):
        make_directory(folder)
    save_tensors(folder / "model.safetensors", trained.model.state_dict(), remedy=remedy)
    write_whole(folder / _NOTE, json.dumps(note, indent=2) + "\n", remedy=remedy)


def load_reward_model(folder: Path) -> SavedRewardModel:
    """What `save_reward_model` wrote. It refuses to score the problems that it was trained on.

    Raises:
        ArgumentError: `folder` holds no reward model, or a damaged one.
    """
    try:
        note: dict[str, Any] = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        shape = shape_of(note["model"], folder)
        with named_in(folder / _NOTE):
            task = config_from({"name": "reward-model", "task": note["task"]}).task
        trained_on = frozenset(note["trained_on"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        rule = f"be a directory with the {_NOTE} of a trained reward model"
        raise argument_error(str(folder), rule, f"{type(error).__name__}: {error}") from error
    model = reward_network(shape)
    load_weights(folder, model)
    model.eval()
    return SavedRewardModel(
        reward_model=TransformerReward(model, task, max_tokens=shape.max_tokens, trained_on=trained_on),
        cost=reward_network_cost(shape),
        note=note,
    )
