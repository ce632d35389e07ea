"""Stop when a serving point reaches the fully trained model with the certainty asked for, at the least lifetime cost.

Policy "calibrated". Every source of doubt enters the probability: the projection, the draws, the choice of problems.
How they are combined and where the defaults come from: docs/design/calibrated-policy.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from breakeven.choice.choose import best, cheapest
from breakeven.errors import argument_error
from breakeven.names import strategy_name
from breakeven.records import Action, Decision, FitStatus, Forecast, KCurve, Outlook, Reason, ServingPoint
from breakeven.stopping.candidates import Candidate, candidates, deployable
from breakeven.stopping.course import Course, Needs, Seen, largest_k
from breakeven.stopping.density import quantile
from breakeven.stopping.history import NO_FORECAST, baseline_accuracy
from breakeven.stopping.lifetime import later_flops
from breakeven.stopping.spending import LADDER, next_rung, rung_flops

_WHOLE_MARGIN = 0.1
"""Projected accuracy below which the margin is smaller in proportion: a point is much where little is reached."""
_FEWEST = LADDER[0][1]
"""Samples of every problem that no checkpoint goes without where the learning curve itself is of samples."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedPolicy:
    """Stop at the first checkpoint with a serving point that suffices, unless a later one is cheaper over the life.

    Stop and K are two decisions. Where some K suffices, the run may stop; which K is served is chosen apart
    (`certainty`), since it can be raised at any time, and training only be gone on with at its price.

    Args:
        risk: share of runs in which the stopped model may turn out below the fully trained one minus `margin`.
        margin: accuracy that may be lost, 0.01 is one point; where less than 0.1 is projected, in proportion less.
        certainty: probability with which the K that is served suffices, where no workload makes K dear.
        max_k: largest K considered.
        min_used: share of the budget before which no projection is trusted, 0.14 is a seventh.
        max_evaluation_share: evaluations may cost at most this share of the training FLOPs so far; beyond it,
            problems are sampled no further, and an evaluation that is due is left out.
        strategies: what may be served, such as "majority_vote"; empty: every strategy that is measured and can
            be served (`RunSpec.checker`).
        strata: whether Pass@K beyond the samples drawn is told in strata of problems that were solved about as often at
            earlier checkpoints; False, as in earlier versions: from this checkpoint's samples alone.
    """

    name: Literal["calibrated"] = "calibrated"
    risk: float = 0.1
    margin: float = 0.01
    max_k: int = 64
    certainty: float = 0.97
    min_used: float = 0.0
    max_evaluation_share: float = 0.05
    strategies: tuple[str, ...] = ()
    strata: bool = True

    def __post_init__(self) -> None:
        if not 0.0 < self.risk < 1.0:
            raise argument_error("risk", "be above 0 and below 1", self.risk, "0.1 allows one bad stop in ten runs.")
        if not 0.0 <= self.margin < 1.0:
            raise argument_error("margin", "be a share from 0 up to 1", self.margin, "0.01 is one point of accuracy.")
        largest_k(self.max_k)
        if not 0.0 <= self.certainty <= 1.0:
            raise argument_error("certainty", "be a share from 0 to 1", self.certainty, "Divide percentages by 100.")
        if not 0.0 <= self.min_used < 1.0:
            raise argument_error("min_used", "be a share from 0 up to 1", self.min_used, "Divide percentages by 100.")
        if not self.max_evaluation_share > 0.0:
            raise argument_error("max_evaluation_share", "be above 0", self.max_evaluation_share)
        object.__setattr__(self, "strategies", tuple(map(strategy_name, self.strategies)))

    @property
    def needs(self) -> Needs:
        """Curves and projection of method "calibrated"."""
        strategies = ("greedy", *self.strategies) if self.strategies else None
        return Needs(max_k=self.max_k, strategies=strategies, strata=self.strata)

    def check(self, num_samples: int) -> None:
        """Nothing: it decides on any number of samples, and draws them as it needs them."""

    def wants(self, course: Course, seen: Seen | None, drawn: tuple[int, int]) -> tuple[int, int] | None:
        """More while no serving point suffices but one would if its accuracy, as estimated, were known exactly.

        As far as the evaluations, these included, stay within the share of the training FLOPs. Where the learning curve
        itself is of samples, no checkpoint goes without some.

        Source:
            Ours, docs/design/calibrated-policy.md.
        """
        if seen is None:
            return None if course.spec.baseline == "greedy" else (course.num_problems, min(_FEWEST, course.num_samples))
        rung = next_rung(course.num_problems, course.num_samples, drawn)
        if rung is None or not self.trusts(course, seen):
            return None
        now = seen.point
        if not course.affords(now.train_flops, (now.evaluation_flops or 0.0) + rung_flops(now, drawn, rung)):
            return None
        options = self._candidates(course, seen, deployable(seen.curves, self.strategies, course.spec.checker))
        if any(each.confidence >= 1.0 - self.risk for each in options):
            return None
        could = any(each.exact_confidence >= 1.0 - self.risk for each in options)
        return rung if could or drawn == (0, 0) else None

    def trusts(self, course: Course, seen: Seen) -> bool:
        """Whether the curve can be projected, and enough of the budget is used for that, but not all."""
        return (
            not self._too_early(course, seen)
            and seen.forecast.status is FitStatus.FITTED
            and not course.spec.is_spent(seen.point.train_flops)
        )

    def decide(self, course: Course, seen: Seen) -> Decision:
        """Stop where the cheapest sufficient serving point is worth it now.

        Source:
            Ours, docs/design/calibrated-policy.md.
        """
        curves = deployable(seen.curves, self.strategies, course.spec.checker)
        decision = replace(course.undecided(seen, curves or seen.curves), margin=self._margin(seen))
        if course.spec.is_spent(seen.point.train_flops):
            return replace(decision, reason=Reason.BUDGET_SPENT)
        if seen.forecast.status is not FitStatus.FITTED:
            return replace(decision, reason=NO_FORECAST[seen.forecast.status])
        if self._too_early(course, seen):
            return replace(decision, reason=Reason.TOO_EARLY)
        options = self._candidates(course, seen, curves)
        surest = max(options, key=lambda each: each.confidence, default=None)
        decision = replace(decision, outlook=self._outlook(surest, course, seen))
        chosen = self._served([each for each in options if each.confidence >= 1.0 - self.risk], course, seen)
        if chosen is None:
            reason = Reason.OUT_OF_REACH if surest is None or surest.confidence < 0.5 else Reason.UNSURE
            if surest is not None:
                decision = replace(decision, confidence=surest.confidence, k_curve=surest.curve)
            return replace(decision, reason=reason)

        decision = replace(
            decision,
            streak=1,
            confidence=chosen.confidence,
            k_curve=chosen.curve,
            serving=ServingPoint.on(
                chosen.curve,
                chosen.index,
                step=seen.point.step,
                flops_per_query=chosen.flops,
                expected_samples=chosen.expected_samples,
            ),
        )
        decision = course.priced(decision, seen, chosen.flops)
        reason = self._timing(decision, course, seen, chosen)
        return replace(decision, reason=reason, action=Action.STOP if reason is Reason.REACHED else Action.CONTINUE)

    def _candidates(self, course: Course, seen: Seen, curves: Sequence[KCurve]) -> list[Candidate]:
        options = candidates(
            seen.point, curves, seen.forecast, course.spec, margin=self._margin(seen), max_k=self.max_k
        )
        return [each for each in options if each.accuracy >= course.spec.min_accuracy]

    def _outlook(self, surest: Candidate | None, course: Course, seen: Seen) -> Outlook:
        """What it would take for another decision, `surest` being the likeliest to suffice of what is offered."""
        enough = _at_level(seen.forecast, 1.0 - self.risk) - self._margin(seen)
        outlook = Outlook(
            enough=min(1.0, max(enough, course.spec.min_accuracy, 0.0)),
            k=None if surest is None else surest.k,
            exact_confidence=None if surest is None else surest.exact_confidence,
        )
        if course.spec.checker or self.strategies:
            return outlook
        oracles = [each for each in seen.curves if not each.deployable]
        checked = self._candidates(course, seen, [replace(each, deployable=True) for each in oracles])
        if not checked:
            return outlook
        least = cheapest(checked, reaches=lambda each: each.confidence >= 1.0 - self.risk, price=lambda each: each.k)
        least = least or max(checked, key=lambda each: each.confidence)
        return replace(outlook, checker_k=least.k, checker_confidence=least.confidence)

    def _margin(self, seen: Seen) -> float:
        """The accuracy that may be lost of what is projected here."""
        if seen.forecast.status is not FitStatus.FITTED:
            return self.margin
        return self.margin * min(1.0, seen.forecast.mean / _WHOLE_MARGIN)

    def _served(self, sufficient: list[Candidate], course: Course, seen: Seen) -> Candidate | None:
        """Which of the sufficient serving points is served: K can be raised in a second, training only be paid for.

        None where there is none.

        Without a declared workload the cheapest that is sure by `certainty`, or else the surest. With one, the least
        expected cost: of the queries, and where it turns out not to suffice, of the rest of the training.
        """
        rest = course.spec.budget_flops - seen.point.train_flops
        queries = course.spec.queries
        if queries is None or any(each.flops is None for each in sufficient):
            sure = cheapest(
                sufficient,
                reaches=lambda each: each.confidence >= self.certainty,
                price=lambda each: (each.price, each.k),
            )
            return sure or best(sufficient, price=lambda each: each.price, value=lambda each: each.confidence)
        return cheapest(sufficient, price=lambda each: (queries * each.price + (1.0 - each.confidence) * rest, each.k))

    def _too_early(self, course: Course, seen: Seen) -> bool:
        """Whether less of the budget is used than a projection may rest on."""
        return seen.point.train_flops < self.min_used * course.spec.budget_flops * (1.0 - 1e-9)

    def _timing(self, decision: Decision, course: Course, seen: Seen, chosen: Candidate) -> Reason:
        """Whether now is the time, given that `chosen` suffices."""
        spec = course.spec
        if decision.net_saving is not None and decision.net_saving <= 0.0:
            return Reason.TOO_COSTLY
        lifetimes = decision.lifetime_flops, decision.full_lifetime_flops
        if chosen.flops is None or spec.queries is None or lifetimes[0] is None or lifetimes[1] is None:
            return Reason.REACHED
        if lifetimes[0] >= lifetimes[1]:
            return Reason.TOO_COSTLY
        later = later_flops(
            seen.point,
            deployable(seen.curves, self.strategies, spec.checker),
            spec,
            queries=spec.queries,
            now_accuracy=baseline_accuracy(seen.point, spec.baseline),
            full_accuracy=seen.forecast.mean,
            slack=_at_level(seen.forecast, 1.0 - self.risk) - seen.forecast.mean - self._margin(seen),
            max_k=self.max_k,
        )
        return Reason.CHEAPER_LATER if later < spec.queries * chosen.flops else Reason.REACHED


def _at_level(forecast: Forecast, level: float) -> float:
    """The accuracy below which the fully trained model ends with probability `level`."""
    return quantile(np.array(forecast.cdf), level) if forecast.cdf else forecast.mean
