"""One checkpoint as measured, and what later decisions need of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.errors import argument_error
from breakeven.records.costs import QueryFlops
from breakeven.records.curves import ROUNDING, computed_share
from breakeven.records.losses import ValidationLoss
from breakeven.records.samples import SampleBank

Counts: TypeAlias = Sequence[int] | npt.NDArray[np.int64]
_TIMES = ("train_seconds", "evaluation_seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOutcome:
    """What one search strategy made of the validation problems at one checkpoint."""

    strategy: str
    """Search and rule of choice, such as "dvts/weighted_vote"."""
    k: int
    """Candidates a problem."""
    accuracy_P: tuple[float, ...]
    """Chance that the chosen answer is right, ties split evenly, one a problem."""
    query_flops: float
    """FLOPs per query, policy and reward model, on average."""

    def __post_init__(self) -> None:
        check.whole("k", self.k, 1)
        check.numbers("accuracy_P", self.accuracy_P, "hold shares from 0 to 1", -ROUNDING, 1 + ROUNDING)
        check.finite("query_flops", self.query_flops)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything measured at one checkpoint; the only input of a decision."""

    step: int
    train_tokens: int
    train_flops: float
    """C_t: training FLOPs up to this step, `rollout_flops` included."""
    evaluation_flops: float
    """FLOPs of this evaluation alone."""
    query_flops: QueryFlops
    """Cost of one served query at the token counts measured here."""
    reward_flops: float = 0.0
    """FLOPs of a reward model per sample, where one scores them."""
    model_cost: dict[str, float] | None = None
    """What a token costs on the model, as of `breakeven.ModelCost`, by which strategies are priced from the lengths in
    `bank`; None in older logs, where the mean costs above stand for all."""
    loss: float | None
    """Training loss at this step, for display only."""
    bank: SampleBank
    searches: tuple[SearchOutcome, ...] = ()
    """Of strategies that search; empty where none was named, or it was too early for them."""
    validation_loss: ValidationLoss | None = None
    """None where the sampler cannot tell it, where no solution is known, and in older logs."""
    average: SampleBank | None = None
    """The same problems and seeds with averaged weights in place of the raw ones, which `bank` is of; its FLOPs are in
    `evaluation_flops`. None where no average is kept; then it is not written."""
    rollout_flops: float | None = None
    """Of `train_flops`, those of samples that the run drew to be trained on, and of reference models; None where there
    were none; then it is not written."""
    shown: dict[str, float] = field(default_factory=dict)
    """What the loop said of this step, for display only: learning_rate; and seconds, of a bank measured elsewhere."""
    train_seconds: float | None = None
    """Wall time of training up to this step, evaluations left out; None where the spec asks for none."""
    evaluation_seconds: float | None = None
    """Wall time of this evaluation, up to the decision; None likewise, or where nobody said."""

    def __post_init__(self) -> None:
        check.each_field(self, check.whole, "step", "train_tokens")
        check.each_field(self, check.finite, *_TIMES, "rollout_flops", unknown=True)
        check.each_field(self, check.finite, "train_flops", "evaluation_flops", "reward_flops")
        for name, value in self.shown.items():
            check.finite(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningPoint:
    """What decisions need of a checkpoint besides its K-curves: numbers only, whatever they were measured with."""

    step: int
    train_flops: float
    evaluation_flops: float | None
    """None where nobody said what a token costs."""
    query_flops: QueryFlops | None
    """None likewise."""
    output_tokens: float | None
    """Mean length of one sample; None if unknown."""
    num_problems: int
    num_drawn: int
    """Samples behind `sampled_accuracy`, over all problems."""
    greedy_accuracy: float | None
    """None where no greedy sample was drawn."""
    sampled_accuracy: float | None
    """Pass@1; None where nothing but greedy samples were drawn."""
    disagreement: float
    """Share of problems on which this model and a somewhat better one are expected to differ in their one answer."""
    reward_flops: float = 0.0
    """FLOPs of a reward model per sample, where one scores them."""
    validation_loss: float | None = None
    """Its mean, in nats a token; None where it was not measured."""
    loss_flops: float = 0.0
    """FLOPs of measuring it; `evaluation_flops` contains them."""
    right_P: Counts = field(default=(), compare=False)
    """Right answers to each problem, greedy and sampled; empty where only the accuracies above are known."""
    answers_P: Counts = field(default=(), compare=False)
    """How many there were, those whose check failed left out; empty likewise."""
    train_seconds: float | None = None
    """As of `Observation`."""
    evaluation_seconds: float | None = None
    """Likewise."""

    def __post_init__(self) -> None:
        check.each_field(self, check.whole, "step", "num_problems", "num_drawn")
        check.each_field(self, check.finite, "train_flops", "reward_flops", "loss_flops")
        check.each_field(
            self, check.finite, "evaluation_flops", "output_tokens", "validation_loss", *_TIMES, unknown=True
        )
        check.each_field(self, computed_share, "greedy_accuracy", "sampled_accuracy", unknown=True)
        computed_share("disagreement", self.disagreement)
        if len(self.right_P) != len(self.answers_P):
            rule = f"hold one count for each of the {len(self.answers_P)} of answers_P"
            raise argument_error("right_P", rule, len(self.right_P), "Leave both out if unknown.")
