"""One decision step, whoever takes it: look at a checkpoint, draw what the policy wants, search, decide.

A live run, a simulated or recorded one, a replay and somebody's evaluations differ in their `Source` alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from breakeven.cost.evaluation import BankPrice
from breakeven.cost.samples import SampleCosts
from breakeven.cost.tokens import ModelCost
from breakeven.records import Decision, KCurve, LearningPoint, Observation, SearchOutcome
from breakeven.session.timing import wall_of
from breakeven.stopping.course import Course, Needs, Seen
from breakeven.ttc.evaluate import evaluate, search_curves
from breakeven.ttc.strategies.named import strategy_of
from breakeven.ttc.tally import Tally, learning_point, tally_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A checkpoint as far as it was sampled and searched."""

    tally: Tally
    point: LearningPoint
    searches: tuple[SearchOutcome, ...] = ()


class Source(Protocol):
    """Where the samples of one checkpoint come from."""

    def measured(self) -> Measured:
        """All until now; greedy samples at least."""
        ...

    def draw(self, num_problems: int, num_samples: int) -> None:
        """Have `num_samples` of each of the first `num_problems`."""
        ...

    def search(self) -> bool:
        """Run the strategies that search, if there are any and they can be paid for; whether it did."""
        ...


def take_step(
    course: Course, source: Source, *, at_once: tuple[int, int] | None = None
) -> tuple[Course, Seen, Decision]:
    """The decision at the checkpoint of `source`; what it rests on; and the course with that checkpoint.

    `at_once`: (problems, samples for each) to draw whatever the policy wants.
    """
    if at_once is not None:
        source.draw(*at_once)
        return conclude(course, see(course, source.measured()))
    policy = course.policy
    drawn = (0, 0)
    wanted = policy.wants(course, None, drawn)
    while True:
        if wanted is not None:
            source.draw(*wanted)
            drawn = wanted
        seen = see(course, source.measured())
        wanted = policy.wants(course, seen, drawn)
        if wanted is None:
            break
    if policy.trusts(course, seen) and source.search():
        seen = see(course, source.measured())
    return conclude(course, seen)


def conclude(course: Course, seen: Seen) -> tuple[Course, Seen, Decision]:
    """The decision on what was seen, without drawing more: where all there is was recorded."""
    decision = course.policy.decide(course, seen)
    if course.spec.is_timed:
        decision = replace(decision, wall=wall_of(course, seen.point))
    return course.then(seen.point, decision), seen, decision


def see(course: Course, measured: Measured) -> Seen:
    """A checkpoint with the K-curves and the projection that the course's policy rests on."""
    return course.see(measured.point, curves_at(course, measured))


def curves_at(course: Course, measured: Measured) -> tuple[KCurve, ...]:
    """The K-curves of a checkpoint that follows on a course."""
    needs = course.policy.needs
    tally = measured.tally.after(course.right_P, course.answers_P) if needs.strata else measured.tally
    return curves_of(
        tally,
        needs,
        reward_flops=measured.point.reward_flops,
        searches=measured.searches,
        shared_prefill=course.spec.shared_prefill,
    )


def measured_of(observation: Observation, price: BankPrice | None = None) -> Measured:
    """What an observation holds, with the `price` of its bank where that was just computed."""
    if price is not None:
        costs = price.costs
    elif observation.model_cost is not None:
        cost = ModelCost(**observation.model_cost)  # type: ignore[arg-type]
        costs = SampleCosts.of(observation.bank, cost, observation.reward_flops)
    else:
        costs = None
    tally = tally_of(observation.bank, costs)
    return Measured(tally=tally, point=learning_point(observation, tally), searches=observation.searches)


def curves_of(
    tally: Tally,
    needs: Needs,
    *,
    reward_flops: float = 0.0,
    searches: Sequence[SearchOutcome] = (),
    shared_prefill: bool = True,
) -> tuple[KCurve, ...]:
    """The K-curves of a checkpoint that a policy needs.

    Args:
        tally: of the checkpoint's samples, and where known, of those of earlier checkpoints (`Tally.after`).
        needs: which, and by what method.
        reward_flops: of a reward model per sample, charged to the strategies that choose by reward.
        searches: what strategies that search made of the checkpoint.
        shared_prefill: whether the samples of a query share one prefill of its prompt.
    """
    if needs.method == "paper":
        return evaluate(tally, max_k=needs.max_k, method="paper", fit_k_values=needs.fit_k_values)
    pool = evaluate(tally, max_k=needs.max_k, strategies=needs.strategies, shared_prefill=shared_prefill)
    priced = [
        replace(curve, reward_flops=reward_flops) if strategy_of(curve.strategy).price == "rewards" else curve
        for curve in pool
    ]
    return (*priced, *search_curves(searches, tally))


def search_price(last: Observation | None) -> float | None:
    """FLOPs that searching all problems took at the last checkpoint where it was done; None where it never was."""
    if last is None:
        return None
    priced = {(strategy_of(each.strategy).search, each.k): each.query_flops for each in last.searches}
    return math.fsum(priced.values()) * last.bank.num_problems


def too_dear(course: Course, place: int, train_flops: float) -> bool:
    """Whether the least evaluation, with samples as long as the last ones, exceeds the policy's share.

    A function of the checkpoints before, so that a resumed run leaves out the same evaluations. The first one is always
    made.

    Args:
        course: of all checkpoints recorded.
        place: how many of them come before.
        train_flops: until now.
    """
    if not place:
        return False
    last = course.points[-1]
    if last.query_flops is None:
        return False
    if place < len(course.points):
        course = replace(course, points=course.points[:place])
    least = last.num_problems * last.query_flops.total(1) + last.loss_flops
    if (first := course.policy.wants(course, None, (0, 0))) is not None:
        least += first[0] * last.query_flops.total(first[1])
    return not course.affords(train_flops, least)
