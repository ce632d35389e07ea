"""Every graph of at most so many agents, as it was measured."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from breakeven.plan.agents.dag import ASSISTANT, Dag, Node
from breakeven.plan.agents.moves import moves_of
from breakeven.plan.agents.space import choices_of, configuration_of, dag_of
from breakeven.plan.trials.at_random import AtRandom
from breakeven.plan.trials.bayesian import Bayesian
from breakeven.plan.trials.measured import Floats, Measured
from breakeven.plan.trials.method import Method
from breakeven.plan.trials.reinforce import Reinforce
from breakeven.plan.trials.rules import Rules
from breakeven.plan.trials.space import Configuration, Key, Space
from breakeven.records.options import Option, Quality


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One model that nodes may run."""

    name: str
    node_flops_D: tuple[float, ...]
    """Of a node with 0, 1, ... parents."""
    run: str
    """Of whose training it is a checkpoint: of several of one, the last pays for all."""
    train_flops: float
    """Up to it; 0 where nobody says."""
    output_tokens: float
    """Written by a node, one after another."""
    tokens_per_second: float | None = None


@dataclass(frozen=True, kw_only=True)
class Graphs(Measured):
    """All of them. Trials of one graph are one trial, whatever configuration named it."""

    agents: tuple[Agent, ...]
    """From the cheapest to the dearest."""
    dags: tuple[Dag, ...]
    """In the order of the rows."""
    num_nodes: int
    most_tokens: float = math.inf
    """Along the longest path of a graph: slower ones cannot be chosen."""
    _places: dict[Key, int] = field(default_factory=dict, repr=False)

    seeded = ("rules", "bayesian", "reinforce", "random")
    exact = ()

    def __post_init__(self) -> None:
        self.check_rows(len(self.dags))
        self._places.update({self._key(each): place for place, each in enumerate(self.configurations)})

    @property
    def models(self) -> tuple[str, ...]:
        """From the cheapest to the dearest."""
        return tuple(each.name for each in self.agents)

    @cached_property
    def configurations(self) -> tuple[Configuration, ...]:
        """One of each graph."""
        return tuple(configuration_of(each, self.num_nodes, self.models) for each in self.dags)

    @property
    def train_flops(self) -> float:
        """Of all models."""
        return self._training(self.models)

    def _training(self, models: Collection[str]) -> float:
        """Of some models, each run up to the last of its checkpoints among them."""
        runs: dict[str, float] = {}
        for each in self.agents:
            if each.name in models:
                runs[each.run] = max(each.train_flops, runs.get(each.run, 0.0))
        return math.fsum(runs.values())

    # -- what a graph costs ---------------------------------------------------------------------------------------

    def agent(self, node: Node) -> Agent | None:
        """What runs a node; None: nothing, it is a vote."""
        return next((each for each in self.agents if each.name == node.model), None)

    def node_flops(self, node: Node) -> float:
        """Of a query; a vote is free."""
        agent = self.agent(node)
        return 0.0 if agent is None else agent.node_flops_D[len(node.parents)]

    def flops(self, dag: Dag) -> float:
        """Of a query."""
        return math.fsum(map(self.node_flops, dag.nodes))

    def sequential_tokens(self, dag: Dag) -> float:
        """Tokens along the longest path: the others are written at the same time."""
        return dag.longest(lambda node: 0.0 if (agent := self.agent(node)) is None else agent.output_tokens)

    def seconds(self, dag: Dag) -> float | None:
        """Along the path that takes longest, at the speeds that were declared; None where one was not."""
        speeds = {each.name: each.tokens_per_second for each in self.agents}
        if any(node.model and speeds[node.model] is None for node in dag.nodes):
            return None

        def taken(node: Node) -> float:
            agent = self.agent(node)
            return 0.0 if agent is None else agent.output_tokens / (agent.tokens_per_second or math.inf)

        return dag.longest(taken)

    @property
    def condition(self) -> str:
        """What besides the budget limits what may be chosen."""
        return "" if math.isinf(self.most_tokens) else f" tokens={self.most_tokens:g}"

    # -- as `Measured` asks ---------------------------------------------------------------------------------------

    def space(self, budget: float) -> Space:
        """What there is to choose for so many FLOPs per query."""
        return Space(
            choices=choices_of(self.num_nodes, self.models),
            price=self.price,
            budget=budget,
            same_as=self.same_as,
            distinct=self.configurations,
        )

    def method(self, name: str, budget: float, seed: int) -> tuple[Space, Method]:
        """A method by name, one of `seeded`, and what it may try."""
        space = self.space(budget)
        if name == "rules":
            return space, Rules(moves_of(self), seed=seed)
        if name == "bayesian":
            return space, Bayesian(space, seed=seed)
        return space, Reinforce(space, seed=seed) if name == "reinforce" else AtRandom(seed=seed)

    def price(self, configuration: Configuration) -> float:
        """FLOPs per query; infinity where it cannot be built, as a vote of fewer than two, or is too slow."""
        place = self._place(configuration)
        return math.inf if place is None else float(self.price_C[place])

    @cached_property
    def price_C(self) -> Floats:
        """FLOPs per query; infinity where a graph is too slow."""
        quick = [self.sequential_tokens(each) <= self.most_tokens for each in self.dags]
        return np.array([self.flops(dag) if ok else math.inf for dag, ok in zip(self.dags, quick, strict=True)])

    @cached_property
    def chosen_by_C(self) -> Floats:
        """Accuracy by which graphs stand for others: on the problems of trials; in closed form the truth."""
        chosen_by_C: Floats = self.trial_CP.mean(axis=1) if self.knows_problems else self.truth_C
        return chosen_by_C

    def optimum(self, budget: float) -> int:
        """The best that a budget allows; of equals the cheapest."""
        places: list[int] = self.within(budget).tolist()
        return min(places, key=lambda place: (-self.chosen_by_C[place], self.price_C[place]))

    def default(self, budget: float = math.inf) -> Configuration:
        """What is served without trials: one node, of the dearest model that the budget allows."""
        within: list[int] = self.within(budget).tolist()
        alone = [place for place in within if [node.role for node in self.dags[place].nodes] == [ASSISTANT]]
        if not alone:
            self.space(budget).cheapest()  # says what the cheapest costs
        return self.configurations[max(alone, key=lambda place: (self.price_C[place], place))]

    def place(self, configuration: Configuration) -> int:
        """Where its graph stands among all."""
        place = self._place(configuration)
        assert place is not None
        return place

    def same_as(self, configuration: Configuration) -> Configuration:
        """The configuration by which its graph is known; itself where it cannot be built."""
        place = self._place(configuration)
        return configuration if place is None else self.configurations[place]

    def words(self, configuration: Configuration) -> str:
        """As a person reads it."""
        return self.dag(configuration).words

    def dag(self, configuration: Configuration) -> Dag:
        """Its graph."""
        return self.dags[self.place(configuration)]

    def option(self, name: str, configuration: Configuration, quality: Quality) -> Option:
        """Serving a graph without trials: the models that it runs are trained, no others."""
        dag = self.dag(configuration)
        return Option(
            name=name,
            settings={"graph": dag.words, "depth": dag.depth, "width": dag.width},
            train_flops=self._training({node.model for node in dag.nodes}),
            query_flops=self.flops(dag),
            sequential_tokens=self.sequential_tokens(dag),
            seconds=self.seconds(dag),
            quality=quality,
        )

    def _key(self, configuration: Configuration) -> Key:
        return tuple(configuration.values())

    def _place(self, configuration: Configuration) -> int | None:
        """Of the same graph, whatever stands at nodes that are not run and at votes."""
        key = self._key(configuration)
        if key not in self._places:
            dag = dag_of(configuration, self.num_nodes)
            if self.fusers_vote:
                dag = Dag(nodes=tuple(_as_vote(each) for each in dag.nodes))
            self._places[key] = self._places.get(self._key(configuration_of(dag, self.num_nodes, self.models)), -1)
        place = self._places[key]
        return None if place < 0 else place

    @cached_property
    def fusers_vote(self) -> bool:
        """Whether a fuser runs no model."""
        return any(not node.model for dag in self.dags for node in dag.nodes)


def _as_vote(node: Node) -> Node:
    return node if node.role == ASSISTANT else Node(role=node.role, model="", parents=node.parents)
