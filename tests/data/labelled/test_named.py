"""Labelled sets by name; each set has tests of its own."""

import subprocess
import sys
from typing import Any

import pytest

from breakeven.data.labelled.named import NAMES, load_examples
from breakeven.errors import ArgumentError


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("mnits", "Did you mean mnist"),
        ("cifar:data", "Did you mean cifar10"),
        ("glu:sst2:dev.tsv", "Did you mean glue?"),
        ("cifar10", "Write cifar10:PATH."),
        ("images", "Write images:DIR."),
        ("movies:", "Write movies:PATH."),
        ("glue:sst2", "Write glue:TASK:PATH."),
        ("glue::dev.tsv", "Write glue:TASK:PATH."),
        ("digits:all", "Write digits."),
        ("", ""),
    ],
)
def test_names_that_are_none_are_refused(name: str, remedy: str) -> None:
    with pytest.raises(ArgumentError, match="data must be one of glue:TASK:PATH, ") as caught:
        load_examples(name)
    assert f"got {name!r}." in str(caught.value)
    assert remedy in str(caught.value)
    assert all(each in str(caught.value) for each in NAMES)


@pytest.mark.parametrize("name", ["digits", "mnist", "cifar10:data"])
def test_a_size_is_for_image_folders(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"size must be left out but for image folders; got 8. {name} has a size"):
        load_examples(name, split="test", size=8)


@pytest.mark.parametrize("split", ["tset", "dev", 3])
def test_splits_are_three(split: Any) -> None:
    with pytest.raises(ArgumentError, match="split must be one of train, validation, test; got"):
        load_examples("digits", split=split)


def test_importing_it_brings_no_package() -> None:
    code = "import sys, breakeven.data.labelled.named; print({'PIL', 'sklearn', 'mnist1d', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "set()\n"
