"""Recorded passes of a classifier: read in blocks from arrays and lines, and refused with the reason."""

import gzip
import json
import pickle
import re
import zipfile

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.readers import class_blocks
from breakeven.readers.class_passes import holds_passes, read_passes


def arrays(num_problems=5, num_passes=3, num_classes=2, **changes):
    rng = np.random.default_rng(0)
    every = {
        "labels": rng.integers(num_classes, size=num_problems),
        "plain": rng.dirichlet(np.ones(num_classes), size=num_problems),
        "probabilities": rng.dirichlet(np.ones(num_classes), size=(num_problems, num_passes)),
        "snapshots": rng.dirichlet(np.ones(num_classes), size=(num_problems, 2)),
    }
    return {name: each for name, each in (every | changes).items() if each is not None}


def saved(path, **fields):
    np.savez(path / "passes.npz", **fields)
    return path / "passes.npz"


def lines(path, **fields):
    rows = [
        {"id": f"p{n}", "label": int(fields["labels"][n])}
        | {name: each[n].tolist() for name, each in fields.items() if name != "labels"}
        for n in range(len(fields["labels"]))
    ]
    return written(path / "passes.jsonl", rows)


def written(path, rows):
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def whole(path):
    """All blocks, joined."""
    found = list(read_passes(path).blocks())
    return {
        "labels": np.concatenate([each.label_P for each in found]),
        "plain": np.concatenate([each.plain_PC for each in found]),
        "probabilities": np.concatenate([each.probability_PNC for each in found]),
        "snapshots": np.concatenate([each.snapshot_PSC for each in found]),
    }


def refusal(path):
    with pytest.raises(ArgumentError) as caught:
        list(read_passes(path).blocks())
    return str(caught.value).replace(f"{path}", "FILE")


# -- what is read -----------------------------------------------------------------------------------------------------


def as_npz(path, fields):
    return saved(path, **fields)


def as_packed_npz(path, fields):
    np.savez_compressed(path / "passes.npz", **fields)
    return path / "passes.npz"


def as_fortran(path, fields):
    return saved(path, **{name: np.asfortranarray(each) for name, each in fields.items()})


def as_folder_of_arrays(path, fields):
    for name, each in fields.items():
        np.save(path / f"{name}.npy", each)
    return path


def as_lines(path, fields):
    return lines(path, **fields)


def as_packed_lines(path, fields):
    packed = path / "passes.jsonl.gz"
    packed.write_bytes(gzip.compress(lines(path, **fields).read_bytes()))
    return packed


def as_folder_of_lines(path, fields):
    rows = lines(path, **fields).read_text(encoding="utf-8").splitlines(keepends=True)
    (path / "passes.jsonl").unlink()
    for name, some in (("a.jsonl", rows[:2]), ("b.jsonl", rows[2:])):
        (path / name).write_text("".join(some), encoding="utf-8")
    return path


FORMS = [as_npz, as_packed_npz, as_fortran, as_folder_of_arrays, as_lines, as_packed_lines, as_folder_of_lines]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("block", [1, 30, 1 << 20])
def test_every_form_holds_the_same_in_blocks_of_any_size(form, block, tmp_path, monkeypatch):
    monkeypatch.setattr(class_blocks, "_BLOCK", block)
    fields = arrays()
    path = form(tmp_path, fields)
    assert holds_passes(path)
    recorded = read_passes(path)
    assert (recorded.num_passes, recorded.num_snapshots, recorded.has_plain) == (3, 2, True)
    assert recorded.classes == ("0", "1")
    for name, values in whole(path).items():
        assert values == pytest.approx(fields[name], abs=1e-15)
    if block == 30:  # 2 + 6 + 4 numbers a problem
        assert [len(each.label_P) for each in recorded.blocks()] == [2, 2, 1]


def test_half_precision_and_labels_by_name(tmp_path):
    fields = arrays(snapshots=None, probabilities=None)
    names = np.array(["no", "yes"])
    path = saved(
        tmp_path,
        plain=fields["plain"].astype(np.float16),
        labels=names[fields["labels"]],
        classes=names,
        ids=np.array(list("abcde")),
    )
    recorded = read_passes(path)
    assert (recorded.classes, recorded.num_passes) == (("no", "yes"), 0)
    (block,) = recorded.blocks()
    assert block.label_P.tolist() == fields["labels"].tolist()
    assert block.probability_PNC is None
    assert block.plain_PC == pytest.approx(fields["plain"], abs=1e-3)


