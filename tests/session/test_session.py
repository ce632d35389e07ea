"""`Session.observe`: what it measures, charges, refuses and records, with a sampler whose success rates are known."""

import errno
import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, DivergedError, RunStorageError
from breakeven.records import Action, Draw, Problem, Reason, RunSpec
from breakeven.session.session import Session
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import Header, RunLog, read_log
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)
SEQUENCE_TOKENS = 10
SEQUENCE_FLOPS = 3 * (2 * 110 * 10 + 4 * 5 * 10 * 11 / 2)  # 9900
PLAN = RunSpec(budget_flops=100 * SEQUENCE_FLOPS)  # 1000 tokens
POLICY = Patience(PaperPolicy(max_k=8), 2)


class CountingSampler:
    """A RateSampler of three problems that remembers how it was called."""

    def __init__(self) -> None:
        self.rates = {"easy": 0.9, "even": 0.5, "hard": 0.1}
        self.inner = RateSampler(self.rates)
        self.calls: list[tuple[int, float, int]] = []

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        self.calls.append((num_samples, temperature, seed))
        return self.inner.sample(problems, num_samples, temperature=temperature, seed=seed)


@pytest.fixture
def sampler() -> CountingSampler:
    return CountingSampler()


def make_session(sampler: Any, **changes: Any) -> Session:
    settings: dict[str, Any] = {
        "sampler": sampler,
        "verifier": RateVerifier(),
        "problems": [Problem(id=each, prompt=each) for each in ("easy", "even", "hard")],
        "cost": COST,
        "sequence_tokens": SEQUENCE_TOKENS,
        "spec": PLAN,
        "policy": POLICY,
        "num_samples": 4,
        "evaluate_every": 10,
    }
    return Session(**settings | changes)


def make_log(directory: Path) -> RunLog:
    return RunLog.create(directory, Header(versions={}, config={}, spec=PLAN, policy=policy_settings(POLICY), seed=0))


def tokens_at(step: int) -> int:
    return 10 * step


def observe(session: Session, *steps: int, loss: float | None = 1.0):
    return [session.observe(step=step, train_tokens=tokens_at(step), loss=loss) for step in steps]


# -- when it evaluates ------------------------------------------------------------------------------------------------


def test_between_evaluations_nothing_is_sampled_or_recorded(sampler: CountingSampler, tmp_path: Path) -> None:
    with make_log(tmp_path) as log:
        session = make_session(sampler, log=log)
        for decision in observe(session, *range(1, 10)):
            assert (decision.action, decision.reason) == (Action.CONTINUE, Reason.NOT_DUE)
            assert decision.used == pytest.approx(decision.step / 100)
            assert not decision.stop
        assert not sampler.calls
        assert log.checkpoints == ()
        assert session.stopped_at is None


def test_an_evaluation_is_due_at_every_multiple(sampler: CountingSampler) -> None:
    session = make_session(sampler)
    decisions = observe(session, *range(1, 31))
    assert [each.step for each in decisions if each.reason is not Reason.NOT_DUE] == [10, 20, 30]
    assert [each.observation.step for each in session.checkpoints] == [10, 20, 30]
    assert [session.is_due(step, tokens_at(step)) for step in (0, 9, 10, 11)] == [True, False, True, False]


def test_an_evaluation_is_due_where_the_budget_is_spent(sampler: CountingSampler) -> None:
    session = make_session(sampler, evaluate_every=30)
    assert [session.is_due(step, tokens_at(step)) for step in (90, 99, 100)] == [True, False, True]
    decisions = observe(session, *range(1, 101))
    assert [each.step for each in decisions if each.reason is not Reason.NOT_DUE] == [30, 60, 90, 100]
    assert decisions[-1].reason is Reason.BUDGET_SPENT
    assert [each.observation.step for each in session.checkpoints] == [30, 60, 90, 100]


