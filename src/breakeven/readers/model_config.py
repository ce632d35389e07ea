"""What a model costs, from the config.json that transformers saves beside it."""

from pathlib import Path
from typing import Any

import msgspec

from breakeven.cost.families import cost_of_config
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, LogError
from breakeven.readers.lines import lines_of


def cost_from_config(path: Path) -> ModelCost:
    """The cost of the model that a config.json describes, as `breakeven.cost.families` counts it.

    Raises:
        LogError: not such a file, a family that is not known, or a size that is missing.
    """
    try:
        config = msgspec.json.decode("".join(lines_of(path)), type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise LogError(f"{path} must hold a JSON object, as transformers saves it: {error}.") from error
    try:
        return cost_of_config(config)
    except ArgumentError as error:
        raise LogError(f"{path}, {error} Or give --params.") from error
    except (TypeError, ArithmeticError) as error:  # values of other types than these keys have anywhere
        raise LogError(f"{path} must be a config.json as transformers saves it: {error}. Or give --params.") from error
