"""What Agent-REINFORCE says of graphs, as moves of rules: a mix of models, a width, a depth, each within the budget."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from breakeven.plan.agents.dag import ASSISTANT, FUSER, Dag, Node
from breakeven.plan.agents.space import configuration_of
from breakeven.plan.trials.archive import Archive, Trial
from breakeven.plan.trials.rules import Move, beside
from breakeven.plan.trials.space import Configuration

if TYPE_CHECKING:
    from breakeven.plan.agents.table import Graphs


def moves_of(table: "Graphs") -> tuple[Move, ...]:
    """In this order: fans and chains of one model, other models, one more or fewer node, and whatever is near.

    Source:
        arXiv 2511.00086, insights 1 to 3, which a language model is told there.
    """
    return (partial(_shapes, table), partial(_other_models, table), partial(_resized, table), beside())


def _as_configurations(table: "Graphs", dags: Iterable[Dag]) -> Iterator[Configuration]:
    return (configuration_of(each, table.num_nodes, table.models) for each in dags)


def _shapes(table: "Graphs", at: Trial, archive: Archive) -> Iterable[Configuration]:
    """The widest fan and the longest chain of each model that the budget allows."""
    fuser = "" if table.fusers_vote else None
    for model in reversed(table.models):
        for make in (partial(_fan, fuser), _chain):
            for size in range(table.num_nodes, 1, -1):
                (found,) = _as_configurations(table, [make(model, size)])
                if archive.space.allows(found):
                    yield found
                    break


def _fan(fuser: str | None, model: str, size: int) -> Dag:
    solvers = tuple(Node(role=ASSISTANT, model=model) for _ in range(size - 1))
    last = Node(role=FUSER, model=model if fuser is None else fuser, parents=tuple(range(size - 1)))
    return Dag(nodes=(*solvers, last))


def _chain(model: str, size: int) -> Dag:
    return Dag(
        nodes=tuple(Node(role=ASSISTANT, model=model, parents=(place - 1,) if place else ()) for place in range(size))
    )


def _other_models(table: "Graphs", at: Trial, archive: Archive) -> Iterable[Configuration]:
    """Another model at each node, from the last on: it decides most."""
    dag = table.dag(at.configuration)
    for place in reversed(range(len(dag.nodes))):
        for model in reversed(table.models):
            if dag.nodes[place].model and model != dag.nodes[place].model:
                yield from _as_configurations(table, [_with(dag, place, replace(dag.nodes[place], model=model))])


def _resized(table: "Graphs", at: Trial, archive: Archive) -> Iterable[Configuration]:
    """One more node that only the last reads, or one more at the end; one fewer."""
    dag = table.dag(at.configuration)
    size, last = len(dag.nodes), dag.nodes[-1]
    grown: list[Dag] = []
    if size < table.num_nodes:
        for model in reversed(table.models):
            parents = (0, *(each + 1 for each in last.parents))
            moved = [replace(each, parents=tuple(at + 1 for at in each.parents)) for each in dag.nodes[:-1]]
            beside_it = (Node(role=ASSISTANT, model=model), *moved, replace(last, parents=parents))
            after_it = (*dag.nodes, Node(role=ASSISTANT, model=model, parents=(size - 1,)))
            grown += [Dag(nodes=beside_it), Dag(nodes=after_it)]
    yield from _as_configurations(table, grown)
    for place, each in enumerate(dag.nodes[:-1]):
        if not each.parents and size > 1 and all(node.parents != (place,) for node in dag.nodes):
            kept = [node for other, node in enumerate(dag.nodes) if other != place]
            fewer = tuple(
                replace(node, parents=tuple(at - (at > place) for at in node.parents if at != place)) for node in kept
            )
            yield from _as_configurations(table, [Dag(nodes=fewer)])


def _with(dag: Dag, place: int, node: Node) -> Dag:
    return Dag(nodes=(*dag.nodes[:place], node, *dag.nodes[place + 1 :]))
