"""A TOML recipe as a frozen RunConfig: every setting of `breakeven run`, next to the record that owns it.

Loading only: no logic, no defaults hidden elsewhere. Units are in the names.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal

from breakeven import check
from breakeven.data.configured import task_of
from breakeven.data.made.countdown import Countdown
from breakeven.data.task import Task
from breakeven.errors import ArgumentError, argument_error
from breakeven.names import load_object
from breakeven.records import TransformerShape
from breakeven.settings import as_record, override, refuse_unknown, types_of
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import RULES, default_policy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.strategy import Need

OnStop = Literal["serve", "cooldown"]
ON_STOP: Final[tuple[OnStop, ...]] = ("serve", "cooldown")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The reference transformer's sizes, and what its weights begin as; vocabulary and length come from the task."""

    num_layers: int = 3
    embedding: int = 128
    num_heads: int = 4
    feed_forward: int = 256
    start: str = ""
    """Directory of a run, or of a model that it saved, whose weights training begins with; none: random ones."""

    def __post_init__(self) -> None:
        for name in ("num_layers", "embedding", "num_heads", "feed_forward"):
            check.at_least("model." + name, getattr(self, name), 1)
        if self.embedding % (2 * self.num_heads):
            raise argument_error("model.embedding", f"be a multiple of 2 x {self.num_heads} heads", self.embedding)

    def shape_for(self, task: Task) -> TransformerShape:
        """The shape of this model for `task`."""
        return TransformerShape(
            num_layers=self.num_layers,
            embedding=self.embedding,
            num_heads=self.num_heads,
            feed_forward=self.feed_forward,
            vocab_size=task.vocab_size,
            max_tokens=task.prompt_tokens + task.output_tokens,
        )


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """The full training run as planned: its budget is `steps` x `batch_size` sequences."""

    steps: int = 1500
    """Optimizer steps of the full run."""
    batch_size: int = 256
    """Sequences per step."""
    num_sequences: int = 0
    """Size of the training set, seen many times over as in fine-tuning; 0 draws fresh problems at every step."""
    learning_rate: float = 3e-3
    """Peak, held from the end of the warm-up to the start of the decay."""
    warmup_steps: int = 50
    decay_share: float = 0.2
    """Share of the steps, at the end, over which the learning rate falls; 1 for a cosine schedule."""
    decay: Literal["linear", "cosine", "1-sqrt"] = "linear"
    """How it falls."""
    decay_to: float = 0.0
    """Share of the peak to which it falls."""
    cooldown_share: float = 0.1
    """Steps of a cooldown (`on_stop`), as a share of those up to the stop."""
    weight_decay: float = 0.1
    clip_norm: float = 1.0
    """Largest gradient norm."""
    average: bool = False
    """Whether an exponential moving average of the weights, over the last 5 % of the steps so far, is kept and measured
    beside the raw ones."""
    threads: int = 1
    """CPU threads of torch. Two gain little on an idle machine and lose much on a busy one."""

    def __post_init__(self) -> None:
        for name, least in {"steps": 1, "batch_size": 1, "threads": 1, "warmup_steps": 0, "num_sequences": 0}.items():
            check.at_least("train." + name, getattr(self, name), least)
        check.share("train.decay_share", self.decay_share)
        check.share("train.decay_to", self.decay_to)
        check.above("train.cooldown_share", self.cooldown_share, 0, 'For no cooldown leave out on_stop = "cooldown".')
        check.share("train.cooldown_share", self.cooldown_share)
        check.either("train.decay", self.decay, "linear", "cosine", "1-sqrt")
        check.positive("train.learning_rate", self.learning_rate)
        check.positive("train.clip_norm", self.clip_norm)
        check.finite("train.weight_decay", self.weight_decay)


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """What is measured at a checkpoint."""

    every_steps: int = 40
    num_problems: int = 500
    """Validation problems, the same at every checkpoint."""
    num_samples: int = 16
    """N, samples per problem at `temperature`; one greedy sample is drawn besides. With the calibrated policy the most:
    they are drawn as the decision needs them."""
    temperature: float = 0.8
    keep_weights: bool = False
    """Whether the weights of every evaluated checkpoint are kept, in RUN/checkpoints."""
    reward_model: str = ""
    """Directory of a reward model that `breakeven reward-model` trained, for strategies that choose by reward."""
    search_k: tuple[int, ...] = (4, 16)
    """Candidates a problem of each search that the policy names, such as "dvts/weighted_vote"."""
    search_width: int = 4
    """Next steps a beginning, of beam search and DVTS."""
    segment_ends: tuple[str, ...] = ()
    """Words that end a segment of a solution, in a search."""
    segment_tokens: int = 2
    """Most tokens of a segment."""

    def __post_init__(self) -> None:
        for name in ("every_steps", "num_problems", "num_samples", "search_width", "segment_tokens"):
            check.at_least("evaluate." + name, getattr(self, name), 1)
        if not self.search_k or any(k < 1 or k % self.search_width for k in self.search_k):
            rule = f"be multiples of evaluate.search_width, {self.search_width}"
            raise argument_error("evaluate.search_k", rule, list(self.search_k))
        check.positive("evaluate.temperature", self.temperature)


