"""Image folders in ImageNet's layout: a folder a class, in sorted order, maybe within `train`, `val` and `test`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.given import Given
from breakeven.data.splits import Split
from breakeven.errors import MissingExtraError, UsageError, argument_error

if TYPE_CHECKING:
    from PIL.Image import Image

ENDS: Final = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
"""Of files that are images; others are passed over."""
_SPLITS: Final[dict[str, Split]] = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}
_GREY: Final = ("1", "L", "LA")
_DEEP: Final = ("F", "I")
_BILINEAR: Final = 2
"""`PIL.Image.Resampling.BILINEAR`."""


def image_folder(path: str, size: int | None = None) -> Given:
    """Images of a folder, all of one size, in memory: grey if every one of them is, else red, green, blue.

    Args:
        path: holds a folder a class. If its folders are `train` and others of `train`, `val`, `validation` and `test`,
            these are splits, and the classes are those of `train`.
        size: pixels. Each image is resized so that its shorter side is so long, and its centre is cut out as a square.
            None: the images are as they are, and of one size.

    Raises:
        ArgumentError: no such folders, a class of a split that `train` lacks; when images are read, one that is
            damaged, of another size, or of more than 8 bits; a class without any.
        MissingExtraError: Pillow is not installed.
    """
    if size is not None:
        check.whole("size", size, 1)
    root, name = Path(path), f"images:{path}"
    folders = _folders(root)
    inside = [each.name for each in folders]
    if "train" in inside and len(inside) > 1 and set(inside) <= set(_SPLITS):
        classes = _classes(root / "train")
        parts = {_SPLITS[each.name]: each for each in folders}
        return {split: partial(_examples, name, folder, classes, size) for split, folder in parts.items()}
    return {"train": partial(_examples, name, root, _classes(root), size)}


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        raise argument_error(f"images:{root}", "name a folder", "none of this name")
    return sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))


def _classes(root: Path) -> tuple[str, ...]:
    found = tuple(each.name for each in _folders(root))
    if not found:
        raise argument_error(f"images:{root}", "hold a folder a class, and in it images", "no folder")
    return found


def _examples(name: str, root: Path, classes: tuple[str, ...], size: int | None) -> Examples:
    files: list[Path] = []
    labels: list[int] = []
    for folder in _folders(root):
        if folder.name not in classes:
            remedy = check.did_you_mean(folder.name, classes)
            raise argument_error(str(root), f"hold folders of the classes of {name}", folder.name, remedy)
        inside = sorted(each for each in folder.iterdir() if each.suffix.lower() in ENDS)
        if not inside:
            rule = f"hold images ({', '.join(end[1:] for end in ENDS)})"
            raise argument_error(f"class folder {folder}", rule, "none", "Add some, or remove the folder.")
        files += inside
        labels += [classes.index(folder.name)] * len(inside)
    return Examples(
        name=name,
        classes=classes,
        label_P=np.array(labels, dtype=np.int64),
        image_PHWC=_images(files, size),
        ids=tuple(f"{each.parent.name}/{each.name}" for each in files),
    )


def _images(files: Sequence[Path], size: int | None) -> npt.NDArray[np.uint8] | None:
    if not files:
        return None
    mode = "L"
    for file in files:
        with _opened(file) as image:  # reads its head alone
            if image.mode.partition(";")[0] in _DEEP:
                raise argument_error(str(file), "have 8 bits a channel", f"mode {image.mode}", "Convert it first.")
            mode = mode if image.mode in _GREY else "RGB"
    first = _pixels(files[0], mode, size)
    image_PHWC = np.empty((len(files), *first.shape), dtype=np.uint8)
    for place, file in enumerate(files):
        pixels = _pixels(file, mode, size)
        if pixels.shape != first.shape:
            got = f"{file} of {_shown(pixels)}, after {files[0]} of {_shown(first)}"
            raise argument_error(
                "images", "be of one size", got, "Give size= (of a recipe: data.size), to resize and crop them."
            )
        image_PHWC[place] = pixels
    return image_PHWC


def _pixels(file: Path, mode: str, size: int | None) -> npt.NDArray[np.uint8]:
    """Height, width and channels of one image."""
    with _opened(file) as image:
        plain = image.convert(mode)
        if size is not None:
            plain = _cropped(plain, size)
        return np.asarray(plain, dtype=np.uint8).reshape(plain.height, plain.width, -1)


def _cropped(image: "Image", size: int) -> "Image":
    scale = size / min(image.size)
    width, height = (max(size, round(side * scale)) for side in image.size)
    left, top = (width - size) // 2, (height - size) // 2
    return image.resize((width, height), resample=_BILINEAR).crop((left, top, left + size, top + size))


@contextmanager
def _opened(file: Path) -> Iterator["Image"]:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtraError("image folders need Pillow: pip install 'breakeven[images]'") from error
    try:
        with Image.open(file) as image:
            yield image
    except UsageError:
        raise
    except Exception as error:  # a damaged image fails in any way
        raise argument_error(str(file), "be an image that can be read", str(error), "Replace or remove it.") from error


def _shown(pixels: npt.NDArray[np.uint8]) -> str:
    return f"{pixels.shape[0]} x {pixels.shape[1]}"
