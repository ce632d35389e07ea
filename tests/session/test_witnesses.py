"""Earlier runs named to a session: what is read of them, refused, and kept for a run that is resumed or replayed."""

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.config import policy_from
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, LogError
from breakeven.records import Decision, Problem, RunSpec
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.session.witnesses import with_witnesses
from breakeven.store import read_log
from breakeven.testing import RateSampler, RateVerifier

SIZE, STEPS, TOKENS = 200, 20, 1_000_000
COST = ModelCost(body_params=1000.0)
SPEC = RunSpec(budget_flops=STEPS * COST.train_flops(TOKENS / 10, 10), decay_share=0.0)
NAMES = [str(number) for number in range(SIZE)]


def session_of(log: Path | None, **changes: Any) -> tuple[Session, dict[str, float]]:
    rates = dict.fromkeys(NAMES, 0.0)
    settings: dict[str, Any] = {
        "sampler": RateSampler(rates),
        "verifier": RateVerifier(),
        "problems": [Problem(id=each, prompt=each) for each in NAMES],
        "cost": COST,
        "sequence_tokens": 10,
        "spec": SPEC,
        "log": log,
        "mode": "advise",
        "quiet": True,
    }
    return Session(**settings | changes), rates


def train(log: Path | None, *, seed: int = 0, to: int = STEPS, **changes: Any) -> list[Decision]:
    """A run that learns 60 % of the problems, half of them by an eighth of the budget."""
    session, rates = session_of(log, seed=seed, **changes)
    with session:
        decisions = []
        for step in range(1, to + 1):
            learnt = 0.6 * (1 - math.exp(-6 * step / STEPS))
            rates.update({name: float((int(name) * 7919 + seed) % SIZE < learnt * SIZE) for name in NAMES})
            decisions.append(session.observe(step=step, train_tokens=step * TOKENS))
        return decisions


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "earlier-1"
    train(directory, seed=1)
    return directory


def test_what_was_read_is_recorded_and_needs_the_run_no_more(earlier: Path, tmp_path: Path) -> None:
    copy = tmp_path / "earlier-1"
    shutil.copytree(earlier, copy)
    decisions = train(tmp_path / "run", like=[copy], to=10)
    told = decisions[-1].forecast
    assert told is not None
    assert told.num_witnesses == 1
    assert "1 earlier run with weight 0." in str(decisions[-1])
    record = read_log(tmp_path / "run")
    (witness,) = record.header.spec.like
    points = read_log(earlier).checkpoints
    assert (witness.name, len(witness.share), witness.share[-1]) == ("earlier-1", len(points), 1.0)
    assert witness.greedy_accuracy == tuple(each.observation.bank.greedy_accuracy for each in points)
    assert (witness.num_problems, witness.decay_share) == (SIZE, 0.0)
    assert witness.token_ratio == pytest.approx(1.0)
    assert witness.fingerprint == read_log(earlier).fingerprint.parts  # type: ignore[union-attr]

    shutil.rmtree(copy)
    policy = policy_from(record.header.policy)
    again = replay([each.observation for each in record.checkpoints], record.header.spec, policy)
    assert again == tuple(each.decision for each in record.checkpoints)
    assert train(tmp_path / "run", like=[copy], to=10, resume=True) == decisions, "by its name alone"


def test_a_resumed_run_keeps_the_witnesses_it_was_begun_with(earlier: Path, tmp_path: Path) -> None:
    train(tmp_path / "run", to=5)
    with pytest.raises(ArgumentError, match=r"like must be the recorded runs, \[\]; got \['earlier-1'\]"):
        train(tmp_path / "run", like=[earlier], resume=True)
    train(tmp_path / "told", to=5, like=[earlier])
    with pytest.raises(ArgumentError, match=r"like must be the recorded runs, \['earlier-1'\]; got \[\]"):
        train(tmp_path / "told", resume=True)


def test_a_log_file_will_do_and_so_will_no_log_of_one_s_own(earlier: Path) -> None:
    session, _ = session_of(None, like=[earlier / "log.jsonl"])
    assert [each.name for each in session.spec.like] == ["earlier-1"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"problems": [Problem(id=each, prompt=each) for each in NAMES[:50]]},
            "like must hold runs of the same task, with the same validation problems; got 'earlier-1 with 200 ",
        ),
        ({"spec": replace(SPEC, baseline="sampled")}, "like must hold runs whose sampled accuracy was measured at two"),
    ],
)
def test_another_task_or_baseline_is_refused(earlier: Path, changes: dict[str, Any], message: str) -> None:
    like = earlier
    if "spec" in changes:  # a run in which nothing but greedy samples were drawn
        like = earlier.parent / "greedy"
        if not like.exists():
            train(like, to=3, seed=2)
    with pytest.raises(ArgumentError) as caught:
        session_of(None, like=[like], **changes)
    assert str(caught.value).startswith(message)


def test_a_run_that_is_not_there_or_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="there is no run log"):
        session_of(None, like=[tmp_path])
    train(tmp_path / "short", to=1)
    with pytest.raises(ArgumentError, match="like must hold runs with two checkpoints at least; got 'short'"):
        session_of(None, like=[tmp_path / "short"])


def test_a_task_by_its_settings_may_have_other_validation_problems(earlier: Path) -> None:
    """The log of `earlier` has no configuration, so nothing but its problems tells its task."""
    few = [Problem(id=each, prompt=each) for each in NAMES[:50]]
    with pytest.raises(ArgumentError, match="like must hold runs of the same task"):
        with_witnesses(SPEC, [earlier], problems=few, cost=COST, sequence_tokens=10, task={"kind": "countdown"})


def test_a_larger_model_has_fewer_tokens_a_parameter(earlier: Path) -> None:
    cost = ModelCost(body_params=2000.0)
    spec = replace(SPEC, budget_flops=2 * SPEC.budget_flops)
    problems = [Problem(id=each, prompt=each) for each in NAMES]
    (witness,) = with_witnesses(spec, [earlier], problems=problems, cost=cost, sequence_tokens=10).like
    assert witness.token_ratio == pytest.approx(2.0)
