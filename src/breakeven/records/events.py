"""What a run log holds besides checkpoints: what is begun with, resumed, declared anew, failed or tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from breakeven import check
from breakeven.records.decisions import RunSpec
from breakeven.records.samples import SampleBank


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """All that a session was given besides spec, policy and seed, by which a resumed run is known to be the same."""

    parts: dict[str, str]
    """In words or as a checksum, by the name of the argument."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What has been spent on training a model, over all runs that it went through."""

    steps: int
    """Of the optimizer."""
    train_tokens: int
    train_flops: float

    def __post_init__(self) -> None:
        check.each_field(self, check.finite, "steps", "train_tokens", "train_flops")

    def __add__(self, more: "Spent") -> "Spent":
        return Spent(
            steps=self.steps + more.steps,
            train_tokens=self.train_tokens + more.train_tokens,
            train_flops=self.train_flops + more.train_flops,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The trained model that a run began with."""

    weights: str
    """Their directory."""
    crc32: str
    """Of the file of weights: others in its place are told by it."""
    spent: Spent | None
    """Before the run, and no part of its budget; None: not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetChange:
    """Another budget, declared when a run was gone on with: it holds for all later steps."""

    step: int
    """The last step under the budget before."""
    spec: RunSpec
    config: dict[str, Any]
    """The resolved configuration from then on."""


def spec_at(step: int, spec: RunSpec, changes: Sequence[BudgetChange]) -> RunSpec:
    """What was declared at `step` of a run begun with `spec`."""
    return next((each.spec for each in reversed(changes) if each.step < step), spec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An evaluation that was due and failed: the run went on."""

    step: int
    train_tokens: int
    raised_by: str
    """The part that raised: "sampler", "verifier", "reward model", or "evaluation" where none can be named."""
    error: str
    """Type and message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What somebody asked of a run from outside, as its process took it up; in force until the next one."""

    step: int
    """The last step trained when it was taken up."""
    action: Literal["stop", "veto", "withdraw"]
    """Stop: end the run. Veto: train on past the policy's stop. Withdraw: neither any more."""
    reason: str
    """In the words of whoever asked; may be empty."""
    request: str
    """By which a request is known again, so that none is taken up twice."""

    def __post_init__(self) -> None:
        check.either("action", self.action, "stop", "veto", "withdraw")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTest:
    """The serving point of a decided stop on test problems, measured while the model was at hand."""

    step: int
    num_samples: int
    bank: SampleBank
    searched_P: tuple[float, ...] = ()
    """Chance that the chosen answer is right, one a problem, where the serving point is a search; else empty."""
    flops: float
    """Of drawing, scoring and searching; no part of any saving."""
