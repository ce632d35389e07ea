"""Sets that packages ship or make: scikit-learn's digits, and MNIST-1D."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import numpy as np

from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.given import Given
from breakeven.errors import MissingExtraError

_CLASSES: Final = tuple("0123456789")


def digits() -> Given:
    """1,797 grey images of digits, 8 x 8, float32 from 0 to 1. There are no splits.

    Raises:
        MissingExtraError: when they are read, scikit-learn is not installed.

    Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (UCI, test part), as in scikit-learn.
    """
    return {"train": _digits}


def mnist1d() -> Given:
    """4,000 training and 1,000 test series of 40 numbers, as float32 images of 1 x 40; made here, in two seconds.

    Raises:
        MissingExtraError: when they are read, mnist1d is not installed.

    Source: S. Greydanus, D. Kobak, Scaling down deep learning with MNIST-1D, arXiv:2011.14439.
    """
    return {"train": partial(_mnist1d, "train"), "test": partial(_mnist1d, "test")}


def _digits() -> Examples:
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError("digits needs scikit-learn: pip install 'breakeven[images]'") from error
    found = load_digits()
    return _examples("digits", "row", found.images / 16, found.target)


def _mnist1d(part: str) -> Examples:
    try:
        from mnist1d.data import get_dataset_args, make_dataset
    except ImportError as error:
        raise MissingExtraError("mnist1d needs the package mnist1d: pip install 'breakeven[images]'") from error
    with _random_states_kept():
        made = make_dataset(get_dataset_args())  # get_dataset would download, or write a file
    end = "_test" if part == "test" else ""
    return _examples("mnist1d", part, made[f"x{end}"][:, None, :], made[f"y{end}"])


def _examples(name: str, part: str, image_PHW: Any, label_P: Any) -> Examples:
    return Examples(
        name=name,
        classes=_CLASSES,
        label_P=np.asarray(label_P, dtype=np.int64),
        image_PHWC=np.asarray(image_PHW, dtype=np.float32)[..., None],
        ids=tuple(f"{part}:{row}" for row in range(len(label_P))),
    )


@contextmanager
def _random_states_kept() -> Iterator[None]:
    """The global generators, which mnist1d seeds, are put back."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
