"""Training state on disk: everything needed to go on bit-exactly, and weights to serve. Writes are atomic."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from breakeven.errors import ArgumentError, argument_error
from breakeven.records import TransformerShape
from breakeven.sampling.average import WeightAverage
from breakeven.store import TEXTS_NAME, make_directory, storage_errors, write_whole

STATE_NAME = "state.safetensors"
_REMEDY = "What was saved before is whole; free some space, then go on with --resume."
_DELETE = "Delete it to train again up to the recorded steps."
LEFTOVERS = (STATE_NAME, TEXTS_NAME, "stopped", "full", "checkpoints", "cooldown")
"""What a run leaves in its directory besides the log; a new run must not find any."""


def save_state(
    run_dir: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    average: WeightAverage | None = None,
) -> None:
    """Write weights, optimizer state and average of `step`, replacing the state before it.

    Data order and learning rate are functions of (seed, step) and training draws nothing else at random, so the
    step is all else there is to keep.

    Raises:
        RunStorageError: the disk refused; the state before stays as it was.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    for index, slots in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{slot}": value for slot, value in slots.items()}
    if average is not None:
        tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    save_tensors(run_dir / STATE_NAME, tensors, {"step": str(step)})


def saved_step(run_dir: Path) -> int:
    """The step of the saved state, 0 where nothing was saved yet."""
    path = run_dir / STATE_NAME
    try:
        return int(_read(path)[1]["step"]) if path.exists() else 0
    except ArgumentError:
        raise
    except (ValueError, KeyError) as error:
        raise _others(path, error) from error


def load_state(
    run_dir: Path, model: nn.Module, optimizer: torch.optim.Optimizer, average: WeightAverage | None = None
) -> int:
    """Load what `save_state` wrote into its arguments; returns its step, 0 where nothing was saved yet.

    Of a state without an average, `average` starts from the weights there.
    """
    path = run_dir / STATE_NAME
    if not path.exists():
        return 0
    tensors, metadata = _read(path)
    slots: dict[int, dict[str, Tensor]] = {}
    try:
        model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "optimizer":
                index, _, slot = rest.partition(".")
                slots.setdefault(int(index), {})[slot] = value
        if average is not None:
            saved = {name[8:]: value for name, value in tensors.items() if name.startswith("average.")}
            average.load_state_dict(saved or model.state_dict())
        optimizer.load_state_dict({"state": slots, "param_groups": optimizer.state_dict()["param_groups"]})
        return int(metadata["step"])
    except (RuntimeError, ValueError, KeyError) as error:
        raise _others(path, error) from error


def save_weights(folder: Path, model: nn.Module, about: dict[str, Any]) -> None:
    """Write `model.safetensors` and `serving.json` (how it is to be served) into `folder`.

    Raises:
        RunStorageError: the disk refused.
    """
    with storage_errors(f"{folder} could not be written", _REMEDY):
        make_directory(folder)
    save_tensors(folder / "model.safetensors", model.state_dict())
    write_whole(folder / "serving.json", json.dumps(about, indent=2) + "\n", remedy=_REMEDY)


def are_whole(folder: Path) -> bool:
    """Whether `save_weights` came to its end in `folder`: what it writes last is there, and so are the weights."""
    return all((folder / name).is_file() for name in ("model.safetensors", "serving.json"))


def load_weights(folder: Path, model: nn.Module) -> None:
    """Load the weights that `save_weights` wrote."""
    path = folder / "model.safetensors"
    try:
        model.load_state_dict(_read(path)[0])
    except RuntimeError as error:
        raise _others(path, error) from error


def shape_of(sizes: Mapping[str, int], folder: Path) -> TransformerShape:
    """The sizes that a note beside weights states, held against the weights before anything so large is made.

    Raises:
        ArgumentError: they are sizes of no such model, or far larger than what the weights have.
        TypeError: they are no sizes.
    """
    shape = TransformerShape(**sizes)
    if shape.embedding % (2 * shape.num_heads):
        raise argument_error("embedding", f"be a multiple of 2 x {shape.num_heads} heads", shape.embedding)
    tensors, _ = _read(folder / "model.safetensors")
    widest = max((max(each.shape, default=0) for each in tensors.values()), default=0)
    limits = dict.fromkeys(("embedding", "feed_forward", "vocab_size"), widest)
    for name, limit in (limits | {"num_layers": len(tensors), "max_tokens": 1 << 20}).items():
        if getattr(shape, name) > limit:
            raise argument_error(name, f"be at most {limit}, for the weights beside it", getattr(shape, name))
    return shape


def save_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None, *, remedy: str = _REMEDY
) -> None:
    """Write a safetensors file.

    Raises:
        RunStorageError: the disk refused; a file that was there before stays as it was.
    """
    # As bytes: `save_file` writes through a temporary file of its own, which a kill would leave behind.
    data = save({name: value.contiguous() for name, value in tensors.items()}, metadata or {})
    write_whole(path, data, remedy=remedy)


def _others(path: Path, error: Exception) -> ArgumentError:
    """The error for a whole file that holds something else than it should."""
    said = " ".join(str(error).split())[:300]
    return argument_error(str(path), "hold the tensors of this model", f"{type(error).__name__}: {said}", _DELETE)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise argument_error(str(path), "be a whole safetensors file", str(error), _DELETE) from error
