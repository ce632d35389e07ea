"""A cooldown as a session plans and weighs it: its price, what is expected, and what is served afterwards."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.records import CheckpointRecord, Cooldown, Problem, Reason, RunSpec
from breakeven.session.cooling import parent_of, planned, weighed
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


def cooled(rate: float, directory: Path, stop: CheckpointRecord) -> Session:
    """A branch of two steps, once it is evaluated."""
    with start_log(directory / "run", spec=SPEC, policy=POLICY) as log:
        parent = parent_of(stop, log)
    spec = replace(SPEC, budget_flops=COST.train_flops(1_200, 10))
    with start_log(directory / "branch", spec=spec, policy=POLICY, parent=parent) as log:
        session = make(rate, spec=spec, log=log, evaluate_every=1)
        assert session.observe(step=11, train_tokens=11_000).reason is Reason.NOT_DUE
        assert session.observe(step=12, train_tokens=12_000).reason is Reason.BUDGET_SPENT
    return session


def test_its_price_is_training_and_an_evaluation_of_as_many_samples_and_sets_the_least_queries() -> None:
    session, stop = stopped()
    plan = plan_of(session, stop)
    serving, query = stop.decision.serving, stop.observation.query_flops
    assert serving is not None
    assert serving.k > 1
    assert serving.flops_per_query is not None
    assert plan.train_flops == COST.train_flops(200, 10)
    drawn = [len(row) for row in stop.observation.bank.correct_PN]
    assert drawn == [4] * 120  # of 8, which sufficed for its decision
    assert plan.evaluation_flops == pytest.approx(120 * (query.total(4) + query.total(1)))
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


def test_a_cooldown_draws_at_its_end_what_the_stop_drew_and_no_more_often(tmp_path: Path) -> None:
    _, stop = stopped()
    branch = cooled(0.35, tmp_path, stop)
    (checkpoint,) = branch.checkpoints
    ours, theirs = checkpoint.observation.bank, stop.observation.bank
    assert ours.seed == theirs.seed
    assert ours == theirs  # as the model is the same here


def test_the_draws_are_those_of_the_stop_whatever_they_were(tmp_path: Path) -> None:
    _, stop = stopped()

    def draws(*rows: str) -> tuple[tuple[int, int], ...]:
        bank = replace(stop.observation.bank, correct_PN=rows, output_tokens_PN=())
        return parent_of(replace(stop, observation=replace(stop.observation, bank=bank)), log).draws

    with start_log(tmp_path, spec=SPEC, policy=POLICY) as log:
        assert draws(*["0101"] * 30, *["01"] * 60, *[""] * 30) == ((90, 2), (30, 4))
        assert draws(*[""] * 120) == ()  # greedy samples alone
        assert draws(*["01"] * 119, "0101") == ((120, 4),)  # drawn by somebody else


def test_a_better_model_is_served_with_fewer_samples_and_a_worse_one_is_not(tmp_path: Path) -> None:
    session, stop = stopped()
    plan, served = plan_of(session, stop), stop.decision.serving
    assert served is not None
    better = weighed(session, stop, plan, cooled(0.6, tmp_path / "better", stop).checkpoints[0].observation).cooled
    assert better is not None
    assert better.serving is not None
    assert better.serving.k < served.k
    assert better.serving.accuracy >= served.accuracy == better.stopped_accuracy
    assert better.accuracy > served.accuracy
    assert better.standard_error is not None
    assert 0 < better.standard_error < 0.1
    assert served.flops_per_query is not None
    assert better.serving.flops_per_query is not None
    cost = plan.train_flops + better.evaluation_flops
    assert better.break_even_queries == pytest.approx(cost / (served.flops_per_query - better.serving.flops_per_query))
    spent = stop.observation.evaluation_flops + better.evaluation_flops + COST.train_flops(1_200, 10)
    assert better.net_saving == pytest.approx(1 - spent / SPEC.budget_flops)
    worse = weighed(session, stop, plan, cooled(0.2, tmp_path / "worse", stop).checkpoints[0].observation).cooled
    assert worse is not None
    assert (worse.serving, worse.break_even_queries) == (None, None)
    assert worse.accuracy < served.accuracy


def test_a_rule_that_names_nothing_to_serve_is_weighed_by_one_greedy_sample(tmp_path: Path) -> None:
    session, stop = stopped()
    bare = replace(stop, decision=replace(stop.decision, serving=None))
    found = weighed(
        session, bare, plan_of(session, bare), cooled(0.6, tmp_path, stop).checkpoints[0].observation
    ).cooled
    assert found is not None
    assert found.stopped_accuracy == stop.observation.bank.greedy_accuracy
    assert found.serving is not None
    assert found.serving.k == 1


def test_problems_whose_check_failed_are_not_paired(tmp_path: Path) -> None:
    session, stop = stopped()
    observation = cooled(0.6, tmp_path, stop).checkpoints[0].observation
    failed = replace(observation.bank, greedy_correct_P="?" * 119 + observation.bank.greedy_correct_P[119:])
    found = weighed(session, stop, plan_of(session, stop), replace(observation, bank=failed)).cooled
    assert found is not None
    assert found.standard_error is None
