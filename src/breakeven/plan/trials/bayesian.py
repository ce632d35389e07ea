"""Bayesian trials: optuna's tree-structured Parzen estimator, asked and told."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from breakeven.errors import MissingExtraError
from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.space import Configuration, Key, Space

_FAR: Final = 1e300
"""How far beyond the budget counts as much as what cannot be built."""


class Bayesian:
    """TPE over all choices together. What is over the budget is told as that, by how much, and is never tried.

    Args:
        space: what there is to choose.
        seed: of its draws; a draw depends on all that it was told.

    Raises:
        MissingExtraError: optuna is not installed.

    Source:
        Bergstra et al., NeurIPS 2011; constraints: Watanabe and Hutter, arXiv 2211.14411.
    """

    name: Final = "bayesian"

    def __init__(self, space: Space, *, seed: int) -> None:
        self._optuna, self._space = _optuna(), space
        # Optuna sees places, not values: it warns of values that are no text or number, and knows orders of numbers.
        kinds = self._optuna.distributions
        self._distributions = {
            each.name: kinds.IntDistribution(0, len(each.values) - 1)
            if each.ordered
            else kinds.CategoricalDistribution(range(len(each.values)))
            for each in space.choices
        }
        with _quiet(self._optuna):
            sampler = self._optuna.samplers.TPESampler(seed=seed)
            self._study = self._optuna.create_study(direction="maximize", sampler=sampler)
        self._asked: dict[Key, Any] = {}

    def ask(self, archive: Archive) -> Sequence[Configuration]:
        """One: what is promising by the trials so far. The first ten are random."""
        with _quiet(self._optuna):
            asked = self._study.ask(self._distributions)
        proposed = {each.name: each.values[asked.params[each.name]] for each in self._space.choices}
        self._asked[self._space.key(proposed)] = asked
        return [proposed]

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """What it asked for; what was tried at random besides is taken in as well."""
        with _quiet(self._optuna):
            asked = self._asked.pop(self._space.key(configuration), None)
            if asked is None:
                places = {each.name: each.values.index(configuration[each.name]) for each in self._space.choices}
                self._study.enqueue_trial(places)
                asked = self._study.ask(self._distributions)
            asked.set_constraint("budget", min(self._excess(configuration), _FAR))
            self._study.tell(asked, 0.0 if trial is None else trial.quality.value)

    def _excess(self, configuration: Configuration) -> float:
        """FLOPs per query over the budget; at most 0 where it is allowed."""
        price = self._space.cost(configuration)
        return math.inf if math.isinf(price) else price - min(self._space.budget, _FAR)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("Bayesian trials need optuna: pip install 'breakeven[plan]'") from error
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without its messages, of which there is one a study and one a trial; as it was afterwards."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
