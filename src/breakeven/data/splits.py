"""Splits by hash, as every task keeps them.

Splits never share a problem: a problem's split is a hash of the problem itself, independent of any seed, so no seed
and no number of draws can move a problem from one split to another.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

IntArray: TypeAlias = npt.NDArray[np.int64]
Split = Literal["train", "validation", "test"]

PAD, EOS = 0, 1
_SPLIT_BUCKETS: dict[Split, range] = {"validation": range(0, 3), "test": range(3, 6), "train": range(6, 20)}


def split_bucket(columns: Sequence[IntArray]) -> npt.NDArray[np.uint64]:
    """Bucket 0..19 of each problem, given as columns of whole numbers: a hash (splitmix64 finalizer)."""
    key = columns[0].astype(np.uint64)
    for column in columns[1:]:
        key = key * np.uint64(1_000_003) + column.astype(np.uint64)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (key ^ (key >> np.uint64(31))) % np.uint64(20)


def in_split(bucket: npt.NDArray[np.uint64], split: Split) -> npt.NDArray[np.bool_]:
    """Which problems belong to `split`: of 20 buckets 14 train, 3 validate, 3 test."""
    return np.isin(bucket, list(_SPLIT_BUCKETS[split]))


def split_of_bucket(bucket: int) -> Split:
    """The split that a bucket 0..19 belongs to.

    >>> split_of_bucket(0), split_of_bucket(5), split_of_bucket(6)
    ('validation', 'test', 'train')
    """
    return next(split for split, buckets in _SPLIT_BUCKETS.items() if bucket in buckets)


def split_of_id(name: str) -> Split:
    """The split of a problem that is known by its id alone, as of a file: a hash of the id."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return split_of_bucket(int.from_bytes(digest, "big") % 20)


def hashed_order(ids: Sequence[str], seed: int) -> list[int]:
    """The places of `ids` in an order of chance, by a hash of `seed` and id: the same in any set that holds them."""
    return sorted(range(len(ids)), key=lambda place: hashlib.blake2b(f"{seed} {ids[place]}".encode()).digest())


def draws_for(count: int, split: Split) -> int:
    """How many random problems to make so that, once those of other splits are dropped, about `count` are left."""
    return (4 if split == "train" else 20) * count
