"""Rows of a classifier's data set as problems: which are taken, what their labels are, and what is in them."""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from breakeven.errors import argument_error
from breakeven.records import Problem
from breakeven.sampling.one_pass import LABELS
from breakeven.sampling.uniforms import sample_keys

_MOST_ROWS = 10_000
_MOST_BYTES = 50_000_000
"""Of the training data, looked through for examples: about a second."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Some rows of a data set."""

    name: str
    """Of the argument that holds it."""
    data: Any
    """The whole data set."""
    labels: str
    """Name of the label in a row that is a mapping."""
    places: tuple[int, ...]
    """Of those that were taken, in an order by hash, so that the first of them are some of all."""

    @classmethod
    def of(cls, name: str, data: Any, labels: str, most: int, seed: int) -> "Rows":
        """At most `most` rows, whose choice is a function of `seed` and their number.

        Raises:
            ArgumentError: rows that cannot be counted and picked, none at all, or such as are others when read again.
        """
        if not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
            remedy = "Of a stream take a list: list(itertools.islice(stream, 500))."
            raise argument_error(
                name, "be rows that have a length and are picked by number", type(data).__name__, remedy
            )
        if not len(data):
            raise argument_error(name, "hold at least one example", [])
        order = np.argsort(sample_keys(seed, list(map(str, range(len(data)))), 1), kind="stable")
        found = cls(name=name, data=data, labels=labels, places=tuple(order[:most].tolist()))
        first = found.places[0]
        if found.checksum(data[first]) != found.checksum(data[first]):
            remedy = "Leave random transforms out of it, and hand them over as augment=."
            raise argument_error(f"{name}[{first}]", "be the same whenever it is read", "another content", remedy)
        return found

    def label(self, place: int) -> int:
        """The class of a row, from 0.

        Raises:
            ArgumentError: it has none, or something other than a whole number.
        """
        row = self.data[place]
        if isinstance(row, Mapping):
            name = next((each for each in (self.labels, *LABELS) if each in row), None)
            if name is None:
                remedy = f"It has {', '.join(map(str, row))}. Name it: labels=..."
                raise argument_error(f"{self.name}[{place}]", "have a label", self.labels, remedy)
            given = row[name]
        elif isinstance(row, list | tuple) and len(row) == 2:
            given = row[1]
        else:
            rule = "be a mapping, or a pair of input and label"
            raise argument_error(f"{self.name}[{place}]", rule, type(row).__name__)
        number = given.item() if getattr(given, "ndim", None) == 0 else given  # of NumPy, or torch
        if type(number) is not int or number < 0:
            remedy = "Several labels at once, or values to be regressed, are no classes."
            raise argument_error(f"the label of {self.name}[{place}]", "be a whole number from 0", number, remedy)
        return number

    def problems(self, classes: Sequence[str], names: Collection[str], before: int = 0) -> tuple[Problem, ...]:
        """Those taken, with the name of the class as reference.

        Args:
            classes: their names, by number.
            names: of the inputs that reach the model, of which the checksum is where rows have them.
            before: added to the number of each row.

        Raises:
            ArgumentError: as of `label`; a label that is none of the classes.
        """
        problems, own = list[Problem](), plain(self.data)
        for place in self.places:
            if (label := self.label(place)) >= len(classes):
                rule = f"be a whole number from 0 to {len(classes) - 1}, as the model has {len(classes)} classes"
                raise argument_error(f"the label of {self.name}[{place}]", rule, label)
            number = str(before + place)
            prompt = f"{number} {self.checksum(own[place], names):08x}"
            problems.append(Problem(id=number, prompt=prompt, reference=classes[label]))
        return tuple(problems)

    def checksum(self, row: Any, names: Collection[str] = ()) -> int:
        """CRC of a row, its label left out."""
        return _checksum(row, {self.labels, *LABELS}, names)[0]

    def found_in(self, dataset: Any, names: Collection[str]) -> tuple[int, int]:
        """How many of those taken are in a data set, and in how many of its first rows they were looked for.

        Only lists, tensors of torch, and data sets of `datasets` without their transforms are read: nobody's code.
        """
        own = plain(self.data)
        checksums = [self.checksum(own[place], names) for place in self.places]
        found, num_rows, num_bytes = set[int](), 0, 0
        for row in islice(_readable(dataset), _MOST_ROWS):
            checksum, size = _checksum(row, {self.labels, *LABELS}, names)
            found.add(checksum)
            num_rows, num_bytes = num_rows + 1, num_bytes + size
            if num_bytes > _MOST_BYTES:
                break
        return sum(each in found for each in checksums), num_rows


@dataclass(frozen=True, slots=True)
class Joined:
    """One data set behind another."""

    first: Any
    second: Any

    def __getitem__(self, place: int) -> Any:
        """A row of either."""
        before = len(self.first)
        return self.first[place] if place < before else self.second[place - before]


def plain(dataset: Any) -> Any:
    """A data set of `datasets` without format and transforms; any other as it is."""
    return dataset.with_format(None) if hasattr(dataset, "with_format") else dataset


def _readable(dataset: Any) -> Iterator[Any]:
    kind = f"{type(dataset).__module__}.{type(dataset).__name__}"
    if isinstance(dataset, list | tuple) or kind == "torch.utils.data.dataset.TensorDataset":
        yield from (dataset[place] for place in range(len(dataset)))
    elif hasattr(dataset, "with_format") and hasattr(dataset, "__len__"):
        yield from plain(dataset)


def _checksum(row: Any, labels: Set[str], names: Collection[str]) -> tuple[int, int]:
    """CRC of a row's inputs, and how many bytes that are."""
    if isinstance(row, Mapping):
        kept = set(row).intersection(names) or set(row) - labels
        row = {name: row[name] for name in sorted(kept, key=str)}
    elif isinstance(row, list | tuple) and len(row) == 2:
        row = row[0]
    checksum = size = 0
    for part in _bytes(row):
        checksum, size = zlib.crc32(part, checksum), size + len(part)
    return checksum, size


def _bytes(value: Any) -> Iterator[bytes]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name).encode()
            yield from _bytes(each)
    elif hasattr(value, "detach"):  # a tensor, of a type that NumPy may not know
        yield from _bytes(value.detach().cpu().float().numpy())
    elif isinstance(value, np.ndarray | np.generic):
        yield f"{value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, bytes):
        yield value
    elif hasattr(value, "tobytes") and hasattr(value, "mode"):  # an image of PIL
        yield f"{value.mode} {value.size}".encode()
        yield value.tobytes()
    elif isinstance(value, list | tuple) and not all(isinstance(each, int | float | str) for each in value):
        for each in value:
            yield from _bytes(each)
    else:
        yield repr(value).encode()
