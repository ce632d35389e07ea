"""An average of weights beside a loop's own checkpoint: saved in whole, and never in the way of training."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from breakeven.errors import RunStorageError
from breakeven.sampling.average import WeightAverage
from breakeven.session.voice import warn
from breakeven.store import write_whole

_FILE = "breakeven-average.safetensors"


def save_average(average: WeightAverage, folder: Path) -> None:
    """Leave the average in the folder of a checkpoint; a disk that refuses is said, and training goes on."""
    try:
        tensors = {name: each.contiguous() for name, each in average.state_dict().items()}
        write_whole(folder / _FILE, save(tensors), remedy="Free space.")
    except RunStorageError as error:
        warn(f"the average of the weights was not saved: {error}")


def load_average(average: WeightAverage, folder: Path) -> None:
    """Go on with what `save_average` left; where it cannot be read, that is said, and the average starts anew."""
    try:
        average.load_state_dict(load_file(folder / _FILE))
    except (OSError, SafetensorError, ValueError) as error:
        why = f"{folder / _FILE} cannot be read ({type(error).__name__}: {error})"
        warn(f"{why}: the average of the weights starts anew from those of the checkpoint.")
