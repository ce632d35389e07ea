"""What AgentTTS says of stages, on stages that were made to be so."""

from dataclasses import replace

import numpy as np
import pytest

from breakeven.plan.pipelining.insights import Insights
from breakeven.plan.pipelining.table import Table
from breakeven.plan.pipelining.told import insight_findings, left_out_notes, stage_picture, stage_table


@pytest.fixture(scope="module")
def insights(table: Table) -> Insights:
    return Insights(table=table, draws=200, seed=0)


def test_a_stage_alone_is_read_beside_the_best_of_the_other(table: Table, insights: Insights) -> None:
    alone_MK = insights.alone(0, table.truth_C[None])[0]
    best = table.configurations[int(np.argmax(table.truth_C))]
    for model, name in enumerate(("S", "L")):
        for place, k in enumerate((1, 2, 4)):
            at = table.place({**best, "first_model": name, "first_samples": k})
            assert alone_MK[model, place] == table.truth_C[at]


def test_one_stage_prefers_a_large_model_the_other_many_samples(insights: Insights) -> None:
    """Four samples of S cost what one of L does: .53 against .90, and .80 against .70, times the other stage."""
    first, second = (insights.finding("", insights.many_less_one(stage)) for stage in (0, 1))
    assert first.value == pytest.approx((0.53 - 0.9) * 0.8, abs=0.05)
    assert second.value == pytest.approx((0.8 - 0.7) * 0.91, abs=0.05)
    assert first.hi is not None
    assert second.lo is not None
    assert first.hi < 0 < second.lo


def test_more_samples_help_one_stage_and_not_the_other(insights: Insights) -> None:
    assert insights.finding("", insights.rise(1, 0, 0, 2)).value == pytest.approx(0.4 * 0.91, abs=0.05)
    assert insights.finding("", insights.rise(0, 1, 1, 2)).value == pytest.approx(0.0, abs=0.02)


def test_what_factorises_is_explained_and_what_does_not_is_not(table: Table, insights: Insights) -> None:
    explained = insights.finding("", insights.unexplained).value
    assert explained is not None
    assert explained < 0.05
    shape = (2, 3, 2, 3, 400)
    changed_CP = table.fresh_CP.reshape(shape).copy()
    changed_CP[0, 0, 0, 0] = np.arange(400) < 200  # half is solved where both stages foretell .2
    other = replace(insights, table=replace(table, fresh_CP=changed_CP.reshape(36, 400)))
    assert other.finding("", other.unexplained).value == pytest.approx(0.3, abs=0.05)


def test_after_a_poor_stage_fewer_samples_are_enough(table: Table) -> None:
    """A share of .02 is left by the poor stage: no number of samples gains a point."""
    first, second = np.array([[0.02], [1.0]]), np.array([0.5, 0.7, 0.8])
    whole_C = (first * second).ravel()
    hardness_P = (np.arange(1000) + 0.5)[None] / 1000
    one = replace(table.stages[0], samples=(1,), flops_MK=((1.0,), (4.0,)))
    right_CP = (hardness_P < np.concatenate([whole_C[:3], whole_C[:3], whole_C[3:], whole_C[3:]])[:, None]).astype(
        float
    )
    made = Table(stages=(one, table.stages[1]), trial_CP=right_CP, fresh_CP=right_CP)
    insights = Insights(table=made, draws=50, seed=0)
    found = {each.text: each.value for each in insight_findings(insights)}
    fewest = "insight 3, second: fewest samples within a point of its best, after the "
    assert found[f"{fewest}best first"] == 4
    assert found[f"{fewest}poorest first"] == 1
    assert insights.finding("", insights.gained(1, good=True)).value == pytest.approx(0.3)


def test_every_insight_has_its_finding_table_and_picture(insights: Insights) -> None:
    found = list(insight_findings(insights))
    assert {each.text.partition(",")[0] for each in found} >= {"insight 1", "insight 2", "insight 3"}
    for each in found:
        assert each.lo is not None
        assert each.value is not None
        assert each.hi is not None
        assert each.lo <= each.value <= each.hi
    assert [row[:2] for row in stage_table(insights).rows] == [(s, m) for s in ("first", "second") for m in "SL"]
    assert len(stage_picture(insights).lines) == 4


def test_accuracies_alone_have_no_intervals(table: Table) -> None:
    alone = replace(table, trial_CP=table.truth_C[:, None], fresh_CP=table.truth_C[:, None], fresh_problems=10)
    found = list(insight_findings(Insights(table=alone, draws=50, seed=0)))
    assert all(each.lo is None for each in found)
    assert not stage_picture(Insights(table=alone, draws=50, seed=0)).lines[0].intervals


def test_a_model_that_no_budget_pays_is_named(table: Table) -> None:
    assert list(left_out_notes(table, [4.0])) == [
        "first by L costs more than any budget with one sample: it is never chosen.",
        "second by L costs more than any budget with one sample: it is never chosen.",
    ]
    assert not list(left_out_notes(table, [4.0, 5.0]))
