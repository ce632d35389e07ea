"""Frozen records that travel between the rooms. No behaviour beyond validation and derived properties.

Array dimensions, used as suffixes everywhere: P problems, N samples drawn per problem, K entries of a list of
sample counts, C checkpoints, G cells of a grid of model parameters, B rows of a batch, T tokens, E embedding,
V vocabulary, H heads.

Unit suffixes: `_flops` (multiply and add count as 2), `_tokens`, `_queries`; `num_` for counts. Accuracies and
shares are in [0, 1].
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from breakeven.errors import argument_error

# -- what is asked and drawn ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One question. `reference` is the gold answer where the checker needs one; no selection rule ever sees it."""

    id: str
    prompt: str
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One generated sample: its text and the tokens it took, end token included."""

    text: str
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """All samples drawn for one problem from one prefill of its prompt."""

    prompt_tokens: int
    completions: tuple[Completion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBank:
    """The graded samples of one checkpoint: P problems x N samples, plus one greedy sample per problem.

    Rows are strings, one character a sample, so that a log line stays readable: `1` right, `0` wrong. Where samples
    were drawn as the decision needed them, rows differ in length, and may be empty.
    """

    correct_PN: tuple[str, ...]
    """Verdicts of the samples drawn at `temperature`, one row a problem."""
    greedy_correct_P: str
    """Verdicts of the greedy (temperature 0) sample of each problem."""
    temperature: float
    seed: int
    prompt_tokens: int
    """Prompt tokens summed over the problems, each prompt counted once."""
    output_tokens: int
    """Output tokens summed over all P x N samples at `temperature`."""
    greedy_output_tokens: int
    """Output tokens summed over the P greedy samples."""
    oracle: bool = False
    """True if grading used gold answers, which serving does not have: Pass@K is then an upper bound."""
    num_prefills: int | None = None
    """Prompts read in all; None: one per problem for the greedy sample and one for the others."""
    answer_PN: tuple[str, ...] = ()
    """Which samples of a problem agree, shaped as `correct_PN`: equal characters are equal answers, `-` is none. Empty
    where answers are not voted on."""

    def __post_init__(self) -> None:
        if not self.correct_PN:
            raise argument_error("correct_PN", "hold at least one row", list(self.correct_PN))
        if self.answer_PN and list(map(len, self.answer_PN)) != list(map(len, self.correct_PN)):
            raise argument_error("answer_PN", "have one character for each sample of correct_PN", "other lengths")
        if "".join(self.correct_PN).strip("01") or self.greedy_correct_P.strip("01"):
            raise argument_error("correct_PN and greedy_correct_P", "hold only the characters 0 and 1", "others")
        if len(self.greedy_correct_P) != len(self.correct_PN):
            raise argument_error(
                "greedy_correct_P",
                f"have one character for each of the {len(self.correct_PN)} problems",
                len(self.greedy_correct_P),
            )

    @property
    def num_problems(self) -> int:
        """P."""
        return len(self.correct_PN)

    @property
    def num_samples(self) -> int:
        """N, the most samples drawn for any problem."""
        return max(map(len, self.correct_PN))

    @property
    def num_drawn(self) -> int:
        """Samples at `temperature`, over all problems: P x N where every problem got as many."""
        return sum(map(len, self.correct_PN))

    @property
    def num_correct_P(self) -> tuple[int, ...]:
        """Correct samples per problem, each in 0..N."""
        return tuple(row.count("1") for row in self.correct_PN)

    @property
    def greedy_accuracy(self) -> float:
        """Share of problems that the greedy sample solves."""
        return self.greedy_correct_P.count("1") / len(self.greedy_correct_P)

    @property
    def sampled_accuracy(self) -> float:
        """Pass@1 at `temperature`: share of correct samples; NaN where none was drawn."""
        return sum(self.num_correct_P) / self.num_drawn if self.num_drawn else math.nan


NORMAL_95 = 1.6448536269514722
"""95 % quantile of the standard normal: a 90 % interval leaves out 5 % on either side."""
NO_ANSWER = "-"
"""In `SampleBank.answer_PN`: the completion holds no answer."""


def answer_label(number: int) -> str:
    """The character of a problem's answer number 0, 1, ...: printable, and never NO_ANSWER.

    >>> answer_label(0), answer_label(78), answer_label(79)
    ('0', '~', '¡')
    """
    return chr(48 + number if number < 79 else 82 + number)


# -- how a number was made --------------------------------------------------------------------------------------------


class Made(StrEnum):
    """How a number came about (invariant 1: every number that anyone reads says so)."""

    MEASURED = "measured"
    FORECAST = "forecast"
    EXTRAPOLATED = "extrapolated"


class FitStatus(StrEnum):
    """Outcome of a fit. Anything but FITTED means: the number beside it is a fallback, do not decide on it."""

    FITTED = "fitted"
    TOO_FEW_POINTS = "too_few_points"
    NO_SIGNAL = "no_signal"
    """Every accuracy is 0, or too low to have a shape."""
    NOT_CONVERGED = "not_converged"
    """The best fit lies outside the family: a curve with no ceiling in sight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Projected one-sample accuracy of the fully trained model."""

    mean: float
    """Point projection; with a status other than FITTED, the highest accuracy seen so far."""
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
    samples_K: tuple[float, ...] = ()
    """Expected samples per query where they are drawn one after another until the answer is settled: at the first
    right one where a checker exists, when the lead cannot be lost in a vote. Empty: always all K."""
    paired_error_K: tuple[float, ...] = ()
    """Standard error, over the choice of problems, of `accuracy_K` minus the same checkpoint's one-sample accuracy.
    Empty for method "paper"."""
    parameters: tuple[float, ...] = ()
    """Method "paper": (L, k, x0) of L / (1 + exp(-k (K - x0))). Method "calibrated": posterior means of (log alpha,
    log beta) of the Beta law of the problems' solve rates."""


