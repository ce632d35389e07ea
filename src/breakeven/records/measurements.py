"""What `breakeven eval` says of one strategy at one K."""

import math
from dataclasses import dataclass

from breakeven import check
from breakeven.records.curves import ROUNDING, Made, check_within, computed_share


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Accuracy and price of one strategy at one K on one set of problems."""

    strategy: str
    deployable: bool
    """False for an oracle, which has the gold answer: an upper bound."""
    k: int
    """Most samples per query."""
    num_verdicts: int = 0
    """V, verdicts per sample of a generative verifier; 0 for every other strategy."""
    accuracy: float
    accuracy_unknown_wrong: float | None = None
    """The same, were all samples wrong whose check failed; None where none failed."""
    standard_error: float
    """Over the choice of problems: of the mean of the per-problem accuracies. NaN of a single problem."""
    monte_carlo_error: float = 0.0
    """Of subsampling, where the expectation over all subsets has no closed form."""
    lo: float
    """Lower end of the 90 % interval for new problems of this kind."""
    hi: float
    made: Made = Made.MEASURED
    num_problems: int
    """Problems behind it: those with at least K graded samples."""
    expected_samples: float
    """Samples per query, expected where they are drawn in turn."""
    output_tokens: float
    """Tokens that the policy generates per query."""
    model_flops: float | None = None
    """FLOPs per query of the sampled model, its prompt read once; None where its cost is not known."""
    model_flops_unshared: float | None = None
    """The same, the prompt read anew for each sample."""
    reward_flops: float | None = None
    """FLOPs per query of reward models and judges; 0 where there is none, None where their cost is not known."""
    gain: float | None = None
    """Accuracy less that of the greedy sample of the same problems; None where that was not held against it."""
    gain_lo: float | None = None
    """Lower end of its 90 % interval, paired over the problems; None where all problems differ by the same."""
    gain_hi: float | None = None

    def __post_init__(self) -> None:
        check.whole("k", self.k, 1)
        check.each_field(self, check.whole, "num_verdicts", "num_problems")
        check.each_field(self, computed_share, "accuracy", "lo", "hi")
        check.each_field(self, computed_share, "accuracy_unknown_wrong", unknown=True)
        check_within("accuracy", self.accuracy, self.lo, self.hi)
        if not math.isnan(self.standard_error):
            check.finite("standard_error", self.standard_error)
        check.each_field(self, check.finite, "monte_carlo_error", "expected_samples", "output_tokens")
        check.each_field(self, check.finite, "model_flops", "model_flops_unshared", "reward_flops", unknown=True)
        check.each_field(self, check.number, "gain", "gain_lo", "gain_hi", unknown=True)

    @property
    def flops(self) -> float | None:
        """FLOPs per query, policy and verifier, prefill shared."""
        if self.model_flops is None or self.reward_flops is None:
            return None
        return self.model_flops + self.reward_flops


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the classes that one strategy serves at one K score on one set of problems, in one metric."""

    metric: str
    """A name in `breakeven.ttc.class_metrics.METRICS`."""
    strategy: str
    k: int
    """Passes per query."""
    value: float
    """Mean over some served sets, from -1 to 1; 1 is best."""
    standard_error: float
    """Over the choice of problems, bootstrapped."""
    monte_carlo_error: float = 0.0
    """Of the mean over the served sets."""
    lo: float
    """Lower end of the 90 % interval for new problems of this kind."""
    hi: float
    made: Made = Made.MEASURED
    gain: float | None = None
    """Value less that of the plain pass on the same problems; None of that pass, and where there is none."""
    gain_lo: float | None = None
    """Lower end of its 90 % interval, paired over the problems."""
    gain_hi: float | None = None

    def __post_init__(self) -> None:
        check.whole("k", self.k, 1)
        for name in ("value", "lo", "hi"):
            check.between(name, getattr(self, name), -1 - ROUNDING, 1 + ROUNDING)
        check_within("value", self.value, self.lo, self.hi)
        check.each_field(self, check.finite, "standard_error", "monte_carlo_error")
        check.each_field(self, check.number, "gain", "gain_lo", "gain_hi", unknown=True)