def test_other_directories_and_files_are_no_passes(tmp_path):
    assert not holds_passes(tmp_path)
    assert not holds_passes(tmp_path / "config.json")
    written(tmp_path / "log.jsonl", [{"kind": "header"}])
    assert not holds_passes(tmp_path), "a run"
    (tmp_path / "log.jsonl").write_text("{broken", encoding="utf-8")
    assert not holds_passes(tmp_path), "for others to judge"


# -- what is refused, of arrays ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": np.array([0.0, 1, 0, 1, 0])}, "labels, must be whole numbers, the classes; got 'float64'. Use lab"),
        (
            {"labels": np.array(["a"] * 5)},
            "labels, must be whole numbers, the classes; got 'texts'. Or name the",
        ),
        (
            {"labels": np.array(["yes", "no", "maybe", "yes", "no"]), "classes": np.array(["no", "yes"])},
            "labels, must be among the classes no, yes; got 'maybe'",
        ),
        ({"labels": np.array([0, 1, -1, 0, 1])}, "labels, must be from 0 to 1; got '-1 of problem 2'. -1 marks exampl"),
        ({"labels": np.array([0, 1, 2, 0, 1])}, "labels, must be from 0 to 1; got '2 of problem 2'"),
        ({"labels": np.zeros(4, int)}, "plain, must have one row for each of the 4 labels; got 5"),
        ({"labels": np.zeros((5, 1), int)}, "labels, must have one dimension; got '2 dimensions'"),
        ({"labels": None}, "must hold labels, one for each problem"),
        (
            {"plain": None, "probabilities": None, "snapshots": None},
            "must hold some of plain, probabilities, snapshots",
        ),
        ({"plain": np.zeros((5, 3, 2))}, "plain, must have the dimensions (problems, classes); got '3 dimensions'"),
        ({"probabilities": np.zeros((5, 2))}, "probabilities, must have the dimensions (problems, passes, classes)"),
        ({"plain": np.ones((5, 1))}, "plain, must have at least two classes; got (1,). Of a binary model save both"),
        ({"probabilities": np.zeros((5, 0, 2))}, "probabilities, must have at least one pass and two classes"),
        ({"plain": np.full((5, 3), 1 / 3)}, "must have as many classes in every field; got {'plain': 3, 'probab"),
        ({"plain": np.array(["a"] * 5)}, "plain, must hold numbers; got '<U1'"),
        ({"plain": np.zeros((0, 2)), "labels": np.zeros(0, int)}, "plain, must have at least one problem; got (0, 2)"),
        ({"plain": np.tile([2.0, -1.0], (5, 1))}, "plain, problem 0, must be probabilities, each at least 0, with sum"),
        ({"plain": np.tile([3.1, 0.2], (5, 1))}, "got [3.1, 0.2]. Apply a softmax to logits first."),
        ({"plain": np.tile([np.nan, 0.2], (5, 1))}, "got [nan, 0.2]. What is unknown cannot be averaged."),
        ({"plain": np.tile([np.inf, -np.inf], (5, 1))}, "got [inf, -inf]. What is unknown"),
        ({"classes": np.array(["yes"])}, "classes, must name the 2 classes of the probabilities, each once"),
        ({"classes": np.array(["yes", "yes"])}, "classes, must name the 2 classes of the probabilities, each once"),
        ({"ids": np.array(list("abcda"))}, "ids, must differ; got 'a'. Each problem counts once."),
        ({"ids": np.array(list("abcd"))}, "ids, must be one for each of the 5 labels; got 4"),
    ],
)
def test_arrays_that_break_a_rule(changes, words, tmp_path):
    assert words in refusal(saved(tmp_path, **arrays(**changes)))


def test_the_problem_at_fault_is_named_in_whichever_block_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(class_blocks, "_BLOCK", 1)
    fields = arrays()
    fields["snapshots"][3, 1] = 7.0
    assert "FILE, snapshots, problem 3, must be probabilities" in refusal(saved(tmp_path, **fields))


def test_nothing_is_unpickled(tmp_path):
    path = saved(tmp_path, **arrays(labels=np.array([0, 1, None, 0, 1], dtype=object)))
    assert refusal(path) == (
        "FILE, labels, must be a plain array, since no pickle is read; got 'an array of objects'. Save plain arrays "
        "with numpy.savez: lists of unequal lengths and None are none."
    )


