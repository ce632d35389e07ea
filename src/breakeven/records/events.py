"""What a run log holds besides checkpoints: what is resumed, what failed, and what was tested."""

from dataclasses import dataclass

from breakeven.records.samples import SampleBank


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """All that a session was given besides spec, policy and seed, by which a resumed run is known to be the same."""

    parts: dict[str, str]
    """In words or as a checksum, by the name of the argument."""


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
class StopTest:
    """The serving point of a decided stop on test problems, measured while the model was at hand."""

    step: int
    num_samples: int
    bank: SampleBank
    searched_P: tuple[float, ...] = ()
    """Chance that the chosen answer is right, one a problem, where the serving point is a search; else empty."""
    flops: float
    """Of drawing, scoring and searching; no part of any saving."""
