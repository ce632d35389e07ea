"""A pipeline of stages, a model and a number of samples for each, and every configuration of it as it was measured."""

import math
from dataclasses import dataclass

from breakeven.errors import argument_error
from breakeven.plan.pipelining.methods import EXACT, SEEDED, method_of
from breakeven.plan.trials.measured import Measured
from breakeven.plan.trials.method import Method
from breakeven.plan.trials.space import MOST_LISTED, Choice, Configuration, Space, categorical
from breakeven.records.options import Option, Quality


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
class Table(Measured):
    """All configurations of stages."""

    stages: tuple[Stage, ...]

    seeded = SEEDED
    exact = EXACT

    def __post_init__(self) -> None:
        sizes = [len(each.models) * len(each.samples) for each in self.stages]
        if (size := math.prod(sizes)) > MOST_LISTED:
            raise argument_error("stages", f"make at most {MOST_LISTED} configurations", size, "Give fewer samples.")
        self.check_rows(size)

    @property
    def shape(self) -> tuple[int, ...]:
        """Models and samples of each stage in turn: the C configurations as an array of choices."""
        return tuple(size for each in self.stages for size in (len(each.models), len(each.samples)))

    def method(self, name: str, budget: float, seed: int) -> tuple[Space, Method]:
        """A method by name, one of `seeded` or `exact`, and what it may try."""
        return method_of(name, self, budget, seed)

    @property
    def train_flops(self) -> float:
        """Of all models of all stages."""
        return math.fsum(flops for each in self.stages for flops in each.train_flops_M)

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
