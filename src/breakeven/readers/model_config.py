"""What a model costs, from the config.json that transformers saves beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from breakeven.cost.families import cost_of_config, network_of_config
from breakeven.cost.network import Network
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, LogError
from breakeven.readers.lines import lines_of

T = TypeVar("T")


def cost_from_config(path: Path) -> ModelCost:
    """The cost of the model that a config.json describes, as `breakeven.cost.families` counts it.

    Raises:
        LogError: not such a file, a family that is not known, or a size that is missing.
    """
    return _read(path, cost_of_config)


def network_from_config(
    path: Path, *, num_labels: int | None = None, image_size: int | tuple[int, int] | None = None
) -> Network:
    """The network of the model that a config.json, or a folder with one, describes.

    Args:
        path: the file or the folder.
        num_labels: as of `network_of_config`.
        image_size: likewise.

    Raises:
        LogError: as of `cost_from_config`.
    """
    file = path / "config.json" if path.is_dir() else path
    return _read(file, lambda config: network_of_config(config, num_labels=num_labels, image_size=image_size))


def _read(path: Path, reader: Callable[[dict[str, Any]], T]) -> T:
    try:
        config = msgspec.json.decode("".join(lines_of(path)), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise LogError(f"{path} must hold a JSON object, as transformers saves it: {error}.") from error
    try:
        return reader(config)
    except ArgumentError as error:
        raise LogError(f"{path}, {error} Or give --params.") from error
    except (TypeError, ArithmeticError) as error:  # values of other types than these keys have anywhere
        raise LogError(f"{path} must be a config.json as transformers saves it: {error}. Or give --params.") from error
