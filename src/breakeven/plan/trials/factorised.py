"""Exact choice from few trials, where the stages of a pipeline factorise."""

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

from breakeven import check
from breakeven.errors import argument_error
from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.space import Configuration, Space
from breakeven.plan.trials.stages import COMBINE, StageOption, best_of_stages, in_units


class Factorised:
    """Each option of each stage is tried once, the other stages left as they are; then the best of all by `stages`.

    Exact where quality is a product (or a sum) over the stages, prices are a sum, and the trials have no noise. Where
    that does not hold, its last trial shows how far off it was.

    Args:
        space: its choices are divided among the stages.
        stages: names of the choices of each.
        base: what the other stages are left at; None: the cheapest configuration. What exceeds the budget beside it is
            left out, so that the cheapest leaves out least; of a product it must solve something.
        combine: "product" or "sum".
        budget: FLOPs per query of what is chosen; None: that of the space. Where the space has none, what costs more is
            tried too, to learn from, beside a base that is dear and tells more.

    Raises:
        ArgumentError: a choice in no stage or in two, or a base that is no configuration.
    """

    name: Final = "factorised"

    def __init__(
        self,
        space: Space,
        stages: Sequence[Sequence[str]],
        *,
        base: Configuration | None = None,
        combine: str = "product",
        budget: float | None = None,
    ) -> None:
        if sorted(name for stage in stages for name in stage) != sorted(each.name for each in space.choices):
            raise argument_error("stages", "have each choice once", [list(each) for each in stages])
        check.one_of("combine", combine, COMBINE)
        self._space, self._combine = space, combine
        self._budget = space.budget if budget is None else budget
        self._base = dict(space.cheapest() if base is None else base)
        if fault := space.fault(self._base):
            raise argument_error("base", "be a configuration of the space", self._base, fault)
        values = {each.name: each.values for each in space.choices}
        self._options = [
            [dict(zip(stage, each, strict=True)) for each in product(*(values[name] for name in stage))]
            for stage in stages
        ]
        self._left: Iterator[Configuration] | None = iter(self._design())

    def _design(self) -> list[Configuration]:
        tried = {self._space.key(self._base): self._base}
        for options in self._options:
            for each in options:
                varied = {**self._base, **each}
                if self._space.allows(varied):
                    tried.setdefault(self._space.key(varied), varied)
        return list(tried.values())

    def ask(self, archive: Archive) -> Sequence[Configuration] | None:
        """The next of the trials of one stage; then the best of all; then None."""
        if self._left is None:
            return None
        if (following := next(self._left, None)) is not None:
            return [following]
        self._left = None
        return [found] if (found := self._found(archive)) is not None else None

    def _found(self, archive: Archive) -> Configuration | None:
        base = archive.known(self._base)
        if base is None or (self._combine == "product" and base.quality.value <= 0):
            return None
        known = [
            [(each, trial) for each in options if (trial := archive.known({**self._base, **each})) is not None]
            for options in self._options
        ]
        # What the cheapest option of every stage costs is paid in any case: the rest of the budget is divided.
        prices = [[trial.price for _, trial in stage] for stage in known]
        least = [min(each) for each in prices]
        fixed = math.fsum(least) - (len(known) - 1) * base.price
        extra = [[price - low for price in stage] for stage, low in zip(prices, least, strict=True)]
        left = min(self._budget - fixed, math.fsum(max(stage) for stage in extra))
        whole, units = in_units(extra, left)
        stages = [
            [
                StageOption(
                    price=price,
                    value=(trial.quality.value / base.quality.value)
                    if self._combine == "product"
                    else trial.quality.value - base.quality.value,
                )
                for (_, trial), price in zip(stage, costs, strict=True)
            ]
            for stage, costs in zip(known, whole, strict=True)
        ]
        places = best_of_stages(stages, units, combine=self._combine)
        if places is None:
            return None
        return dict(self._base) | {
            name: value for stage, at in zip(known, places, strict=True) for name, value in stage[at][0].items()
        }

    def tell(self, configuration: Configuration, trial: Trial | None) -> None:
        """Nothing is kept: the archive holds it."""
