"""A session of a classifier: K passes combined, charged, recorded, replayed, resumed and verified."""

import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from breakeven import CalibratedPolicy, RunSpec, Session
from breakeven.cost.tokens import ModelCost
from breakeven.errors import LogError, SamplerError
from breakeven.records import ClassPass, Completion
from breakeven.report import Beside, decided_document, verification_lines
from breakeven.session.replay import replay
from breakeven.store import RunLog
from breakeven.testing import PassSampler
from breakeven.ttc.strategies.soft_vote import snapshot_ensemble, soft_vote

CLASSES = ("ant", "bee", "cow")
PASS = 1000.0
COST = ModelCost(body_params=PASS / 2)  # a pass feeds one token
STEPS, EXAMPLES = 20, 400


def model(step: int, *, ids=range(60), snapshots: int = 4, noise: float = 1.0, seed: int = 0) -> PassSampler:
    """A classifier that gets better with every step, by a bias of each example that differs from step to step."""
    logits, labels = {}, {}
    for each in ids:
        fixed, moving = np.random.default_rng((seed, each)), np.random.default_rng((seed, each, step))
        label = int(fixed.integers(3))
        row = fixed.normal(size=3) + 2.0 * moving.normal(size=3)
        row[label] += 3.0 * (1.0 - np.exp(-step / 2))
        logits[str(each)], labels[str(each)] = row.tolist(), CLASSES[label]
    return PassSampler(classes=CLASSES, logits=logits, labels=labels, noise=noise, snapshots=snapshots)


class Live:
    """The model in training: `at` says which step it is at."""

    def __init__(self, **settings) -> None:
        self.settings = settings
        self.classes, self.snapshots = CLASSES, settings.get("snapshots", 4)
        self.at = 0
        self.passes = 0

    def sample(self, problems, num_samples, *, temperature, seed, first=0):
        self.passes += len(problems) * num_samples
        now = model(self.at, ids=range(200), **self.settings)
        return now.sample(problems, num_samples, temperature=temperature, seed=seed, first=first)

    def check(self, problem, completion):
        return completion == problem.reference


def session_of(live: Live, log: Path | None = None, **settings) -> Session:
    everything: dict[str, Any] = {
        "num_samples": 8,
        "mode": "shadow",
        "test_problems": model(0, ids=range(100, 200)).problems,
    }
    return Session(
        sampler=live,
        verifier=live,
        problems=model(0).problems,
        cost=COST,
        sequence_tokens=1,
        spec=RunSpec(budget_flops=COST.train_flops(STEPS * EXAMPLES, 1), checker=False),
        policy=CalibratedPolicy(max_evaluation_share=10.0),
        answers=lambda text: text,
        log=log,
        quiet=True,
        **(everything | settings),
    )


def train(session: Session, live: Live, steps=range(1, STEPS + 1)):
    for step in steps:
        live.at = step
        session.observe(step=step, train_tokens=step * EXAMPLES)


def test_every_pass_is_charged_once_and_kept_beside_the_log(tmp_path: Path) -> None:
    live = Live()
    with session_of(live, tmp_path / "run", mode="advise", test_problems=()) as session:
        train(session, live)
    assert sum(each.observation.evaluation_flops for each in session.checkpoints) == pytest.approx(live.passes * PASS)
    last = session.checkpoints[-1].observation
    assert last.query_flops.total(4) == 4 * PASS
    plain_PC = np.load(tmp_path / "run" / "probabilities" / f"plain-{last.step}.npy")
    assert plain_PC.shape == (60, 3)
    assert [CLASSES[each] for each in plain_PC.argmax(axis=1)] == [
        each.text for each in _plain(STEPS, model(0).problems)
    ]


def test_what_is_recorded_is_what_the_kept_passes_give(tmp_path: Path) -> None:
    live = Live()
    with session_of(live, tmp_path / "run", mode="advise", test_problems=()) as session:
        train(session, live)
    checkpoint = next(each.observation for each in session.checkpoints if each.observation.bank.num_drawn)
    problems, place = model(0).problems, tmp_path / "run" / "probabilities"
    right_PC = np.array([[each.reference == name for name in CLASSES] for each in problems])
    votes = {each.strategy: each for each in checkpoint.bank.soft_votes or ()}
    passes_PNC = np.load(place / f"passes-{checkpoint.step}.npy")
    found = soft_vote(passes_PNC, right_PC[: len(passes_PNC)], votes["soft_vote"].k_values)
    assert np.array(votes["soft_vote"].accuracy_PK) == pytest.approx(found.accuracy_PK)
    steps = [each.observation.step for each in session.checkpoints if each.observation.step <= checkpoint.step][-4:]
    stacked = np.stack([np.load(place / f"plain-{step}.npy") for step in reversed(steps)], axis=1)
    ensemble = snapshot_ensemble(stacked, right_PC)
    assert np.array(votes["snapshot_ensemble"].accuracy_PK) == pytest.approx(ensemble.accuracy_PK)
    assert votes["snapshot_ensemble"].accuracy_PK[0][0] == float(checkpoint.bank.greedy_correct_P[0])


