"""The workload is the decision's own arithmetic: its break-even to the last digit, and lines that meet there."""

import dataclasses
import math

import pytest

from breakeven.records import Reason
from breakeven.report.charts.workload import UNBOUNDED, spent_of, workload_of

BUDGET, ONE_QUERY = 4.2e15, 2.1e7


def load_of(checkpoint, queries=None):
    """The workload of a checkpoint that has one."""
    load = workload_of(checkpoint, queries)
    assert load is not None
    return load


@pytest.mark.parametrize("step", [300, 400, 500, 600, 800])
@pytest.mark.parametrize("k", [2, 5, 8])
def test_the_break_even_is_the_decisions_and_its_interval_holds_it(priced, step, k):
    shown = priced(step, k)
    load = load_of(shown)
    assert load.break_even == shown.decision.break_even_queries
    assert load.break_even_lo < load.break_even < load.break_even_hi


def test_the_lines_are_training_and_evaluation_and_a_query_each(priced):
    shown = priced(500)
    load = load_of(shown, 1e6)
    assert load.fixed == 0.2 * BUDGET + 1e14 == spent_of(shown)
    assert load.query == shown.decision.serving.flops_per_query
    assert load.full_fixed == pytest.approx(BUDGET)
    assert load.full_query == pytest.approx(ONE_QUERY)
    assert load.stop == "stop at step 500, at most 8 samples a query"
    assert load.full == "full training, one greedy sample a query"


@pytest.mark.parametrize("step", [300, 500, 800])
def test_the_lines_meet_at_the_break_even(priced, step):
    load = load_of(priced(step))
    stopped = load.fixed + load.break_even * load.query
    assert stopped == pytest.approx(load.full_fixed + load.break_even * load.full_query)


def test_the_interval_is_that_of_the_samples_until_one_is_right(priced):
    """A K-curve 0.02 higher from K = 1 to 7 needs 7 x 0.02 samples less, and costs so much less a query."""
    load = load_of(priced(500))
    saved, extra = 0.8 * BUDGET - 1e14, load.query - ONE_QUERY
    assert load.break_even_hi == pytest.approx(saved / (extra - 0.14 * 2e7))
    assert load.break_even_lo == pytest.approx(saved / (extra + 0.14 * 2e7))


def test_without_all_k_of_the_curve_there_is_no_interval(calibrated):
    load = load_of(calibrated(600))
    assert load.break_even is not None
    assert load.break_even_lo is load.break_even_hi is None


@pytest.mark.parametrize("even", [None, math.inf, 0.0, -3.0])
def test_where_the_lines_never_meet_there_is_none(priced, even):
    shown = priced(500)
    shown = dataclasses.replace(shown, decision=dataclasses.replace(shown.decision, break_even_queries=even))
    load = load_of(shown)
    assert (load.break_even, load.break_even_lo, load.break_even_hi) == (None, None, None)
    assert load.queries == UNBOUNDED
    assert load.full_query == ONE_QUERY


def test_it_begins_with_what_was_declared_else_below_the_break_even(priced):
    assert (load_of(priced(500), 5e5).queries, load_of(priced(500), 5e5).declared) == (5e5, True)
    load = load_of(priced(500))
    assert load.queries == pytest.approx(load.break_even / 10)
    assert not load.declared


@pytest.mark.parametrize("missing", ["serving", "price", "evaluation", "cost", "share"])
def test_where_a_flop_is_unknown_there_is_no_workload(priced, missing):
    shown = priced(500, reason=Reason.UNSURE) if missing == "serving" else priced(500)
    decision, observation = shown.decision, shown.observation
    if missing == "price":
        serving = dataclasses.replace(decision.serving, flops_per_query=None)
        decision = dataclasses.replace(decision, serving=serving)
    elif missing == "evaluation":
        decision = dataclasses.replace(decision, evaluation_flops=None)
    elif missing == "cost":
        observation = dataclasses.replace(observation, query_flops=None)
    elif missing == "share":
        decision = dataclasses.replace(decision, used=0.0)
    assert workload_of(dataclasses.replace(shown, decision=decision, observation=observation), 1e6) is None


def test_where_all_samples_are_paid_for_there_is_no_interval(priced):
    """As where a cap on sequential tokens has them drawn at once: then nothing is uncertain in their number."""
    shown = priced(500)
    serving = dataclasses.replace(shown.decision.serving, flops_per_query=9e8)
    load = load_of(dataclasses.replace(shown, decision=dataclasses.replace(shown.decision, serving=serving)))
    assert (load.break_even_lo, load.break_even_hi) == (None, None)
