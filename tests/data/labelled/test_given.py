"""Splits that sets come with, and those that are made."""

from collections import Counter
from functools import partial
from typing import cast

import numpy as np
import pytest

from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.given import SPLITS, Given, examples_of
from breakeven.data.splits import Split, split_of_id
from breakeven.errors import ArgumentError


def made(name: str, count: int) -> Examples:
    labels = np.arange(count) % 2
    texts = tuple((str(place),) for place in range(count))
    return Examples(
        name=name, classes=("a", "b"), label_P=labels, texts=texts, ids=tuple(f"{name}:{row}" for row in range(count))
    )


def given_alone(name: str, count: int) -> Given:
    return {"train": partial(made, name, count)}


def test_a_set_without_splits_is_split_by_hash() -> None:
    given = given_alone("all", 400)
    parts = {split: examples_of(given, split, "mine") for split in SPLITS}
    assert sorted(each for part in parts.values() for each in part.ids) == sorted(made("all", 400).ids)
    assert all(split_of_id(each) == split for split, part in parts.items() for each in part.ids)
    assert 0.1 < len(parts["validation"]) / 400 < 0.2
    assert 0.1 < len(parts["test"]) / 400 < 0.2
    assert len(examples_of(given, None, "mine")) == 400


def test_more_examples_move_none() -> None:
    small, large = (examples_of(given_alone("all", count), "test", "mine") for count in (200, 400))
    assert set(small.ids) < set(large.ids)


def test_what_a_set_comes_with_is_kept_and_the_rest_made_of_its_training_examples() -> None:
    given: Given = {"train": lambda: made("train", 400), "test": lambda: made("test", 3)}
    train, validation, test = (examples_of(given, split, "mine") for split in SPLITS)
    assert test.ids == ("test:0", "test:1", "test:2")
    assert Counter(each.split(":")[0] for each in train.ids + validation.ids) == {"train": 400}
    assert all(split_of_id(each) == "validation" for each in validation.ids)


def test_all_three_are_left_as_they_are() -> None:
    given: Given = {split: partial(made, split, 5) for split in SPLITS}
    assert len(examples_of(given, "train", "mine")) == 5


def test_a_split_has_to_be_named_where_there_are_several() -> None:
    given: Given = {"train": lambda: made("train", 4), "test": lambda: made("test", 3)}
    with pytest.raises(ArgumentError, match="split must be named for mine, which has train, test; got None"):
        examples_of(given, None, "mine")
    with pytest.raises(ArgumentError, match=r"split must be one of train, validation, test; got 'valid'\. Did you"):
        examples_of(given, cast(Split, "valid"), "mine")


def test_too_few_examples_are_said_and_a_training_split_needs_every_class() -> None:
    missing: Split = "validation" if split_of_id("few:0") == "test" else "test"
    with pytest.raises(ArgumentError, match='few must hold enough examples to split by hash; got "1 examples'):
        examples_of(given_alone("few", 1), missing, "few")
    given: Given = {split: partial(made, "one", 1) for split in SPLITS}
    with pytest.raises(ArgumentError, match="hold examples of every class; got 'none of b'"):
        examples_of(given, "train", "one")
    assert examples_of(given, "test", "one").absent == ("b",)
