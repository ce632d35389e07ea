"""Sets that packages ship or make."""

import random
import sys

import numpy as np
import pytest

from breakeven.data.labelled.named import load_examples
from breakeven.errors import MissingExtraError


def test_digits() -> None:
    pytest.importorskip("sklearn")
    everything = load_examples("digits")
    assert len(everything) == 1797
    image_PHWC = everything.image_PHWC
    assert image_PHWC is not None
    assert image_PHWC.shape == (1797, 8, 8, 1)
    assert image_PHWC.dtype == np.float32
    assert (image_PHWC.min(), image_PHWC.max()) == (0, 1)
    assert sum(len(load_examples("digits", split=each)) for each in ("train", "validation", "test")) == 1797


def states() -> tuple[object, ...]:
    return random.getstate(), str(np.random.get_state(legacy=False)["state"])  # noqa: NPY002


def test_mnist1d_leaves_random_generators_alone() -> None:
    pytest.importorskip("mnist1d")
    before = states()
    test = load_examples("mnist1d", split="test")
    assert states() == before
    assert len(test) == 1000
    assert test.image_PHWC is not None
    assert test.image_PHWC.shape == (1000, 1, 40, 1)
    again = load_examples("mnist1d", split="test")
    np.testing.assert_array_equal(test.image_PHWC, again.image_PHWC)


@pytest.mark.parametrize(("name", "package"), [("digits", "sklearn.datasets"), ("mnist1d", "mnist1d.data")])
def test_packages_that_are_missing_are_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{name} needs .*: pip install 'breakeven\[images\]'"):
        load_examples(name, split="test")