@dataclass(frozen=True, kw_only=True)
class VerifyConfig:
    """The check of the decision on test problems, after a run in shadow mode (`--to-end`)."""

    num_problems: int = 500
    num_samples: int = 32
    """Samples per problem; raised to K* where that is larger."""

    def __post_init__(self) -> None:
        check.at_least("verify.num_problems", self.num_problems, 2)
        check.at_least("verify.num_samples", self.num_samples, 1)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything `breakeven run` needs to know."""

    name: str
    """Letters, digits, dot, dash and underscore: it names the run directory."""
    seed: int = 0
    task: Task = field(default_factory=Countdown)
    """Which kind is said by its `kind`; its other settings are those of the kind."""
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    policy: Policy = field(default_factory=default_policy)
    """Which rule is said by its `name`; its other settings are those of the rule, and its `patience`."""
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    baseline: Literal["greedy", "sampled", "best"] = "greedy"
    """One-sample decoding of the fully trained model that the decision must match."""
    shared_prefill: bool = True
    """Whether serving reads a prompt once for all its K samples."""
    queries: float | None = None
    """Queries the model will serve in its life, if known: then the cheapest life is sought, not the earliest stop."""
    max_query_flops: float | None = None
    """Most FLOPs one served query may cost on average."""
    max_sequential_tokens: float | None = None
    """Most tokens one served query may decode one after another."""
    target: float | None = None
    """Accuracy to be reached, where it is known; else the fully trained model's is projected."""
    min_accuracy: float = 0.0
    """Accuracy below which no checkpoint is served."""
    checker: bool = False
    """Whether serving has a checker, where grading needs reference answers."""
    hours: float | None = None
    """Of training to the end, evaluations left out, where it is known; else told from the pace."""
    price_per_hour: float | None = None
    """Money that an hour of the machine costs."""
    max_evaluation_seconds_share: float | None = None
    """Evaluations may take at most this share of the wall time of training so far."""
    like: tuple[str, ...] = ()
    """Directories of earlier runs whose learning curves are taken to be like this one's."""
    mode: Literal["stop", "advise", "shadow"] = "stop"
    """What a decided stop does: "stop" ends the run, "advise" only records it, "shadow" also tests it at the end."""
    on_stop: OnStop = "serve"
    """What is done with the model of a decided stop, in every mode: "serve" it as it is; or "cooldown": let its
    learning rate fall to the end on a branch, and serve what is cheaper."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\w[\w.-]*", self.name, re.ASCII):
            raise argument_error("name", "be letters, digits, dots, dashes and underscores", self.name)
        check.between("seed", self.seed, 0, 2**31 - 1)
        self.policy.check(self.evaluate.num_samples)
        if self.policy.needs.strategies is not None:
            _check_strategies(self.policy.needs.strategies, self.evaluate.reward_model)
        searches = [each for each in self.policy.needs.strategies or () if strategy_of(each).search]
        if self.on_stop == "cooldown" and searches:
            rule = "be serve where policy.strategies names a search, which a cooldown is not measured by"
            raise argument_error("on_stop", rule, f"{self.on_stop} with {searches[0]}")
        if self.evaluate.every_steps > self.train.steps:
            rule = f"leave room for one evaluation (evaluate.every_steps is {self.evaluate.every_steps})"
            raise argument_error("train.steps", rule, self.train.steps)


_DRAWN = frozenset({Need.ANSWERS, Need.VERIFIER, Need.SEGMENTS})
"""What a run has for strategies without a reward model; with one it has `_SCORED` besides."""
_SCORED = frozenset({Need.REWARDS, Need.WEIGHTS, Need.BEGINNINGS})


def _check_strategies(strategies: Sequence[str], reward_model: str) -> None:
    for name in strategies:
        strategy = strategy_of(name, "policy.strategies")
        if missing := strategy.lacks(_DRAWN | _SCORED):
            raise argument_error("policy.strategies", f"name none that needs {missing[0].value}", name)
        if strategy.lacks(_DRAWN) and not reward_model:
            rule = f"be the directory of a reward model, for policy.strategies names {name}"
            raise argument_error("evaluate.reward_model", rule, reward_model, "Make one: breakeven reward-model.")


CLASSIFIERS: Final = "classifiers"
"""Folder of the recipes that train a classifier, within those that are shipped."""


def recipe_names(folder: str = "") -> list[str]:
    """Names of the recipes shipped in the package, of language models or in a folder within these."""
    shipped = files("breakeven").joinpath("recipes", folder).iterdir()
    return sorted(Path(each.name).stem for each in shipped if each.name.endswith(".toml"))


def load_recipe(recipe: str, overrides: Sequence[str] = ()) -> RunConfig:
    """The configuration of a shipped recipe or a TOML file of a language model, with `key=value` overrides.

    Args:
        recipe: a shipped name such as "countdown", or the path of a `.toml` file.
        overrides: "section.key=value" each; values are TOML, a bare word is taken as a string.

    Raises:
        ArgumentError: no such recipe or key (the nearest names are given), not TOML, a classifier's, or a value out of
            its range.
    """
    settings = recipe_settings(recipe, overrides)
    if is_classifier(settings):
        remedy = "A recipe with a section data trains a classifier, which `breakeven run` alone does."
        raise argument_error("RECIPE", "be of a language model", recipe, remedy)
    return config_from(settings)


def is_classifier(settings: Mapping[str, Any]) -> bool:
    """Whether a recipe trains a classifier, see `breakeven.classifiers`, and no language model."""
    return "data" in settings


def recipe_settings(recipe: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The plain settings of a recipe of either kind; arguments and errors as of `load_recipe`."""
    shipped = {name: folder for folder in ("", CLASSIFIERS) for name in recipe_names(folder)}
    if recipe.endswith(".toml"):
        path = Path(recipe)
        if not path.is_file():
            raise argument_error("RECIPE", "be a shipped name or the path of a TOML file", recipe, "No such file.")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise argument_error("RECIPE", "be a readable UTF-8 file", recipe, f"{error}.") from error
    elif recipe in shipped:
        place = files("breakeven").joinpath("recipes", shipped[recipe], f"{recipe}.toml")
        text = place.read_text(encoding="utf-8")
    else:
        rule = "be a shipped name or the path of a .toml file"
        remedy = check.did_you_mean(recipe, shipped) or f"Known: {', '.join(sorted(shipped))}."
        raise argument_error("RECIPE", rule, recipe, remedy)
    try:
        settings = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise argument_error("RECIPE", "be valid TOML", recipe, f"{error}.") from error
    settings.setdefault("name", Path(recipe).stem)
    for each in overrides:
        override(settings, each)
    return settings


