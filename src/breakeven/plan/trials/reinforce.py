"""REINFORCE: a distribution over configurations, moved towards those that did better than usual."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.space import Configuration, Key, Space

Floats: TypeAlias = npt.NDArray[np.float64]
_SMALLEST: Final = 1e-6
"""Least spread of the values by which an advantage is divided."""


class Factors:
    """A distribution of independent choices, by the logits of their values; of a boolean it is Bernoulli's."""

    def __init__(self, space: Space) -> None:
        self.space = space
        sizes = [len(each.values) for each in space.choices]
        # Choice by value; minus infinity where a choice has fewer values than another.
        self.logits_CV: Floats = np.where(np.arange(max(sizes)) < np.array(sizes)[:, None], 0.0, -np.inf)

    @property
    def chances_CV(self) -> Floats:
        """Of each value of each choice."""
        weights_CV: Floats = np.exp(self.logits_CV - self.logits_CV.max(axis=1, keepdims=True))
        chances_CV: Floats = weights_CV / weights_CV.sum(axis=1, keepdims=True)
        return chances_CV

    def places(self, configuration: Configuration) -> npt.NDArray[np.intp]:
        """Where its values stand among those of each choice, shape (C,)."""
        return np.array([each.values.index(configuration[each.name]) for each in self.space.choices])

    def draw(self, random: np.random.Generator) -> Configuration:
        """One configuration; it may be over the budget."""
        sums_CV = self.chances_CV.cumsum(axis=1)
        places_C = (sums_CV <= random.random((len(sums_CV), 1)) * sums_CV[:, -1:]).sum(axis=1)
        return {
            each.name: each.values[place] for each, place in zip(self.space.choices, places_C.tolist(), strict=True)
        }

    def log_chance(self, configuration: Configuration) -> float:
        """Logarithm of its probability."""
        return float(np.log(self.chances_CV[np.arange(len(self.logits_CV)), self.places(configuration)]).sum())

    def log_chance_gradient(self, configuration: Configuration) -> Floats:
        """Of `log_chance` by the logits, shape (C, V)."""
        slope_CV = -self.chances_CV
        slope_CV[np.arange(len(slope_CV)), self.places(configuration)] += 1.0
        return slope_CV

    @property
    def entropy(self) -> float:
        """In nats."""
        return -float(self._information().sum())

    def entropy_gradient(self) -> Floats:
        """Of `entropy` by the logits, shape (C, V)."""
        information_CV = self._information()
        slope_CV: Floats = self.chances_CV * information_CV.sum(axis=1, keepdims=True) - information_CV
        return slope_CV

    def _information(self) -> Floats:
        chances_CV = self.chances_CV
        information_CV: Floats = chances_CV * np.log(chances_CV, out=np.zeros_like(chances_CV), where=chances_CV > 0)
        return information_CV


class Reinforce:
    """Ascent on the expected quality, with a moving baseline and a bonus for entropy.

    What is over the budget or cannot be built costs no trial, and counts as one spread of the values worse than usual.

    Args:
        space: what there is to choose.
        seed: of the draws.
        batch: configurations between two steps.
        rate: of a step, in logits per spread of the values.
        entropy: weight of the bonus, in spreads of the values per nat.
        memory: share of the baseline, and of the spread, that a value leaves as it was.

    Source:
        Williams, Machine Learning 8 (1992) 229; over graphs: GPTSwarm, arXiv 2402.16823.
    """

    name: Final = "reinforce"

    def __init__(
        self,
        space: Space,
        *,
        seed: int,
        batch: int = 3,
        rate: float = 0.2,
        entropy: float = 0.01,
        memory: float = 0.9,
    ) -> None:
        check.whole("batch", batch, 1)
        check.positive("rate", rate)
        check.finite("entropy", entropy)
        check.share("memory", memory, below_1=True)
        self.factors = Factors(space)
        self._random = np.random.default_rng(seed)
        self._batch, self._rate, self._entropy, self._memory = batch, rate, entropy, memory
        self._asked: set[Key] = set()
        self._told: list[tuple[Configuration, float | None]] = []
        self._baseline: float | None = None
        self._variance = 0.0

    def ask(self, archive: Archive) -> Sequence[Configuration]:
        """A batch."""
        self._told = []
        drawn = [self.factors.draw(self._random) for _ in range(self._batch)]
        self._asked = {self.factors.space.key(each) for each in drawn}
        return drawn

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """After the last of a batch there is a step. What it did not ask for, a random trial, teaches it nothing."""
        if self.factors.space.key(configuration) in self._asked:
            self._told.append((configuration, None if trial is None else trial.quality.value))
            if len(self._told) == self._batch:
                self._step()

    def _step(self) -> None:
        values = [value for _, value in self._told if value is not None]
        mean = float(np.mean(values)) if values else 0.0
        baseline = mean if self._baseline is None else self._baseline
        for value in values:
            self._variance = self._memory * self._variance + (1 - self._memory) * (value - baseline) ** 2
        spread = max(np.sqrt(self._variance), _SMALLEST)
        step_CV = self._entropy * self.factors.entropy_gradient()
        for configuration, found in self._told:
            advantage = -1.0 if found is None else float((found - baseline) / spread)
            step_CV += advantage / self._batch * self.factors.log_chance_gradient(configuration)
        self.factors.logits_CV = self.factors.logits_CV + self._rate * step_CV
        for value in values:
            baseline = self._memory * baseline + (1 - self._memory) * value
        if values:
            self._baseline = baseline
