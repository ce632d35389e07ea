"""What AgentTTS says of stages, measured: large or many, more samples, upstream and downstream; do they factorise?

Every number is a function of the accuracies of all configurations, and is computed anew in each resampling of the
problems, so that what is chosen on the way is chosen anew, too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np

from breakeven.choice.frontier import resampled
from breakeven.plan.pipelining.table import Table
from breakeven.plan.trials.courses import POINT
from breakeven.plan.trials.measured import Floats
from breakeven.records.plans import Finding

_ROUNDING: Final = 1e-9
Statistic: TypeAlias = Callable[[Floats], Floats]
"""From the accuracies of all configurations, shape (..., C), to one number each."""


def less(first: Statistic, second: Statistic) -> Statistic:
    """`first` less `second`, in each resampling."""
    return lambda accuracy_DC: first(accuracy_DC) - second(accuracy_DC)


@dataclass(frozen=True, kw_only=True)
class Insights:
    """A table, and its accuracies in resamplings of the fresh problems."""

    table: Table
    draws: int
    seed: int

    @cached_property
    def _accuracy_DC(self) -> Floats:
        return np.concatenate(list(resampled(self.table.fresh_CP, self.draws, self.seed)))

    def finding(self, text: str, statistic: Statistic) -> Finding:
        """A number with its 90 % interval over problems, where they are known one by one.

        Args:
            text: what it is.
            statistic: of the accuracies.

        Estimator:
            Percentile bootstrap over problems.
        """
        value = float(statistic(self.table.truth_C[None])[0])
        if not self.table.knows_problems:
            return Finding(text=text, value=value, made=self.table.made)
        lo, hi = np.quantile(statistic(self._accuracy_DC), (0.05, 0.95))
        return Finding(text=text, value=value, lo=min(float(lo), value), hi=max(float(hi), value), made=self.table.made)

    # -- accuracies of one or two stages, the others being at their best ------------------------------------------

    def alone(self, stage: int, accuracy_DC: Floats) -> Floats:
        """Of each model and number of samples of one stage, the others as in the best of all, shape (..., M, K)."""
        return self.pair(stage, stage, accuracy_DC)

    def pair(self, first: int, second: int, accuracy_DC: Floats) -> Floats:
        """Of two stages, the others as in the best of all: shape (..., M, K) of one stage, (..., M, K, M, K) of two."""
        shape = self.table.shape
        best = np.unravel_index(int(np.argmax(self.table.truth_C)), shape)
        kept = {axis for stage in (first, second) for axis in (2 * stage, 2 * stage + 1)}
        places = tuple(slice(None) if axis in kept else int(at) for axis, at in enumerate(best))
        found: Floats = accuracy_DC.reshape(*accuracy_DC.shape[:-1], *shape)[(..., *places)]
        return found

    # -- the three insights ---------------------------------------------------------------------------------------

    def many_less_one(self, stage: int) -> Statistic:
        """Insight 1: the best that smaller models reach for at most one sample of the largest, less that sample."""
        own = self.table.stages[stage]
        paid = own.flops_MK[-1][0]
        within = [
            (model, place)
            for model in range(len(own.models) - 1)
            for place, price in enumerate(own.flops_MK[model])
            if price <= paid
        ]

        def gain(accuracy_DC: Floats) -> Floats:
            alone_DMK = self.alone(stage, accuracy_DC)
            many_D: Floats = np.max([alone_DMK[:, model, place] for model, place in within], axis=0)
            return many_D - alone_DMK[:, -1, 0]

        return gain

    def has_rivals(self, stage: int) -> bool:
        """Whether a smaller model of a stage is to be had for one sample of its largest."""
        own = self.table.stages[stage]
        return any(price_K[0] <= own.flops_MK[-1][0] for price_K in own.flops_MK[:-1])

    def rise(self, stage: int, model: int, first: int, last: int) -> Statistic:
        """Insight 2: what more samples of a model gain, from one place among the numbers of samples to another."""

        def gain(accuracy_DC: Floats) -> Floats:
            alone_DMK = self.alone(stage, accuracy_DC)
            gained_D: Floats = alone_DMK[:, model, last] - alone_DMK[:, model, first]
            return gained_D

        return gain

    def _downstream(self, stage: int, accuracy_DC: Floats, *, good: bool) -> Floats:
        """Accuracy by samples of the stage's best model, below a good or a poor stage before it, shape (D, K)."""
        pair = self.pair(stage - 1, stage, accuracy_DC)
        upstream = pair[:, -1, -1] if good else pair[:, 0, 0]
        model = int(np.argmax(self.alone(stage, self.table.truth_C[None])[0].max(axis=1)))
        found: Floats = upstream[:, model]
        return found

    def enough(self, stage: int, *, good: bool) -> Statistic:
        """Insight 3: the fewest samples of a stage that are within a point of its best."""
        samples_K = np.array(self.table.stages[stage].samples, dtype=np.float64)

        def fewest(accuracy_DC: Floats) -> Floats:
            below_DK = self._downstream(stage, accuracy_DC, good=good)
            near_DK = below_DK >= below_DK.max(axis=1, keepdims=True) - POINT - _ROUNDING
            found: Floats = samples_K[near_DK.argmax(axis=1)]
            return found

        return fewest

    def gained(self, stage: int, *, good: bool) -> Statistic:
        """Insight 3: what all samples of a stage gain on one."""

        def gain(accuracy_DC: Floats) -> Floats:
            below_DK = self._downstream(stage, accuracy_DC, good=good)
            gained_D: Floats = below_DK[:, -1] - below_DK[:, 0]
            return gained_D

        return gain

    def unexplained(self, accuracy_DC: Floats) -> Floats:
        """The largest difference between a configuration and what its stages one by one foretell as a product."""
        best_D = accuracy_DC[:, [int(np.argmax(self.table.truth_C))]]
        foretold = best_D.reshape(-1, *[1] * len(self.table.shape))
        for stage in range(len(self.table.stages)):
            alone = self.alone(stage, accuracy_DC)
            shape = [len(alone), *[1] * len(self.table.shape)]
            shape[1 + 2 * stage : 3 + 2 * stage] = alone.shape[1:]
            foretold = foretold * (alone / np.maximum(best_D[:, :, None], _ROUNDING)).reshape(shape)
        found: Floats = np.abs(foretold.reshape(len(accuracy_DC), -1) - accuracy_DC).max(axis=1)
        return found