def test_a_stop_serves_an_ensemble_and_is_verified_with_the_same_checkpoints(tmp_path: Path) -> None:
    live = Live()
    with session_of(live, tmp_path / "run", num_samples=0) as session:
        train(session, live)
        stopped = session.stopped_at
        assert stopped is not None
        assert stopped.decision.serving is not None
        assert stopped.decision.serving.strategy == "snapshot_ensemble"
        k = stopped.decision.serving.k
        assert stopped.decision.serving.flops_per_query == k * PASS
        tests = model(0, ids=range(100, 200)).problems
        right_PC = np.array([[each.reference == name for name in CLASSES] for each in tests])
        steps = [*session.steps_before(stopped.decision.step), stopped.decision.step]
        plain = [[each.probabilities for each in _plain(step, tests)] for step in reversed(steps[-k:])]
        expected = snapshot_ensemble(np.array(plain).swapaxes(0, 1), right_PC).accuracy_K[k - 1]
        found = session.verification
        assert found is not None
        assert found.stopped_accuracy == pytest.approx(expected)
        assert found.full_sampled_accuracy is None
        right = [done.text == each.reference for each, done in zip(tests, _plain(STEPS, tests), strict=True)]
        assert found.full_greedy_accuracy == pytest.approx(np.mean(right))


def test_everything_that_is_said_of_a_classifier_is_said_in_passes(tmp_path: Path) -> None:
    live = Live()
    with session_of(live, tmp_path / "run") as session:
        train(session, live)
        stopped = session.stopped_at
        assert stopped is not None
        assert "pass" in str(stopped.decision)
        assert session.observe(step=STEPS, train_tokens=STEPS * EXAMPLES) == session.checkpoints[-1].decision
        assert session.verification is not None
        lines = verification_lines(session.verification)
    with RunLog.open(tmp_path / "run") as log:
        document = decided_document("run", {}, log.checkpoints, Beside(verification=session.verification))
    parts = [str(asdict(each)) for each in document.sections] + [str(asdict(each)) for each in document.facts]
    said = [*lines, *parts, document.verdict, document.lead]
    written = re.sub(r"'name': '\w+'", "", " ".join(said))  # of a chart's file, not for a reader
    assert "plain pass" in written
    assert re.findall(r"\b(?:greedy|[Ss]amples?|[Pp]roblems?|temperature)\b", written) == []


def _plain(step: int, problems) -> list[ClassPass]:
    drawn = model(step, ids=range(200)).sample(problems, 1, temperature=0.0, seed=0)
    return [each for draw in drawn for each in draw.completions if isinstance(each, ClassPass)]


def test_the_log_alone_replays_every_decision(tmp_path: Path) -> None:
    live = Live()
    with session_of(live, tmp_path / "run") as session:
        train(session, live)
    (tmp_path / "run" / "probabilities").rename(tmp_path / "gone")
    with RunLog.open(tmp_path / "run") as log:
        observations = [each.observation for each in log.checkpoints]
        decisions = replay(observations, log.spec, CalibratedPolicy(max_evaluation_share=10.0))
        assert list(decisions) == [each.decision for each in log.checkpoints]


def test_a_run_that_is_gone_on_with_leaves_the_same_bytes(tmp_path: Path) -> None:
    live = Live()
    with session_of(live, tmp_path / "whole") as session:
        train(session, live)
    live = Live()
    with session_of(live, tmp_path / "parts") as session:
        train(session, live, range(1, 8))
    live = Live()
    with session_of(live, tmp_path / "parts", resume=True) as session:
        train(session, live, range(5, STEPS + 1))
    for path in sorted(each for each in (tmp_path / "whole").rglob("*") if each.is_file()):
        other = tmp_path / "parts" / path.relative_to(tmp_path / "whole")
        assert other.read_bytes() == path.read_bytes(), path.name


def test_missing_passes_of_an_earlier_checkpoint_are_an_error_and_no_other_ensemble(tmp_path: Path) -> None:
    live = Live()
    with session_of(live, tmp_path / "run", mode="advise", test_problems=()) as session:
        train(session, live, range(1, 8))
    (tmp_path / "run" / "probabilities" / "plain-6.npy").unlink()
    live = Live()
    settings: dict[str, Any] = {"mode": "advise", "test_problems": (), "resume": True, "max_failures": 1}
    with (
        session_of(live, tmp_path / "run", **settings) as session,
        pytest.raises(LogError, match=r"plain-6.npy.*Restore"),
    ):
        train(session, live, [8])


def test_a_sampler_without_probabilities_is_said() -> None:
    class Bare(Live):
        def sample(self, problems, num_samples, **settings):
            draws = super().sample(problems, num_samples, **settings)
            return [
                replace(each, completions=(Completion(text="ant", output_tokens=2),) * num_samples) for each in draws
            ]

    live = Bare()
    session = session_of(live, mode="advise", test_problems=(), max_failures=1)
    with pytest.raises(SamplerError, match="without the probabilities of its 3 classes"):
        train(session, live, [1])


def test_no_ensemble_is_offered_where_none_is_asked_for() -> None:
    live = Live(snapshots=1)
    session = session_of(live, mode="advise", test_problems=())
    train(session, live)
    names = {vote.strategy for each in session.checkpoints for vote in each.observation.bank.soft_votes or ()}
    assert names == {"soft_vote"}
