"""What strategies are computed from: counts and pool of a checkpoint's samples, as arrays, whatever their source."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from breakeven.cost.samples import SampleCosts
from breakeven.errors import CheckFailedError, argument_error
from breakeven.records import CHECK_FAILED, LearningPoint, Observation, QueryFlops, SampleBank, SoftVote
from breakeven.ttc.pool import Pool, pool_of
from breakeven.ttc.poststrata import shift_to_all
from breakeven.ttc.strategies.pass_at_k import check_counts

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Samples of P problems, counted. A problem may have been given no sample at all, or only the greedy one."""

    correct_P: Counts
    """Right samples per problem."""
    samples_P: Counts
    """Samples drawn per problem, 0 or more."""
    greedy_P: npt.NDArray[np.bool_] | None = None
    """Whether the greedy sample is right; None where none was drawn."""
    oracle: bool = False
    """True if grading used gold answers, which serving does not have."""
    pool: Pool | None = None
    """Which samples of the sampled problems agree and how they were scored, where answers are selected by either."""
    costs: SampleCosts | None = None
    """What a sample costs on each problem; None where no lengths are known."""
    asked: npt.NDArray[np.bool_] | None = None
    """Which of the problems asked are these, where some were left out; None: all."""
    earlier_right_P: Counts | None = None
    """Right answers to each problem at all earlier checkpoints of the run; None where it is not known, or not used."""
    earlier_answers_P: Counts | None = None
    """How many there were."""
    soft_votes: tuple[SoftVote, ...] = ()
    """Of a classifier's passes."""

    def __post_init__(self) -> None:
        drawn = self.samples_P > 0
        if drawn.any():
            check_counts(self.correct_P[drawn], self.samples_P[drawn])
        elif self.greedy_P is None:
            raise argument_error("samples_P", "hold at least one sample, or greedy_P be given", "neither")

    @classmethod
    def of_accuracy(cls, accuracy: float, num_problems: int) -> Self:
        """Of so many greedy answers that share of which is right, where nobody said which; to the next whole number.

        >>> Tally.of_accuracy(0.5, 4).greedy_P.tolist()
        [True, True, False, False]
        """
        nothing = np.zeros(num_problems, dtype=np.int64)
        greedy_P = np.arange(num_problems) < round(accuracy * num_problems)
        return cls(correct_P=nothing, samples_P=nothing, greedy_P=greedy_P)

    @property
    def num_problems(self) -> int:
        """P."""
        return len(self.samples_P)

    @property
    def answers(self) -> tuple[Counts, Counts]:
        """Right answers and all answers, greedy and sampled, to each problem asked; 0 to those left out."""
        counts = np.array([self.correct_P, self.samples_P])
        if self.greedy_P is not None:
            counts += [self.greedy_P, np.ones_like(self.greedy_P)]
        if self.asked is not None:
            of_these, counts = counts, np.zeros((2, len(self.asked)), dtype=np.int64)
            counts[:, self.asked] = of_these
        right_P, answers_P = counts
        return right_P, answers_P

    def after(self, right_P: Sequence[int] | Counts, answers_P: Sequence[int] | Counts) -> Self:
        """The tally with the `answers` of all earlier checkpoints; as it is where they are of other problems."""
        if len(answers_P) != (self.num_problems if self.asked is None else len(self.asked)):
            return self
        kept = slice(None) if self.asked is None else self.asked
        right_P, answers_P = np.asarray(right_P)[kept], np.asarray(answers_P)[kept]
        return replace(self, earlier_right_P=right_P, earlier_answers_P=answers_P)

    @property
    def greedy_accuracy(self) -> float | None:
        """Share of problems that the greedy sample solves; None where none was drawn."""
        return None if self.greedy_P is None else float(self.greedy_P.mean())

    @property
    def sampled_accuracy(self) -> float | None:
        """Pass@1: mean over the sampled problems of the share of right samples; None where none was drawn.

        Where only some problems were sampled, carried to the others by their greedy samples: `shift_to_all`.
        """
        drawn = self.samples_P > 0
        if not drawn.any():
            return None
        # Summed as whole numbers where every problem has as many, so that it equals the counted share to the last bit.
        even = self.samples_P[drawn].min() == self.samples_P[drawn].max()
        share = (
            int(self.correct_P.sum()) / int(self.samples_P.sum())
            if even
            else float((self.correct_P[drawn] / self.samples_P[drawn]).mean())
        )
        if self.greedy_P is None or not self.left_out:
            return share
        share_P1 = (self.correct_P[drawn] / self.samples_P[drawn])[:, None]
        return min(1.0, max(0.0, share + float(shift_to_all(share_P1, self.greedy_P[drawn], self.left_out)[0])))

    @property
    def left_out(self) -> float:
        """Greedy accuracy on all problems minus that on the sampled ones: how much harder those left out are."""
        drawn = self.samples_P > 0
        if self.greedy_P is None or drawn.all():
            return 0.0
        return float(self.greedy_P.mean() - self.greedy_P[drawn].mean())

    @property
    def disagreement(self) -> float:
        """Share of problems on which another model of this kind is expected to differ in its one answer.

        Taken as how often a sample and the greedy answer (without one: two samples) differ in being right; from one
        answer a problem, half of what independent answers would give.
        """
        drawn = self.samples_P > 0
        if not drawn.any():
            accuracy = self.greedy_accuracy or 0.0
            return accuracy * (1.0 - accuracy)
        share_P = self.correct_P[drawn] / self.samples_P[drawn]
        if self.greedy_P is not None:
            return float(np.abs(self.greedy_P[drawn] - share_P).mean())
        several = self.samples_P[drawn] > 1
        if not several.any():
            return float(share_P.mean() * (1.0 - share_P.mean()))
        share_P, samples_P = share_P[several], self.samples_P[drawn][several]
        return float((2.0 * share_P * (1.0 - share_P) * samples_P / (samples_P - 1)).mean())


