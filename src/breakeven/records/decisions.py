"""What the user declares, what is decided, and how it held."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records.curves import Forecast, KCurve, Made, computed_share
from breakeven.records.observations import Observation
from breakeven.records.outlook import Outlook
from breakeven.records.wall import WallTime
from breakeven.records.witness import Witness
from breakeven.records.words import two_sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSpec:
    """What the user declares before training."""

    budget_flops: float
    """B: training FLOPs of the full run."""
    baseline: str = "greedy"
    """How the fully trained model would be served with one sample: "greedy", "sampled" (Pass@1, as in the paper), or
    "best", whichever of the two is the more accurate at each checkpoint."""
    shared_prefill: bool = True
    """Whether the K samples of a query share one prefill of its prompt."""
    queries: float | None = None
    """Queries the model will serve in its life; None if unknown."""
    decay_share: float | None = None
    """Share of the budget, at its end, over which the learning rate decays: 0 for a constant one, None if unknown."""
    max_query_flops: float | None = None
    """Most FLOPs one served query may cost on average."""
    max_sequential_tokens: float | None = None
    """Most tokens one served query may decode one after another. Samples drawn at once count as one, but then all K
    are paid for; drawn in turn they can stop early."""
    target: float | None = None
    """Accuracy to be reached, where it is known: an earlier model's, a published one, a requirement. Then nothing is
    projected, and it stands for the fully trained model's. None: the fully trained model's is projected."""
    min_accuracy: float = 0.0
    """Accuracy below which no checkpoint is served, whatever the projection."""
    checker: bool | None = False
    """Whether serving has a checker for cases in which grading needs reference answers; without one, Pass@K by such
    grading is an oracle's, an upper bound that stops nothing. None, in logs of earlier versions: where there are no
    votes the oracle counts."""
    like: tuple[Witness, ...] = ()
    """Earlier runs whose learning curves are taken to be like this one's; they count as far as they foretell it."""
    hours: float | None = None
    """Of training to the full budget, evaluations left out, as declared; None: told from the pace of the run."""
    price_per_hour: float | None = None
    """Money that an hour of all its machines costs."""
    max_evaluation_seconds_share: float | None = None
    """Evaluations may take at most this share of the wall time of training so far; None for no limit. One that is due
    is left out while those before it and one as long as the last of them would take more. The first is always made."""

    def __post_init__(self) -> None:
        check.positive("budget_flops", self.budget_flops)
        check.either("baseline", self.baseline, "greedy", "sampled", "best")
        if self.queries is not None:
            check.finite("queries", self.queries, remedy="Leave it out if unknown.")
        if self.decay_share is not None:
            check.share("decay_share", self.decay_share, "Leave it out if unknown; 0 is no decay.")
        if self.target is not None:
            check.share("target", self.target, "Divide percentages by 100. Leave it out to have it projected.")
        check.share("min_accuracy", self.min_accuracy, "Divide percentages by 100.")
        for each in self.like:
            if not isinstance(each, Witness):
                raise argument_error("like", "hold Witness records", each, "Name runs to a session: Session(like=...).")
            if len(each.curve(self.baseline)) < 2:
                rule = f"hold runs whose {self.baseline} accuracy was measured at two checkpoints at least"
                raise argument_error("like", rule, each.name, "Name another run, or another baseline.")
        for name in ("max_query_flops", "max_sequential_tokens"):
            if getattr(self, name) is not None:
                check.above(name, getattr(self, name), 0, "Leave it out for no limit.")
        for name in ("hours", "price_per_hour", "max_evaluation_seconds_share"):
            if getattr(self, name) is not None:
                check.positive(name, getattr(self, name), "Leave it out if unknown.")

    @property
    def is_timed(self) -> bool:
        """Whether wall times are asked for: only then does a log hold any."""
        return any(each is not None for each in (self.hours, self.price_per_hour, self.max_evaluation_seconds_share))

    def is_spent(self, train_flops: float) -> bool:
        """Whether so much training uses up the budget: to rounding, since FLOPs are sums."""
        return train_flops >= self.budget_flops * (1.0 - 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPoint:
    """(checkpoint, strategy, K) with its accuracy and its price: the thing one deploys."""

    step: int
    strategy: str
    deployable: bool
    k: int
    accuracy: float
    made: Made
    flops_per_query: float | None
    """On average: of the expected samples, where serving stops early. None where nobody said what a token costs."""
    expected_samples: float | None = None
    """Expected samples per query; None: always K."""

    def __post_init__(self) -> None:
        check.whole("step", self.step)
        check.whole("k", self.k, 1)
        computed_share("accuracy", self.accuracy)
        check.each_field(self, check.finite, "flops_per_query", "expected_samples", unknown=True)

    @classmethod
    def on(
        cls,
        curve: KCurve,
        place: int,
        *,
        step: int,
        flops_per_query: float | None = None,
        expected_samples: float | None = None,
        deployable: bool | None = None,
    ) -> Self:
        """The row of a K-curve at one of its K, priced; deployable as the curve is where nothing else is said."""
        return cls(
            step=step,
            strategy=curve.strategy,
            deployable=curve.deployable if deployable is None else deployable,
            k=curve.k_values[place],
            accuracy=curve.accuracy_K[place],
            made=curve.made_K[place],
            flops_per_query=flops_per_query,
            expected_samples=expected_samples,
        )


class Action(StrEnum):
    """What to do now."""

    CONTINUE = "continue"
    STOP = "stop"


class Reason(StrEnum):
    """Why."""

    NOT_DUE = "not_due"
    """No evaluation was due at this step."""
    EVALUATED_ENOUGH = "evaluated_enough"
    """An evaluation was due, but would have cost more than the policy allows for evaluations."""
    EVALUATION_FAILED = "evaluation_failed"
    """The sampler or the verifier raised an exception: nothing was measured."""
    TOO_FEW_CHECKPOINTS = "too_few_checkpoints"
    """The learning curve has too few points to be projected."""
    TOO_FEW_PROBLEMS = "too_few_problems"
    """Fewer problems than a decision may rest on: what is counted on them is mostly chance."""
    TOO_EARLY = "too_early"
    """Less of the budget is used than the policy lets a projection rest on."""
    NO_SIGNAL = "no_signal"
    """Too little was solved yet."""
    NO_PROJECTION = "no_projection"
    """The learning curve shows no ceiling yet, so full training cannot be projected."""
    NO_K_CURVE = "no_k_curve"
    """The K-curve could not be fitted and no measured K reaches the projection."""
    OUT_OF_REACH = "out_of_reach"
    """No K up to the largest allowed reaches the projection."""
    TOO_COSTLY = "too_costly"
    """A K reaches it, but training so far plus its inference costs as much as full training."""
    UNSURE = "unsure"
    """A K is expected to reach it, but not surely enough for the allowed risk."""
    CHEAPER_LATER = "cheaper_later"
    """A K reaches it, but training on a little and serving with fewer samples is expected to cost less in all."""
    WAITING = "waiting"
    """A K suffices, but not yet for `patience` checkpoints in a row."""
    REACHED = "reached"
    """A K sufficed for `patience` checkpoints in a row: stop."""
    BUDGET_SPENT = "budget_spent"
    """The full budget is used: there is nothing left to save."""
    BY_HAND = "by_hand"
    """Somebody asked for a stop from outside: no decision of the policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Continue or stop at one checkpoint, with every number it rests on."""

    action: Action
    reason: Reason
    step: int
    used: float
    """r = C_t / B, the share of the training budget used so far."""
    policy: str
    streak: int = 0
    """Consecutive checkpoints, this one included, at which some K sufficed."""
    baseline: str = "greedy"
    baseline_accuracy: float | None = None
    """One-sample accuracy of this checkpoint under the spec's baseline decoding (measured)."""
    forecast: Forecast | None = None
    k_curve: KCurve | None = None
    serving: ServingPoint | None = None
    """The serving point that suffices at the lowest cost per query at this checkpoint, if any."""
    gross_saving: float | None = None
    """(B - C_t) / B, if one stopped here."""
    net_saving: float | None = None
    """(B - C_t - E) / B with E all evaluation FLOPs so far; None where E is unknown."""
    evaluation_flops: float | None = 0.0
    """E: evaluation FLOPs of this and all earlier checkpoints; None where nobody said what a token costs."""
    break_even_queries: float | None = None
    """Served queries until full training would have been cheaper; None with a priced serving point means never."""
    confidence: float | None = None
    """Probability that the serving point (or, without one, the best candidate) reaches the fully trained model less
    the margin. Policy "calibrated" only."""
    margin: float = 0.0
    """Accuracy that may be lost."""
    lifetime_flops: float | None = None
    """Training, evaluation and the declared queries, if one stopped here; None where no queries were declared."""
    full_lifetime_flops: float | None = None
    """Training to the full budget, which needs no evaluation, and the declared queries with one sample."""
    outlook: Outlook | None = None
    """What would change it; None where it rests on no forecast, and in logs of earlier versions."""
    wall: WallTime | None = None
    """Hours and money; None where the spec asks for none."""
    of_passes: bool | None = field(default=None, compare=False)
    """Whether its samples are passes of a classifier, for words alone; None, and then not written, where they are not,
    and where nobody has said it yet: `CheckpointRecord` tells it from the bank."""

    def __post_init__(self) -> None:
        check.each_field(self, check.whole, "step", "streak")
        check.finite("used", self.used)
        check.share("margin", self.margin)
        check.each_field(self, computed_share, "baseline_accuracy", "confidence", unknown=True)
        check.each_field(self, check.number, "gross_saving", "net_saving", unknown=True)
        sums = ("evaluation_flops", "lifetime_flops", "full_lifetime_flops")
        check.each_field(self, check.finite, *sums, unknown=True)

    @property
    def stop(self) -> bool:
        """True if training may stop here."""
        return self.action is Action.STOP

    def __str__(self) -> str:
        """What to do and why, and what it rests on, in two sentences."""
        return two_sentences(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRecord:
    """One line of the run log: what was measured and what was decided on it."""

    observation: Observation
    decision: Decision

    def __post_init__(self) -> None:
        if self.decision.step != self.observation.step:
            raise argument_error("decision.step", f"be {self.observation.step}, the one observed", self.decision.step)
        if self.observation.bank.soft_votes is not None and not self.decision.of_passes:
            object.__setattr__(self, "decision", replace(self.decision, of_passes=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The decision held against the fully trained model, on test problems that no decision ever saw."""

    num_problems: int
    num_samples: int
    stopped_step: int
    k: int
    stopped_accuracy: float
    """Test accuracy of the serving point (t*, K*)."""
    stopped_greedy_accuracy: float
    full_greedy_accuracy: float
    full_sampled_accuracy: float | None
    """None of a classifier, which is held against one plain pass alone."""
    difference: float
    """`stopped_accuracy` minus the fully trained model's best single-sample accuracy, paired over problems."""
    difference_standard_error: float
    gross_saving: float
    net_saving: float
    """As decided at the stop: evaluation up to the stop charged."""
    evaluation_share: float
    """Evaluation FLOPs up to the stop over training FLOPs up to the stop."""
    verification_flops: float
    """Cost of this check itself; not part of any saving, since a user who stops never runs it."""

    @property
    def full_accuracy(self) -> float:
        """Of the fully trained model's better single-sample decoding."""
        return max(self.full_greedy_accuracy, self.full_sampled_accuracy or 0.0)

    def __post_init__(self) -> None:
        check.each_field(self, check.whole, "num_problems", "num_samples", "stopped_step", "k")
        accuracies = ("stopped_accuracy", "stopped_greedy_accuracy", "full_greedy_accuracy")
        check.each_field(self, computed_share, *accuracies)
        check.each_field(self, computed_share, "full_sampled_accuracy", unknown=True)
        check.each_field(self, check.finite, "difference_standard_error", "evaluation_share", "verification_flops")
        check.each_field(self, check.number, "difference", "gross_saving", "net_saving")
