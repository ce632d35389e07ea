"""A classifier's recipe as a frozen ClassifierConfig: its settings in TOML have a section `data`."""

import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from breakeven import check
from breakeven.classifiers.families import FAMILIES, ModelSettings, ResNet
from breakeven.config import policy_from
from breakeven.errors import argument_error
from breakeven.settings import as_record, refuse_unknown, types_of
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import default_policy
from breakeven.stopping.patience import policy_settings

RECIPE: Final = "recipe.json"
"""In a run directory, from the start on: what --resume goes on with."""
AUGMENTATIONS: Final = ("moves", "flips", "shifts")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The labelled set, and how many examples of each of its splits are used: chosen by a hash of seed and id."""

    set: str
    """A name of `breakeven.data.labelled`, such as "mnist" or "glue:sst2"."""
    path: str = ""
    """Of the files, for sets that are no part of a package."""
    size: int = 0
    """Pixels, of image folders alone; 0: their images have one size."""
    num_train: int = 0
    """0: all."""
    num_validation: int = 500
    """Decisions rest on these; fewer where there are fewer."""
    num_test: int = 2000
    """In mode shadow the decision is verified on these; fewer where there are fewer."""

    def __post_init__(self) -> None:
        for name, least in {"size": 0, "num_train": 0, "num_validation": 2, "num_test": 2}.items():
            check.at_least("data." + name, getattr(self, name), least)


@dataclass(frozen=True, kw_only=True)
class ClassifierTrain:
    """The full training run as planned, with AdamW."""

    steps: int = 600
    batch_size: int = 64
    learning_rate: float = 1e-3
    """Peak, held from the end of the warm-up to the start of the decay."""
    warmup_steps: int = 20
    decay_share: float = 0.0
    """Share of the steps, at the end, over which the learning rate falls to 0 in a line."""
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    threads: int = 1
    """CPU threads of torch."""

    def __post_init__(self) -> None:
        for name, least in {"steps": 1, "batch_size": 1, "threads": 1, "warmup_steps": 0}.items():
            check.at_least("train." + name, getattr(self, name), least)
        check.share("train.decay_share", self.decay_share)
        if self.warmup_steps + self.num_decay_steps > self.steps:
            rule = f"leave room for {self.warmup_steps} steps of warm-up among {self.steps}"
            raise argument_error("train.decay_share", rule, self.decay_share)
        check.positive("train.learning_rate", self.learning_rate)
        check.positive("train.clip_norm", self.clip_norm)
        check.finite("train.weight_decay", self.weight_decay)

    @property
    def num_decay_steps(self) -> int:
        """Steps over which the learning rate falls."""
        return round(self.decay_share * self.steps)


@dataclass(frozen=True, kw_only=True)
class PassesConfig:
    """What K passes are of, see `breakeven.adapters.classes.Classification`."""

    augment: tuple[str, ...] = ()
    """"moves", "flips" (images) or "shifts" (series), one after the other."""
    degrees: float = 10.0
    """Of moves: most that an image is turned."""
    shift: float = 0.07
    """Of moves: most that it is shifted, as a share of its height or width."""
    shift_places: int = 2
    """Of shifts: most places."""
    dropout: bool = False
    snapshots: int = 1
    """Of the last checkpoints that were evaluated, averaged; 1: none."""
    num_passes: int = 16
    """N, noisy passes over an example at most."""

    def __post_init__(self) -> None:
        for each in self.augment:
            check.one_of("passes.augment", each, AUGMENTATIONS, check.did_you_mean(each, AUGMENTATIONS))
        check.at_least("passes.snapshots", self.snapshots, 1)
        check.at_least("passes.num_passes", self.num_passes, 1)
        check.at_least("passes.shift_places", self.shift_places, 1)
        check.finite("passes.degrees", self.degrees)
        check.share("passes.shift", self.shift)
        if not self.augment and not self.dropout and self.snapshots == 1:
            rule = "have augment, dropout or snapshots above 1"
            raise argument_error("passes", rule, None, "Else there is one pass alone, and nothing to combine.")


@dataclass(frozen=True, kw_only=True)
class ClassifierEvaluate:
    """When the validation examples are passed over."""

    every_steps: int = 30
    batch_size: int = 250
    """Examples of a batch; noise is drawn a batch."""

    def __post_init__(self) -> None:
        check.at_least("evaluate.every_steps", self.every_steps, 1)
        check.at_least("evaluate.batch_size", self.batch_size, 1)


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """Everything `breakeven run` needs to know of a classifier; settings without a word here are as of `RunConfig`."""

    name: str
    seed: int = 0
    """Of weights, order of the batches, passes, and which examples of each split are taken."""
    data: DataConfig
    model: ModelSettings
    """Which family is said by its `family`; its other settings are those of the family."""
    train: ClassifierTrain = field(default_factory=ClassifierTrain)
    passes: PassesConfig
    evaluate: ClassifierEvaluate = field(default_factory=ClassifierEvaluate)
    policy: Policy = field(default_factory=default_policy)
    queries: float | None = None
    max_query_flops: float | None = None
    target: float | None = None
    min_accuracy: float = 0.0
    hours: float | None = None
    price_per_hour: float | None = None
    max_evaluation_seconds_share: float | None = None
    mode: Literal["stop", "advise", "shadow"] = "stop"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name, re.ASCII):
            raise argument_error("name", "be letters, digits, dots, dashes and underscores", self.name)
        check.between("seed", self.seed, 0, 2**31 - 1)
        self.policy.check(self.passes.num_passes if self.is_noisy else 0)
        if self.passes.dropout and not self.model.dropout:
            family, remedy = self.model.family, "Leave it out, for augment or snapshots."
            if not isinstance(self.model, ResNet):
                remedy = "Set model.dropout above 0, or leave it out, for augment or snapshots."
            rule = f"be false where the {family} has no dropout, or every pass would be equal"
            raise argument_error("passes.dropout", rule, True, remedy)
        fitting = {"images": ("moves", "flips"), "series": ("shifts",), "texts": ()}[self.model.inputs]
        for each in self.passes.augment:
            if each not in fitting:
                remedy = f"For them there is {' and '.join(fitting)}." if fitting else "For them there is dropout."
                rule = f"fit the {self.model.inputs} that a {self.model.family} takes"
                raise argument_error("passes.augment", rule, each, remedy)
        if self.evaluate.every_steps > self.train.steps:
            rule = f"leave room for one evaluation (evaluate.every_steps is {self.evaluate.every_steps})"
            raise argument_error("train.steps", rule, self.train.steps)

    @property
    def is_noisy(self) -> bool:
        """Whether there are other passes than plain ones."""
        return bool(self.passes.augment) or self.passes.dropout

    @property
    def declared(self) -> dict[str, Any]:
        """What of it a `RunSpec` takes."""
        names = (
            *("queries", "max_query_flops", "target", "min_accuracy"),
            *("hours", "price_per_hour", "max_evaluation_seconds_share"),
        )
        return {name: getattr(self, name) for name in names}


def classifier_from(settings: dict[str, Any]) -> ClassifierConfig:
    """A ClassifierConfig from plain nested settings, as in a recipe.

    Raises:
        ArgumentError: an unknown key or family (the nearest names are given), a wrong type or a value out of its range.
    """
    given = settings.get("model", {})
    family = given.get("family") if isinstance(given, dict) else None
    if not isinstance(family, str):
        raise argument_error("model.family", f"be one of {', '.join(FAMILIES)}", family)
    check.one_of("model.family", family, list(FAMILIES), check.did_you_mean(family, list(FAMILIES)))
    owner = FAMILIES[family]
    refuse_unknown(settings, types_of(ClassifierConfig) | {"model": owner})
    sections: dict[str, Any] = {"model": as_record(given, owner, "model")}
    if "policy" in settings:
        sections["policy"] = policy_from(settings["policy"], usual="calibrated")
    return as_record({"passes": {}, **settings, **sections}, ClassifierConfig)


def classifier_to_builtins(config: ClassifierConfig) -> dict[str, Any]:
    """The nested settings of `config`, every default written out; `classifier_from` gives it back."""
    return asdict(replace(config, policy=default_policy())) | {"policy": policy_settings(config.policy)}