# -- costs ------------------------------------------------------------------------------------------------------------

NOT_COUNTED = (
    "embedding look-up, norms, rotary positions, softmax, activations, the loss, the optimizer, choosing a token, "
    "and the checker, which runs no model"
)
"""What no FLOPs figure contains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerShape:
    """Sizes of a decoder-only transformer: all its FLOPs follow from them."""

    num_layers: int
    embedding: int
    num_heads: int
    feed_forward: int
    """Hidden width of the gated (three-matrix) feed-forward."""
    vocab_size: int
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFlops:
    """What one served query costs, split so that any number of samples can be priced."""

    prefill_flops: float
    decode_flops: float
    """One sample's decode after the prefill."""

    def total(self, num_samples: float, *, shared_prefill: bool = True) -> float:
        """FLOPs of a query answered with `num_samples` samples.

        >>> QueryFlops(prefill_flops=10.0, decode_flops=1.0).total(4)
        14.0
        >>> QueryFlops(prefill_flops=10.0, decode_flops=1.0).total(4, shared_prefill=False)
        44.0
        """
        return (1 if shared_prefill else num_samples) * self.prefill_flops + num_samples * self.decode_flops


# -- one checkpoint, from measurement to decision ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
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

    def __post_init__(self) -> None:
        if not (math.isfinite(self.budget_flops) and self.budget_flops > 0):
            raise argument_error("budget_flops", "be finite and above 0", self.budget_flops)
        if self.baseline not in ("greedy", "sampled", "best"):
            raise argument_error("baseline", 'be "greedy", "sampled" or "best"', self.baseline)
        if self.queries is not None and not (math.isfinite(self.queries) and self.queries >= 0):
            raise argument_error("queries", "be finite and at least 0", self.queries, "Leave it out if unknown.")
        if self.decay_share is not None and not 0 <= self.decay_share <= 1:
            raise argument_error(
                "decay_share", "be a share from 0 to 1", self.decay_share, "Leave it out if unknown; 0 is no decay."
            )
        for name in ("max_query_flops", "max_sequential_tokens"):
            cap = getattr(self, name)
            if cap is not None and not cap > 0:
                raise argument_error(name, "be above 0", cap, "Leave it out for no limit.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything measured at one checkpoint; the only input of a decision."""

    step: int
    train_tokens: int
    train_flops: float
    """C_t: training FLOPs up to this step."""
    evaluation_flops: float
    """FLOPs of this evaluation alone."""
    query_flops: QueryFlops
    """Cost of one served query at the token counts measured here."""
    loss: float | None
    """Training loss at this step, for display only."""
    bank: SampleBank


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPoint:
    """What decisions need of a checkpoint besides its K-curves: numbers only, whatever they were measured with."""

    step: int
    train_flops: float
    evaluation_flops: float
    query_flops: QueryFlops
    output_tokens: float
    """Mean length of one sample."""
    num_problems: int
    num_drawn: int
    """Samples behind `sampled_accuracy`, over all problems."""
    greedy_accuracy: float | None
    """None where no greedy sample was drawn."""
    sampled_accuracy: float | None
    """Pass@1; None where nothing but greedy samples were drawn."""
    disagreement: float
    """Share of problems on which this model and a somewhat better one are expected to differ in their one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingPoint:
    """(checkpoint, strategy, K) with its accuracy and its price: the thing one deploys."""

    step: int
    strategy: str
    deployable: bool
    k: int
    accuracy: float
    made: Made
    flops_per_query: float
    """On average: of the expected samples, where serving stops early."""
    samples: float | None = None
    """Expected samples per query; None: always K."""


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
    TOO_FEW_CHECKPOINTS = "too_few_checkpoints"
    """The learning curve has too few points to be projected."""
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
    """One-sample accuracy of this checkpoint under the plan's baseline decoding (measured)."""
    forecast: Forecast | None = None
    k_curve: KCurve | None = None
    serving: ServingPoint | None = None
    """The serving point that suffices at the lowest cost per query at this checkpoint, if any."""
    gross_saving: float | None = None
    """(B - C_t) / B, if one stopped here."""
    net_saving: float | None = None
    """(B - C_t - E) / B with E all evaluation FLOPs so far."""
    evaluation_flops: float = 0.0
    """E: evaluation FLOPs of this and all earlier checkpoints."""
    break_even_queries: float | None = None
    """Served queries until full training would have been cheaper; None with a serving point means never."""
    confidence: float | None = None
    """Probability that the serving point (or, without one, the best candidate) reaches the fully trained model less
    the margin. Policy "calibrated" only."""
    margin: float = 0.0
    """Accuracy that may be lost."""
    lifetime_flops: float | None = None
    """Training, evaluation and the declared queries, if one stopped here; None where no queries were declared."""
    full_lifetime_flops: float | None = None
    """Training to the full budget, which needs no evaluation, and the declared queries with one sample."""

    @property
    def stop(self) -> bool:
        """True if training may stop here."""
        return self.action is Action.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One line of the run log: what was measured and what was decided on it."""

    observation: Observation
    decision: Decision


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
    full_sampled_accuracy: float
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
