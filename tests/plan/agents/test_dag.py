"""Graphs: what is one, its shape, and how configurations come to the same one."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.plan.agents.closed_form import MODELS, accuracy, closed_form
from breakeven.plan.agents.dag import ASSISTANT, FUSER, Dag, Node
from breakeven.plan.agents.published import node_flops
from breakeven.plan.agents.space import all_dags, choices_of, configuration_of, dag_of
from breakeven.plan.agents.table import Graphs
from breakeven.plan.trials.reinforce import Factors
from breakeven.plan.trials.space import Configuration
from breakeven.plan.trials.synthetic import graph

UNIT = node_flops("1B", 0)


def solver(model: str = "S", *parents: int) -> Node:
    return Node(role=ASSISTANT, model=model, parents=parents)


def fuser(*parents: int) -> Node:
    return Node(role=FUSER, model="", parents=parents)


@pytest.fixture(scope="module")
def table() -> Graphs:
    return closed_form(4)


def test_its_shape_is_that_of_its_longest_path_and_widest_level() -> None:
    chain = Dag(nodes=(solver(), solver("L", 0), solver("S", 1)))
    fan = Dag(nodes=(solver(), solver("L"), solver("S"), fuser(0, 1, 2)))
    both = Dag(nodes=(solver(), solver("L", 0), solver("L", 0), fuser(0, 1, 2)))
    assert [(each.depth, each.width, each.is_chain, each.is_fan) for each in (chain, fan, both)] == [
        (3, 1, True, False),
        (2, 3, False, True),
        (3, 2, False, False),
    ]
    assert both.words == "S, L(0), L(0), fuser(0, 1, 2)"
    tokens = {"S": 5.0, "L": 7.0, "": 0.0}
    assert chain.longest(lambda node: tokens[node.model]) == 17
    assert fan.longest(lambda node: tokens[node.model]) == 7
    assert Dag(nodes=(solver(),)).is_chain
    assert not Dag(nodes=(solver(), solver("S", 0))).is_fan


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((), "nodes must be at least one"),
        ((solver("S", 0),), "parents of node 0 must be places before it, ascending"),
        ((solver(), solver("S", 1)), "parents of node 1 must be places before it"),
        ((solver(), solver(), fuser(1, 0)), "parents of node 2 must be places before it, ascending"),
        ((solver(), solver()), "nodes must all reach the last one; got [0]. Leave it out, or let another read it."),
    ],
)
def test_what_leads_back_or_nowhere_is_no_graph(nodes: tuple[Node, ...], message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Dag(nodes=nodes)
    assert message in str(caught.value)


@given(data=st.data())
def test_every_configuration_is_a_graph_without_cycles_and_is_known_by_it(data: st.DataObject) -> None:
    choices = choices_of(4, ("S", "M", "L"))
    drawn = {each.name: data.draw(st.sampled_from(list(each.values))) for each in choices}
    dag = dag_of(drawn, 4)  # a Dag refuses edges that lead back
    known = configuration_of(dag, 4, ("S", "M", "L"))
    assert [each.name for each in choices] == list(known)
    assert dag_of(known, 4) == dag
    assert configuration_of(dag_of(known, 4), 4, ("S", "M", "L")) == known


def test_all_graphs_are_those_that_configurations_come_to(table: Graphs) -> None:
    """16,384 configurations of four nodes, in closed form."""
    choices = choices_of(4, MODELS)
    found = set()
    for values in product(*(each.values for each in choices)):
        configuration: Configuration = {each.name: value for each, value in zip(choices, values, strict=True)}
        found.add(dag_of(configuration, 4))
    assert found == {*table.dags}
    assert len(table.dags) == len(found) == 4 + 16 + 3 * 64 + 21 * 256


def test_feasible_configurations_are_counted_by_what_is_run(table: Graphs) -> None:
    """Of 16,384; at 12 units, of MATH. Where nodes that nobody hears are paid for too, fewer are."""
    space, paid = table.space(12 * UNIT), graph(budget_units=12).space
    choices = choices_of(4, MODELS)
    run = all_paid = 0
    for values in product(*(each.values for each in choices)):
        configuration = {each.name: value for each, value in zip(choices, values, strict=True)}
        run += space.allows(configuration)
        all_paid += paid.allows(configuration)
    assert (run, all_paid) == (12_352, 9_168)


def test_a_vote_of_fewer_than_two_cannot_be_built() -> None:
    dags = list(all_dags(3, ("S", "L"), fusers_vote=True))
    assert len(dags) == len({*dags})
    assert all(len(node.parents) > 1 and not node.model for dag in dags for node in dag.nodes if node.role == FUSER)
    assert len(dags) == 2 + 4 + 8 + 2 * 12  # alone; two; three in a chain; three whose last reads both


def test_what_is_proposed_over_the_budget_is_repaired_within_it(table: Graphs) -> None:
    random, space = np.random.default_rng(0), table.space(6 * UNIT)
    for _ in range(50):
        drawn = {each.name: each.values[int(random.integers(len(each.values)))] for each in space.choices}
        assert space.cost(space.repair(drawn)) <= 6 * UNIT
        assert space.cost(space.draw(random)) <= 6 * UNIT


def test_the_gradient_of_a_graphs_log_chance_is_that_of_finite_differences(table: Graphs) -> None:
    random = np.random.default_rng(1)
    factors = Factors(table.space(12 * UNIT))
    finite = np.isfinite(factors.logits_CV)
    factors.logits_CV[finite] = random.normal(size=int(finite.sum()))
    drawn = factors.draw(random)
    slope_CV, step = factors.log_chance_gradient(drawn), 1e-6
    for at in np.argwhere(finite).tolist():
        values = []
        for sign in (1, -1):
            factors.logits_CV[*at] += sign * step
            values.append(factors.log_chance(drawn))
            factors.logits_CV[*at] -= sign * step
        assert slope_CV[*at] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-8)


def test_configurations_of_one_graph_are_one_trial(table: Graphs) -> None:
    space = table.space(12 * UNIT)
    alone = {each.name: each.values[0] for each in space.choices}
    unheard = alone | {"0->1": True, "model_0": "3B", "role_1": "fuser"}
    assert space.key(alone) == space.key(unheard)
    assert space.cost(alone) == space.cost(unheard) == pytest.approx(UNIT)
    assert table.words(unheard) == "1B"
    assert space.size == 5588 == len(list(space.iterate()))


def test_the_default_is_one_node_of_the_dearest_model_that_is_paid(table: Graphs) -> None:
    assert table.words(table.default()) == "3B"
    assert table.words(table.default(2 * UNIT)) == "1B"
    with pytest.raises(ArgumentError, match=r"budget must be at least 9\.68943e\+11 FLOPs per query"):
        table.default(UNIT / 2)


def test_accuracies_and_prices_in_closed_form_are_those_of_the_formulas(table: Graphs) -> None:
    """A 3B node, one of 1B that revises it, and a 1B that fuses both."""
    dag = Dag(
        nodes=(
            Node(role=ASSISTANT, model="3B"),
            Node(role=ASSISTANT, model="1B", parents=(0,)),
            Node(role=FUSER, model="1B", parents=(0, 1)),
        )
    )
    revised = 0.58 * 0.89 + 0.42 * 0.2
    mean = (0.58 + revised) / 2
    assert accuracy(dag) == pytest.approx(mean + 0.17 * mean * (1 - mean))
    place = table.dags.index(dag)
    assert table.truth_C[place] == accuracy(dag)
    assert table.price_C[place] == pytest.approx(node_flops("3B", 0) + node_flops("1B", 1) + node_flops("1B", 2))
    option = table.option("x", table.configurations[place], table.again(table.configurations[place]).quality)
    assert option.sequential_tokens == 3 * 275
    assert option.seconds is None
    quick = closed_form(3, tokens_per_second=(100.0, 50.0))
    assert quick.seconds(dag) == pytest.approx(275 / 50 + 2 * 275 / 100)
