"""A pipeline of stages, a model and a number of samples for each, and every configuration of it as it was measured."""

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.eval.intervals import mean_and_interval
from breakeven.plan.trials.archive import Evaluation
from breakeven.plan.trials.space import MOST_LISTED, Choice, Configuration, Space, categorical
from breakeven.records.curves import Made
from breakeven.records.options import Option, Quality

Floats: TypeAlias = npt.NDArray[np.float64]
OTHERS: Final = "other models"
"""The line of training models that were tried and are not served."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One subtask: what may do it."""

    name: str
    models: tuple[str, ...]
    """From the cheapest to the dearest."""
    samples: tuple[int, ...]
    """How many answers may be drawn, ascending; one is handed on."""
    flops_MK: tuple[tuple[float, ...], ...]
    """Of a query, for each model at each number of samples."""
    train_flops_M: tuple[float, ...]
    """0 where nobody says."""

    @property
    def model_choice(self) -> str:
        """What the choice of its model is called."""
        return f"{self.name}_model"

    @property
    def samples_choice(self) -> str:
        """What the choice of its samples is called."""
        return f"{self.name}_samples"

    def flops(self, configuration: Configuration) -> float:
        """Of a query, as a configuration has it."""
        model = self.models.index(str(configuration[self.model_choice]))
        return self.flops_MK[model][self.samples.index(int(configuration[self.samples_choice]))]

    def most_samples(self, model: str, flops: float) -> int | None:
        """The most samples of a model that cost at most so much; None where one costs more."""
        price_K = self.flops_MK[self.models.index(model)]
        return max((k for k, price in zip(self.samples, price_K, strict=True) if price <= flops), default=None)


