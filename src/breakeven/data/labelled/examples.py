"""Labelled examples of a classifier, as one checked record."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.data.splits import IntArray, hashed_order
from breakeven.errors import argument_error

ImageArray: TypeAlias = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
METRICS: Final = ("accuracy", "f1", "matthews")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Examples:
    """P labelled inputs of a classifier: images, or texts, alone or in pairs.

    Args:
        name: as the user names the set, such as `glue:sst2:dev.tsv`.
        classes: the names of classes 0..C-1, at least two.
        label_P: the class of each input, 0..C-1.
        ids: of each input, unique and stable: a line, a row or a file.
        image_PHWC: images of one size, with 1 channel (grey) or 3 (red, green, blue); uint8 from 0 to 255, or float32
            as the set has it.
        texts: of each input one text, or a pair.
        metrics: what the set's benchmark reports, of `METRICS`.
        left_out: what of the source is not among the inputs, and why.

    Raises:
        ArgumentError: any of this does not hold.
    """

    name: str
    classes: tuple[str, ...]
    label_P: IntArray
    ids: tuple[str, ...]
    image_PHWC: ImageArray | None = None
    texts: tuple[tuple[str, ...], ...] = ()
    metrics: tuple[str, ...] = ("accuracy",)
    left_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.ids:
            raise argument_error(self.name, "hold at least one example", "none", "Is it the right file or split?")
        if len(set(self.classes)) != len(self.classes) or len(self.classes) < 2:
            remedy = "A class needs another that it can be told from."
            raise argument_error(f"classes of {self.name}", "be two different names or more", self.classes, remedy)
        if len(set(self.ids)) != len(self.ids):
            seen: set[str] = set()
            twice = next(each for each in self.ids if each in seen or seen.add(each))  # type: ignore[func-returns-value]
            raise argument_error(f"ids of {self.name}", "be unique", twice, "Rename one, or leave it out.")
        self._check_labels()
        if (self.image_PHWC is None) == (not self.texts):
            got = "neither" if self.image_PHWC is None else "both"
            raise argument_error(self.name, "hold either images or texts", got, "Give image_PHWC, or texts.")
        if self.image_PHWC is not None:
            self._check_images(self.image_PHWC)
        else:
            self._check_texts()
        for each in self.metrics:
            check.one_of(f"metrics of {self.name}", each, METRICS)

    def _check_labels(self) -> None:
        name, highest = f"labels of {self.name}", len(self.classes) - 1
        if self.label_P.shape != (len(self),) or not np.issubdtype(self.label_P.dtype, np.integer):
            got = f"{self.label_P.dtype} of shape {self.label_P.shape}"
            raise argument_error(name, f"be {len(self)} whole numbers, one an id", got)
        wrong = (self.label_P < 0) | (self.label_P > highest)
        if wrong.any():
            place = int(wrong.argmax())
            got = f"{int(self.label_P[place])} of example {self.ids[place]}"
            remedy = "Labels of -1 stand for none: take a split that has labels."
            raise argument_error(name, f"be classes 0 to {highest}", got, remedy)

    def _check_images(self, images: ImageArray) -> None:
        name = f"images of {self.name}"
        if images.dtype not in (np.uint8, np.float32):
            raise argument_error(name, "be uint8 or float32", str(images.dtype), "Convert them.")
        if images.ndim != 4 or len(images) != len(self) or images.shape[3] not in (1, 3) or 0 in images.shape:
            rule = f"have the shape ({len(self)}, height, width, 1 or 3)"
            raise argument_error(name, rule, images.shape, "Grey images have one channel.")
        if images.dtype == np.float32 and not np.isfinite(images).all():
            raise argument_error(name, "be finite", "NaN or infinity", "Leave the broken ones out.")

    def _check_texts(self) -> None:
        name = f"texts of {self.name}"
        if len(self.texts) != len(self):
            raise argument_error(name, f"be {len(self)}, one an id", len(self.texts))
        widths = sorted(set(map(len, self.texts)))
        if widths not in ([1], [2]):
            raise argument_error(name, "be all single, or all pairs", f"tuples of {widths} texts")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def count_C(self) -> IntArray:
        """Examples of each class."""
        return np.bincount(self.label_P, minlength=len(self.classes)).astype(np.int64)

    @property
    def absent(self) -> tuple[str, ...]:
        """Classes that no example has."""
        return tuple(name for name, count in zip(self.classes, self.count_C, strict=True) if not count)

    @property
    def summary(self) -> str:
        """One line: how many of what, which classes are absent, and what was left out."""
        if self.image_PHWC is None:
            what = "texts" if len(self.texts[0]) == 1 else "pairs of texts"
        else:
            height, width, channels = self.image_PHWC.shape[1:]
            what = f"{'grey' if channels == 1 else 'colour'} images of {height} x {width}"
        parts = [f"{len(self):,} {what}", f"{len(self.classes)} classes"]
        if self.absent:
            parts.append(f"none of {', '.join(self.absent)}")
        parts += [f"left out: {each}" for each in self.left_out]
        return f"{self.name}: {'; '.join(parts)}"

    def for_training(self) -> "Examples":
        """The examples, if every class has one: no model learns a class that it never sees.

        Raises:
            ArgumentError: a class has none.
        """
        if self.absent:
            remedy = "Add some, or name the classes that there are; evaluation sets may lack classes."
            raise argument_error(self.name, "hold examples of every class", f"none of {', '.join(self.absent)}", remedy)
        return self

    def take(self, places: Sequence[int] | npt.NDArray[np.integer[Any]]) -> "Examples":
        """The examples at `places`, in this order.

        Raises:
            ArgumentError: no places, one that is not in 0..P-1, or one twice.
        """
        chosen = np.asarray(places, dtype=np.int64)
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < len(self):
            raise argument_error("places", f"be from 0 to {len(self) - 1}", [int(chosen.min()), int(chosen.max())])
        return replace(
            self,
            label_P=self.label_P[chosen],
            ids=tuple(self.ids[place] for place in chosen),
            image_PHWC=None if self.image_PHWC is None else self.image_PHWC[chosen],
            texts=tuple(self.texts[place] for place in chosen) if self.texts else (),
        )

    def split(self, size: float, *, seed: int = 0) -> tuple["Examples", "Examples"]:
        """Two parts by a hash of `seed` and id, each in the order that there was; not stratified.

        Args:
            size: of the first part: a number of examples (an int), or a share below 1 (a float). A larger first part
                holds a smaller one of the same seed.
            seed: any whole number.

        Raises:
            ArgumentError: a part would be empty.
        """
        number = size
        if isinstance(size, float):
            check.share("size", size, "Give a number of examples as a whole number.", below_1=True)
            number = round(size * len(self))
        first = check.whole("size", number, 1, "Both parts need an example.")
        if first >= len(self):
            raise argument_error("size", f"be below {len(self)}, the number of examples", size, "Both parts need one.")
        order = hashed_order(self.ids, seed)
        return self.take(sorted(order[:first])), self.take(sorted(order[first:]))

    def without_duplicates_of(self, other: "Examples") -> "Examples":
        """The examples whose image or texts are not, to the bit, among those of `other`; ids and labels do not matter.

        Raises:
            ArgumentError: all are.
        """
        known = set(other._fingerprints())
        return self.take([place for place, each in enumerate(self._fingerprints()) if each not in known])

    def _fingerprints(self) -> list[bytes]:
        if self.image_PHWC is None:
            return [hashlib.blake2b("\0".join(each).encode()).digest() for each in self.texts]
        return [hashlib.blake2b(each.tobytes()).digest() for each in self.image_PHWC]
