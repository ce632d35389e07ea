"""CIFAR, binary and Python version, in small files of the real layout."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from breakeven.data.labelled.named import load_examples
from breakeven.errors import ArgumentError

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def planes(count: int) -> np.ndarray:
    """Red, green and blue planes; each image its own."""
    return np.random.default_rng(0).integers(0, 256, (count, 3, 32, 32)).astype(np.uint8)


def binary(path: Path, label_bytes: Sequence[Sequence[int]]) -> None:
    pixels = planes(len(label_bytes)).reshape(len(label_bytes), -1)
    path.write_bytes(b"".join(bytes(labels) + row.tobytes() for labels, row in zip(label_bytes, pixels, strict=True)))


@pytest.fixture
def binary10(tmp_path: Path) -> Path:
    for name in BATCHES:
        binary(tmp_path / f"{name}.bin", [[label] for label in range(10)])
    (tmp_path / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return tmp_path


@pytest.fixture
def pickled10(tmp_path: Path) -> Path:
    for name in BATCHES:
        held = {b"data": planes(10).reshape(10, -1), b"labels": list(range(10)), b"filenames": [b"x.png"] * 10}
        (tmp_path / name).write_bytes(pickle.dumps(held, 2))
    (tmp_path / "batches.meta").write_bytes(pickle.dumps({"label_names": NAMES, "num_vis": 3072}, 2))
    return tmp_path


@pytest.mark.parametrize("version", ["binary10", "pickled10"])
def test_cifar_10(version: str, request: pytest.FixtureRequest) -> None:
    name = f"cifar10:{request.getfixturevalue(version)}"
    test = load_examples(name, split="test")
    assert test.classes == tuple(NAMES)
    assert test.label_P.tolist() == list(range(10))
    assert test.ids[:2] == ("test_batch:0", "test_batch:1")
    assert test.image_PHWC is not None
    assert test.image_PHWC.shape == (10, 32, 32, 3)
    assert test.image_PHWC.flags.c_contiguous
    assert test.image_PHWC[4, 5, 6].tolist() == planes(10)[4, :, 5, 6].tolist()
    train, validation = load_examples(name, split="train"), load_examples(name, split="validation")
    assert len(train) + len(validation) == 50
    assert {each.split(":")[0] for each in train.ids} == set(BATCHES[:5])


def test_cifar_100_has_its_fine_labels(tmp_path: Path) -> None:
    for name in ("train", "test"):
        binary(tmp_path / f"{name}.bin", [[1, 99], [0, 7]])
        held = {"data": planes(2).reshape(2, -1), "fine_labels": [99, 7], "coarse_labels": [1, 0]}
        (tmp_path / name).write_bytes(pickle.dumps(held, 2))
    names = [f"class-{number}" for number in range(100)]
    (tmp_path / "fine_label_names.txt").write_text("\n".join(names))
    (tmp_path / "meta").write_bytes(pickle.dumps({"fine_label_names": names, "coarse_label_names": []}, 2))
    for path in (tmp_path, tmp_path / "test.bin", tmp_path / "test"):
        test = load_examples(f"cifar100:{path}", split="test" if path == tmp_path else None)
        assert test.label_P.tolist() == [99, 7]
        assert test.classes[99] == "class-99"
        assert len(test.absent) == 98


def test_one_file(binary10: Path) -> None:
    assert len(load_examples(f"cifar10:{binary10}/data_batch_2.bin")) == 10


def test_truncated_and_foreign_files_are_refused(binary10: Path) -> None:
    whole = (binary10 / "test_batch.bin").read_bytes()
    for content in (whole[:-1], b""):
        (binary10 / "test_batch.bin").write_bytes(content)
        with pytest.raises(ArgumentError, match=r"hold records of 3073 bytes; got '.*'\. It is truncated"):
            load_examples(f"cifar10:{binary10}", split="test")
    (binary10 / "test_batch.bin").write_bytes(bytes([10]) + whole[1:])
    with pytest.raises(ArgumentError, match=r"hold labels 0 to 9; got 10\. Is it a file of the other CIFAR"):
        load_examples(f"cifar10:{binary10}", split="test")


def test_missing_files_are_named(binary10: Path) -> None:
    (binary10 / "data_batch_3.bin").unlink()
    with pytest.raises(ArgumentError, match=r"got \['data_batch_3\.bin'\]\. Unpack the archive of cifar10"):
        load_examples(f"cifar10:{binary10}", split="test")
    with pytest.raises(ArgumentError, match=r"hold data_batch_1, .*test_batch; got"):
        load_examples(f"cifar10:{binary10 / 'nowhere'}", split="test")
    (binary10 / "batches.meta.txt").write_text("cat\ndog\n")
    with pytest.raises(ArgumentError, match="name 10 classes; got 2"):
        load_examples(f"cifar10:{binary10}/test_batch.bin")
    (binary10 / "batches.meta.txt").unlink()
    with pytest.raises(ArgumentError, match=r"hold batches\.meta\.txt; got 'no such file'\. It names the classes"):
        load_examples(f"cifar10:{binary10}/test_batch.bin")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"data": np.zeros((2, 3072), np.uint8)}, r"be a pickled dict with 'labels'; got \['data'\]"),
        ([1], "be a pickled dict with 'data'; got 'list'"),
        ({"data": np.zeros((3, 3072), np.uint8), "labels": [0, 1]}, r"be bytes of shape \(2, 3072\)"),
        ({"data": np.zeros((2, 3072)), "labels": [0, 1]}, "as there are 2 labels; got 'float64 of shape"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": "01"}, "be an array of 1 dimensions; got 'str'"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [Path("a")]}, "be a pickle of plain arrays; got"),
    ],
)
def test_pickles_of_another_content_are_refused(held: object, message: str, pickled10: Path) -> None:
    (pickled10 / "test_batch").write_bytes(pickle.dumps(held, 2))
    with pytest.raises(ArgumentError, match=message):
        load_examples(f"cifar10:{pickled10}", split="test")
