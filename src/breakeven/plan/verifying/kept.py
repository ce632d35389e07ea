"""What the cells of the real run hold: counts and verdicts, no texts."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What the solver's samples on training problems took, on which its verifiers are trained."""

    num_samples: int
    num_right: int
    flops: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What a generative verifier said of every test sample."""

    verdict_PN: tuple[tuple[str, ...], ...]
    """Of each sample its V verdicts, as in `Reward.verdicts`."""
    read_flops: float
    """Reading one solution."""
    verdict_flops: float
    """One verdict on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a discriminative scorer said of every test sample."""

    score_PN: tuple[tuple[float, ...], ...]
    """Chance that it is right, to 4 decimals."""
    score_flops: float
    """Of one solution."""
    train_flops: float
    """Held-out passes included."""
    num_epochs: int
    auc: float | None
    """Chance that a right sample is scored above a wrong one, on held-out training problems."""