def test_a_budget_spent_but_for_rounding_is_spent(sampler: CountingSampler) -> None:
    session = make_session(sampler, spec=RunSpec(budget_flops=PLAN.budget_flops * (1 + 1e-12)), evaluate_every=30)
    assert session.is_due(100, 1000)
    assert not session.is_due(99, 999)


def test_each_evaluation_draws_n_samples_and_a_greedy_one_with_a_seed_of_its_own(sampler: CountingSampler) -> None:
    observe(make_session(sampler, num_samples=6, temperature=0.5, seed=3), 10, 20)
    assert [(num, temperature) for num, temperature, _ in sampler.calls] == 2 * [(1, 0.0), (6, 0.5)]
    sampled = {seed for _, temperature, seed in sampler.calls if temperature}
    observe(make_session(sampler, seed=4), 10, 20)
    sampled |= {seed for _, temperature, seed in sampler.calls if temperature}
    assert len(sampled) == 4


def test_the_untrained_model_may_be_observed_too(sampler: CountingSampler) -> None:
    session = make_session(sampler)
    decision = session.observe(step=0, train_tokens=0)
    assert decision.used == 0.0
    assert session.checkpoints[0].observation.loss is None
    assert session.observe(step=10, train_tokens=100).step == 10


# -- what it charges --------------------------------------------------------------------------------------------------

PREFILL = 2 * 100 * 6 + 2 * 10 + 4 * 5 * (6 * 7 / 2)  # 6 prompt tokens: 1640
DECODE = 2 * 110 * 7 + 4 * 5 * (7 * 6 + 7 * 8 / 2)  # 8 output tokens after them, all but the last fed back: 2940


@pytest.mark.parametrize("num_samples", [4, 6])
def test_every_flop_is_charged_exactly(sampler: CountingSampler, num_samples: int) -> None:
    session = make_session(sampler, num_samples=num_samples)
    decisions = observe(session, 10, 20)
    one_evaluation = 3 * (PREFILL + num_samples * DECODE) + 3 * (PREFILL + DECODE)
    for number, checkpoint in enumerate(session.checkpoints, start=1):
        observation = checkpoint.observation
        assert observation.train_tokens == 100 * number
        assert observation.train_flops == 10 * number * SEQUENCE_FLOPS
        assert observation.evaluation_flops == one_evaluation
        assert observation.query_flops.total(1) == PREFILL + DECODE
        assert observation.query_flops.total(4) == PREFILL + 4 * DECODE
    assert [each.evaluation_flops for each in decisions] == [one_evaluation, 2 * one_evaluation]
    assert decisions[1].used == pytest.approx(0.2)
    assert decisions[1].gross_saving == pytest.approx(0.8)
    assert decisions[1].net_saving == pytest.approx(0.8 - 2 * one_evaluation / PLAN.budget_flops)


def test_what_was_measured_is_recorded_as_it_was(sampler: CountingSampler) -> None:
    session = make_session(sampler, num_samples=5, temperature=0.7)
    session.observe(step=10, train_tokens=100, loss=0.25)
    observation = session.checkpoints[0].observation
    assert observation.loss == 0.25
    assert observation.bank.greedy_correct_P == "100"  # right where the rate is above one half
    assert [len(row) for row in observation.bank.correct_PN] == [5, 5, 5]
    assert (observation.bank.prompt_tokens, observation.bank.greedy_output_tokens) == (18, 24)
    assert (observation.bank.output_tokens, observation.bank.temperature) == (120, 0.7)


# -- what it decides --------------------------------------------------------------------------------------------------


def test_a_plateau_is_stopped_after_patience_and_says_what_to_serve(sampler: CountingSampler) -> None:
    sampler.rates.update(easy=1.0, even=1.0, hard=0.0)
    session = make_session(sampler)
    decisions = observe(session, 10, 20, 30, 40, 50)
    assert [each.reason for each in decisions] == [
        Reason.TOO_FEW_CHECKPOINTS,
        Reason.TOO_FEW_CHECKPOINTS,
        Reason.WAITING,
        Reason.REACHED,
        Reason.REACHED,
    ]
    assert session.stopped_at is session.checkpoints[3]
    serving = decisions[3].serving
    assert serving is not None
    assert (serving.k, serving.accuracy, serving.step) == (1, pytest.approx(2 / 3), 40)


