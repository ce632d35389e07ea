"""The record of labelled examples: what it refuses, and how it is parted."""

from typing import Any

import numpy as np
import pytest

from breakeven.data.labelled.examples import Examples
from breakeven.errors import ArgumentError


def texts(count: int = 4, **changed: Any) -> Examples:
    fields: dict[str, Any] = {
        "name": "mine",
        "classes": ("no", "yes"),
        "label_P": np.arange(count) % 2,
        "texts": tuple((f"text {place}",) for place in range(count)),
        "ids": tuple(map(str, range(count))),
    }
    return Examples(**fields | changed)


def images(count: int = 4, **changed: Any) -> Examples:
    image_PHWC = np.arange(count * 12, dtype=np.uint8).reshape(count, 2, 2, 3)
    return texts(count, **{"texts": (), "image_PHWC": image_PHWC} | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"label_P": np.array([0, 1, 2, 0])}, "be classes 0 to 1; got '2 of example 2'"),
        ({"label_P": np.array([0, 1, -1, 0])}, "Labels of -1 stand for none: take a split that has labels"),
        ({"label_P": np.array([0, 1])}, "be 4 whole numbers, one an id"),
        ({"label_P": np.array([0.0, 1, 0, 1])}, "whole numbers, one an id; got 'float64"),
        ({"classes": ("no", "no")}, "be two different names or more"),
        ({"classes": ("no",), "label_P": np.zeros(4, int)}, "be two different names or more"),
        ({"ids": ("a", "b", "a", "c")}, "ids of mine must be unique; got 'a'. Rename one"),
        ({"texts": ()}, "hold either images or texts; got 'neither'"),
        ({"image_PHWC": np.zeros((4, 2, 2, 1), np.uint8)}, "hold either images or texts; got 'both'"),
        ({"texts": (("a",), ("b",))}, "texts of mine must be 4, one an id; got 2"),
        ({"texts": (("a",), ("b", "c"), ("d",), ("e",))}, "be all single, or all pairs; got 'tuples of"),
        ({"metrics": ("acuracy",)}, "metrics of mine must be one of accuracy, f1, matthews"),
    ],
)
def test_what_does_not_hold_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        texts(**changed)


@pytest.mark.parametrize(
    ("image_PHWC", "message"),
    [
        (np.zeros((4, 2, 2, 3)), "be uint8 or float32; got 'float64'"),
        (np.zeros((4, 2, 2), np.uint8), r"have the shape \(4, height, width, 1 or 3\)"),
        (np.zeros((4, 2, 2, 4), np.uint8), r"1 or 3\); got \(4, 2, 2, 4\)"),
        (np.zeros((3, 2, 2, 1), np.uint8), r"have the shape \(4,"),
        (np.full((4, 2, 2, 1), np.nan, np.float32), "be finite"),
    ],
)
def test_images_are_checked(image_PHWC: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        images(image_PHWC=image_PHWC)


def test_no_examples_are_refused() -> None:
    with pytest.raises(ArgumentError, match="mine must hold at least one example; got 'none'"):
        texts(0)


def test_classes_are_counted_and_said() -> None:
    some = texts(3, classes=("no", "yes", "maybe"), left_out=("2 broken rows",))
    assert len(some) == 3
    assert some.count_C.tolist() == [2, 1, 0]
    assert some.absent == ("maybe",)
    assert some.summary == "mine: 3 texts; 3 classes; none of maybe; left out: 2 broken rows"
    assert images().summary == "mine: 4 colour images of 2 x 2; 2 classes"
    pairs = texts(2, texts=(("a", "b"), ("c", "d")))
    assert pairs.summary == "mine: 2 pairs of texts; 2 classes"


def test_a_class_without_examples_is_refused_for_training() -> None:
    full = texts()
    assert full.for_training() is full
    with pytest.raises(ArgumentError, match=r"hold examples of every class; got 'none of yes'\. Add some"):
        full.take([0, 2]).for_training()


@pytest.mark.parametrize("made", [texts, images])
def test_some_are_taken_in_the_order_asked_for(made: Any) -> None:
    some = made().take([3, 0])
    assert some.ids == ("3", "0")
    assert some.label_P.tolist() == [1, 0]
    if some.image_PHWC is None:
        assert some.texts == (("text 3",), ("text 0",))
    else:
        assert some.image_PHWC[0, 0, 0].tolist() == [36, 37, 38]
    assert made().take(np.array([1])).ids == ("1",)


@pytest.mark.parametrize(
    ("places", "message"),
    [([4], "places must be from 0 to 3"), ([-1], "from 0 to 3"), ([1, 1], "be unique"), ([], "at least one example")],
)
def test_places_that_are_not_there_are_refused(places: list[int], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        texts().take(places)


def test_a_split_parts_all_and_a_larger_one_adds() -> None:
    everything = texts(100)
    first, rest = everything.split(20)
    assert (len(first), len(rest)) == (20, 80)
    assert sorted(first.ids + rest.ids) == sorted(everything.ids)
    assert list(map(int, first.ids)) == sorted(map(int, first.ids))
    assert first.ids == everything.split(0.2)[0].ids
    assert set(first.ids) < set(everything.split(40)[0].ids)
    assert first.ids != everything.split(20, seed=1)[0].ids
    assert first.ids == everything.take(range(99, -1, -1)).split(20)[0].ids[::-1]


@pytest.mark.parametrize("size", [0, 4, 5, 0.0, 0.01, 1.0, -1, float("nan"), True])
def test_a_split_needs_both_parts(size: Any) -> None:
    with pytest.raises(ArgumentError, match="size must be"):
        texts().split(size)


@pytest.mark.parametrize("made", [texts, images])
def test_duplicates_are_found_by_what_they_hold(made: Any) -> None:
    everything = made()
    other = made(2, ids=("x", "y"), label_P=np.array([1, 0]))
    assert everything.without_duplicates_of(other).ids == ("2", "3")
    with pytest.raises(ArgumentError, match="hold at least one example"):
        everything.without_duplicates_of(everything)
