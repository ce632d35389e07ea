"""The validation loss in a live session: measured once an evaluation, charged, recorded, and the same again."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import Fingerprint, Prefix, Problem, RunSpec
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.store import RunLog, read_log
from breakeven.testing import RateSampler, RateVerifier
from breakeven.ttc.tally import learning_point

COST = ModelCost(body_params=100.0)
SPEC = RunSpec(budget_flops=1e9)
PROBLEMS = [Problem(id=each, prompt=each, solution="right") for each in ("a", "b", "c")]
RATES = {"a": 0.9, "b": 0.5, "c": 0.1}


class Live(RateSampler):
    """Two tokens a solution, whose loss is 2 and 0."""

    calls = 0

    def solution_losses(self, prefixes: Sequence[Prefix]) -> list[Any]:
        type(self).calls += 1
        return [np.array([2.0, 0.0]) for _ in prefixes]


class Failing(RateSampler):
    def solution_losses(self, prefixes: Sequence[Prefix]) -> list[Any]:
        raise OSError("out of memory")


def watched(sampler: RateSampler, *, steps: Sequence[int] = (10, 20), **options: Any) -> Session:
    settings: dict[str, Any] = {"problems": PROBLEMS, "num_samples": 8, "evaluate_every": 10, "quiet": True} | options
    session = Session(sampler=sampler, verifier=RateVerifier(), cost=COST, sequence_tokens=10, spec=SPEC, **settings)
    with session:
        for step in steps:
            session.observe(step=step, train_tokens=1000 * step)
    return session


def test_it_is_measured_once_an_evaluation_and_reaches_the_learning_curve() -> None:
    Live.calls = 0
    session = watched(Live(RATES))
    assert Live.calls == 2
    for each in session.checkpoints:
        loss: Any = each.observation.validation_loss
        assert (loss.mean, loss.num_tokens, loss.mean_P) == (1.0, 6, (1.0, 1.0, 1.0))
        point = learning_point(each.observation)
        assert (point.validation_loss, point.loss_flops) == (loss.mean, loss.flops)


def test_it_is_charged_and_changes_nothing_else() -> None:
    with_loss, without = watched(Live(RATES)), watched(RateSampler(RATES))
    for one, other in zip(with_loss.checkpoints, without.checkpoints, strict=True):
        assert other.observation.validation_loss is None
        assert one.observation.bank == other.observation.bank
        loss: Any = one.observation.validation_loss
        assert loss.flops == 3 * 2 * 100.0 * (6 + 1)  # a prompt of 6 tokens, and the first of two
        assert one.observation.evaluation_flops == other.observation.evaluation_flops + loss.flops


def test_problems_without_solutions_go_on_without_it() -> None:
    session = watched(Live(RATES), problems=[each.hidden for each in PROBLEMS])
    assert [each.observation.validation_loss for each in session.checkpoints] == [None, None]


def test_a_resumed_run_and_a_replay_are_those_of_one_go(tmp_path: Path) -> None:
    watched(Live(RATES), steps=(10, 20, 30), log=tmp_path / "one")
    watched(Live(RATES), steps=(10,), log=tmp_path / "two")
    watched(Live(RATES), steps=(10, 20, 30), log=tmp_path / "two", resume=True)
    one, two = (read_log(tmp_path / name).checkpoints for name in ("one", "two"))
    assert one == two
    assert all(each.observation.validation_loss is not None for each in one)
    header = read_log(tmp_path / "one").header
    assert header.spec == SPEC
    session = watched(Live(RATES), steps=(10, 20, 30))
    assert replay([each.observation for each in one], SPEC, session.policy) == tuple(each.decision for each in one)


def test_a_log_of_before_is_gone_on_with(tmp_path: Path) -> None:
    """Earlier versions knew no solutions and no loss; what is asked of the model is the same."""
    watched(Live(RATES), steps=(10,), problems=[each.hidden for each in PROBLEMS], log=tmp_path)
    with RunLog.open(tmp_path) as log:
        fingerprint: Any = log.fingerprint
        log.append(Fingerprint(parts={name: part for name, part in fingerprint.parts.items() if name != "solutions"}))
    session = watched(Live(RATES), steps=(10, 20), log=tmp_path, resume=True)
    first, second = (each.observation.validation_loss for each in read_log(tmp_path).checkpoints)
    assert first is None
    assert second is not None
    assert second.mean == 1.0
    assert second == session.checkpoints[1].observation.validation_loss


def test_other_solutions_make_another_run(tmp_path: Path) -> None:
    watched(Live(RATES), steps=(10,), log=tmp_path)
    others = [replace(each, solution="wrong") for each in PROBLEMS]
    with pytest.raises(ArgumentError, match="solutions must be the recorded one, '3 solutions, "):
        watched(Live(RATES), steps=(10,), problems=others, log=tmp_path, resume=True)


def test_what_it_raises_is_recorded_as_the_samplers() -> None:
    session = watched(Failing(RATES), max_failures=9)
    assert not session.checkpoints
    assert {each.raised_by for each in session.failures.values()} == {"sampler"}
