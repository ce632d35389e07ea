"""Labelled sets by name."""

from typing import Final

from breakeven import check
from breakeven.data.labelled.cifar import cifar
from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.given import Given, examples_of
from breakeven.data.labelled.glue import glue
from breakeven.data.labelled.image_folders import image_folder
from breakeven.data.labelled.mnist import mnist
from breakeven.data.labelled.movies import movies
from breakeven.data.labelled.packaged import digits, mnist1d
from breakeven.data.splits import Split
from breakeven.errors import argument_error

NAMES: Final = (
    "glue:TASK:PATH",
    "cifar10:PATH",
    "cifar100:PATH",
    "images:DIR",
    "mnist",
    "mnist:PATH",
    "movies:PATH",
    "digits",
    "mnist1d",
)
"""What can be named."""


def load_examples(name: str, *, split: Split | None = None, size: int | None = None) -> Examples:
    """The labelled examples of a name.

    Args:
        name: one of `NAMES`.
        split: "train", "validation" or "test"; one that a set does not come with is made of its training examples, see
            `given.examples_of`. None: everything, of a set without splits of its own, as of a file.
        size: pixels, of image folders alone: resize the shorter side and crop the centre.

    Raises:
        ArgumentError: an unknown name or split, files that are missing, damaged or of another layout, or labels that
            are missing.
        MissingExtraError: a package that the set needs is not installed.

    >>> load_examples("digits", split="tests")
    Traceback (most recent call last):
    breakeven.errors.ArgumentError: split must be one of train, validation, test; got 'tests'. Did you mean test?
    """
    if size is not None and not name.startswith("images:"):
        raise argument_error("size", "be left out but for image folders", size, f"{name} has a size of its own.")
    return examples_of(_given(name, size), split, name)


def _given(name: str, size: int | None) -> Given:
    kind, _, rest = name.partition(":")
    match kind:
        case "glue" if all(rest.partition(":")):
            task, _, path = rest.partition(":")
            return glue(task, path)
        case "cifar10" | "cifar100" if rest:
            return cifar(kind, rest)
        case "images" if rest:
            return image_folder(rest, size)
        case "mnist":
            return mnist(rest or None)
        case "movies" if rest:
            return movies(rest)
        case "digits" if not rest:
            return digits()
        case "mnist1d" if not rest:
            return mnist1d()
    forms = {each.partition(":")[0]: each for each in NAMES if each != "mnist"}
    remedy = f"Write {forms[kind]}." if kind in forms else check.did_you_mean(kind, forms)
    raise argument_error("data", f"be one of {', '.join(NAMES)}", name, remedy)
