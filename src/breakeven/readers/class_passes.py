"""Recorded passes of a classifier, in whichever of their forms."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from breakeven.errors import BreakevenError, argument_error
from breakeven.jsonl import json_rows
from breakeven.readers.class_arrays import passes_of_arrays
from breakeven.readers.class_blocks import RecordedPasses
from breakeven.readers.class_lines import LINES, files_of_lines, passes_of_lines

_PICKLED: Final = (".pkl", ".pickle", ".pt", ".pth", ".joblib")


def holds_passes(path: Path) -> bool:
    """Whether a path names recorded passes, or a file that might be taken for some; nothing large is read."""
    if not path.is_dir():
        return path.name.lower().endswith((".npz", ".npy", *LINES, *_PICKLED))
    if (path / "labels.npy").is_file():
        return True
    with suppress(BreakevenError):  # of other files of lines, which are not for us to judge
        for file in files_of_lines(path)[:1]:
            return "label" in next(json_rows(file), (0, {}))[1]
    return False


def read_passes(path: Path) -> RecordedPasses:
    """The passes at a path: an .npz, a folder of .npy files, JSON lines or a folder of these.

    Raises:
        ArgumentError: a pickle, which is not read since reading can run code; no such file; or what
            `passes_of_arrays` and `passes_of_lines` refuse.
    """
    suffix = path.suffix.lower()
    if suffix in _PICKLED:
        remedy = "A pickle can run code when it is read: save its arrays with numpy.savez."
        raise argument_error("MODEL", "be no pickle where it is a file of passes", str(path), remedy)
    if suffix == ".npy":
        remedy = "Save it as probabilities.npy or plain.npy beside labels.npy in one folder, and give the folder."
        raise argument_error("MODEL", "be a folder where its arrays are .npy files", str(path), remedy)
    if not path.exists():
        raise argument_error("MODEL", "be a file that exists", str(path))
    if suffix == ".npz" or (path / "labels.npy").is_file():
        return passes_of_arrays(path)
    return passes_of_lines(path)
