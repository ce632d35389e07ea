"""Going on with a run: a log leads to no code but that which the user gave."""

import dataclasses
import sys
from pathlib import Path

import pytest

from breakeven import CalibratedPolicy, PaperPolicy, RunSpec, Session
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import SearchOutcome
from breakeven.session.recording import start_log
from breakeven.stopping.course import Policy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import RunLog, read_log
from breakeven.testing import RateSampler, RateVerifier

SPEC, POLICY = RunSpec(budget_flops=6e6), Patience(PaperPolicy(), 2)


def session(log: Path | RunLog, policy: Policy = POLICY, *, resume: bool | None = None) -> Session:
    rates = RateSampler({str(number): 0.1 * number for number in range(10)})
    return Session(
        sampler=rates,
        verifier=RateVerifier(),
        problems=rates.problems,
        cost=ModelCost(body_params=1000.0),
        sequence_tokens=10,
        spec=SPEC,
        policy=policy,
        log=log,
        resume=not isinstance(log, RunLog) if resume is None else resume,
    )


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A module that leaves a mark when it is imported."""
    (tmp_path / "trap_in_a_log.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "sprung"
    sys.modules.pop("trap_in_a_log", None)


def test_another_rule_in_the_log_is_refused_unread(tmp_path: Path, trap: Path) -> None:
    start_log(tmp_path / "run", spec=SPEC, policy=POLICY).close()
    header = read_log(tmp_path / "run").header
    theirs = {"name": "trap_in_a_log:Mine"}
    RunLog.create(tmp_path / "theirs", dataclasses.replace(header, policy=theirs)).close()
    with pytest.raises(
        ArgumentError, match=r"^policy must be the recorded one, \{'name': 'trap_in_a_log:Mine'\}; got "
    ):
        session(tmp_path / "theirs")
    assert not trap.exists()


def test_a_search_of_another_strategy_in_the_log_is_refused_unread(tmp_path: Path, trap: Path) -> None:
    with session(tmp_path / "run") as own:
        own.observe(step=1, train_tokens=100)
    record = read_log(tmp_path / "run")
    found = SearchOutcome(strategy="trap_in_a_log:Mine", k=1, accuracy_P=(0.5,) * 10, query_flops=1.0)
    with RunLog.create(tmp_path / "theirs", record.header) as log:
        assert record.fingerprint is not None
        log.append(record.fingerprint)
        seen = record.checkpoints[0]
        log.append(dataclasses.replace(seen, observation=dataclasses.replace(seen.observation, searches=(found,))))
    with pytest.raises(ArgumentError, match=r"^policy\.strategies must name what was searched with before; got"):
        session(tmp_path / "theirs")
    assert not trap.exists()


def test_settings_that_an_older_log_lacks_are_the_usual_ones(tmp_path: Path) -> None:
    start_log(tmp_path, spec=SPEC, policy=POLICY).close()
    header = read_log(tmp_path).header
    older = {key: value for key, value in policy_settings(POLICY).items() if key not in ("name", "fluctuation_filter")}
    RunLog.create(tmp_path / "older", dataclasses.replace(header, policy=older)).close()
    session(tmp_path / "older").close()
    other = dataclasses.replace(header, policy=policy_settings(Patience(CalibratedPolicy(), 2)))
    RunLog.create(tmp_path / "other", other).close()
    with pytest.raises(ArgumentError, match=r"^policy must be the recorded one"):
        session(tmp_path / "other")


@pytest.mark.parametrize("policy", [CalibratedPolicy(), PaperPolicy()])
def test_a_rule_that_is_not_wrapped_in_patience_begins_a_log_and_goes_on_with_it(
    tmp_path: Path, policy: Policy
) -> None:
    for resume in (False, True):
        session(tmp_path / "run", policy, resume=resume).close()