def config_from(settings: dict[str, Any]) -> RunConfig:
    """A RunConfig from plain nested settings, as in a recipe or a run log's first line.

    Raises:
        ArgumentError: an unknown key, a wrong type or a value out of its range.
    """
    if "to_end" in settings:  # its name in earlier versions
        rest = {name: value for name, value in settings.items() if name != "to_end"}
        settings = {"mode": "shadow" if settings["to_end"] else "stop"} | rest
    refuse_unknown(settings, types_of(RunConfig))
    sections: dict[str, Any] = {}
    if "task" in settings:
        sections["task"] = task_of(settings["task"])
    if "policy" in settings:
        sections["policy"] = policy_from(settings["policy"], usual="calibrated")
    return as_record({**settings, **sections}, RunConfig)


def policy_from(settings: Any, *, usual: str = "paper") -> Policy:
    """A policy from plain settings, as in a recipe or a run log's first line.

    Args:
        settings: `name`, the settings of that rule, and `patience`, the checkpoints in a row that it waits for. A rule
            of one's own is named as `package.module:Name`, and waits for none unless `patience` is given.
        usual: the rule where no name is given; in a log that is the paper's.

    Raises:
        ArgumentError: an unknown rule or setting, a wrong type or a value out of its range.
    """
    if not isinstance(settings, dict):
        raise argument_error("policy", "be a section", settings)
    name = settings.get("name", usual)
    own = {key: value for key, value in settings.items() if key != "patience"}
    if isinstance(name, str) and ":" in name:
        owner, patient = load_object(name, "policy.name"), 0
        del own["name"]
    else:
        check.one_of("policy.name", name, sorted(RULES))
        owner, patient = RULES[name]
    with_settings = isinstance(owner, type) and is_dataclass(owner)
    known = types_of(owner) if with_settings else {}
    refuse_unknown({each: None for each in settings if each != "name"}, known | {"patience": int}, "policy")
    checkpoints = as_record(settings.get("patience", patient), int, "policy.patience")
    try:
        policy = as_record(own, owner, "policy") if with_settings else owner()
        if not isinstance(policy, Policy):
            raise argument_error("policy.name", "name a class with the methods of a Policy", name)
        return policy if ":" in name and "patience" not in settings else Patience(policy, checkpoints)
    except ArgumentError as error:
        raise ArgumentError(str(error) if str(error).startswith("policy.") else f"policy.{error}") from None


def recorded_policy(settings: dict[str, Any]) -> Policy:
    """As `policy_from`, of a run log's first line: a rule without `patience` there was not wrapped in any."""
    policy = policy_from(settings)
    return policy.rule if isinstance(policy, Patience) and "patience" not in settings else policy


def config_to_builtins(config: RunConfig) -> dict[str, Any]:
    """The nested settings of `config`, every default written out; `config_from` gives it back."""
    return asdict(replace(config, policy=default_policy())) | {"policy": policy_settings(config.policy)}
