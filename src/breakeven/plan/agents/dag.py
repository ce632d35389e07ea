"""A graph of agents without cycles: what each is, whose answers it reads, and what that costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from breakeven.errors import argument_error

ASSISTANT: Final = "assistant"
"""Solves the problem in view of what its parents answered."""
FUSER: Final = "fuser"
"""Makes one answer of those of its parents."""
ROLES: Final = (ASSISTANT, FUSER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One agent."""

    role: str
    model: str
    parents: tuple[int, ...] = ()
    """Places of the nodes whose answers it reads, ascending; all before its own."""


@dataclass(frozen=True, kw_only=True)
class Dag:
    """Agents in an order in which each comes after those it reads. The last answers, and every other one reaches it.

    Raises:
        ArgumentError: no node, an edge that does not lead on, or a node that the last does not hear of.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.nodes:
            raise argument_error("nodes", "be at least one", "none")
        for place, each in enumerate(self.nodes):
            if list(each.parents) != sorted({*each.parents}) or any(not 0 <= at < place for at in each.parents):
                name, rule = f"parents of node {place}", "be places before it, ascending"
                raise argument_error(name, rule, list(each.parents))
        if unheard := sorted({*range(len(self.nodes))} - reaching(tuple(each.parents for each in self.nodes))):
            remedy = "Leave it out, or let another read it."
            raise argument_error("nodes", "all reach the last one", unheard, remedy)

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """Of each node: how many it waits for at least, one after another."""
        found: list[int] = []
        for each in self.nodes:
            found.append(max((found[at] + 1 for at in each.parents), default=0))
        return tuple(found)

    @property
    def depth(self) -> int:
        """Nodes on the longest path."""
        return self.levels[-1] + 1

    @property
    def width(self) -> int:
        """Nodes of the level that has most of them."""
        return max(self.levels.count(level) for level in self.levels)

    @property
    def is_chain(self) -> bool:
        """Whether each but the first reads the one before it and no other."""
        return all(each.parents == ((place - 1,) if place else ()) for place, each in enumerate(self.nodes))

    @property
    def is_fan(self) -> bool:
        """Whether the last reads all others, at least two, which read nobody."""
        *others, last = self.nodes
        return len(others) > 1 and not any(each.parents for each in others) and len(last.parents) == len(others)

    def longest(self, cost: Callable[[Node], float]) -> float:
        """The most that a path to the last node comes to: what is not to be had in parallel."""
        found: list[float] = []
        for each in self.nodes:
            found.append(cost(each) + max((found[at] for at in each.parents), default=0.0))
        return found[-1]

    @property
    def words(self) -> str:
        """As a person reads it: `S, S, fuser(0, 1), L(2)`."""
        return ", ".join(_node_words(each) for each in self.nodes)


def reaching(parents_N: Sequence[Sequence[int]]) -> set[int]:
    """Places of the nodes from which a path leads to the last, itself among them.

    Args:
        parents_N: of each node, places before it.
    """
    found = {len(parents_N) - 1}
    for place in reversed(range(len(parents_N))):
        if place in found:
            found.update(parents_N[place])
    return found


def _node_words(node: Node) -> str:
    """A fuser that runs no model is called by its role."""
    name = node.model if node.role == ASSISTANT else " ".join(filter(None, (node.model, node.role)))
    return f"{name}({', '.join(map(str, node.parents))})" if node.parents else name
