"""Graphs as configurations: an edge or none between any two nodes, a role and a model for each.

A node whose answer does not reach the last is not run, so that many configurations are one graph. It is known by that
graph, with its nodes in the last places.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, product

from breakeven.plan.agents.dag import ASSISTANT, FUSER, ROLES, Dag, Node, reaching
from breakeven.plan.trials.space import Choice, Configuration, boolean, categorical


def choices_of(num_nodes: int, models: Sequence[str]) -> tuple[Choice, ...]:
    """What there is to choose.

    Args:
        num_nodes: at most.
        models: from the cheapest to the dearest.
    """
    edges = tuple(boolean(edge(first, then)) for then in range(num_nodes) for first in range(then))
    roles = tuple(categorical(f"role_{place}", *ROLES) for place in range(num_nodes))
    return (*edges, *roles, *(categorical(f"model_{place}", *models) for place in range(num_nodes)))


def edge(first: int, then: int) -> str:
    """What the choice is called whether one node reads another."""
    return f"{first}->{then}"


def dag_of(configuration: Configuration, num_nodes: int) -> Dag:
    """The graph of a configuration: the nodes that are run."""
    parents = [[at for at in range(place) if configuration[edge(at, place)]] for place in range(num_nodes)]
    run = sorted(reaching(parents))
    return Dag(
        nodes=tuple(
            Node(
                role=str(configuration[f"role_{place}"]),
                model=str(configuration[f"model_{place}"]),
                parents=tuple(run.index(at) for at in parents[place]),
            )
            for place in run
        )
    )


def configuration_of(dag: Dag, num_nodes: int, models: Sequence[str]) -> Configuration:
    """A graph in the last places; what is not run is an assistant of the first model that nobody reads."""
    left_out = num_nodes - len(dag.nodes)
    places = range(num_nodes)
    nodes = {left_out + at: each for at, each in enumerate(dag.nodes)}
    edges = {edge(at, place): False for place in places for at in range(place)}
    edges |= {edge(left_out + at, place): True for place, each in nodes.items() for at in each.parents}
    idle = Node(role=ASSISTANT, model=models[0])
    roles = {f"role_{place}": nodes.get(place, idle).role for place in places}
    return {**edges, **roles, **{f"model_{place}": nodes.get(place, idle).model or models[0] for place in places}}


def all_dags(num_nodes: int, models: Sequence[str], *, fusers_vote: bool) -> Iterator[Dag]:
    """Every graph of at most so many nodes, the smallest first.

    Args:
        num_nodes: at most.
        models: from the cheapest to the dearest.
        fusers_vote: a fuser runs no model, and needs two parents at least; else it runs its model.
    """
    for size in range(1, num_nodes + 1):
        subsets = [[each for r in range(place + 1) for each in combinations(range(place), r)] for place in range(size)]
        for parents in product(*subsets):
            if len(reaching(parents)) == size:
                yield from (
                    Dag(nodes=nodes) for nodes in product(*(_nodes(each, models, fusers_vote) for each in parents))
                )


def _nodes(parents: tuple[int, ...], models: Sequence[str], fusers_vote: bool) -> list[Node]:
    """What a node with these parents may be."""
    assistants = [Node(role=ASSISTANT, model=model, parents=parents) for model in models]
    if not fusers_vote:
        return assistants + [Node(role=FUSER, model=model, parents=parents) for model in models]
    return assistants + ([Node(role=FUSER, model="", parents=parents)] if len(parents) > 1 else [])
