"""The labelled examples of a recipe: three splits, and whether they fit its model."""

from dataclasses import dataclass
from typing import get_args

from breakeven.classifiers.families import ViT
from breakeven.classifiers.recipe import ClassifierConfig
from breakeven.data.labelled.examples import Examples
from breakeven.data.labelled.named import NAMES, load_examples
from breakeven.data.splits import Split
from breakeven.errors import ArgumentError, argument_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """What is trained on, decided on and verified on."""

    train: Examples
    validation: Examples
    test: Examples


def load_splits(config: ClassifierConfig) -> Splits:
    """The examples that a recipe asks for.

    Raises:
        ArgumentError: a set that is unknown or not there (the message says how to get it), or does not fit the model.
        MissingExtraError: a package that the set needs is not installed.
    """
    data = config.data
    name = f"{data.set}:{data.path}" if data.path else data.set
    numbers = {"train": data.num_train, "validation": data.num_validation, "test": data.num_test}
    try:
        parts = {
            split: _some(load_examples(name, split=split, size=data.size or None), numbers[split], config.seed)
            for split in get_args(Split)
        }
    except ArgumentError as error:
        if data.set.partition(":")[0] not in {each.partition(":")[0] for each in NAMES}:
            raise
        raise ArgumentError(f"{error} A recipe takes it by --set data.path=PATH.") from error
    _check_fit(config, parts["train"])
    return Splits(**parts)


def _some(examples: Examples, number: int, seed: int) -> Examples:
    return examples.split(number, seed=seed)[0] if 0 < number < len(examples) else examples


def _check_fit(config: ClassifierConfig, examples: Examples) -> None:
    model = config.model
    if (found := _inputs(examples)) != model.inputs:
        fitting = {"images": "resnet or vit", "texts": "deberta", "series": "conv1d"}[found]
        rule = f"take the {found} that {examples.name} holds"
        raise argument_error("model.family", rule, f"{model.family}, for {model.inputs}", f"Choose {fitting}.")
    if isinstance(model, ViT) and examples.image_PHWC is not None:
        height, width = examples.image_PHWC.shape[1:3]
        if height % model.patch or width % model.patch:
            raise argument_error("model.patch", f"divide images of {height} x {width}", model.patch)
    if len(examples) < config.train.batch_size:
        rule = f"be at most the {len(examples)} training examples"
        raise argument_error("train.batch_size", rule, config.train.batch_size)


def _inputs(examples: Examples) -> str:
    if examples.image_PHWC is None:
        return "texts"
    return "series" if examples.image_PHWC.shape[1] == 1 else "images"
