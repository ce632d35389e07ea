"""Graphs of agents in a file, TOML or JSON: what each agent is, and whose answers it reads."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from breakeven.errors import ArgumentError, LogError, argument_error
from breakeven.readers.lines import lines_of
from breakeven.readers.option_table import check_readable
from breakeven.settings import as_record, refuse_unknown, types_of


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEntry:
    """One agent."""

    name: str
    role: Literal["assistant", "fuser"] = "assistant"
    model: str = ""
    """As the row calls it; empty for a fuser that is a vote."""
    reads: tuple[str, ...] = ()
    """Names of the agents whose answers it is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphEntry:
    """One graph."""

    name: str
    agent: tuple[AgentEntry, ...]
    answers: str = ""
    """The agent whose answer is that of the graph; empty: the only one that nobody reads."""

    @property
    def ordered(self) -> tuple[AgentEntry, ...]:
        """Each agent after those it reads, else as they were written; the one that answers is the last.

        Raises:
            ArgumentError: they read each other in a circle, one reads who is not there, or does not reach the last.
        """
        by_name = {each.name: each for each in self.agent}
        if not by_name or len(by_name) < len(self.agent):
            raise argument_error("agent", "be at least one, each with a name of its own", [x.name for x in self.agent])
        for each in self.agent:
            if unknown := [name for name in each.reads if name not in by_name]:
                raise argument_error(f"reads of {each.name}", f"name agents: {', '.join(by_name)}", unknown[0])
            if len({*each.reads}) < len(each.reads):
                raise argument_error(f"reads of {each.name}", "name each agent once", list(each.reads))
        order = self._order(by_name)
        last = self._last(by_name)
        heard, left = {last}, [last]
        while left:
            new = [name for name in by_name[left.pop()].reads if name not in heard]
            heard.update(new)
            left += new
        if unheard := [name for name in order if name not in heard]:
            rule = f"reach {last}, the agent that answers"
            remedy = "Leave it out, let another read it, or say which one answers."
            raise argument_error("agent", rule, ", ".join(unheard), remedy)
        return (*(by_name[name] for name in order if name != last), by_name[last])

    def _order(self, by_name: dict[str, AgentEntry]) -> list[str]:
        order = list[str]()
        while len(order) < len(by_name):
            ready = [each.name for each in self.agent if each.name not in order and {*each.reads} <= {*order}]
            if not ready:
                circle = _circle(by_name, next(each.name for each in self.agent if each.name not in order), order)
                raise argument_error("reads", "lead to no circle", " reads ".join(circle))
            order += ready
        return order

    def _last(self, by_name: dict[str, AgentEntry]) -> str:
        if self.answers:
            if self.answers not in by_name:
                raise argument_error("answers", f"name an agent: {', '.join(by_name)}", self.answers)
            return self.answers
        unread = [name for name in by_name if not any(name in each.reads for each in self.agent)]
        if len(unread) != 1:
            remedy = "Say which one answers: answers = NAME."
            raise argument_error("agent", "have one alone that nobody reads", ", ".join(unread), remedy)
        return unread[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphFile:
    """Some graphs."""

    graph: tuple[GraphEntry, ...]

    def __post_init__(self) -> None:
        names = [each.name for each in self.graph]
        if not names or len({*names}) < len(names):
            raise argument_error("graph", "be at least one, each with a name of its own", names)
        for each in self.graph:
            try:
                _ = each.ordered
            except ArgumentError as error:
                raise ArgumentError(f"graph {each.name}: {error}") from None


def read_graphs(path: Path) -> GraphFile:
    """The graphs in a TOML or JSON file.

    Raises:
        LogError: it is no such file; the message says where and what.
    """
    check_readable(path, "a file of graphs")
    text = "".join(lines_of(path))
    try:
        content = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise LogError(f"{path} must be {'JSON' if path.suffix == '.json' else 'TOML'}; {error}.") from error
    if not isinstance(content, dict):
        raise LogError(f"{path} must hold an object with a list of graphs.")
    try:
        _refuse_unknown(content)
        return as_record(content, GraphFile)
    except ArgumentError as error:
        raise LogError(f"{path}: {error}") from error


def _refuse_unknown(content: dict[str, Any]) -> None:
    """Refuses keys that a file, a graph or an agent does not have."""
    refuse_unknown(content, types_of(GraphFile))
    for graph in _tables(content, "graph"):
        refuse_unknown(graph, types_of(GraphEntry), "graph")
        for agent in _tables(graph, "agent"):
            refuse_unknown(agent, types_of(AgentEntry), "graph.agent")


def _tables(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Tables of a list; what is none is refused later, by its type."""
    found = content.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _circle(by_name: dict[str, AgentEntry], start: str, done: Sequence[str]) -> list[str]:
    """Agents each of which reads the next, the first being the last."""
    path = [start]
    while path.count(path[-1]) < 2:
        path.append(next(name for name in by_name[path[-1]].reads if name not in done))
    return path[path.index(path[-1]) :]
