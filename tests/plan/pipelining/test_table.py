"""Configurations in one order, what they cost, and what is charged for whom."""

from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.pipelining.table import Table
from breakeven.plan.trials.measured import OTHERS
from breakeven.plan.trials.space import Configuration


def test_configurations_stand_in_the_order_of_the_rows(table: Table) -> None:
    assert len(table.configurations) == 36
    assert [table.place(each) for each in table.configurations] == list(range(36))
    assert table.words(table.configurations[7]) == "first S x 2, second S x 2"


def test_a_query_costs_what_its_stages_do(table: Table) -> None:
    at: Configuration = {"first_model": "L", "first_samples": 2, "second_model": "S", "second_samples": 4}
    assert table.price(at) == 2 * 4 + 4
    assert table.price_C[table.place(at)] == 12
    assert set(table.within(2.0).tolist()) == {0}


def test_the_default_is_one_sample_of_the_dearest_models_that_the_budget_allows(table: Table) -> None:
    assert table.words(table.default()) == "first L x 1, second L x 1"
    assert table.price(table.default(5.0)) == 5
    with pytest.raises(ArgumentError, match=r"budget must be at least 2 FLOPs per query, the price of the cheapest"):
        table.default(1.5)


def test_the_optimum_is_the_best_that_a_budget_allows_of_equals_the_cheapest(table: Table) -> None:
    best = max(table.truth_C[table.within(8.0)])
    place = table.optimum(8.0)
    assert table.truth_C[place] == best
    assert table.price_C[place] == min(table.price_C[each] for each in table.within(8.0) if table.truth_C[each] == best)
    assert table.words(table.configurations[place]) == "first L x 1, second S x 4"


def test_a_trial_sees_some_problems_and_is_charged_for_them(table: Table) -> None:
    at = table.configurations[20]
    seen = table.seen(at, 50)
    assert seen == table.seen(at, 50, seed=0)
    assert seen != table.seen(at, 50, seed=1)  # other problems
    assert table.seen(at, 400, seed=1).quality.value == pytest.approx(table.trial_CP[20].mean())
    assert seen.flops == 50 * table.price(at)
    assert table.seen(at, 1000).flops == 400 * table.price(at)  # there are no more
    again = table.again(at)
    assert again.quality.value == table.truth_C[20]
    assert again.flops == 400 * table.price(at)
    assert again.quality.value_P == tuple(table.fresh_CP[20])


def test_who_makes_trials_pays_for_all_models_who_does_not_for_those_served(table: Table) -> None:
    at = table.default()
    quality = table.again(at).quality
    assert table.option("default", at, quality).once == 80
    tried = table.tried("found", table.configurations[0], quality)
    assert tried.train_flops == 20
    assert tried.one_off == {OTHERS: 80}


def test_accuracies_alone_have_no_interval_and_are_charged_as_problems(table: Table) -> None:
    alone = replace(table, trial_CP=np.full((36, 1), 0.5), fresh_CP=np.full((36, 1), 0.5), fresh_problems=70)
    assert not alone.knows_problems
    assert alone.again(alone.configurations[0]).quality.lo is None
    assert alone.again(alone.configurations[0]).flops == 70 * 2
    assert alone.seen(alone.configurations[0], 30).flops == 30 * 2


def test_rows_of_another_number_and_too_many_configurations_are_refused(table: Table) -> None:
    with pytest.raises(ArgumentError, match="trial_CP must have a row for each of 36 configurations; got 35"):
        replace(table, trial_CP=table.trial_CP[:35])
    wide = replace(table.stages[0], samples=tuple(range(1, 301)))
    with pytest.raises(ArgumentError, match="stages must make at most 100000 configurations; got 360000"):
        replace(table, stages=(wide, replace(wide, name="second")))
