"""Trials of each method on a table, held against the truth."""

import math

import numpy as np
import pytest

from breakeven.plan.cells import Cells
from breakeven.plan.pipelining.methods import EXACT, SEEDED, moves_of
from breakeven.plan.pipelining.table import Table
from breakeven.plan.trials.archive import Archive
from breakeven.plan.trials.courses import POINT, Course, Tried, course_of, middle
from breakeven.plan.trials.space import Configuration
from breakeven.store import CellFile, PlanHeader

BUDGET = 8.0


@pytest.fixture
def cells(tmp_path):
    with CellFile(tmp_path, PlanHeader(versions={}, row="pipeline", settings={})) as file:
        yield Cells(file=file)


def course(table: Table, places: list[int], num_problems: int = 400) -> Course:
    tried = Tried(places=tuple(places), num_random=0, refused={})
    return Course(table=table, budget=BUDGET, num_problems=num_problems, seed=0, tried=tried)


def test_what_is_chosen_is_what_was_seen_to_be_best_and_its_truth_is_that_of_fresh_problems(table: Table) -> None:
    best, worst = table.optimum(BUDGET), 0
    found = course(table, [worst, best, worst + 1])
    assert [truth for _, truth in found.course] == [table.truth_C[0], table.truth_C[best], table.truth_C[best]]
    spent = np.cumsum([400 * table.price_C[place] for place in (worst, best, worst + 1)])
    assert [flops for flops, _ in found.course] == spent.tolist()
    assert (found.trials, found.flops) == (2, spent[1])
    assert found.short == 0
    assert found.optimism == pytest.approx(table.trial_CP[best].mean() - table.truth_C[best])


def test_what_never_comes_near_is_never(table: Table) -> None:
    found = course(table, [0, 1])
    assert found.trials == found.flops == math.inf
    assert found.short > POINT


@pytest.mark.parametrize("name", [*SEEDED, *EXACT])
def test_each_method_begins_with_the_default_and_keeps_the_budget(table: Table, cells, name: str) -> None:
    found = course_of(table, BUDGET, name, cells=cells, num_trials=12, num_problems=100)
    assert table.configurations[found.tried.places[0]] == table.default(BUDGET)
    assert len(set(found.tried.places)) == len(found.tried.places)
    assert all(table.price_C[place] <= BUDGET for place in found.tried.places) is (name != "stages")
    assert found.archive.best is not None
    assert found.archive.best.price <= BUDGET
    assert len(found.tried.places) == (12 if name in SEEDED else len(found.tried.places))
    again = course_of(table, BUDGET, name, cells=cells, num_trials=12, num_problems=100)
    assert again.tried == found.tried  # read back
    assert len(cells.file) == 1


def test_exhaustive_search_tries_all_and_factorised_finds_the_best_of_a_product(table: Table, cells) -> None:
    whole = course_of(table, BUDGET, "exhaustive", cells=cells, num_trials=1, num_problems=400)
    assert set(whole.tried.places) == set(table.within(BUDGET).tolist())
    factorised = course_of(table, BUDGET, "factorised", cells=cells, num_trials=1, num_problems=400)
    assert len(factorised.tried.places) < len(whole.tried.places)
    stages = course_of(table, BUDGET, "stages", cells=cells, num_trials=1, num_problems=400)
    assert len(stages.tried.places) <= 6 + 6 - 1 + 2  # each option of a stage, what is served today, what is chosen
    assert stages.trials < math.inf


def test_the_rules_find_what_they_were_told_of_and_say_where_they_are_stuck(table: Table, cells) -> None:
    found = course_of(table, BUDGET, "rules", cells=cells, num_trials=20, num_problems=400)
    assert found.trials <= 6
    assert found.tried.stuck_at
    assert found.tried.stuck_at[0] < 20


def test_moves_spend_what_the_other_stage_leaves(table: Table) -> None:
    """8 FLOPs, of which the first stage has 4: the second is offered 4 samples of S, or one of L."""
    space = table.space(BUDGET)
    archive = Archive(space=space)
    at: Configuration = {"first_model": "L", "first_samples": 1, "second_model": "L", "second_samples": 1}
    trial = archive.add(at, table.seen(at, 10), "first")
    offered = [table.words(each) for each in moves_of(table)[0](trial, archive)]
    assert offered == [
        "first L x 1, second L x 1",
        "first S x 4, second L x 1",
        "first L x 1, second L x 1",
        "first L x 1, second S x 4",
    ]
    wide: Configuration = {**at, "first_model": "S", "first_samples": 4}
    shifts = [
        table.words(each) for each in moves_of(table)[3](archive.add(wide, table.seen(wide, 10), "first"), archive)
    ]
    assert shifts == ["first S x 2, second L x 1"]  # what is given up pays no second sample


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0], (1.0, 1.0, 1.0)),
        ([1.0, 2.0, math.inf], (2.0, 1.0, math.inf)),
        ([math.inf] * 4, (math.inf, math.inf, math.inf)),
        ([1.0, 2.0, 3.0, 4.0], (2.5, 1.0, 4.0)),
        (list(map(float, range(1, 21))), (10.5, 6.0, 15.0)),  # 1 to 5 below: 2.1 %, 1 to 6: 5.8 %
    ],
)
def test_medians_with_exact_intervals(values: list[float], expected: tuple[float, float, float]) -> None:
    assert middle(values) == expected
