"""Image folders in ImageNet's layout."""

from pathlib import Path

import numpy as np
import pytest

from breakeven.data.labelled.named import load_examples
from breakeven.errors import ArgumentError, MissingExtraError

Image = pytest.importorskip("PIL.Image")


def draw(path: Path, width: int = 6, height: int = 4, mode: str = "RGB", colour: object = "red") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (width, height), colour).save(path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    draw(tmp_path / "dog" / "b.png", colour=(10, 20, 30))
    draw(tmp_path / "dog" / "a.PNG", colour="blue")
    draw(tmp_path / "cat" / "c.bmp", colour="red")
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "README").write_text("no class")
    return tmp_path


def test_classes_are_the_folders_in_sorted_order(root: Path) -> None:
    found = load_examples(f"images:{root}")
    assert found.classes == ("cat", "dog")
    assert found.ids == ("cat/c.bmp", "dog/a.PNG", "dog/b.png")
    assert found.label_P.tolist() == [0, 1, 1]
    assert found.image_PHWC is not None
    assert found.image_PHWC.shape == (3, 4, 6, 3)
    assert found.image_PHWC.dtype == np.uint8
    assert found.image_PHWC[2, 0, 0].tolist() == [10, 20, 30]


def test_images_are_grey_only_if_all_are(root: Path) -> None:
    draw(root / "cat" / "d.png", mode="L", colour=77)
    found = load_examples(f"images:{root}")
    assert found.image_PHWC is not None
    assert found.image_PHWC[1, 0, 0].tolist() == [77, 77, 77]
    for file in (*root.glob("dog/*"), root / "cat" / "c.bmp"):
        file.unlink()
    draw(root / "dog" / "a.png", mode="L", colour=78)
    grey = load_examples(f"images:{root}").image_PHWC
    assert grey is not None
    assert grey.shape == (2, 4, 6, 1)
    assert grey[:, 0, 0, 0].tolist() == [77, 78]


def test_jpegs_are_read(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        draw(tmp_path / name / "a.jpg", colour="white")
    found = load_examples(f"images:{tmp_path}").image_PHWC
    assert found is not None
    assert found.min() > 250


def test_sizes_have_to_agree_unless_one_is_given(root: Path) -> None:
    draw(root / "dog" / "c.png", 8, 8)
    with pytest.raises(
        ArgumentError, match=r"images must be of one size; got '.*c\.png of 8 x 8, after .*c\.bmp of 4 x 6'"
    ):
        load_examples(f"images:{root}")
    found = load_examples(f"images:{root}", size=3)
    assert found.image_PHWC is not None
    assert found.image_PHWC.shape == (4, 3, 3, 3)
    with pytest.raises(ArgumentError, match="size must be a whole number of at least 1; got 0"):
        load_examples(f"images:{root}", size=0)


def test_the_centre_is_cut_out(tmp_path: Path) -> None:
    wide = np.zeros((10, 30, 3), np.uint8)
    wide[:, 10:20] = 200
    for name, image in (("high", wide.transpose(1, 0, 2)), ("wide", wide)):
        (tmp_path / name).mkdir()
        Image.fromarray(image).save(tmp_path / name / "a.png")
    whole = load_examples(f"images:{tmp_path}", size=10).image_PHWC
    assert whole is not None
    assert (whole == 200).all()
    half = load_examples(f"images:{tmp_path}", size=5).image_PHWC
    assert half is not None
    assert (half[:, 2, 2] == 200).all()


def test_splits_are_folders_too(tmp_path: Path) -> None:
    for row in range(3):
        draw(tmp_path / "train" / "cat" / f"{row}.png")
        draw(tmp_path / "train" / "dog" / f"{row}.png")
        draw(tmp_path / "test" / "cat" / f"{row}.png")
    draw(tmp_path / "val" / "dog" / "a.png")
    name = f"images:{tmp_path}"
    assert len(load_examples(name, split="train")) == 6
    validation = load_examples(name, split="validation")
    assert validation.label_P.tolist() == [1]
    assert validation.absent == ("cat",)
    draw(tmp_path / "val" / "dogs" / "a.png")
    with pytest.raises(ArgumentError, match=r"hold folders of the classes of images:.*; got 'dogs'\. Did you mean dog"):
        load_examples(name, split="validation")


def test_what_is_wrong_is_named(root: Path) -> None:
    (root / "bird").mkdir()
    with pytest.raises(ArgumentError, match=r"class folder .*bird must hold images \(bmp, .*\); got 'none'"):
        load_examples(f"images:{root}")
    (root / "bird").rmdir()
    whole = (root / "dog" / "b.png").read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"text"):
        (root / "dog" / "b.png").write_bytes(broken)
        with pytest.raises(
            ArgumentError, match=r"b\.png must be an image that can be read; got .*Replace or remove it"
        ):
            load_examples(f"images:{root}")
    Image.fromarray(np.zeros((4, 6), np.uint16)).save(root / "dog" / "b.png")
    with pytest.raises(ArgumentError, match=r"b\.png must have 8 bits a channel; got 'mode I"):
        load_examples(f"images:{root}")
    with pytest.raises(ArgumentError, match=r"nowhere must name a folder; got 'none of this name'"):
        load_examples(f"images:{root}/nowhere")
    (root / "empty").mkdir()
    with pytest.raises(ArgumentError, match="hold a folder a class, and in it images; got 'no folder'"):
        load_examples(f"images:{root}/empty")


def test_pillow_is_an_extra(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'breakeven\[images\]'"):
        load_examples(f"images:{root}")
