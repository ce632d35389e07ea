"""Algorithm 1 of arXiv 2601.01332 as a pure function of what was recorded: policy "paper"."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from breakeven.choice.choose import cheapest
from breakeven.errors import argument_error
from breakeven.records import (
    Action,
    Decision,
    FitStatus,
    KCurve,
    Reason,
    RunSpec,
    ServingPoint,
)
from breakeven.stopping.candidates import deployable
from breakeven.stopping.course import Course, Needs, Seen, largest_k
from breakeven.stopping.history import NO_FORECAST
from breakeven.stopping.lifetime import query_price


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPolicy:
    """Algorithm 1 without its patience, which is `Patience(PaperPolicy(), 5)`.

    Args:
        max_k: largest K considered.
        k_values: sample counts at which Pass@K is measured and the sigmoid fitted.
        fluctuation_filter: whether step 1 drops the points below the last kept one.
    """

    name: Literal["paper"] = "paper"
    max_k: int = 64
    k_values: tuple[int, ...] = (1, 2, 4)
    fluctuation_filter: bool = True

    def __post_init__(self) -> None:
        largest_k(self.max_k)
        if not self.k_values:
            raise argument_error("k_values", "hold at least one K", list(self.k_values), "The paper uses [1, 2, 4].")
        if self.k_values[0] < 1 or any(later <= k for k, later in pairwise(self.k_values)):
            raise argument_error("k_values", "be increasing whole numbers from 1 up", list(self.k_values))

    @property
    def max_evaluation_share(self) -> float:
        """Infinite: the paper does not limit it."""
        return math.inf

    @property
    def needs(self) -> Needs:
        """Pass@K by the sigmoid, and the projection of the filtered points."""
        return Needs(
            method="paper",
            max_k=self.max_k,
            fit_k_values=self.k_values,
            fluctuation_filter=self.fluctuation_filter,
        )

    def check(self, num_samples: int) -> None:
        """Nothing, if every K to be measured is at most `num_samples`.

        Raises:
            ArgumentError: one is larger.
        """
        if max(self.k_values) > num_samples:
            raise argument_error(
                "policy.k_values",
                f"be at most the {num_samples} samples drawn per problem",
                list(self.k_values),
                "Draw more samples (num_samples), or drop the larger K.",
            )

    def wants(self, course: Course, seen: Seen | None, drawn: tuple[int, int]) -> tuple[int, int] | None:
        """All samples of all problems at once."""
        return None if seen is not None else (course.num_problems, course.num_samples)

    def trusts(self, course: Course, seen: Seen) -> bool:
        """Never: Algorithm 1 knows one strategy, and nothing more is spent."""
        return False

    def decide(self, course: Course, seen: Seen) -> Decision:
        """The decision of Algorithm 1.

        Source:
            arXiv 2601.01332, Algorithm 1. C_TTC(K) is read as all evaluation FLOPs so far plus one pass over the
            evaluation problems with K samples (docs/design/paper-mode.md).
        """
        now, spec = seen.point, course.spec
        curves = deployable(seen.curves, checker=spec.checker)
        decision = course.undecided(seen, curves or seen.curves)
        if spec.is_spent(now.train_flops):
            return decision
        if seen.forecast.status is not FitStatus.FITTED:
            return replace(decision, reason=NO_FORECAST[seen.forecast.status])
        if not curves:
            return replace(decision, reason=Reason.OUT_OF_REACH)
        reason, curve, serving = _joint_selection(seen, curves, spec, self.max_k)
        decision = replace(decision, reason=reason, k_curve=curve or decision.k_curve, serving=serving)
        if serving is None:
            return decision
        return course.priced(replace(decision, action=Action.STOP, streak=1), seen, serving.flops_per_query)


def _joint_selection(
    seen: Seen, curves: Sequence[KCurve], spec: RunSpec, max_k: int
) -> tuple[Reason, KCurve | None, ServingPoint | None]:
    """The smallest K that reaches the projection at lower cost than full training, or the reason why none does.

    With several curves, the cheapest serving point wins.
    """
    now = seen.point
    goal = max(seen.forecast.mean, spec.min_accuracy)
    sufficient = []
    for curve in curves:
        price_K, _, allowed_K = query_price(now, replace(curve, expected_samples_K=(), flops_K=()), spec)
        for index, k in enumerate(curve.k_values):
            if k <= max_k and curve.accuracy_K[index] >= goal and allowed_K[index]:
                sufficient.append((k if price_K is None else float(price_K[index]), curve, index, price_K is not None))
    chosen = cheapest(sufficient, price=lambda way: way[0])
    if chosen is None:
        unfitted = max(curves, key=lambda each: max(each.accuracy_K)).status is not FitStatus.FITTED
        return (Reason.NO_K_CURVE if unfitted else Reason.OUT_OF_REACH), None, None
    price, curve, index, known = chosen
    serving = ServingPoint.on(curve, index, step=now.step, flops_per_query=price if known else None)
    one_pass = now.num_problems * price if known else 0.0
    if now.train_flops + (seen.evaluation_flops or 0.0) + one_pass >= spec.budget_flops:
        return Reason.TOO_COSTLY, curve, None
    return Reason.REACHED, curve, serving
