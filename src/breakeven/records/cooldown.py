"""A cooldown from a decided stop: a branch whose learning rate falls to the end, and what it turned out to be worth."""

from dataclasses import dataclass
from typing import Literal

from breakeven import check
from breakeven.records.curves import Made, check_within, computed_share
from breakeven.records.decisions import ServingPoint
from breakeven.records.events import Fingerprint


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The run from which another one branched off to cool down."""

    run: str
    """Its directory, seen from that of the branch."""
    step: int
    """The last step that both have in common: that of the stop."""
    fingerprint: Fingerprint | None
    """The parent's."""

    def __post_init__(self) -> None:
        check.whole("step", self.step, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooled:
    """The cooled model beside the stopped one, both with all samples of all problems, by the same seeds."""

    evaluation_flops: float
    """Of measuring both."""
    baseline_accuracy: float
    """One sample, under the spec's baseline decoding (measured)."""
    stopped_accuracy: float
    """Of the stop's serving point: told anew, for its decision rests on as few samples as it needed."""
    accuracy: float
    """Of the cooled model with that strategy and K; the highest K of its curve where it has not so many."""
    made: Made
    """How both were."""
    standard_error: float | None
    """Of the difference, paired over problems, at that K or as many samples as were drawn; None where nothing can be
    paired."""
    serving: ServingPoint | None
    """The cooled model's cheapest that reaches `stopped_accuracy` with at most as many samples; None: none does, and
    the stopped model is served."""
    net_saving: float
    """(B - C_t - E) / B with the cooldown and its evaluation charged."""
    break_even_queries: float | None
    """Served queries from which on the cooldown has paid for itself by cheaper ones; None: it makes none cheaper."""

    def __post_init__(self) -> None:
        check.each_field(self, computed_share, "baseline_accuracy", "stopped_accuracy", "accuracy")
        check.each_field(self, check.finite, "evaluation_flops")
        check.each_field(self, check.finite, "standard_error", "break_even_queries", unknown=True)
        check.number("net_saving", self.net_saving)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """The third way beside serving the stop and training on; recorded before it is run, and again when it is over."""

    step: int
    """Of the stop."""
    branch: str
    """The directory of its run, seen from the parent's."""
    steps: int
    """Of the cooldown."""
    train_flops: float
    """Of these steps."""
    evaluation_flops: float
    """Of measuring it, and the stop as well as it, with samples as long as those of the stop (extrapolated)."""
    expected: float
    """One-sample accuracy that is expected of it (forecast): the median."""
    expected_lo: float
    """Lower end of the 90 % interval."""
    expected_hi: float
    """Upper end."""
    expected_by: Literal["average", "prior"]
    """What that rests on: averaged weights that were measured at the stop, or the accuracy there and what a decay of
    the learning rate usually brings."""
    least_queries: float | None
    """Served queries below which it cannot pay for itself, even if one sample sufficed after it; None: one sample is
    served already, and it can only make the model more accurate."""
    left_out: Literal["end", "queries", "failed"] | None = None
    """Why it came to nothing: training on to the end costs no more, fewer queries than these were declared, or its loss
    diverged or its evaluation failed."""
    cooled: Cooled | None = None
    """None until it is over."""

    def __post_init__(self) -> None:
        check.each_field(self, lambda name, value: check.whole(name, value, 1), "step", "steps")
        check.each_field(self, check.finite, "train_flops", "evaluation_flops")
        check.each_field(self, check.finite, "least_queries", unknown=True)
        check_within("expected", self.expected, self.expected_lo, self.expected_hi)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is still to be done."""
        return self.left_out is not None or self.cooled is not None
