"""The splits that a set comes with, and those made by hash where it lacks them."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, get_args

from breakeven import check
from breakeven.data.labelled.examples import Examples
from breakeven.data.splits import Split, split_of_id
from breakeven.errors import argument_error

Given: TypeAlias = Mapping[Split, Callable[[], Examples]]
"""What reads each split that a set comes with, "train" always among them; a set without splits has that alone."""
SPLITS: tuple[Split, ...] = get_args(Split)


def examples_of(given: Given, split: Split | None, name: str) -> Examples:
    """One split of a set. Those that it does not come with are made of its training examples, by a hash of their ids.

    Of 20 buckets 3 make a validation split that is missing, 3 a test split; "train" is what neither takes. So
    splits never share an id, and adding examples moves none.

    Args:
        given: of the set.
        split: which; None: everything, of a set that has no splits of its own.
        name: of the set, as the user wrote it.

    Raises:
        ArgumentError: no such split, none named where there are several, one that would be empty, or a training split
            without examples of a class; and whatever the set's reader refuses.
    """
    if split is None:
        if len(given) > 1:
            raise argument_error("split", f"be named for {name}, which has {', '.join(given)}", split, _remedy())
        return given["train"]()
    check.one_of("split", split, SPLITS, check.did_you_mean(split, SPLITS))
    if split != "train" and split in given:
        return given[split]()
    everything = given["train"]()
    made = [each for each in SPLITS if each != "train" and each not in given]
    places = [place for place, each in enumerate(everything.ids) if _split(each, made) == split]
    if not places:
        got = f"{len(everything)} examples, none of them in {split!r}"
        raise argument_error(name, "hold enough examples to split by hash", got, "Name another split, or add examples.")
    part = everything if not made else everything.take(places)
    return part.for_training() if split == "train" else part


def _split(name: str, made: Sequence[Split]) -> Split:
    found = split_of_id(name)
    return found if found in made else "train"


def _remedy() -> str:
    return "A split that it lacks is made of the training examples."
