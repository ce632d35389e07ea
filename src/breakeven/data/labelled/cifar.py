"""CIFAR-10 and CIFAR-100 as their authors publish them: the binary version, and the Python version (pickles).

Records of the binary version are the label (of CIFAR-100 the coarse label, then the fine one) and 3,072 bytes: red,
green and blue planes of 32 rows of 32.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.files import file_bytes
from breakeven.data.labelled.given import Given
from breakeven.data.labelled.plain_arrays import array_in, read_pickle
from breakeven.data.splits import IntArray
from breakeven.errors import argument_error

_PIXELS: Final = 3 * 32 * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """The names in one of the two sets; `.bin` is added to those of the binary version."""

    train: tuple[str, ...]
    test: str
    num_classes: int
    label_bytes: int
    """Of a binary record; the last of them is the label."""
    labels: str
    """Key of the labels in a pickle."""
    names: str
    """Key of the class names in the pickle of names."""
    binary_names: str
    pickled_names: str


_VERSIONS: Final = {
    "cifar10": _Version(
        train=tuple(f"data_batch_{number}" for number in range(1, 6)),
        test="test_batch",
        num_classes=10,
        label_bytes=1,
        labels="labels",
        names="label_names",
        binary_names="batches.meta.txt",
        pickled_names="batches.meta",
    ),
    "cifar100": _Version(
        train=("train",),
        test="test",
        num_classes=100,
        label_bytes=2,
        labels="fine_labels",
        names="fine_label_names",
        binary_names="fine_label_names.txt",
        pickled_names="meta",
    ),
}


def cifar(kind: str, path: str) -> Given:
    """Training and test images of a folder, or those of one of its files.

    Args:
        kind: `cifar10`, or `cifar100`, of which the fine labels are taken.
        path: the unpacked folder, or one file in it.

    Raises:
        ArgumentError: files are missing, and when they are read, truncated or damaged; labels out of range.
    """
    version, where = _VERSIONS[kind], Path(path)
    read = partial(_examples, f"{kind}:{path}", version)
    if where.is_file():
        return {"train": partial(read, [where])}
    binary = any((where / f"{each}.bin").exists() for each in (*version.train, version.test))
    end = ".bin" if binary else ""
    files = [where / f"{each}{end}" for each in (*version.train, version.test)]
    missing = [each.name for each in files if not each.is_file()]
    if missing:
        remedy = f"Unpack the archive of {kind}, binary or Python version, and name its folder."
        raise argument_error(f"{kind}:{path}", f"hold {', '.join(each.name for each in files)}", missing, remedy)
    return {"train": partial(read, files[:-1]), "test": partial(read, files[-1:])}


def _examples(name: str, version: _Version, files: Sequence[Path]) -> Examples:
    parts = {file.stem: _read(file, version) for file in files}
    return Examples(
        name=name,
        classes=_classes(files[0], version),
        label_P=np.concatenate([label_P for label_P, _ in parts.values()]),
        image_PHWC=np.concatenate([image_PHWC for _, image_PHWC in parts.values()]),
        ids=tuple(f"{stem}:{row}" for stem, (label_P, _) in parts.items() for row in range(len(label_P))),
    )


def _read(file: Path, version: _Version) -> tuple[IntArray, npt.NDArray[np.uint8]]:
    """Labels and images of one file."""
    labels, planes = _binary(file, version) if file.suffix == ".bin" else _pickled(file, version)
    if labels.size and labels.max() >= version.num_classes:
        rule = f"hold labels 0 to {version.num_classes - 1}"
        raise argument_error(str(file), rule, int(labels.max()), "Is it a file of the other CIFAR?")
    image_PHWC = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return labels.astype(np.int64), np.ascontiguousarray(image_PHWC)


def _binary(file: Path, version: _Version) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    content = np.frombuffer(file_bytes(file), dtype=np.uint8)
    length = version.label_bytes + _PIXELS
    if not content.size or content.size % length:
        got = f"{content.size:,} bytes"
        raise argument_error(str(file), f"hold records of {length} bytes", got, "It is truncated: unpack it again.")
    records = content.reshape(-1, length)
    return records[:, version.label_bytes - 1], records[:, version.label_bytes :]


def _pickled(file: Path, version: _Version) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    batch = _dict(file, ("data", version.labels))
    labels = array_in(batch[version.labels], f"{version.labels!r} of {file}", 1)
    planes = array_in(batch["data"], f"'data' of {file}", 2)
    if planes.dtype != np.uint8 or planes.shape != (len(labels), _PIXELS):
        rule = f"be bytes of shape ({len(labels)}, {_PIXELS}), as there are {len(labels)} labels"
        raise argument_error(f"'data' of {file}", rule, f"{planes.dtype} of shape {planes.shape}")
    return labels, planes


def _classes(file: Path, version: _Version) -> tuple[str, ...]:
    """The names of the classes, out of the file beside the batches that holds them."""
    binary = file.suffix == ".bin"
    names = file.with_name(version.binary_names if binary else version.pickled_names)
    if not names.is_file():
        remedy = "It names the classes, and is in the same archive."
        raise argument_error(str(file.parent), f"hold {names.name}", "no such file", remedy)
    found: Any = (
        file_bytes(names).decode(errors="replace").split() if binary else _dict(names, (version.names,))[version.names]
    )
    if not isinstance(found, list) or len(found) != version.num_classes:
        got = len(found) if isinstance(found, list) else type(found).__name__
        raise argument_error(str(names), f"name {version.num_classes} classes", got)
    return tuple(map(str, found))


def _dict(file: Path, keys: Sequence[str]) -> dict[str, object]:
    """A pickled dict; its keys are bytes where Python 3 wrote it so."""
    found = read_pickle(file_bytes(file), str(file))
    named = {_text(key): value for key, value in found.items()} if isinstance(found, dict) else {}
    for key in keys:
        if key not in named:
            got = sorted(named) if isinstance(found, dict) else type(found).__name__
            raise argument_error(str(file), f"be a pickled dict with {key!r}", got)
    return named


def _text(key: object) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)