@dataclass(frozen=True, kw_only=True)
class Table:
    """All configurations C, in the order of `space`: which problems each solves.

    Trials see `trial_CP` and are charged for it; what is true of a configuration is read from `fresh_CP`.
    """

    stages: tuple[Stage, ...]
    trial_CP: Floats
    """Accuracy on each problem that trials are made on."""
    fresh_CP: Floats
    """On problems that no trial sees; one column where accuracies alone are known, which then are the same in both."""
    problems: str = ""
    """Which problems the fresh ones are."""
    made: Made = Made.MEASURED
    fresh_problems: int | None = None
    """How many problems measuring again is charged for; None: the columns there are."""
    notes: tuple[str, ...] = field(default=())
    not_counted: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        sizes = [len(each.models) * len(each.samples) for each in self.stages]
        if (size := math.prod(sizes)) > MOST_LISTED:
            raise argument_error("stages", f"make at most {MOST_LISTED} configurations", size, "Give fewer samples.")
        for name in ("trial_CP", "fresh_CP"):
            if len(getattr(self, name)) != size:
                raise argument_error(name, f"have a row for each of {size} configurations", len(getattr(self, name)))

    @property
    def shape(self) -> tuple[int, ...]:
        """Models and samples of each stage in turn: the C configurations as an array of choices."""
        return tuple(size for each in self.stages for size in (len(each.models), len(each.samples)))

    @property
    def knows_problems(self) -> bool:
        """Whether accuracies are known problem by problem, so that there are intervals."""
        return bool(self.fresh_CP.shape[1] > 1)

    @cached_property
    def truth_C(self) -> Floats:
        """Accuracy on the fresh problems."""
        truth_C: Floats = self.fresh_CP.mean(axis=1)
        return truth_C

    @cached_property
    def configurations(self) -> tuple[Configuration, ...]:
        """All of them."""
        return tuple(self.space(math.inf).iterate())

    @cached_property
    def price_C(self) -> Floats:
        """FLOPs per query."""
        return np.array([self.price(each) for each in self.configurations])

    def price(self, configuration: Configuration) -> float:
        """FLOPs per query: of its stages together."""
        return math.fsum(stage.flops(configuration) for stage in self.stages)

    def space(self, budget: float) -> Space:
        """What there is to choose for so many FLOPs per query."""
        choices: list[Choice] = []
        for each in self.stages:
            choices.append(categorical(each.model_choice, *each.models))
            choices.append(Choice(name=each.samples_choice, values=each.samples, ordered=True))
        return Space(choices=tuple(choices), price=self.price, budget=budget)

    def default(self, budget: float = math.inf) -> Configuration:
        """What is served without trials: one sample a stage, of the dearest models that the budget allows."""
        return self.space(budget).dearest({each.samples_choice: each.samples[0] for each in self.stages})

    def place(self, configuration: Configuration) -> int:
        """Where a configuration stands among all."""
        at = 0
        for each in self.stages:
            at = at * len(each.models) + each.models.index(str(configuration[each.model_choice]))
            at = at * len(each.samples) + each.samples.index(int(configuration[each.samples_choice]))
        return at

    def words(self, configuration: Configuration) -> str:
        """As a person reads it: `products L x 4, sum M x 16`."""
        return ", ".join(
            f"{each.name} {configuration[each.model_choice]} x {configuration[each.samples_choice]}"
            for each in self.stages
        )

    def within(self, budget: float) -> npt.NDArray[np.intp]:
        """Places of the configurations that a budget allows."""
        return np.flatnonzero(self.price_C <= budget)

    def optimum(self, budget: float) -> int:
        """The truly best that it allows; of equals the cheapest."""
        places: list[int] = self.within(budget).tolist()
        return min(places, key=lambda place: (-self.truth_C[place], self.price_C[place]))

    def seen(self, configuration: Configuration, num_problems: int, seed: int = 0) -> Evaluation:
        """What a trial sees of a configuration on some of the problems, and what it costs.

        Args:
            configuration: what is tried.
            num_problems: drawn of those of trials, without replacement.
            seed: of that draw.
        """
        seen_P = self.trial_CP[self.place(configuration)]
        if len(seen_P) > 1:
            drawn = np.random.default_rng(seed).choice(len(seen_P), min(num_problems, len(seen_P)), replace=False)
            seen_P = seen_P[np.sort(drawn)]
        return Evaluation(quality=self._quality(seen_P, ""), flops=num_problems * self.price(configuration))

    def again(self, configuration: Configuration) -> Evaluation:
        """A configuration measured on the fresh problems."""
        fresh_P, count = self.fresh_CP[self.place(configuration)], self.fresh_problems or self.fresh_CP.shape[1]
        return Evaluation(quality=self._quality(fresh_P, self.problems), flops=count * self.price(configuration))

    def _quality(self, accuracy_P: Floats, problems: str) -> Quality:
        if not self.knows_problems:
            return Quality(value=float(accuracy_P[0]), made=self.made)
        mean, _, lo, hi = mean_and_interval(accuracy_P)
        value_P = tuple(accuracy_P.tolist())
        return Quality(value=mean, lo=lo, hi=hi, made=self.made, value_P=value_P, problems=problems)

    def option(self, name: str, configuration: Configuration, quality: Quality) -> Option:
        """Serving a configuration without trials: the models that it takes are trained, no others."""
        models = [str(configuration[each.model_choice]) for each in self.stages]
        used = [each.train_flops_M[each.models.index(model)] for each, model in zip(self.stages, models, strict=True)]
        return Option(
            name=name,
            settings=dict(configuration),
            train_flops=math.fsum(used),
            query_flops=self.price(configuration),
            quality=quality,
        )

    def tried(self, name: str, configuration: Configuration, quality: Quality) -> Option:
        """Serving one that trials found: all models of all stages had to be trained."""
        option = self.option(name, configuration, quality)
        everything = math.fsum(flops for each in self.stages for flops in each.train_flops_M)
        return Option(
            name=name,
            settings=option.settings,
            train_flops=option.train_flops,
            one_off={OTHERS: everything - option.train_flops},
            query_flops=option.query_flops,
            quality=quality,
        )
