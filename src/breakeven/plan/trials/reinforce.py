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
        self.logits = [np.zeros(len(each.values)) for each in space.choices]

    @property
    def chances(self) -> list[Floats]:
        """Of each value of each choice."""
        return [_softmax(each) for each in self.logits]

    def places(self, configuration: Configuration) -> list[int]:
        """Where its values stand among those of each choice."""
        return [each.values.index(configuration[each.name]) for each in self.space.choices]

    def draw(self, random: np.random.Generator) -> Configuration:
        """One configuration; it may be over the budget."""
        drawn, uniforms = {}, random.random(len(self.logits))
        for each, chances, uniform in zip(self.space.choices, self.chances, uniforms, strict=True):
            place = int(np.searchsorted(np.cumsum(chances), uniform, side="right"))
            drawn[each.name] = each.values[min(place, len(chances) - 1)]  # the sum may be a little below 1
        return drawn

    def log_chance(self, configuration: Configuration) -> float:
        """Logarithm of its probability."""
        pairs = zip(self.chances, self.places(configuration), strict=True)
        return float(sum(np.log(chances[place]) for chances, place in pairs))

    def log_chance_gradient(self, configuration: Configuration) -> list[Floats]:
        """Of `log_chance` by the logits."""
        gradient = [-chances for chances in self.chances]
        for each, place in zip(gradient, self.places(configuration), strict=True):
            each[place] += 1.0
        return gradient

    @property
    def entropy(self) -> float:
        """In nats."""
        return -float(sum((each * np.log(each)).sum() for each in self.chances))

    def entropy_gradient(self) -> list[Floats]:
        """Of `entropy` by the logits."""
        return [-each * (np.log(each) - (each * np.log(each)).sum()) for each in self.chances]


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
        step = [self._entropy * each for each in self.factors.entropy_gradient()]
        for configuration, found in self._told:
            advantage = -1.0 if found is None else float((found - baseline) / spread)
            for total, slope in zip(step, self.factors.log_chance_gradient(configuration), strict=True):
                np.add(total, advantage / self._batch * slope, out=total)
        self.factors.logits = [
            logits + self._rate * total for logits, total in zip(self.factors.logits, step, strict=True)
        ]
        for value in values:
            baseline = self._memory * baseline + (1 - self._memory) * value
        if values:
            self._baseline = baseline


def _softmax(logits: Floats) -> Floats:
    weights: Floats = np.exp(logits - logits.max())
    chances: Floats = weights / weights.sum()
    return chances
