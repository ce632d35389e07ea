"""`Session.record`: a bank measured elsewhere decides, is charged and is recorded like one that was drawn here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, DivergedError
from breakeven.records import Problem, Reason, RunSpec, SampleBank
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.store import read_log
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)
SPEC = RunSpec(budget_flops=COST.train_flops(100, 10))  # 1000 tokens
RATES = {"easy": 0.9, "even": 0.5, "hard": 0.1}


def make(**changes: Any) -> Session:
    settings: dict[str, Any] = {
        "problems": [Problem(id=each, prompt=each) for each in RATES],
        "cost": COST,
        "sequence_tokens": 10,
        "spec": SPEC,
        "policy": Patience(PaperPolicy(max_k=8), 2),
        "num_samples": 4,
    }
    return Session(**settings | changes)


def live(**changes: Any) -> Session:
    return make(sampler=RateSampler(RATES), verifier=RateVerifier(), **changes)


@pytest.fixture
def bank() -> SampleBank:
    session = live()
    session.observe(step=10, train_tokens=100)
    return session.checkpoints[0].observation.bank


def test_banks_of_another_session_give_its_decisions(tmp_path: Path) -> None:
    there, here = live(), make(log=tmp_path)
    for step in range(10, 101, 10):
        told = there.observe(step=step, train_tokens=10 * step, loss=1.0, learning_rate=0.1)
        bank = there.checkpoints[-1].observation.bank
        assert here.record(step, 10 * step, bank, loss=1.0, learning_rate=0.1) == told
    assert here.checkpoints == there.checkpoints
    here.close()
    recorded = read_log(tmp_path).checkpoints
    assert replay([each.observation for each in recorded], SPEC, here.policy) == tuple(
        each.decision for each in recorded
    )


def test_what_is_shown_of_a_step_is_kept_and_decides_nothing(bank: SampleBank, tmp_path: Path) -> None:
    with make(log=tmp_path) as session:
        decision = session.record(10, 100, bank, loss=2.0, learning_rate=3e-4, seconds=1.5)
    (checkpoint,) = read_log(tmp_path).checkpoints
    assert checkpoint.observation.loss == 2.0
    assert checkpoint.observation.shown == {"learning_rate": 3e-4, "seconds": 1.5}
    assert make().record(10, 100, bank) == decision


def test_a_recorded_step_is_returned_and_not_recorded_again(bank: SampleBank, tmp_path: Path) -> None:
    with make(log=tmp_path) as session:
        decision = session.record(10, 100, bank)
    before = (tmp_path / "log.jsonl").read_bytes()
    with make(log=tmp_path, resume=True) as session:
        assert session.record(10, 100, bank) == decision
    assert (tmp_path / "log.jsonl").read_bytes() == before


def test_past_the_budget_nothing_is_recorded(bank: SampleBank) -> None:
    session = make()
    assert session.record(99, 1001, bank).reason is Reason.BUDGET_SPENT
    assert not session.checkpoints


def test_it_is_recorded_whether_due_or_not(bank: SampleBank) -> None:
    session = make(evaluate_every=10)
    session.record(7, 70, bank)
    assert [each.observation.step for each in session.checkpoints] == [7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda bank: bank.of([0, 1]), r"^bank must be of the session's 3 problems; got 2\."),
        (
            lambda bank: replace(bank, temperature=0.5),
            r"^bank must be drawn at the session's temperature 0\.8; got",
        ),
        (
            lambda bank: replace(
                bank,
                correct_PN=tuple(row[:2] for row in bank.correct_PN),
                output_tokens_PN=(),
                answer_PN=(),
            ),
            r"^policy\.k_values must be at most the 2 samples drawn per problem",
        ),
    ],
)
def test_a_bank_that_the_session_cannot_decide_on_is_refused(bank: SampleBank, change: Any, message: str) -> None:
    session = make()
    with pytest.raises(ArgumentError, match=message):
        session.record(10, 100, change(bank))
    assert not session.checkpoints


def test_steps_that_go_back_and_losses_that_are_none_are_refused(bank: SampleBank) -> None:
    session = make()
    session.record(20, 200, bank)
    with pytest.raises(ArgumentError, match=r"^step must be above 20, the last observed; got 10\."):
        session.record(10, 100, bank)
    with pytest.raises(DivergedError, match="training diverged"):
        session.record(30, 300, bank, loss=float("nan"))


def test_a_session_without_a_sampler_says_so_where_it_would_evaluate() -> None:
    with pytest.raises(ArgumentError, match=r"^sampler must be given where the session itself evaluates; got"):
        make().observe(step=10, train_tokens=100)
    with pytest.raises(ArgumentError, match=r"^verifier must have a method check; got None"):
        make(sampler=RateSampler(RATES))
    with pytest.raises(ArgumentError, match=r"^sampler must have a method sample; got None"):
        make(mode="shadow", test_problems=[Problem(id="t", prompt="t")])
