"""One run watched on two tasks: a log for each, one stop for both, and what each is served with."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from breakeven import JointSession, Watched, read_log, replay
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import Draw, JointDecision, Problem, RunSpec
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=1e6, head_params=10, num_layers=1, attention_width=5)
TOKENS = 10
SPEC = RunSpec(budget_flops=COST.train_flops(200_000, TOKENS), decay_share=0.0)
STEPS = range(1, 21)


class Learning:
    """Solve rates that rise with training: of sums at once, of products later."""

    def __init__(self) -> None:
        self.used = 0.0

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        level = {"sums": min(0.6, 20 * self.used), "products": min(0.6, max(0.02, 3 * (self.used - 0.2)))}
        rates = {each.id: level[each.id.split()[0]] * (1.5 if each.id.endswith("0") else 0.9) for each in problems}
        sampler = RateSampler({name: min(1.0, rate) for name, rate in rates.items()})
        return sampler.sample(problems, num_samples, temperature=temperature, seed=seed)


def watched(name: str, **changes: Any) -> Watched:
    problems = [Problem(id=f"{name} {number}", prompt=f"{name} {number}") for number in range(60)]
    return Watched(name=name, problems=problems, verifier=RateVerifier(), checker=True, **changes)


def session_of(tmp_path: Path | None, *tasks: Watched, sampler: Any = None, **changes: Any) -> JointSession:
    settings: dict[str, Any] = {
        "tasks": tasks or (watched("sums"), watched("products")),
        "sampler": sampler or Learning(),
        "cost": COST,
        "sequence_tokens": TOKENS,
        "spec": SPEC,
        "quiet": True,
        "log": tmp_path,
    }
    return JointSession(**settings | changes)


def run(session: JointSession, sampler: Learning, steps: range = STEPS) -> list[JointDecision]:
    decisions = []
    for step in steps:
        sampler.used = step / 20
        decisions.append(session.observe(step=step, train_tokens=10_000 * step * TOKENS))
        if decisions[-1].stop:
            break
    return decisions


def test_the_run_stops_where_both_tasks_are_ready(tmp_path: Path) -> None:
    sampler = Learning()
    with session_of(tmp_path, sampler=sampler) as session:
        last = run(session, sampler)[-1]
    assert last.stop
    first = {name: each.stopped_at.decision.step for name, each in session.sessions.items() if each.stopped_at}
    assert first["sums"] < first["products"] <= last.step
    assert last.confidence is not None
    assert last.confidence >= 0.9
    served = json.loads((tmp_path / "serving.json").read_text())
    assert {name: point["step"] for name, point in served.items()} == {"sums": last.step, "products": last.step}


def test_each_task_has_a_run_of_its_own_that_replays(tmp_path: Path) -> None:
    sampler = Learning()
    with session_of(tmp_path, sampler=sampler) as session:
        run(session, sampler)
    for name, each in session.sessions.items():
        log = read_log(tmp_path / name)
        assert log.checkpoints == tuple(each.checkpoints)
        decided = replay([checkpoint.observation for checkpoint in log.checkpoints], each.spec, each.policy)
        assert decided == tuple(checkpoint.decision for checkpoint in log.checkpoints)


def test_a_killed_run_is_gone_on_with(tmp_path: Path) -> None:
    sampler = Learning()
    with session_of(tmp_path / "whole", sampler=sampler) as session:
        whole = run(session, sampler)
    with session_of(tmp_path / "parts", sampler=sampler) as session:
        run(session, sampler, range(1, 4))
    with session_of(tmp_path / "parts", sampler=sampler, resume=True) as session:
        assert run(session, sampler) == whole


def test_one_that_only_looks_on_never_stops() -> None:
    sampler = Learning()
    decisions = run(session_of(None, sampler=sampler, mode="advise"), sampler)
    assert not any(each.stop for each in decisions)
    assert decisions[-1].used == 1.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tasks": ()}, "different names, at least one"),
        ({"tasks": (watched("a"), watched("a"))}, "different names"),
        ({"tasks": (watched("a/b"),)}, "names that a folder may have"),
        ({"policy": None}, "policy must be left out of a JointSession"),
        ({"mode": "shadow"}, "mode must be stop or advise"),
        ({"risk": 2.0}, "risk"),
    ],
)
def test_bad_input_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        session_of(None, **changes)
