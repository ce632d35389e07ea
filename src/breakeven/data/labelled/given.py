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
            remedy = "One that it lacks is made of the training examples."
            raise argument_error("split", f"be named for {name}, which has {', '.join(given)}", split, remedy)
        return given["train"]()
    check.one_of("split", split, SPLITS, check.did_you_mean(str(split), SPLITS))
    if split != "train" and split in given:
        return given[split]()
    made = [each for each in SPLITS if each not in given]
    part = _made(given["train"](), split, made) if made else given["train"]()
    return part.for_training() if split == "train" else part


def _made(everything: Examples, split: Split, made: Sequence[Split]) -> Examples:
    """The examples whose bucket is that of `split`; "train" has the buckets of all that need not be made."""
    found = [each if each in made else "train" for each in map(split_of_id, everything.ids)]
    places = [place for place, each in enumerate(found) if each == split]
    if not places:
        got = f"{len(everything)} examples, none of them in {split!r}"
        remedy = "Name another split, or add examples."
        raise argument_error(everything.name, "hold enough examples to split by hash", got, remedy)
    return everything.take(places)
