"""Wall time: bounded, recorded where it is asked for, and made into hours and money; told by a clock that we set."""

from pathlib import Path
from typing import Any

import pytest

from breakeven import ModelCost, PaperPolicy, Patience, Problem, RunSpec, Session
from breakeven.errors import ArgumentError
from breakeven.records import Reason
from breakeven.report import brief, explain
from breakeven.report.words import wall_rows
from breakeven.session import live, session, timing
from breakeven.session.replay import replay
from breakeven.store import read_log
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)
BUDGET = COST.train_flops(100, 10)
POLICY = Patience(PaperPolicy(max_k=8), 0)


class Clock:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    ours = Clock()
    for module in (live, session, timing):
        monkeypatch.setattr(module, "time", ours)
    return ours


class Slow:
    """Takes `seconds` whenever it is asked for samples, greedy or not."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.inner, self.clock, self.seconds = RateSampler({"a": 0.5, "b": 0.5}), clock, seconds

    def sample(self, *args: Any, **kwargs: Any) -> Any:
        self.clock.now += self.seconds
        return self.inner.sample(*args, **kwargs)


def make(clock: Clock, run: Path, *, target: float | None = None, resume: bool = False, **declared: Any) -> Session:
    return Session(
        sampler=Slow(clock, 5.0), verifier=RateVerifier(), cost=COST, sequence_tokens=10, policy=POLICY, num_samples=4,
        problems=[Problem(id=each, prompt=each) for each in "ab"], evaluate_every=10, log=run, quiet=True,
        spec=RunSpec(budget_flops=BUDGET, baseline="sampled", target=target, **declared), resume=resume,
    )  # fmt: skip


def train(run: Session, clock: Clock, steps: range, *, seconds: float = 1.0) -> list[Reason]:
    reasons = []
    for step in steps:
        clock.now += seconds
        reasons.append(run.observe(step=step, train_tokens=10 * step).reason)
    return reasons


def test_a_share_of_the_wall_time_spaces_evaluations(clock: Clock, tmp_path: Path, caplog) -> None:
    with make(clock, tmp_path, max_evaluation_seconds_share=0.4) as run:
        train(run, clock, range(1, 101))
    measured = [each.observation for each in read_log(tmp_path).checkpoints]
    # each takes 10 s: the second waits until 20 s are 0.4 of 50, the third until 30 s are of 75, the fourth just fits
    assert [each.step for each in measured] == [10, 50, 80, 100]
    assert [(each.train_seconds, each.evaluation_seconds) for each in measured] == [
        (10, 10),
        (50, 10),
        (80, 10),
        (100, 10),
    ]
    said = " ".join(caplog.text.split())
    assert "the first evaluation took 10 s. At this pace the run's 10 will take 0.0278 hours, 100%" in said
    assert "more than max_evaluation_seconds_share = 0.4" in said


def test_a_resumed_run_counts_on_from_what_is_recorded(clock: Clock, tmp_path: Path) -> None:
    with make(clock, tmp_path, max_evaluation_seconds_share=0.4) as run:
        train(run, clock, range(1, 61))
    clock.now += 1e6
    with make(clock, tmp_path, max_evaluation_seconds_share=0.4, resume=True) as run:
        assert Reason.EVALUATED_ENOUGH in train(run, clock, range(11, 101))
    assert [each.observation.step for each in read_log(tmp_path).checkpoints] == [10, 50, 80, 100]


def test_replay_needs_no_clock(clock: Clock, tmp_path: Path) -> None:
    with make(clock, tmp_path, price_per_hour=2.0) as run:
        train(run, clock, range(1, 51))
    record = read_log(tmp_path)
    clock.now = -1.0
    again = replay([each.observation for each in record.checkpoints], record.header.spec, POLICY)
    assert again == tuple(each.decision for each in record.checkpoints)


def test_hours_and_money_saved_are_those_of_the_pace(clock: Clock, tmp_path: Path) -> None:
    with make(clock, tmp_path, target=0.2, price_per_hour=3.0) as run:
        train(run, clock, range(1, 11), seconds=360.0)
        wall = run.checkpoints[0].decision.wall
        assert wall is not None
        # 10 of 100 steps took one hour, so the full run takes 10, of which 9 are saved but for 10 s of evaluation
        assert wall.full_hours == pytest.approx(10)
        assert wall.full_hours_are == "extrapolated"
        assert wall.saved_hours == pytest.approx(9 - 10 / 3600)
        assert wall.saved_money == pytest.approx(3 * (9 - 10 / 3600))
        words = "aves 9 hours and 26.99 at 3 an hour of the 10 hours of full training (extrapolated), net of evaluation"
        assert words in explain(run.checkpoints[0].decision)
        assert words in dict(brief(run.checkpoints[0].decision))["Gives"]
        rows = {item: amount for item, amount, _ in wall_rows(run.checkpoints[0].decision)}
        assert rows["Wall time of training up to here"] == "1 hours"
        assert rows["Saved, money"] == "26.99"


def test_declared_hours_are_taken_and_what_is_unknown_is_said(clock: Clock, tmp_path: Path) -> None:
    with make(clock, tmp_path, target=0.2) as run:
        train(run, clock, range(1, 11))
    record = read_log(tmp_path)
    assert b"seconds" not in (tmp_path / "log.jsonl").read_bytes().replace(b'"step_seconds"', b"")
    observations, spec = [each.observation for each in record.checkpoints], record.header.spec
    (declared,) = replay(observations, RunSpec(budget_flops=BUDGET, baseline="sampled", target=0.2, hours=40), POLICY)
    assert declared.wall is not None
    assert declared.wall.saved_hours == pytest.approx(36)
    assert "of the 40 hours of full training (declared), evaluation not charged, its seconds unknown" in explain(
        declared
    )
    priced = RunSpec(budget_flops=BUDGET, baseline="sampled", target=0.2, price_per_hour=2.0)
    (unknown,) = replay(observations, priced, POLICY)
    assert unknown.wall is not None
    assert unknown.wall.saved_money is None
    assert "Hours saved are unknown" in explain(unknown)
    assert spec.hours is None


@pytest.mark.parametrize("name", ["hours", "price_per_hour", "max_evaluation_seconds_share"])
def test_what_is_no_time_and_no_price_is_refused(name: str) -> None:
    with pytest.raises(ArgumentError, match=f"{name} must be finite and above 0; got 0"):
        RunSpec(budget_flops=1.0, **{name: 0})  # type: ignore[arg-type]
