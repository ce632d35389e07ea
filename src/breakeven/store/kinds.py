"""The kinds of line: what run logs, sample files, a server's journal, texts and a plan's cells are made of."""

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from breakeven.records import (
    BudgetChange,
    CheckpointRecord,
    Completion,
    Cooldown,
    Failure,
    Fingerprint,
    Parent,
    Reward,
    RunSpec,
    Start,
    Steering,
    StopTest,
    Verification,
)

LOG_FORMAT: Final = 2
"""The format this version writes, and the newest it reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a run log: all that decisions rest on besides the checkpoints."""

    format: int = LOG_FORMAT
    versions: dict[str, str]
    """Version by name: breakeven, python and the libraries that took part."""
    config: dict[str, Any]
    """The resolved configuration; reads back as JSON has it: tuples as lists, keys as strings."""
    spec: RunSpec
    policy: dict[str, Any]
    """The settings of the stop policy."""
    seed: int
    parent: Parent | None = None
    """Of a cooldown: the run that it branched off."""
    start: Start | None = None
    """The trained model that it began with, in place of a random one."""
    machine: str | None = None
    """In words: on another kind of machine last digits may differ. None in logs of earlier versions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesHeader:
    """The first line of a sample file: all that its samples depend on besides the problem and the sample's number."""

    format: int = LOG_FORMAT
    versions: dict[str, str]
    model: str
    task: str
    temperature: float
    seed: int
    max_tokens: int
    settings: dict[str, Any]
    """Whatever else changes a sample: chat template, adapter, stop strings, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Samples of one problem, from number `first` on; samples of the greedy decoding count apart."""

    problem: str
    prompt: str
    """What was sampled: a task whose problems have changed is not mixed with it."""
    greedy: bool = False
    first: int = 0
    prompt_tokens: int
    completions: tuple[Completion, ...]
    own_temperature: bool = False
    """As of `Draw`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What the checker said of the samples of a `Drawn`, and the answer each gave."""

    problem: str
    greedy: bool = False
    first: int = 0
    verdicts: str
    """`1` right, `0` wrong, `?` the check failed, one character a sample."""
    answers: tuple[str | None, ...]
    reference_crc32: str = ""
    """Of the gold answer it was graded by: with another one it is graded again. Empty: none, or not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What a reward model said of the samples of a `Drawn`."""

    problem: str
    first: int = 0
    reward_model: str
    rewards: tuple[Reward, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCandidate:
    """One solution that a search ended with, graded."""

    text: str
    finished: bool
    reward: float | None
    """None where nothing was scored."""
    group: int
    """Of its subtree: candidates of one group share a beginning."""
    verdict: str
    """`1` right, `0` wrong, `?` the check failed."""
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """One search of one problem, with all that it took."""

    problem: str
    prompt: str
    setting: str
    """Strategy, its width and its steps, and the reward model."""
    k: int
    """Candidates asked for."""
    candidates: tuple[FoundCandidate, ...]
    cost: dict[str, int]
    """Counts by name, as in `breakeven.ttc.search.trees.SearchCost`."""
    reference_crc32: str = ""
    """As in `Graded`."""


class Choice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One sample as a server gave it."""

    text: str
    finish: str
    tokens: int | None = None
    """Tokens it took, end token included; None if the server does not say."""
    stopped: bool | None = None
    """Whether a stop string ended it; None if the server does not say."""
    stop_string: str | None = None
    """Which one, where the server names it."""
    own_temperature: bool = False
    """As of `Draw`."""


class Served(msgspec.Struct, frozen=True, omit_defaults=True):
    """A server's answer: samples `first`, `first + 1`, ... of what `key` stands for."""

    key: str
    """Hash of everything the samples depend on besides their number."""
    problem: str
    first: int
    choices: tuple[Choice, ...]
    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedTexts:
    """The texts of one checkpoint, as `breakeven.store.texts` packs them."""

    step: int
    num_left_out: int
    """Problems, the last ones, that were too much."""
    packed: str
    """Base64 of zlib of a JSON array a line and problem: the greedy sample, then the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHeader:
    """The first line of a plan's cells: all that they depend on."""

    format: int = LOG_FORMAT
    versions: dict[str, str]
    row: str
    settings: dict[str, Any]
    """Those that change a cell; what is only asked of the cells (queries, target) is not among them."""
    files: dict[str, str] = field(default_factory=dict)
    """CRC-32 of each file that was read, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One finished piece of a plan: a training, an evaluation, a trial of a search."""

    key: str
    value: Any
    """Plain data, as JSON has it."""


Line: TypeAlias = (
    Header
    | CheckpointRecord
    | Verification
    | Fingerprint
    | BudgetChange
    | Failure
    | Steering
    | StopTest
    | Cooldown
    | SamplesHeader
    | Drawn
    | Graded
    | Scored
    | Searched
    | Served
    | PackedTexts
    | PlanHeader
    | Cell
)
KINDS: Final[dict[type, str]] = {
    Header: "header",
    CheckpointRecord: "checkpoint",
    Verification: "verification",
    Fingerprint: "fingerprint",
    BudgetChange: "budget_change",
    Failure: "failure",
    Steering: "steering",
    StopTest: "stop_test",
    Cooldown: "cooldown",
    SamplesHeader: "samples",
    Drawn: "drawn",
    Graded: "graded",
    Scored: "scored",
    Searched: "searched",
    Served: "served",
    PackedTexts: "texts",
    PlanHeader: "plan",
    Cell: "cell",
}
"""The name of each in a file."""
HEADERS: Final = ("header", "samples", "plan")
LEFT_OUT: Final[dict[str, tuple[str, ...]]] = {
    "header": (
        *(f"spec.{name}" for name in ("hours", "price_per_hour", "max_evaluation_seconds_share")),
        *("parent", "start", "machine"),
    ),
    "checkpoint": (
        *("observation.train_seconds", "observation.evaluation_seconds", "observation.average"),
        *("observation.rollout_flops", "decision.wall"),
        *("observation.bank.soft_votes", "observation.average.soft_votes"),
    ),
    "stop_test": ("bank.soft_votes",),
}
"""By kind: fields that are not written where they are null, so that runs without them leave the same bytes as ever."""
LEFT_OUT["budget_change"] = tuple(name for name in LEFT_OUT["header"] if name.startswith("spec."))