def tally_of(bank: SampleBank, costs: SampleCosts | None = None) -> Tally:
    """The counts and the pool of a bank of samples. Samples whose check failed are left out of the counts.

    A problem whose greedy sample has no verdict is left out with all its samples, so that the two stay comparable.

    Args:
        bank: of a checkpoint.
        costs: of the bank, so that strategies can be priced.

    Raises:
        CheckFailedError: no greedy sample has a verdict.
    """
    asked = None
    if CHECK_FAILED in bank.greedy_correct_P:
        kept = _with_greedy_verdicts(bank)
        asked = np.isin(np.arange(bank.num_problems), kept)
        bank = bank.of(kept)
        costs = None if costs is None else costs.take(np.array(kept))
    return Tally(
        correct_P=np.array(bank.num_correct_P, dtype=np.int64),
        samples_P=np.array(bank.num_graded_P, dtype=np.int64),
        greedy_P=np.array([verdict == "1" for verdict in bank.greedy_correct_P]) if bank.greedy_correct_P else None,
        oracle=bank.oracle,
        pool=pool_of(bank),
        costs=costs,
        asked=asked,
        soft_votes=bank.soft_votes or (),
    )


def _with_greedy_verdicts(bank: SampleBank) -> list[int]:
    kept = [problem for problem, verdict in enumerate(bank.greedy_correct_P) if verdict != CHECK_FAILED]
    if not kept:
        raise CheckFailedError(
            f"the checker failed on all {bank.num_problems} greedy samples, so that nothing can be said of this model. "
            "Mend the checker, or raise its time limit."
        )
    return kept


def learning_point(observation: Observation, tally: Tally | None = None) -> LearningPoint:
    """What later decisions need of an observation."""
    bank, loss = observation.bank, observation.validation_loss
    greedy = bank.greedy_output_tokens / bank.num_problems
    return point_of(
        tally or tally_of(bank),
        step=observation.step,
        train_flops=observation.train_flops,
        evaluation_flops=observation.evaluation_flops,
        query_flops=observation.query_flops,
        output_tokens=bank.output_tokens / bank.num_drawn if bank.num_drawn else greedy,
        reward_flops=observation.reward_flops,
        validation_loss=None if loss is None else loss.mean,
        loss_flops=0.0 if loss is None else loss.flops,
        train_seconds=observation.train_seconds,
        evaluation_seconds=observation.evaluation_seconds,
    )


def point_of(
    tally: Tally,
    *,
    step: int,
    train_flops: float,
    evaluation_flops: float | None,
    query_flops: QueryFlops | None,
    output_tokens: float | None = None,
    reward_flops: float = 0.0,
    validation_loss: float | None = None,
    loss_flops: float = 0.0,
    train_seconds: float | None = None,
    evaluation_seconds: float | None = None,
) -> LearningPoint:
    """The learning point of a tally with its costs."""
    right_P, answers_P = tally.answers
    return LearningPoint(
        step=step,
        train_flops=train_flops,
        evaluation_flops=evaluation_flops,
        query_flops=query_flops,
        output_tokens=output_tokens,
        num_problems=tally.num_problems,
        num_drawn=int(tally.samples_P.sum()),
        greedy_accuracy=tally.greedy_accuracy,
        sampled_accuracy=tally.sampled_accuracy,
        disagreement=tally.disagreement,
        reward_flops=reward_flops,
        validation_loss=validation_loss,
        loss_flops=loss_flops,
        train_seconds=train_seconds,
        evaluation_seconds=evaluation_seconds,
        right_P=right_P,
        answers_P=answers_P,
    )
