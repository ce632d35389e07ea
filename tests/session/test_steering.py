"""What is asked of a run from outside: taken up at the next step, recorded by the one writer, obeyed by every loop."""

from pathlib import Path
from typing import Any

import pytest

from breakeven import ModelCost, PaperPolicy, Patience, Problem, RunSpec, Session
from breakeven.records import Action, Reason
from breakeven.session.replay import replay
from breakeven.session.steering import REQUEST_NAME, ask, asked_of
from breakeven.store import RunLog, holder_of, read_log
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)
SPEC = RunSpec(budget_flops=COST.train_flops(100, 10), target=0.2, baseline="sampled")
POLICY = Patience(PaperPolicy(max_k=8), 0)


def session(run: Path, *, rate: float = 0.9, **changes: Any) -> Session:
    """Stops at its first evaluation if `rate` is high, for its target is known and low."""
    return Session(
        sampler=RateSampler({"a": rate, "b": rate}), verifier=RateVerifier(), cost=COST, sequence_tokens=10,
        problems=[Problem(id=each, prompt=each) for each in "ab"], spec=SPEC, policy=POLICY, num_samples=4,
        evaluate_every=10, log=run, quiet=True, **changes,
    )  # fmt: skip


def at(run: Session, step: int):
    return run.observe(step=step, train_tokens=10 * step)


def test_a_stop_by_hand_is_obeyed_at_the_next_step_and_recorded_as_one(tmp_path: Path) -> None:
    with session(tmp_path, rate=0.0) as run:
        assert not at(run, 1).stop
        ask(tmp_path, "stop", "machine is needed")
        decision = at(run, 2)
        assert (decision.action, decision.reason) == (Action.STOP, Reason.BY_HAND)
        assert run.ends_at == 2
        assert run.stopped_at is None
        assert at(run, 3).stop
    record = read_log(tmp_path)
    assert [(each.step, each.action, each.reason) for each in record.steering] == [(2, "stop", "machine is needed")]
    assert not record.checkpoints
    assert not (tmp_path / REQUEST_NAME).exists()
    assert not (tmp_path / "serving.json").exists()


@pytest.mark.parametrize("mode", ["stop", "advise"])
def test_it_holds_in_every_mode_and_when_the_run_is_gone_on_with(tmp_path: Path, mode: Any) -> None:
    with session(tmp_path, rate=0.0, mode=mode) as run:
        ask(tmp_path, "stop", "")
        assert at(run, 1).stop
    with session(tmp_path, rate=0.0, mode=mode, resume=True) as run:
        assert run.ends_at == 1
        assert at(run, 1).reason is Reason.BY_HAND
        ask(tmp_path, "withdraw", "")
        assert at(run, 2).reason is Reason.NOT_DUE
        assert run.ends_at is None


def test_a_veto_trains_on_past_the_stop_until_it_is_withdrawn(tmp_path: Path) -> None:
    with session(tmp_path) as run:
        at(run, 1)
        ask(tmp_path, "veto", "whole curve")
        assert not at(run, 10).stop
        assert run.stopped_at is not None
        assert run.stopped_at.decision.stop
        assert [run.ends_at, at(run, 11).stop] == [None, False]
        ask(tmp_path, "withdraw", "")
        assert at(run, 12) == run.stopped_at.decision
        assert run.ends_at == 10
    record = read_log(tmp_path)
    assert record.checkpoints[0].decision.stop
    again = replay([each.observation for each in record.checkpoints], SPEC, POLICY)
    assert again == tuple(each.decision for each in record.checkpoints)


def test_what_a_kill_left_recorded_but_not_removed_is_not_taken_up_twice(tmp_path: Path) -> None:
    with session(tmp_path, rate=0.0) as run:
        ask(tmp_path, "veto", "")
        left = (tmp_path / REQUEST_NAME).read_bytes()
        at(run, 1)
        (tmp_path / REQUEST_NAME).write_bytes(left)
        at(run, 2)
        assert len(read_log(tmp_path).steering) == 1
        assert asked_of(tmp_path) is None


@pytest.mark.parametrize("text", ['{"action": "explode"}', '{"x":' * 100_000, "[" * 100_000, '{"x": ' + "9" * 9_000])
def test_a_file_that_is_no_request_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    with session(tmp_path, rate=0.0) as run:
        (tmp_path / REQUEST_NAME).write_text(text, encoding="utf-8")
        assert not at(run, 1).stop
        assert "is no request of breakeven" in caplog.text
        assert not read_log(tmp_path).steering


def test_who_holds_a_run_is_told_without_holding_it(tmp_path: Path) -> None:
    assert holder_of(tmp_path) is None
    with session(tmp_path):
        assert " on " in str(holder_of(tmp_path))
    assert holder_of(tmp_path) is None
    RunLog.open(tmp_path).close()
