"""Configurations at random: what every other method has to beat at as many trials."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.space import MOST_LISTED, Configuration

_DRAWS: Final = 100


class AtRandom:
    """Uniform among the configurations within the budget, none twice."""

    name: Final = "random"

    def __init__(self, *, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def ask(self, archive: Archive) -> Sequence[Configuration] | None:
        """One that is new; None where nothing is left, or, in a space too large to be listed, nothing is found."""
        space = archive.space
        for _ in range(_DRAWS):
            drawn = space.draw(self._random)
            if archive.known(drawn) is None:
                return [drawn]
        new = [each for each in space.iterate() if archive.refusal(each) is None] if space.size <= MOST_LISTED else []
        return [new[int(self._random.integers(len(new)))]] if new else None

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """Nothing is learned."""
