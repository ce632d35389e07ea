"""Graphs of the user's own, beside those that are found."""

from collections.abc import Sequence
from pathlib import Path

from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.plan.agents.dag import ASSISTANT, Dag, Node
from breakeven.plan.agents.space import configuration_of
from breakeven.plan.agents.table import Graphs
from breakeven.plan.cells import Cells
from breakeven.plan.trials.space import Configuration
from breakeven.readers.graph_file import GraphFile, read_graphs


def own_graphs(files: Sequence[Path], cells: Cells, table: Graphs) -> dict[str, Configuration]:
    """The graphs in some files, by name.

    Args:
        files: TOML or JSON.
        cells: of the plan, which keep what the files hold.
        table: what the graphs are held against: their models and sizes are those that it has.

    Raises:
        LogError: a file cannot be read, or a graph is none of the table; ArgumentError: a name twice.
    """
    found: dict[str, Configuration] = {}
    for path in files:

        def read(path: Path = path) -> GraphFile:
            return read_graphs(path)

        for graph in cells.of(f"file {path}", GraphFile, read).graph:
            if graph.name in found:
                raise argument_error("graph", "have a name of its own in all files", graph.name)
            ordered = graph.ordered
            place = {each.name: at for at, each in enumerate(ordered)}
            try:
                nodes = tuple(
                    _node(each.name, each.role, each.model, tuple(sorted(place[name] for name in each.reads)), table)
                    for each in ordered
                )
                if len(nodes) > table.num_nodes:
                    remedy = "Raise the setting nodes."
                    raise argument_error("agent", f"be at most {table.num_nodes}", len(nodes), remedy)
            except ArgumentError as error:
                raise LogError(f"{path}: graph {graph.name}: {error}") from None
            found[graph.name] = configuration_of(Dag(nodes=nodes), table.num_nodes, table.models)
    return found


def _node(name: str, role: str, model: str, parents: tuple[int, ...], table: Graphs) -> Node:
    """An agent of the table's models.

    Raises:
        ArgumentError: there is no such agent.
    """
    votes = table.fusers_vote and role != ASSISTANT
    if votes and model:
        raise argument_error(f"model of {name}", "be left out", model, "A fuser is a vote here, and runs none.")
    if votes and len(parents) < 2:
        raise argument_error(f"reads of {name}", "name at least two agents to vote on", len(parents))
    if not votes and model not in table.models:
        raise argument_error(f"model of {name}", f"be one of {', '.join(table.models)}", model)
    return Node(role=role, model=model, parents=parents)
