"""The decision held against the fully trained model, on test problems that no decision ever saw.

In two halves, since the two models are seldom at hand at once: the serving point of the stop is measured where it was
decided, the fully trained model at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from breakeven.cost.evaluation import price_of
from breakeven.cost.tokens import ModelCost
from breakeven.errors import CheckFailedError, argument_error
from breakeven.records import CHECK_FAILED, CheckpointRecord, Problem, SampleBank, StopTest, Verification
from breakeven.records.protocols import Answers, RewardModel, Sampler, Verifier
from breakeven.sampling.collect import Collector
from breakeven.seeds import verification_seed
from breakeven.session.passes import Passes
from breakeven.session.searching import Search
from breakeven.store import RunLog
from breakeven.ttc.evaluate import accuracy_per_problem
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.strategies.strategy import Need
from breakeven.ttc.tally import tally_of

if TYPE_CHECKING:
    from breakeven.session.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """How both models are tested, and what it costs.

    Args:
        problems: disjoint from training and from the decision's; at least two, for a standard error.
        num_samples: per problem, raised to K where that is larger.
        verifier: grades both.
        temperature: as in the decision.
        seed: of the run; test samples use seeds that no evaluation used.
        answers: as in the decision, where samples are voted on.
        reward_model: as in the decision, where samples are chosen by reward.
        cost: FLOPs per token of the model.
        reward_cost: FLOPs per token of the reward model.
        passes: of a classifier, what these problems were given at the checkpoints.
    """

    problems: Sequence[Problem]
    num_samples: int
    verifier: Verifier
    temperature: float
    seed: int
    cost: ModelCost
    answers: Answers | None = None
    reward_model: RewardModel | None = None
    reward_cost: ModelCost | None = None
    passes: Passes | None = None

    def __post_init__(self) -> None:
        if len(self.problems) < 2:
            raise argument_error("problems", "be at least two, for a standard error", len(self.problems))

    def draw(
        self, sampler: Sampler, number: int, num_samples: int, before: Sequence[int] = ()
    ) -> tuple[SampleBank, float]:
        """The bank of one model, and its FLOPs; `number` tells the models apart, `before` are earlier checkpoints."""
        collector = Collector(
            sampler,
            self.verifier,
            self.problems,
            temperature=self.temperature,
            seed=verification_seed(self.seed, number),
            answers=self.answers,
            reward_model=self.reward_model,
            soft_votes=None if self.passes is None else partial(self.passes.soft_votes, before=before),
        )
        if num_samples:
            collector.draw(len(self.problems), num_samples)
        bank = collector.bank()
        return bank, price_of(bank, self.cost, self.reward_cost).evaluation_flops


def measure_stop(
    stopped: CheckpointRecord,
    sampler: Sampler,
    how: HeldOut,
    *,
    before: Sequence[int] = (),
    search: Search | None = None,
) -> StopTest:
    """The serving point of a decided stop on test problems.

    Args:
        stopped: the checkpoint that was decided to be served, with its K.
        sampler: draws from it.
        how: problems and settings.
        before: steps of the checkpoints before it, whose passes an ensemble averages.
        search: searches with it, where the decision was to serve a strategy that searches.
    """
    serving = stopped.decision.serving
    assert serving is not None, "a decision to stop has a serving point"
    is_ensemble = Need.SNAPSHOTS in strategy_of(serving.strategy).needs  # whose K are no samples
    num_samples = how.num_samples if is_ensemble else max(how.num_samples, serving.k)
    bank, flops = how.draw(sampler, 0, num_samples, before)
    searched_P: tuple[float, ...] = ()
    if search is not None:
        outcomes, searched_flops = search(how.problems, seed=verification_seed(how.seed, 2))
        found = (each for each in outcomes if (each.strategy, each.k) == (serving.strategy, serving.k))
        if (outcome := next(found, None)) is not None:
            searched_P, flops = outcome.accuracy_P, flops + searched_flops
    return StopTest(
        step=stopped.observation.step, num_samples=num_samples, bank=bank, searched_P=searched_P, flops=flops
    )


def compare(stopped: CheckpointRecord, tested: StopTest, full_sampler: Sampler, how: HeldOut) -> Verification:
    """Test accuracy of the serving point against the fully trained model's best single-sample decoding.

    Args:
        stopped: the checkpoint that was decided to be served.
        tested: what `measure_stop` measured of it.
        full_sampler: draws from the fully trained model.
        how: problems and settings, as for `measure_stop`.

    Estimator:
        Both accuracies are unbiased over samples; the difference is paired over problems, its standard error is
        that of the mean per-problem difference. Taking the better of two decodings of the full model favours the
        full model slightly.
    """
    serving = stopped.decision.serving
    assert serving is not None, "a decision to stop has a serving point"
    served = tested.bank
    full, flops = how.draw(full_sampler, 1, 0 if how.passes is not None else tested.num_samples)
    # A problem whose greedy check failed in either bank has no verdict to be paired.
    greedy = list(zip(served.greedy_correct_P, full.greedy_correct_P, strict=True))
    kept = [place for place, pair in enumerate(greedy) if CHECK_FAILED not in pair]
    if len(kept) < 2:
        raise CheckFailedError(
            "the checker failed on all but one of the test problems, so that nothing can be compared."
        )
    served_tally, full_tally = tally_of(served.of(kept)), tally_of(full.of(kept))
    if tested.searched_P:
        served_P = np.array(tested.searched_P)[kept]
    else:
        served_P = accuracy_per_problem(served_tally, serving.strategy, serving.k)
    better = "pass@k" if full.sampled_accuracy > full.greedy_accuracy else "greedy"
    full_P = accuracy_per_problem(full_tally, better, 1)
    known = np.isfinite(served_P) & np.isfinite(full_P)  # NaN: fewer than K samples were graded
    served_P, full_P = served_P[known], full_P[known]
    difference_P = served_P - full_P
    return Verification(
        num_problems=len(difference_P),
        num_samples=tested.num_samples,
        stopped_step=stopped.observation.step,
        k=serving.k,
        stopped_accuracy=float(served_P.mean()),
        stopped_greedy_accuracy=served.greedy_accuracy,
        full_greedy_accuracy=full.greedy_accuracy,
        full_sampled_accuracy=full.sampled_accuracy if full.num_drawn else None,
        difference=float(difference_P.mean()),
        difference_standard_error=float(difference_P.std(ddof=1) / len(difference_P) ** 0.5),
        gross_saving=stopped.decision.gross_saving or 0.0,
        net_saving=stopped.decision.net_saving or 0.0,
        evaluation_share=(stopped.decision.evaluation_flops or 0.0) / stopped.observation.train_flops,
        verification_flops=tested.flops + flops,
    )


class Shadow:
    """Both halves for a session: each measured once, recorded, and read back where a run is gone on with."""

    def __init__(self, how: HeldOut, log: RunLog | None) -> None:
        self._how, self._log = how, log
        self.tested = None if log is None else log.stop_test
        self.verification = None if log is None else log.verification

    def look_ahead(self, step: int, sampler: Sampler) -> None:
        """Where checkpoints are averaged: the plain pass of this one, for a stop at it or at one of the next."""
        passes = self._how.passes
        if passes is not None and passes.snapshots > 1:
            collector = Collector(sampler, self._how.verifier, self._how.problems, temperature=1.0, seed=0)
            collector.bank()
            passes.keep(step, collector.samples)

    def measure(
        self,
        stopped: CheckpointRecord,
        sampler: Sampler,
        *,
        before: Sequence[int] = (),
        search: Search | None = None,
    ) -> StopTest:
        """See `measure_stop`."""
        if self.tested is None or self.tested.step != stopped.observation.step:  # of a stop under an earlier budget
            self.tested = measure_stop(stopped, sampler, self._how, before=before, search=search)
            if self._log is not None:
                self._log.append(self.tested)
        return self.tested

    def verify(self, stopped: CheckpointRecord, full_sampler: Sampler) -> Verification | None:
        """See `compare`; None where the serving point was not measured."""
        if self.tested is None or self.tested.step != stopped.observation.step:
            return None
        if self.verification is None or self.verification.stopped_step != stopped.observation.step:
            self.verification = compare(stopped, self.tested, full_sampler, self._how)
            if self._log is not None:
                self._log.append(self.verification)
        return self.verification


def shadow_of(session: "Session", test_problems: Sequence[Problem], test_samples: int) -> Shadow:
    """Both halves as a session draws and grades.

    Raises:
        ArgumentError: fewer than two problems.
    """
    how = HeldOut(
        problems=tuple(test_problems),
        num_samples=test_samples if session.passes is None else session.num_samples,
        verifier=session.verifier,
        temperature=session.temperature,
        seed=session.seed,
        cost=session.cost,
        answers=session.answers,
        reward_model=session.reward_model,
        reward_cost=session.reward_cost,
        passes=None if session.passes is None else Passes.of(session, test_problems, "test-"),
    )
    return Shadow(how, session.log)
