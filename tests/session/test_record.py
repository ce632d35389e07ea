"""`Session.record`: a bank measured elsewhere decides, is charged and is recorded like one that was drawn here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.adapters.metrics import metrics
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, DivergedError
from breakeven.records import Action, Problem, Reason, RunSpec, SampleBank
from breakeven.report import decided_document, render_page
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.stopping.calibrated import CalibratedPolicy
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


def without_greedy(bank: SampleBank) -> SampleBank:
    """As a trainer's own evaluation draws it, each prompt read for each sample."""
    return replace(
        bank, greedy_correct_P="", greedy_tokens_P=(), greedy_output_tokens=0, num_prefills=bank.num_drawn, oracle=False
    )


def test_banks_without_greedy_samples_decide_on_the_sampled_baseline(bank: SampleBank, tmp_path: Path) -> None:
    spec = replace(SPEC, baseline="sampled", target=0.1)
    session = make(spec=spec, policy=CalibratedPolicy(), log=tmp_path)
    own = without_greedy(bank)
    decision = session.record(50, 500, own)
    assert decision.baseline_accuracy == own.sampled_accuracy
    assert (decision.action, decision.reason) == (Action.STOP, Reason.REACHED)
    (recorded,) = session.checkpoints
    lengths = [(prompt, row) for prompt, row in zip(own.prompt_tokens_P, own.output_tokens_PN, strict=True)]
    assert recorded.observation.evaluation_flops == pytest.approx(
        sum(COST.prefill_flops(prompt) + COST.decode_flops(prompt, each - 1) for prompt, row in lengths for each in row)
    )
    assert metrics(recorded)["breakeven/pass_at_1"] == own.sampled_accuracy
    session.close()
    (again,) = read_log(tmp_path).checkpoints
    assert again == recorded
    assert replay([again.observation], spec, session.policy) == (decision,)
    page = render_page(decided_document("own", {}, read_log(tmp_path).checkpoints))
    assert f"4 samples each at temperature {own.temperature:g}." in page
    assert "greedy sample each" not in page


def test_a_bank_without_greedy_samples_is_priced_at_mean_lengths_too(bank: SampleBank) -> None:
    own = replace(without_greedy(bank), prompt_tokens_P=(), output_tokens_PN=())
    session = make(spec=replace(SPEC, baseline="sampled"), policy=CalibratedPolicy())
    session.record(10, 100, own)
    query = COST.query_flops(own.prompt_tokens / 3, own.output_tokens / 12 - 1)
    assert session.checkpoints[0].observation.evaluation_flops == pytest.approx(12 * query.total(1))


def test_the_greedy_baseline_needs_greedy_samples(bank: SampleBank) -> None:
    session = make(policy=CalibratedPolicy())
    with pytest.raises(ArgumentError, match=r"^baseline must be measured at every checkpoint; step 10 has none"):
        session.record(10, 100, without_greedy(bank))
    with pytest.raises(ArgumentError, match=r"^correct_PN must hold a sample where no greedy one was drawn"):
        replace(without_greedy(bank), correct_PN=("", "", ""), output_tokens_PN=(), output_tokens=0)
    with pytest.raises(ArgumentError, match=r"^greedy_correct_P must have one character .*, or none at all; got 2"):
        replace(bank, greedy_correct_P="10")


def test_what_rollouts_took_is_training_and_told_apart(bank: SampleBank, tmp_path: Path) -> None:
    there, here = live(), make(log=tmp_path)
    seen = there.observe(step=10, train_tokens=100, rollout_flops=5000.0)
    here.record(10, 100, bank, rollout_flops=5000.0)
    here.record(20, 200, bank)
    for session, decision in ((there, seen), (here, here.checkpoints[0].decision)):
        observed = session.checkpoints[0].observation
        assert observed.train_flops == COST.train_flops(10, 10) + 5000
        assert observed.rollout_flops == 5000
        assert decision.used == pytest.approx(observed.train_flops / SPEC.budget_flops)
    here.close()
    lines = (tmp_path / "log.jsonl").read_text("utf-8").splitlines()
    assert ["rollout_flops" in each for each in lines if '"checkpoint"' in each] == [True, False]
    page = render_page(decided_document("own", {}, read_log(tmp_path).checkpoints[:1]))
    assert "of these on samples to train on and reference models" in page
    with pytest.raises(ArgumentError, match=r"^rollout_flops must be finite and at least 0; got nan"):
        there.observe(step=20, train_tokens=200, rollout_flops=float("nan"))
