"""Recorded passes of a classifier as blocks of problems, whatever file they came from, and what they must be."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error

Floats = npt.NDArray[np.float64]

DIMENSIONS: Final = {"plain": 2, "probabilities": 3, "snapshots": 3}
"""Dimensions of each field of class probabilities, with those of problems and of classes."""
UNLABELLED: Final = "-1 marks examples without a label, as GLUE's test sets have: take a split with labels."
_BLOCK: Final = 1 << 21
"""Numbers of a block."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PassBlock:
    """Some neighbouring problems."""

    label_P: npt.NDArray[np.int64]
    """The right class, from 0 to C - 1."""
    plain_PC: Floats | None
    """Of the pass without noise."""
    probability_PNC: Floats | None
    """Of the noisy passes."""
    snapshot_PSC: Floats | None
    """Of the plain passes of S checkpoints, the last one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedPasses:
    """What a file of passes holds, with its blocks, which are read anew each time."""

    path: Path
    classes: tuple[str, ...]
    """Names of the C classes; their numbers where the file names none."""
    has_plain: bool
    num_passes: int
    """N; 0: no noisy passes."""
    num_snapshots: int
    """S; 0: none."""
    blocks: Callable[[], Iterator[PassBlock]]
    """Raises ArgumentError where what is read breaks a rule."""


def block_of(label_P: npt.NDArray[np.int64], arrays: dict[str, Floats]) -> PassBlock:
    """A block of the arrays by their names in a file."""
    return PassBlock(
        label_P=label_P,
        plain_PC=arrays.get("plain"),
        probability_PNC=arrays.get("probabilities"),
        snapshot_PSC=arrays.get("snapshots"),
    )


def recorded(
    path: Path,
    shapes: dict[str, tuple[int, ...]],
    blocks: Callable[[], Iterator[PassBlock]],
    classes: Sequence[str] | None = None,
) -> RecordedPasses:
    """What is there, by the shapes of a problem's fields.

    Args:
        path: of the file or folder.
        shapes: by name, without the dimension of problems.
        blocks: reads them.
        classes: their names, if the file has any.

    Raises:
        ArgumentError: no field, fields of other dimensions or of different numbers of classes, a field without a pass
            or with fewer than two classes.
    """
    if not shapes:
        rule = f"hold some of {', '.join(DIMENSIONS)}"
        raise argument_error(str(path), rule, "none", "Save class probabilities under these names.")
    for name, shape in shapes.items():
        wanted = ("problems", "passes", "classes") if DIMENSIONS[name] == 3 else ("problems", "classes")
        if len(shape) != len(wanted) - 1:
            rule = f"have the dimensions ({', '.join(wanted)})"
            raise argument_error(f"{path}, {name},", rule, f"{len(shape) + 1} dimensions")
        if shape[-1] < 2 or 0 in shape:
            rule = "have at least one pass and two classes" if len(shape) == 2 else "have at least two classes"
            raise argument_error(f"{path}, {name},", rule, shape, "Of a binary model save both, 1 - p and p.")
    sizes = {name: shape[-1] for name, shape in shapes.items()}
    if len(set(sizes.values())) > 1:
        raise argument_error(f"{path}", "have as many classes in every field", sizes)
    size = next(iter(sizes.values()))
    if classes is not None and (len(classes) != size or len(set(classes)) != size):
        rule = f"name the {size} classes of the probabilities, each once"
        raise argument_error(f"{path}, classes,", rule, list(classes))
    return RecordedPasses(
        path=path,
        classes=tuple(map(str, range(size))) if classes is None else tuple(classes),
        has_plain="plain" in shapes,
        num_passes=shapes.get("probabilities", (0,))[0],
        num_snapshots=shapes.get("snapshots", (0,))[0],
        blocks=blocks,
    )


def problems_a_block(shapes: dict[str, tuple[int, ...]]) -> int:
    """Problems that are read at once."""
    return max(1, _BLOCK // sum(int(np.prod(each, dtype=np.int64)) for each in shapes.values()))