def test_nothing_solved_goes_on_to_the_end_of_the_budget(sampler: CountingSampler) -> None:
    sampler.rates.update(easy=0.0, even=0.0, hard=0.0)
    decisions = observe(make_session(sampler), *range(10, 101, 10))
    assert [each.reason for each in decisions] == 9 * [Reason.NO_SIGNAL] + [Reason.BUDGET_SPENT]
    assert not any(each.stop for each in decisions)


# -- what it refuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("step", [15, 20], ids=["not due", "due"])
def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_log(
    sampler: CountingSampler, tmp_path: Path, loss: float, step: int
) -> None:
    with make_log(tmp_path) as log:
        session = make_session(sampler, log=log)
        observe(session, 10)
        num_calls = len(sampler.calls)
        with pytest.raises(DivergedError, match=rf"got {loss} at step {step}: training diverged\. .* kept"):
            session.observe(step=step, train_tokens=tokens_at(step), loss=loss)
        assert len(sampler.calls) == num_calls
    assert [each.observation.step for each in read_log(tmp_path).checkpoints] == [10]


@pytest.mark.parametrize(
    ("step", "train_tokens", "message"),
    [
        (30, 100, r"^train_tokens must grow from the 200 observed at step 20; got 100\."),
        (30, 200, r"^train_tokens must grow from the 200 observed at step 20; got 200\."),
        (25, 200, r"^train_tokens must grow from the 200 observed at step 20; got 200\."),
        (15, 100, r"^train_tokens must grow from the 100 observed at step 10; got 100\."),
        (15, 200, r"^train_tokens must stay below the 200 recorded for step 20; got 200\."),
        (5, 150, r"^train_tokens must stay below the 100 recorded for step 10; got 150\."),
        (0, 0, r"^step must be above 20, the last observed; got 0\."),
        (0, 300, r"^step must be above 20, the last observed; got 0\."),
        (10, 101, r"^train_tokens must be the 100 recorded for step 10; got 101\."),
        (30, math.inf, r"^train_tokens must be finite and at least 0; got inf\."),
    ],
)
def test_steps_and_tokens_that_do_not_go_on_from_before_are_refused(
    sampler: CountingSampler, step: int, train_tokens: int, message: str
) -> None:
    session = make_session(sampler)
    observe(session, 10, 20)
    before, num_calls = list(session.checkpoints), len(sampler.calls)
    with pytest.raises(ArgumentError, match=message):
        session.observe(step=step, train_tokens=train_tokens)
    assert session.checkpoints == before
    assert len(sampler.calls) == num_calls, "refused before anything is spent"


def test_the_whole_budget_may_be_used(sampler: CountingSampler) -> None:
    (decision,) = observe(make_session(sampler), 100)
    assert decision.reason is Reason.BUDGET_SPENT
    assert decision.used == 1.0


