"""Graphs in files: read, and refused by the name of what is wrong."""

import json
from pathlib import Path

import pytest

from breakeven.errors import LogError
from breakeven.readers.graph_file import read_graphs

GOOD = """
[[graph]]
name = "mine"
[[graph.agent]]
name = "end"
role = "fuser"
reads = ["a", "b"]
[[graph.agent]]
name = "a"
model = "S"
[[graph.agent]]
name = "b"
model = "L"
reads = ["a"]
"""


def read(tmp_path: Path, text: str, suffix: str = ".toml") -> list[tuple[str, tuple[str, ...]]]:
    path = tmp_path / f"graph{suffix}"
    path.write_text(text)
    (graph,) = read_graphs(path).graph
    return [(each.name, each.reads) for each in graph.ordered]


def test_agents_come_after_those_they_read_and_the_last_answers(tmp_path: Path) -> None:
    ordered = [("a", ()), ("b", ("a",)), ("end", ("a", "b"))]
    assert read(tmp_path, GOOD) == ordered
    agents = [
        {"name": "end", "role": "fuser", "reads": ["a", "b"]},
        {"name": "a", "model": "S"},
        {"name": "b", "model": "L", "reads": ["a"]},
    ]
    assert read(tmp_path, json.dumps({"graph": [{"name": "mine", "agent": agents}]}), ".json") == ordered


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'model = "S"',
            'model = "S"\nreads = ["b"]',
            "graph mine: reads must lead to no circle; got 'a reads b reads a'.",
        ),
        ('model = "S"', 'model = "S"\nreads = ["a"]', "graph mine: reads must lead to no circle; got 'a reads a'."),
        ('name = "mine"', 'name = "mine"\nanswers = "a"', "agent must reach a, the agent that answers; got 'b, end'."),
        ('name = "mine"', 'name = "mine"\nanswers = "z"', "answers must name an agent: end, a, b; got 'z'."),
        (
            'reads = ["a", "b"]',
            'reads = ["b"]\n[[graph.agent]]\nname = "c"',
            "have one alone that nobody reads; got 'end, c'",
        ),
        ('reads = ["a", "b"]', 'reads = ["a", "x"]', "reads of end must name agents: end, a, b; got 'x'"),
        ('reads = ["a", "b"]', 'reads = ["a", "a"]', "reads of end must name each agent once"),
        ('name = "b"', 'name = "a"', "agent must be at least one, each with a name of its own"),
        ('role = "fuser"', 'role = "boss"', "role"),
        ('role = "fuser"', 'rule = "fuser"', "rule"),
        ("[[graph]]", "[[graph", "must be TOML"),
        ("[[graph]]", "[[graph]]\nname = 'other'\nagent = []\n[[graph]]", "graph other: agent must be at least one"),
    ],
)
def test_what_is_no_graph_is_refused_by_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(LogError) as caught:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert message in str(caught.value)
    assert "graph.toml" in str(caught.value)


def test_a_circle_beyond_the_first_agent_is_named_alone(tmp_path: Path) -> None:
    text = GOOD.replace('model = "S"', 'model = "S"\nreads = ["b"]').replace('reads = ["a", "b"]', 'reads = ["b"]')
    with pytest.raises(LogError, match="got 'b reads a reads b'"):
        read(tmp_path, text)


@pytest.mark.parametrize("text", ["[1, 2]", "{", '{"graph": 3}'])
def test_other_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(LogError, match=r"graph\.json"):
        read(tmp_path, text, ".json")
