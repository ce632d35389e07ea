"""An earlier run, as far as a later one reads it: enough to decide, and to replay, without that run."""

from dataclasses import dataclass, field

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records.curves import computed_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """The learning curve of an earlier run, which is taken to show the shape of this one's."""

    name: str
    """Of its run directory."""
    share: tuple[float, ...]
    """Training FLOPs of each checkpoint over its own full budget, increasing; the last is 1 where it went to its
    end."""
    greedy_accuracy: tuple[float | None, ...]
    """Of each checkpoint; None where it was not measured."""
    sampled_accuracy: tuple[float | None, ...]
    """Likewise."""
    num_problems: int
    """Answers behind each accuracy."""
    decay_share: float | None = None
    """As of `RunSpec`."""
    token_ratio: float | None = None
    """Training tokens per parameter in its full budget over those of this run; None where unknown."""
    fingerprint: dict[str, str] = field(default_factory=dict, hash=False)
    """What its session was given, as of `Fingerprint`."""

    def __post_init__(self) -> None:
        check.whole("num_problems", self.num_problems, 1)
        if self.decay_share is not None:
            check.share("decay_share", self.decay_share)
        if self.token_ratio is not None:
            check.positive("token_ratio", self.token_ratio)
        check.numbers("share", self.share, "hold finite numbers of at least 0")
        if any(later <= each for each, later in zip(self.share, self.share[1:], strict=False)):
            raise argument_error("share", "increase from one checkpoint to the next", list(self.share))
        for name in ("greedy_accuracy", "sampled_accuracy"):
            given = getattr(self, name)
            if len(given) != len(self.share):
                raise argument_error(name, f"have one value for each of the {len(self.share)} shares", len(given))
            for each in given:
                if each is not None:
                    computed_share(name, each)

    def curve(self, baseline: str) -> tuple[tuple[float, float], ...]:
        """(share, accuracy) of the checkpoints at which that decoding was measured.

        Args:
            baseline: "greedy", "sampled", or "best", the higher of the two at each checkpoint.
        """
        curves = {"greedy": [self.greedy_accuracy], "sampled": [self.sampled_accuracy]}
        wanted = curves.get(baseline, [self.greedy_accuracy, self.sampled_accuracy])
        known = [[each for each in row if each is not None] for row in zip(*wanted, strict=True)]
        return tuple((share, max(row)) for share, row in zip(self.share, known, strict=True) if row)