@pytest.mark.parametrize("step", [25, 30], ids=["not due", "due"])
def test_past_the_budget_it_counts_as_spent_with_one_warning(
    sampler: CountingSampler, caplog: pytest.LogCaptureFixture, step: int
) -> None:
    """Rows of varying length make a plan an estimate: a loop must not die of it in its last step."""
    session = make_session(sampler)
    observe(session, 10, 20)
    before, num_calls = list(session.checkpoints), len(sampler.calls)
    for more in range(3):
        decision = session.observe(step=step + more, train_tokens=1001 + more)
        assert (decision.action, decision.reason) == (Action.CONTINUE, Reason.BUDGET_SPENT)
        assert decision.used == pytest.approx(1.001 + 0.001 * more)
    assert session.checkpoints == before
    assert len(sampler.calls) == num_calls
    (warning,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert f"passed spec.budget_flops, 990000 FLOPs, at step {step}: 1001 tokens" in warning


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_samples": 3}, r"^policy\.k_values must be at most the 3 samples drawn per problem; got \[1, 2, 4\]\."),
        ({"num_samples": 0}, r"^num_samples must be a whole number of at least 1; got 0\."),
        ({"num_samples": 4.5}, r"^num_samples must be a whole number of at least 1; got 4\.5\."),
        ({"sequence_tokens": 0}, r"^sequence_tokens must be a whole number of at least 1; got 0\."),
        ({"evaluate_every": 0}, r"^evaluate_every must be a whole number of at least 1; got 0\."),
        ({"problems": []}, r"^problems must be a sequence of at least one Problem; got \[\]\."),
        ({"temperature": 0.0}, r"^temperature must be finite and above 0; got 0\.0\."),
        ({"temperature": -1.0}, r"^temperature must be finite and above 0; got -1\.0\."),
        ({"temperature": math.nan}, r"^temperature must be finite and above 0; got nan\."),
        ({"temperature": math.inf}, r"^temperature must be finite and above 0; got inf\."),
        ({"seed": -1}, r"^seed must be from 0 to 2147483647; got -1\."),
        ({"seed": 2**31}, r"^seed must be from 0 to 2147483647; got 2147483648\."),
    ],
)
def test_settings_out_of_range_are_refused_at_once(sampler: CountingSampler, changes: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make_session(sampler, **changes)
    assert not sampler.calls


OTHER_HEADER: list[tuple[dict[str, Any], str]] = [
    ({"spec": RunSpec(budget_flops=1.0)}, r"^spec must be the recorded one, RunSpec\(budget_flops=990000"),
    ({"spec": replace(PLAN, shared_prefill=False)}, r"^spec must be the recorded one, .*shared_prefill=True"),
    ({"policy": Patience(PaperPolicy(), 1)}, r"^policy must be the recorded one, .*'patience': 2"),
    ({"seed": 1}, r"^seed must be the recorded one, 0; got 1\. Start a new run"),
]
OTHER_BANKS: list[tuple[dict[str, Any], str]] = [
    ({"problems": [Problem(id="even", prompt="even")]}, r"^number of problems must be the recorded one, 3; got 1\."),
    ({"num_samples": 5}, r"^num_samples must be the recorded one, 4; got 5\. Start a new run"),
    ({"temperature": 0.7}, r"^temperature must be the recorded one, 0\.8; got 0\.7\. Start a new run"),
]


@pytest.mark.parametrize(("changes", "message"), OTHER_HEADER)
def test_settings_other_than_the_log_s_are_refused(
    sampler: CountingSampler, tmp_path: Path, changes: Any, message: str
) -> None:
    """A log whose decisions do not follow from its first line could not be replayed."""
    with make_log(tmp_path) as log:
        make_session(sampler, log=log)
        with pytest.raises(ArgumentError, match=message):
            make_session(sampler, log=log, **changes)


@pytest.mark.parametrize(("changes", "message"), OTHER_HEADER + OTHER_BANKS)
def test_settings_other_than_those_of_the_recorded_checkpoints_are_refused(
    sampler: CountingSampler, tmp_path: Path, changes: Any, message: str
) -> None:
    with make_log(tmp_path) as log:
        observe(make_session(sampler, log=log), 10, 20)
    before = (tmp_path / "log.jsonl").read_bytes()
    with RunLog.open(tmp_path) as log:
        with pytest.raises(ArgumentError, match=message):
            make_session(sampler, log=log, **changes)
        observe(make_session(sampler, log=log), 10, 20)
    assert (tmp_path / "log.jsonl").read_bytes() == before


@pytest.mark.parametrize("changes", [changes for changes, _ in OTHER_BANKS])
def test_what_no_checkpoint_fixes_yet_may_still_change(sampler: CountingSampler, tmp_path: Path, changes: Any) -> None:
    with make_log(tmp_path) as log:
        make_session(sampler, log=log)
        observe(make_session(sampler, log=log, **changes), 10)


# -- the log ----------------------------------------------------------------------------------------------------------


def test_a_recorded_step_is_returned_and_not_sampled_again(sampler: CountingSampler, tmp_path: Path) -> None:
    with make_log(tmp_path) as log:
        session = make_session(sampler, log=log)
        decisions = observe(session, 10, 20, 30)
        num_calls = len(sampler.calls)
        assert session.observe(step=20, train_tokens=200) is session.checkpoints[1].decision
        assert len(sampler.calls) == num_calls
    fresh = CountingSampler()
    with RunLog.open(tmp_path) as log:
        resumed = make_session(fresh, log=log)
        assert observe(resumed, 10, 20, 30) == decisions
        assert not fresh.calls
        observe(resumed, 40)
        assert len(fresh.calls) == 2


def test_a_resumed_run_passes_the_recorded_steps_and_those_between(sampler: CountingSampler, tmp_path: Path) -> None:
    with make_log(tmp_path) as log:
        decisions = observe(make_session(sampler, log=log), *range(1, 31))
    fresh = CountingSampler()
    with RunLog.open(tmp_path) as log:
        resumed = make_session(fresh, log=log)
        assert observe(resumed, *range(1, 31)) == decisions
        assert not fresh.calls
        with pytest.raises(ArgumentError, match=r"^train_tokens must stay below the 200 recorded for step 20; got 200"):
            resumed.observe(step=15, train_tokens=200)


def test_a_due_step_missing_before_the_last_recorded_one_is_refused(sampler: CountingSampler, tmp_path: Path) -> None:
    """Evaluated now, it would stand behind a later one in the log."""
    with make_log(tmp_path) as log:
        observe(make_session(sampler, log=log, evaluate_every=20), 20, 40)
    num_calls = len(sampler.calls)
    with RunLog.open(tmp_path) as log:
        session = make_session(sampler, log=log)
        for step in (10, 30):
            with pytest.raises(ArgumentError, match=rf"^step must be above 40, the last observed; got {step}\."):
                observe(session, step)
        assert observe(session, 20, 40, 50)[-1].step == 50
    assert len(sampler.calls) == num_calls + 2


def test_a_resumed_run_decides_as_an_uninterrupted_one(tmp_path: Path) -> None:
    with make_log(tmp_path / "straight") as log:
        straight = observe(make_session(CountingSampler(), log=log), *range(10, 101, 10))
    for end in range(10, 101, 30):
        make_log(tmp_path / "resumed").close() if end == 10 else None
        with RunLog.open(tmp_path / "resumed") as log:
            resumed = observe(make_session(CountingSampler(), log=log), *range(10, end + 1, 10))
            assert resumed == straight[: end // 10]
    one, other = ((tmp_path / name / "log.jsonl").read_bytes() for name in ("straight", "resumed"))
    assert one == other


def test_an_evaluation_that_cannot_be_recorded_did_not_happen(
    sampler: CountingSampler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with make_log(tmp_path) as log:
        session = make_session(sampler, log=log)
        observe(session, 10)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full_disk)
            with pytest.raises(RunStorageError, match="No space left on device"):
                observe(session, 20)
        assert [each.observation.step for each in session.checkpoints] == [10]
        assert [each.observation.step for each in read_log(tmp_path).checkpoints] == [10]
        assert observe(session, 20)[0].step == 20  # with room again, the same call goes through
    assert [each.observation.step for each in read_log(tmp_path).checkpoints] == [10, 20]


def test_time_spent_evaluating_is_counted_but_not_recorded(sampler: CountingSampler, tmp_path: Path) -> None:
    with make_log(tmp_path) as log:
        session = make_session(sampler, log=log)
        observe(session, 9)
        assert session.evaluation_seconds == 0.0
        observe(session, 10)
        assert session.evaluation_seconds > 0.0
    assert "seconds" not in (tmp_path / "log.jsonl").read_text(encoding="utf-8")
