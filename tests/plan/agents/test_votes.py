"""Graphs whose fusers are votes, which run no model: as configurations, and in files."""

from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import LogError
from breakeven.plan.agents.from_files import own_graphs
from breakeven.plan.agents.space import all_dags
from breakeven.plan.agents.table import Agent, Graphs
from breakeven.plan.cells import Cells
from breakeven.store import CellFile, PlanHeader


@pytest.fixture(scope="module")
def table() -> Graphs:
    """Two checkpoints of one run."""
    dags = tuple(all_dags(3, ("S", "L"), fusers_vote=True))
    agents = tuple(
        Agent(name=name, node_flops_D=(1.0, 2.0, 3.0), run="run", train_flops=flops, output_tokens=10)
        for name, flops in (("S", 60.0), ("L", 80.0))
    )
    empty = np.zeros((len(dags), 1))
    return Graphs(agents=agents, dags=dags, num_nodes=3, trial_CP=empty, fresh_CP=empty)


def test_whatever_model_a_vote_is_given_it_is_one_graph_and_free(table: Graphs) -> None:
    space = table.space(10.0)
    fan = {each.name: each.values[0] for each in space.choices} | {"0->2": True, "1->2": True, "role_2": "fuser"}
    other = fan | {"model_2": "L"}
    assert space.key(fan) == space.key(other)
    assert table.words(other) == "S, S, fuser(0, 1)"
    assert space.cost(other) == 2.0
    assert not space.allows(fan | {"1->2": False})  # a vote of one


def test_a_run_is_paid_for_once_up_to_its_last_checkpoint(table: Graphs) -> None:
    assert table.train_flops == 80
    both = next(at for at, dag in enumerate(table.dags) if {node.model for node in dag.nodes} == {"S", "L"})
    weak = next(at for at, dag in enumerate(table.dags) if {node.model for node in dag.nodes} == {"S"})
    for at, flops in ((both, 80), (weak, 60)):
        configuration = table.configurations[at]
        option = table.tried("x", configuration, table.again(configuration).quality)
        assert option.train_flops == flops
        assert option.one_off == {"other models": 80 - flops}


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("reads = ['a', 'b']\nmodel = 'S'", "model of end must be left out; got 'S'. A fuser is a vote here"),
        (
            "reads = ['a']\n[[graph.agent]]\nname = 'c'\nrole = 'fuser'\nreads = ['end', 'b']",
            "reads of end must name at",
        ),
        ("reads = ['a', 'b']", ""),
    ],
)
def test_votes_in_files_have_two_parents_and_no_model(table: Graphs, tmp_path: Path, end: str, message: str) -> None:
    path = tmp_path / "own.toml"
    solvers = "\n".join(f"[[graph.agent]]\nname = '{name}'\nmodel = 'S'" for name in "ab")
    path.write_text(f"[[graph]]\nname = 'mine'\n{solvers}\n[[graph.agent]]\nname = 'end'\nrole = 'fuser'\n{end}\n")
    with CellFile(tmp_path, PlanHeader(versions={}, row="graph", settings={}, files={})) as file:
        if not message:
            assert table.words(own_graphs([path], Cells(file=file), table)["mine"]) == "S, S, fuser(0, 1)"
            return
        with pytest.raises(LogError) as caught:
            own_graphs([path], Cells(file=file), table)
    assert message in str(caught.value)
