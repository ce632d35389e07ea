"""A cooldown as a session plans and weighs it: its price, what is expected, and what is served afterwards."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.records import CheckpointRecord, Cooldown, Observation, Parent, Problem, Reason, RunSpec
from breakeven.session.cooling import planned, weighed
from breakeven.session.recording import start_log
from breakeven.session.session import Session
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)
NAMES = [f"p{number:03d}" for number in range(120)]
SPEC = RunSpec(budget_flops=COST.train_flops(4_000, 10), checker=True, target=0.6, baseline="sampled")
POLICY = CalibratedPolicy(max_k=16, max_evaluation_share=1e9)


def make(rate: float, **changes: Any) -> Session:
    settings: dict[str, Any] = {
        "sampler": RateSampler(dict.fromkeys(NAMES, rate)),
        "verifier": RateVerifier(),
        "problems": [Problem(id=each, prompt=each) for each in NAMES],
        "cost": COST,
        "sequence_tokens": 10,
        "spec": SPEC,
        "policy": POLICY,
        "num_samples": 8,
        "quiet": True,
    }
    return Session(**settings | changes)


def stopped(**changes: Any) -> tuple[Session, CheckpointRecord]:
    """A run that solves a third of its problems, and stops where several samples reach the accuracy asked for."""
    session = make(0.35, **changes)
    session.observe(step=10, train_tokens=10_000)
    assert session.stopped_at is not None
    return session, session.stopped_at


def plan_of(session: Session, stop: CheckpointRecord, steps: int = 2) -> Cooldown:
    return planned(session, stop, branch="cooldown", steps=steps, step_tokens=1_000)


def branch(rate: float, directory: Path) -> tuple[Observation, Observation]:
    """What is measured of a branch of two steps: the stop and its end."""
    spec = replace(SPEC, budget_flops=COST.train_flops(1_200, 10), target=None)
    parent = Parent(run="..", step=10, fingerprint=None)
    with start_log(directory, spec=spec, policy=POLICY, parent=parent) as log:
        make(0.35, spec=spec, log=log, evaluate_every=2).observe(step=10, train_tokens=10_000)
        session = make(rate, spec=spec, log=log, evaluate_every=2)
        assert session.observe(step=11, train_tokens=11_000).reason is Reason.NOT_DUE
        assert session.observe(step=12, train_tokens=12_000).reason is Reason.BUDGET_SPENT
    stopped, cooled = (each.observation for each in session.checkpoints)
    return stopped, cooled


def test_its_price_is_training_and_an_evaluation_of_as_many_samples_and_sets_the_least_queries() -> None:
    session, stop = stopped()
    plan = plan_of(session, stop)
    serving, query = stop.decision.serving, stop.observation.query_flops
    assert serving is not None
    assert serving.k > 1
    assert serving.flops_per_query is not None
    assert plan.train_flops == COST.train_flops(200, 10)
    assert plan.evaluation_flops == pytest.approx(2 * 120 * (query.total(8) + query.total(1)))
    cost = plan.train_flops + plan.evaluation_flops
    assert plan.least_queries == pytest.approx(cost / (serving.flops_per_query - query.total(1)))
    assert (plan.step, plan.steps, plan.expected_by, plan.is_over) == (10, 2, "prior", False)
    assert plan.expected_lo < stop.observation.bank.sampled_accuracy < plan.expected < plan.expected_hi


def test_it_is_left_out_where_it_cannot_pay_or_training_on_costs_no_more() -> None:
    session, stop = stopped()
    least = plan_of(session, stop).least_queries
    assert least is not None
    assert plan_of(session, stop, steps=31).left_out == "end"
    for queries, left_out in ((least * 1.01, None), (least * 0.99, "queries")):
        session.spec = replace(SPEC, queries=queries)
        assert plan_of(session, stop).left_out == left_out


def test_both_are_measured_by_all_samples_that_go_on_from_those_of_the_stop(tmp_path: Path) -> None:
    _, stop = stopped()
    decided, (first, last) = stop.observation.bank, branch(0.35, tmp_path)
    assert {len(row) for row in decided.correct_PN} == {4}  # which sufficed for its decision
    assert {len(row) for row in first.bank.correct_PN} == {8}
    assert first.bank == last.bank  # as the model is the same here
    assert first.bank.seed == decided.seed
    assert all(row.startswith(other) for row, other in zip(first.bank.correct_PN, decided.correct_PN, strict=True))


def test_a_better_model_is_served_with_fewer_samples_and_a_worse_one_is_not(tmp_path: Path) -> None:
    session, stop = stopped()
    plan, served = plan_of(session, stop), stop.decision.serving
    assert served is not None
    better = weighed(session, stop, plan, *branch(0.6, tmp_path / "better")).cooled
    assert better is not None
    assert better.serving is not None
    assert better.serving.k < served.k
    assert better.serving.accuracy >= better.stopped_accuracy
    assert better.accuracy > better.stopped_accuracy
    assert better.standard_error is not None
    assert 0 < better.standard_error < 0.1
    assert better.break_even_queries is not None
    assert better.break_even_queries > 0
    spent = stop.observation.evaluation_flops + better.evaluation_flops + COST.train_flops(1_200, 10)
    assert better.net_saving == pytest.approx(1 - spent / SPEC.budget_flops)
    worse = weighed(session, stop, plan, *branch(0.2, tmp_path / "worse")).cooled
    assert worse is not None
    assert (worse.serving, worse.break_even_queries) == (None, None)
    assert worse.accuracy < worse.stopped_accuracy == better.stopped_accuracy


def test_a_rule_that_names_nothing_to_serve_is_weighed_by_one_greedy_sample(tmp_path: Path) -> None:
    session, stop = stopped()
    bare = replace(stop, decision=replace(stop.decision, serving=None))
    first, last = branch(0.6, tmp_path)
    found = weighed(session, bare, plan_of(session, bare), first, last).cooled
    assert found is not None
    assert found.stopped_accuracy == first.bank.greedy_accuracy
    assert found.serving is not None
    assert found.serving.k == 1


def test_problems_whose_check_failed_are_not_paired(tmp_path: Path) -> None:
    session, stop = stopped()
    first, last = branch(0.6, tmp_path)
    failed = replace(last.bank, greedy_correct_P="?" * 119 + last.bank.greedy_correct_P[119:])
    found = weighed(session, stop, plan_of(session, stop), first, replace(last, bank=failed)).cooled
    assert found is not None
    assert found.standard_error is None


def test_samples_that_its_steps_will_draw_to_train_on_are_in_its_price() -> None:
    session = make(0.35)
    session.observe(step=10, train_tokens=10_000, rollout_flops=500_000.0)
    assert session.stopped_at is not None
    plan = plan_of(session, session.stopped_at)
    assert plan.train_flops == pytest.approx(COST.train_flops(200, 10) + 100_000)
