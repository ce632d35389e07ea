"""Recipes of classifiers: what ships loads, and what cannot be is refused by name."""

from pathlib import Path
from typing import Any

import pytest

from breakeven.classifiers.data import load_splits
from breakeven.classifiers.families import Conv1d, Deberta, ResNet, ViT
from breakeven.classifiers.recipe import classifier_from, classifier_to_builtins
from breakeven.config import CLASSIFIERS, is_classifier, load_recipe, recipe_names, recipe_settings
from breakeven.data.labelled.named import load_examples
from breakeven.errors import ArgumentError
from breakeven.stopping.patience import policy_settings

DIGITS: dict[str, Any] = {
    "name": "mine",
    "data": {"set": "digits"},
    "model": {"family": "vit", "patch": 2},
    "passes": {"snapshots": 2},
}


def changed(**sections: dict[str, Any]) -> dict[str, Any]:
    return DIGITS | {name: {**DIGITS.get(name, {}), **given} for name, given in sections.items()}


@pytest.mark.parametrize("name", recipe_names(CLASSIFIERS))
def test_every_recipe_loads_under_its_name_and_comes_back_from_what_a_run_keeps(name: str) -> None:
    settings = recipe_settings(name)
    assert is_classifier(settings)
    config = classifier_from(settings)
    assert config.name == name
    assert config.train.steps >= 10 * config.evaluate.every_steps, "room for a projection"
    assert classifier_from(classifier_to_builtins(config)) == config


def test_the_recipes_cover_images_texts_and_series() -> None:
    models = [classifier_from(recipe_settings(name)).model for name in recipe_names(CLASSIFIERS)]
    assert {type(each) for each in models} == {ResNet, ViT, Deberta, Conv1d}


def test_settings_reach_their_records_and_what_is_left_out_has_its_default() -> None:
    config = classifier_from(
        DIGITS
        | {"policy": {"name": "calibrated", "risk": 0.2}, "queries": 1000.0, "mode": "shadow"}
        | {"train": {"steps": 100, "decay_share": 0.25}}
    )
    assert isinstance(config.model, ViT)
    assert (config.model.patch, config.model.num_layers) == (2, ViT().num_layers)
    assert policy_settings(config.policy)["risk"] == 0.2
    assert (config.train.num_decay_steps, config.declared["queries"], config.mode) == (25, 1000, "shadow")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (changed(model={"family": "rensnet"}), r"^model.family must be one of .*; got 'rensnet'. Did you mean resnet"),
        (DIGITS | {"model": {}}, r"^model.family must be one of resnet, vit, deberta, conv1d; got None"),
        (changed(model={"pach": 2}), r"^model.pach must be a setting of \[model\]; got 'pach'. Did you mean patch"),
        (changed(model={"embedding": 30, "num_heads": 4}), r"^model.embedding must be a multiple of 4 heads; got 30"),
        (changed(model={"dropout": 1.0}), r"^model.dropout must be a share from 0 up to 1; got 1.0"),
        (
            DIGITS | {"model": {"family": "resnet", "widths": [8, 16], "depths": [1]}},
            r"^model.depths must have a number for each of 2 widths; got \(1,\)",
        ),
        (DIGITS | {"model": {"family": "resnet", "widths": []}}, r"^model.widths must have a number for each layer"),
        (DIGITS | {"model": {"family": "conv1d", "kernel": 4}}, r"^model.kernel must be odd; got 4"),
        (
            changed(passes={"dropout": True}),
            r"^passes.dropout must be false where the vit has no dropout, or every pass would be equal; got True. "
            r"Set model.dropout above 0",
        ),
        (
            changed(model={"family": "resnet"}) | {"model": {"family": "resnet"}, "passes": {"dropout": True}},
            r"^passes.dropout must be false where the resnet has no dropout.*Leave it out",
        ),
        (DIGITS | {"passes": {}}, r"^passes must have augment, dropout or snapshots above 1; got None"),
        (
            {**DIGITS, "passes": {"augment": ["move"]}},
            r"^passes.augment must be one of .*; got 'move'. Did you mean mo",
        ),
        (
            {**DIGITS, "passes": {"augment": ["shifts"]}},
            r"^passes.augment must fit the images that a vit takes; got 'shifts'. For them there is moves and flips",
        ),
        (
            {**DIGITS, "model": {"family": "deberta"}, "passes": {"augment": ["moves"]}},
            r"^passes.augment must fit the texts that a deberta takes; got 'moves'. For them there is dropout",
        ),
        (
            changed(train={"steps": 10, "warmup_steps": 0}),
            r"^train.steps must leave room for one evaluation \(evaluate.every_steps is 30",
        ),
        (
            changed(train={"steps": 100, "warmup_steps": 60, "decay_share": 0.5}),
            r"^train.decay_share must leave room for 60 steps of warm-up among 100; got 0.5",
        ),
        (changed(train={"learning_rate": 0}), r"^train.learning_rate must be finite and above 0"),
        (changed(data={"num_validation": 1}), r"^data.num_validation must be at least 2; got 1"),
        (DIGITS | {"name": "a/b"}, r"^name must be letters, digits, dots, dashes and underscores; got 'a/b'"),
        (DIGITS | {"on_stop": "cooldown"}, r"^on_stop must be a setting or section"),
        ({**DIGITS, "data": {}}, r"^data must be of its type: .*set"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        classifier_from(settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (changed(model={"patch": 3}), r"^model.patch must divide images of 8 x 8; got 3"),
        (
            DIGITS | {"model": {"family": "deberta"}},
            r"^model.family must take the images that digits holds; got 'deberta, for texts'. Choose resnet or vit",
        ),
        (
            changed(train={"batch_size": 5000}),
            r"^train.batch_size must be at most the 1297 training examples; got 5000",
        ),
        (changed(data={"set": "digts"}), r"^data must be one of .*Did you mean digits or images\?$"),
    ],
)
def test_data_that_does_not_fit_is_refused(settings: dict[str, Any], message: str) -> None:
    pytest.importorskip("sklearn")
    with pytest.raises(ArgumentError, match=message):
        load_splits(classifier_from(settings))


def test_data_that_is_missing_is_refused_with_the_command_that_gets_it() -> None:
    settings = recipe_settings("deberta-movies", ["data.path=nowhere.zip"])
    with pytest.raises(ArgumentError, match=r"pip download .* vaderSentiment==0.5.*--set data.path=PATH") as caught:
        load_splits(classifier_from(settings))
    assert str(caught.value).startswith("movies:nowhere.zip must name a file; got 'nothing of this name'. Get it by")


def test_examples_are_as_many_as_asked_and_others_with_another_seed() -> None:
    pytest.importorskip("sklearn")
    asked = changed(data={"num_train": 100, "num_validation": 40, "num_test": 10_000})
    splits, others = (load_splits(classifier_from(asked | {"seed": seed})) for seed in (0, 1))
    assert (len(splits.train), len(splits.validation)) == (100, 40)
    assert len(splits.test) == len(load_examples("digits", split="test")), "fewer than asked where there are no more"
    assert splits.validation.ids != others.validation.ids
    assert not {*splits.train.ids} & {*splits.validation.ids, *splits.test.ids}


def test_a_classifier_is_no_recipe_of_a_language_model(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"^RECIPE must be of a language model; got 'resnet-mnist'"):
        load_recipe("resnet-mnist")
    with pytest.raises(ArgumentError, match=r"^RECIPE .*Did you mean resnet-mnist"):
        load_recipe("resnet-mnst")
