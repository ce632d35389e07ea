"""Kinds of graphs held against each other: who stands for them, and by how much they differ."""

import math
from dataclasses import replace

import numpy as np
import pytest

from breakeven.plan.agents.closed_form import closed_form
from breakeven.plan.agents.insights import Insights
from breakeven.plan.agents.published import node_flops
from breakeven.plan.agents.table import Graphs
from breakeven.plan.agents.told import counts_findings, counts_table, exhaustive_table
from breakeven.plan.cells import Cells
from breakeven.plan.trials.compared import compared
from breakeven.records import NORMAL_95
from breakeven.store import CellFile, PlanHeader

UNIT = node_flops("1B", 0)


@pytest.fixture(scope="module")
def table() -> Graphs:
    """As if measured: 40 fresh problems, each graph right on some."""
    exact = closed_form(4)
    random = np.random.default_rng(0)
    fresh_CP = (random.random((len(exact.dags), 40)) < exact.truth_C[:, None]).astype(float)
    return replace(exact, fresh_CP=fresh_CP, fresh_problems=None)


def test_who_stands_for_a_kind_is_chosen_on_other_problems(table: Graphs) -> None:
    insights = Insights(table=table, budgets=(12 * UNIT,))
    at = insights.shaped(12 * UNIT, depth=2, width=2)
    assert at is not None
    there = [
        place
        for place, dag in enumerate(table.dags)
        if (dag.depth, dag.width) == (2, 2) and table.price_C[place] <= 12 * UNIT
    ]
    seen = table.trial_CP.mean(axis=1)
    assert at in there
    assert seen[at] == max(seen[place] for place in there)
    assert insights.shaped(UNIT / 2) is None
    assert table.optimum(12 * UNIT) == int(np.argmax(np.where(table.price_C <= 12 * UNIT, seen, -1)))


def test_a_difference_is_paired_over_problems_and_its_interval_covers(table: Graphs) -> None:
    insights = Insights(table=table, budgets=(12 * UNIT,))
    gap_P = table.fresh_CP[5] - table.fresh_CP[9]
    found = insights.difference("x", [5], [9])
    half = NORMAL_95 * gap_P.std(ddof=1) / math.sqrt(40)
    assert (found.value, found.lo, found.hi) == pytest.approx((gap_P.mean(), gap_P.mean() - half, gap_P.mean() + half))
    assert insights.difference("x", [5, 9], [9, 5]).value == 0
    missing = insights.difference("x", [None], [9])
    assert missing.value is None
    assert missing.text == "x (the budget does not allow both)"


def test_every_insight_is_a_finding_and_shapes_are_drawn(table: Graphs) -> None:
    insights = Insights(table=table, budgets=(3 * UNIT, 12 * UNIT))
    texts = [each.text for each in insights.findings()]
    assert sum(each.startswith("insight 1") for each in texts) == 4
    assert sum(each.startswith("insight 2") for each in texts) == 3 + 2
    assert sum(each.startswith("insight 3") for each in texts) == 2 + 1
    assert sum(each.startswith("the best chain less the best fan") for each in texts) == 2
    shapes = {row[1:3] for row in insights.shape_table().rows}
    assert shapes == {("1", "1"), ("2", "1"), ("2", "2"), ("2", "3"), ("3", "1"), ("3", "2"), ("4", "1")}
    assert [each.label for each in insights.shape_picture().lines] == ["width 1", "width 2", "width 3"]
    assert all(each.intervals for each in insights.shape_picture().lines)


def test_latency_is_bought_with_accuracy(table: Graphs) -> None:
    """In closed form each level costs 275 tokens: of those listed none is slower and no better."""
    rows = Insights(table=closed_form(4), budgets=(12 * UNIT,)).latency_table().rows
    tokens, accuracies = [float(row[3]) for row in rows], [float(row[4]) for row in rows]
    assert tokens == sorted(tokens)
    assert accuracies == sorted({*accuracies})
    assert tokens[0] == 275
    assert tokens[-1] <= 4 * 275


def test_more_trials_and_all_of_them(table: Graphs, tmp_path_factory: pytest.TempPathFactory) -> None:
    small = closed_form(3)
    with CellFile(
        tmp_path_factory.mktemp("cells"), PlanHeader(versions={}, row="graph", settings={}, files={})
    ) as file:
        (found,) = compared(small, [12 * UNIT], Cells(file=file), seeds=3, num_trials=12, num_problems=64)
    rows = counts_table(found).rows
    assert [row[:2] for row in rows] == [(name, count) for name in small.seeded for count in ("5", "10")]
    findings = list(counts_findings(found))
    assert [each.text.split(":")[0] for each in findings] == list(small.seeded)
    assert all("after 12 trials, less after 5" in each.text for each in findings)
    random = found.courses["random"]
    gains = [each.course[11][1] - each.course[4][1] for each in random]
    assert findings[-1].value == pytest.approx(np.mean(gains))
    (row,) = exhaustive_table([found], num_problems=512, seeds=2).rows
    places = small.within(12 * UNIT)
    best = places[np.argmax(small.trial_CP[places].mean(axis=1))]
    assert float(row[3].split()[0]) == pytest.approx(100 * (found.optimum - small.truth_C[best]), abs=0.06)
