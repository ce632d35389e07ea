"""Pickles of plain arrays: those of NumPy are read, and nothing else that a pickle can say."""

import pickle
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven.data.labelled.plain_arrays import array_in, read_pickle
from breakeven.errors import ArgumentError


class Calls:
    """A pickle of this calls a function when it is read."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.called = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.called


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("kind", ["u1", "<i8", ">i4", "f4", ">f8", "?"])
def test_arrays_come_back(kind: str, protocol: int) -> None:
    array = np.arange(6).reshape(2, 3).astype(kind)
    held = {"a": array, "b": [array.T, (1, 2.5, None, "x")]}
    found: Any = read_pickle(pickle.dumps(held, protocol), "file")
    np.testing.assert_array_equal(array_in(found["a"], "a", 2), array)
    np.testing.assert_array_equal(array_in(found["b"][0], "b", 2), array.T)
    assert found["b"][1] == (1, 2.5, None, "x")
    assert array_in([1, 2], "c", 1).tolist() == [1, 2]


def test_python_2_pickles_are_read() -> None:
    """Its bytes are texts: this is what it writes for `("a", np.array([5, 246], dtype="u1"))`."""
    content = (
        b"\x80\x02U\x01acnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x02\x05\xf6tb\x86."
    )
    found: Any = read_pickle(content, "file")
    assert found[0] == "a"
    assert array_in(found[1], "b", 1).tolist() == [5, 246]


def test_a_hostile_pickle_runs_nothing(tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    hostile = [
        np.zeros(2),
        Calls(Path.touch, witness),
        Calls(exec, f"import pathlib; pathlib.Path({str(witness)!r}).touch()"),
    ]
    for protocol in range(5):
        content = pickle.dumps(hostile, protocol)
        with pytest.raises(ArgumentError, match="Nothing of it was run"):
            read_pickle(content, "file")
        assert not witness.exists()
    pickle.loads(content)  # it would have run
    assert witness.exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"cos\nsystem\n(S'true'\ntR.", "the name os.system"),
        (b"(S'true'\nios\nsystem\n.", "the name os.system"),
        (b"\x80\x02cnumpy\nload\n.", "the name numpy.load"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.", "the name numpy.ndarray.tofile"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "the name numpy.core.multiarray.scalar"),
        (b"\x80\x02cnumpy\ndtype\nU\x02O8\x85R.", "arrays of type 'O8'"),
        (b"\x80\x02cnumpy\ndtype\nU\x02V8\x85R.", "arrays of type 'V8'"),
        (b"\x80\x02cnumpy\ndtype\nU\x02u1\x85RK\x03U\x01!\x86b.", "byte order '!'"),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "the encoding 'rot13'"),
        (b"\x80\x02cnumpy\nndarray\nN}U\x05shapeK\x01s\x86b.", ""),
        (b"\x80\x02c_codecs\nencode\nN}U\x05shapeK\x01s\x86b.", ""),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x06\x00\x00\x00latin1\x86R}b.", "bytes with a state"),
        (b"Pid\n.", "persistent"),
        (b"\x80\x02K", ""),
        (b"", ""),
    ],
)
def test_any_other_name_is_refused(content: bytes, named: str) -> None:
    with pytest.raises(ArgumentError, match="file must be a pickle of plain arrays") as caught:
        read_pickle(content, "file")
    assert named in str(caught.value)


def test_an_object_with_a_high_number_takes_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_pickle(b"\x80\x02K\x01r\xff\xff\xff\x0f.", "file") == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_parts_that_are_no_array_of_these_dimensions_are_refused() -> None:
    found: Any = read_pickle(pickle.dumps([np.zeros((2, 3)), "text", [1, "x"]], 2), "file")
    for part in found[1:]:
        with pytest.raises(ArgumentError, match="labels must be an array of 1 dimensions; got"):
            array_in(part, "labels", 1)
    with pytest.raises(ArgumentError, match=r"labels must be an array of 1 dimensions; got 'one of shape \(2, 3\)'"):
        array_in(found[0], "labels", 1)


def test_a_shape_that_the_bytes_do_not_fill_is_refused() -> None:
    content = pickle.dumps(np.arange(6, dtype="u1"), 2).replace(b"K\x06\x85", b"K\x07\x85")
    with pytest.raises(ArgumentError, match="labels must be an array; got 'a damaged one'"):
        array_in(read_pickle(content, "file"), "labels", 1)
    bare = read_pickle(b"\x80\x02cnumpy\nndarray\n)R.", "file")
    with pytest.raises(ArgumentError, match="a damaged one"):
        array_in(bare, "labels", 1)
