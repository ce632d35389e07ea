"""Accuracy against K and against training: every number says how it was made."""

from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from breakeven import check
from breakeven.errors import argument_error

NORMAL_95 = 1.6448536269514722
"""95 % quantile of the standard normal: a 90 % interval leaves out 5 % on either side."""
ROUNDING = 1e-9
"""How far rounding may carry what was computed beyond the end of its range."""

computed_share = partial(check.share, slack=ROUNDING)
"""The rule of an accuracy that was computed: a share from 0 to 1, but for rounding."""


def check_within(name: str, value: float, lo: float, hi: float) -> None:
    """The rule of an estimate: within its own interval, but for rounding."""
    if not lo - ROUNDING <= value <= hi + ROUNDING:
        raise argument_error(name, f"be within its interval, {lo} to {hi}", value)


class Made(StrEnum):
    """How a number came about (invariant 1: every number that anyone reads says so)."""

    MEASURED = "measured"
    FORECAST = "forecast"
    EXTRAPOLATED = "extrapolated"
    PUBLISHED = "published"
    """Read in a paper or a model card: shown, and never chosen unless asked for."""


class FitStatus(StrEnum):
    """Outcome of a fit. Anything but FITTED means: the number beside it is a fallback, do not decide on it."""

    FITTED = "fitted"
    TOO_FEW_POINTS = "too_few_points"
    NO_SIGNAL = "no_signal"
    """Every accuracy is 0, or too low to have a shape."""
    NOT_CONVERGED = "not_converged"
    """The best fit lies outside the family: a curve with no ceiling in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the accounts that a forecast mixes."""

    name: str
    weight: float
    """Of all; they sum to 1."""
    median: float
    """What it foretells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Projected one-sample accuracy of the fully trained model."""

    mean: float
    """Point projection, the median of `cdf` where there is one; with a status other than FITTED, the highest accuracy
    seen so far."""
    lo: float
    """Lower end of the 90 % interval; equal to `mean` for method "paper", which has none. Method "calibrated": of the
    accuracy measured at the full budget on the same problems, its noise included; 0 where there is no fit."""
    hi: float
    """Upper end; 1 for method "calibrated" where there is no fit."""
    status: FitStatus
    method: str
    num_points: int
    """Checkpoints the fit used, after any filter."""
    decay: str = "none"
    """What the projection knows of a learning-rate decay still to come: "none" is ahead, it is "included", or the
    schedule is "unknown", in which case the fully trained model may end higher than projected."""
    parameters: tuple[float, ...] = ()
    """Method "paper": (a, b, c) of a (1 - exp(-b x)) + c, with x = training FLOPs / budget FLOPs. Empty where the
    curve was not fitted, or is so steep before the first checkpoint that a and c would be astronomic."""
    cdf: tuple[float, ...] = ()
    """Method "calibrated": the whole forecast, as the chance of at most each of `breakeven.stopping.density.NODES`, 161
    accuracies from 0 to 1. Empty where there is no fit."""
    late_rise: float = 0.0
    """Weight in `cdf` of a rise that nothing has announced yet."""
    members: tuple[Member, ...] = ()
    """Method "calibrated": what `cdf` was mixed from; empty in logs of earlier versions, and where there is no fit."""
    num_witnesses: int = 0
    """Earlier runs that were heard: those declared that had gone further than this one. Their weight is that of the
    member "witnesses"."""

    def __post_init__(self) -> None:
        check.each_field(self, computed_share, "mean", "lo", "hi")
        check_within("mean", self.mean, self.lo, self.hi)
        check.whole("num_points", self.num_points)


@dataclass(frozen=True, slots=True, kw_only=True)
class KCurve:
    """Accuracy against the number of samples K of one strategy at one checkpoint."""

    strategy: str
    deployable: bool
    """True if the strategy needs nothing at serving time that it had only in evaluation."""
    k_values: tuple[int, ...]
    accuracy_K: tuple[float, ...]
    lo_K: tuple[float, ...]
    """Lower ends of the 90 % intervals; equal to `accuracy_K` for method "paper", which has none."""
    hi_K: tuple[float, ...]
    made_K: tuple[Made, ...]
    """MEASURED where K <= N samples were used directly, EXTRAPOLATED where the fitted curve was read."""
    status: FitStatus
    method: str
    expected_samples_K: tuple[float, ...] = ()
    """Expected samples per query where they are drawn one after another until the answer is settled: at the first
    right one where a checker exists, when the lead cannot be lost in a vote. Empty: always all K."""
    until_right: bool = False
    """Whether samples are drawn until one is right, as of Pass@K: a better model then needs fewer of them."""
    paired_error_K: tuple[float, ...] = ()
    """Standard error, over the choice of problems, of `accuracy_K` minus the same checkpoint's one-sample accuracy.
    Empty for method "paper"."""
    reward_flops: float = 0.0
    """FLOPs of a reward model per sample, where the strategy needs one."""
    flops_K: tuple[float, ...] = ()
    """FLOPs per query, reward model included, from the lengths of the samples behind each K, drawn in turn where
    `expected_samples_K` says so; empty where no lengths were recorded, or nobody said what a token costs."""
    monte_carlo_error_K: tuple[float, ...] = ()
    """Standard error of `accuracy_K` where only some of the subsets of the samples were drawn; part of `lo_K` to
    `hi_K`. 0 where all were counted. Empty: nothing was resampled."""
    parameters: tuple[float, ...] = ()
    """Method "paper": (L, k, x0) of L / (1 + exp(-k (K - x0))). Method "calibrated": posterior means of (log alpha,
    log beta) of the Beta law of the problems' solve rates; told in strata of problems by their earlier answers, of each
    stratum, hardest first, the number of problems, their mean solve rate, and how probable a Beta law is in it."""

    def __post_init__(self) -> None:
        k_values = check.increasing("k_values", self.k_values)
        for name in (*_EVERY_K, *_SOME_K):
            given = len(getattr(self, name))
            if given != len(k_values) and (given or name in _EVERY_K):
                raise argument_error(name, f"have one value for each of the {len(k_values)} k_values", given)
        for name in _EVERY_K[:3]:
            check.numbers(name, getattr(self, name), "hold shares from 0 to 1", -ROUNDING, 1 + ROUNDING)
        for name in _SOME_K:
            check.numbers(name, getattr(self, name), "hold finite numbers of at least 0")
        for accuracy, lo, hi in zip(self.accuracy_K, self.lo_K, self.hi_K, strict=True):
            if not lo <= accuracy <= hi:
                check_within("accuracy_K", accuracy, lo, hi)
        for k, samples in zip(k_values, self.expected_samples_K, strict=False):  # it may be empty
            if samples > k * (1 + ROUNDING):
                raise argument_error(f"expected_samples_K at K = {k}", "be at most K", samples)
        if not {Made}.issuperset(map(type, self.made_K)):
            raise argument_error("made_K", "hold values of Made", list(self.made_K))
        check.finite("reward_flops", self.reward_flops)

    @property
    def some_places(self) -> tuple[int, ...]:
        """Places of the K that are powers of two, and of the last: enough to show the curve by."""
        last = len(self.k_values) - 1
        return tuple(place for place, k in enumerate(self.k_values) if k & (k - 1) == 0 or place == last)


_EVERY_K = ("accuracy_K", "lo_K", "hi_K", "made_K")
_SOME_K = ("expected_samples_K", "paired_error_K", "flops_K", "monte_carlo_error_K")
"""Fields of a `KCurve` that have a value for each K, always or where they are not empty."""