@pytest.mark.parametrize("suffix", ["pkl", "pt", "pth", "joblib"])
def test_files_of_pickles_are_refused_unread(suffix, tmp_path):
    path = tmp_path / f"passes.{suffix}"
    path.write_bytes(pickle.dumps(print))
    assert holds_passes(path)
    assert "A pickle can run code when it is read: save its arrays with numpy.savez." in refusal(path)


def test_files_that_are_cut_off_or_no_arrays(tmp_path):
    path = saved(tmp_path, **arrays())
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "FILE must be a whole array file of numpy; got 'File is not a zip file'" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("labels.npy", b"none")
    assert "FILE, labels, must be a whole array file of numpy" in refusal(path)
    for header in (b"{'descr': '<f8', 'shape': (5,", b",8", b"{'descr': '<f8', 'shape': (5,), 'fortran_order': 0}"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("labels.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
        assert "FILE, labels, must be a whole array file of numpy" in refusal(path)
    folder = tmp_path / "folder"
    folder.mkdir()
    as_folder_of_arrays(folder, arrays())
    short = folder / "probabilities.npy"
    short.write_bytes(short.read_bytes()[:-8])
    assert "probabilities, must be a whole array file of numpy; got 'it ends too early'" in refusal(folder)
    labels = folder / "labels.npy"
    labels.write_bytes(labels.read_bytes()[:-8])
    assert "labels, must be a whole array file of numpy; got 'it ends too early'" in refusal(folder)


def test_a_damaged_member_of_an_archive(tmp_path):
    path = saved(tmp_path, **arrays(num_problems=200))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert re.search("must be (a whole array file of numpy|probabilities)", refusal(path))


def test_a_single_array_and_a_file_that_is_not_there(tmp_path):
    assert "must be a folder where its arrays are .npy files" in refusal(tmp_path / "plain.npy")
    assert "MODEL must be a file that exists" in refusal(tmp_path / "none.npz")


# -- what is refused, of lines ----------------------------------------------------------------------------------------

GOOD = {"label": 1, "plain": [0.2, 0.8], "probabilities": [[0.3, 0.7], [0.1, 0.9]]}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": -1}, "FILE, line 2, 'label' must be a whole number from 0 to 1; got -1. -1 marks examples"),
        ({"label": 2}, "FILE, line 2, 'label' must be a whole number from 0 to 1; got 2."),
        ({"label": 1.0}, "got 1.0. Number the classes from 0."),
        ({"label": True}, "got True"),
        ({"label": "yes"}, "got 'yes'. Number the classes from 0."),
        ({"label": None}, "got None"),
        ({"plain": [3.0, -1.0]}, "FILE, line 2, 'plain' must be probabilities, each at least 0, with sum 1 in every"),
        ({"plain": ["a", "b"]}, "FILE, line 2, 'plain' must hold numbers, as many of every pass"),
        ({"plain": [None, 1.0]}, "What is unknown cannot be averaged."),
        ({"plain": [10**400, 1.0]}, "'plain' must hold numbers"),
        ({"plain": None}, "line 2, must have fields of the shapes plain (2,), probabilities (2, 2); got 'probabil"),
        (
            {"plain": [0.2, 0.3, 0.5]},
            "line 2, must have fields of the shapes plain (2,), probabilities (2, 2); got 'pla",
        ),
        ({"probabilities": [[0.3, 0.7]]}, "line 2, must have fields of the shapes plain (2,), probabilities (2, 2)"),
        ({"probabilities": [[0.3, 0.7], [1.0]]}, "FILE, line 2, 'probabilities' must hold numbers, as many of every"),
        ({"id": "a"}, "FILE, line 2, 'id' must differ from those of earlier lines; got 'a'. Each problem counts once."),
    ],
)
def test_a_line_that_breaks_a_rule(change, words, tmp_path):
    path = written(tmp_path / "passes.jsonl", [GOOD | {"id": "a"}, GOOD | {"id": "b"} | change])
    assert words in refusal(path)


def test_first_lines_that_break_a_rule(tmp_path):
    path = tmp_path / "passes.jsonl"
    assert "FILE must hold some of plain, probabilities, snapshots" in refusal(written(path, [{"label": 1}]))
    assert "plain, must have the dimensions" in refusal(written(path, [{"label": 1, "plain": 0.5}]))
    path.write_text("", encoding="utf-8")
    assert "FILE must hold at least one line" in refusal(path)
