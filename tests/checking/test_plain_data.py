"""Values arrive as they were, or as something that equals nothing; damaged data is refused."""

import collections
import contextlib
import enum
import math
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.checking.plain_data import MAX_ITEMS, Opaque, View, decode, encode

keys = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
leaves = keys | st.complex_numbers(allow_nan=False) | st.just("\ud800") | st.sets(keys) | st.frozensets(keys)
values = st.recursive(
    leaves, lambda each: st.lists(each) | st.dictionaries(keys, each) | st.lists(each).map(tuple), max_leaves=20
)


@given(values)
def test_plain_data_arrives_as_it_was_with_its_types(value: object) -> None:
    arrived = decode(encode(value, strict=True))
    assert arrived == value
    assert type(arrived) is type(value)
    assert repr(arrived) == repr(value) or isinstance(value, (set, frozenset, dict, list, tuple))


def test_numbers_keep_every_digit() -> None:
    assert decode(encode(10**5000)) == 10**5000
    assert math.isnan(decode(encode(math.nan)))
    assert decode(encode([-math.inf, 0.1, -7])) == [-math.inf, 0.1, -7]
    assert math.copysign(1, decode(encode(-0.0))) == -1


class Pair(NamedTuple):
    a: int
    b: int


class Number(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (collections.Counter("aab"), {"a": 2, "b": 1}),
        (Pair(1, 2), (1, 2)),
        (Number.ONE, 1),
        (bytearray(b"ab"), b"ab"),
    ],
)
def test_subclasses_arrive_as_what_they_derive_from(value: object, arrives: object) -> None:
    assert decode(encode(value)) == arrives


class Agreeable:
    """Equals everything: the classic that passes `assert f(x) == y`."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True


class AgreeableList(list):
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return True


def test_objects_that_claim_to_equal_everything_do_not() -> None:
    assert decode(encode(Agreeable())) != 1
    assert isinstance(decode(encode(Agreeable())), Opaque)
    assert decode(encode(AgreeableList([1]))) != [2]
    assert decode(encode([Agreeable()])) != [1]


def test_what_is_no_data_keeps_its_items_and_its_truth() -> None:
    assert isinstance(decode(encode({1: 2}.values())), View)
    assert decode(encode({1: 2}.values()))[0] == 2
    numbers = decode(encode(map(str, [1, 2])))
    assert next(numbers) == "1"
    assert list(numbers) == ["2"]
    assert decode(encode(object()))
    assert isinstance(decode(encode(iter(range(MAX_ITEMS + 1)))), Opaque)


@pytest.mark.parametrize("value", [print, object(), {1: 2}.values(), [lambda: 1]])
def test_strict_refuses_what_is_no_data(value: object) -> None:
    with pytest.raises(TypeError, match="is no plain data"):
        encode(value, strict=True)


def test_what_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(RecursionError):
        encode(loop)
    with pytest.raises(RecursionError):
        decode(b"l1;" * 100_000 + b"N")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"i",
        b"ix;",
        b"s5;ab",
        b"s-1;",
        b"l2;N",
        b"d1;N",
        b"Q1;N",
        b"NN",
        b"c1;",
        b"fx;",
        b"s1;\xff",
        b"S1;l0;",
        b"f0x1p9999;",
    ],
)
def test_damaged_data_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, TypeError)):
        decode(data)


@given(st.binary(max_size=40))
def test_no_data_does_anything_but_arrive_or_be_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError, TypeError):
        decode(data)
