"""What a session does beyond deciding: modes, failures, disturbances, resuming, and what it leaves in a directory."""

import json
import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import Action, Draw, Problem, Reason, RunSpec
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.store import TextFile, read_log
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=1000.0)
SPEC = RunSpec(budget_flops=COST.train_flops(100_000, 10), baseline="sampled", decay_share=0.0)
POLICY = Patience(PaperPolicy(max_k=8), 1)
RATES = {f"p{number}": float(number % 2) for number in range(20)}
TEST = [Problem(id=f"t{number}", prompt="") for number in range(10)]


class Level(RateSampler):
    """The same at every checkpoint, so that a stop is decided at the third."""

    def __init__(self) -> None:
        super().__init__(RATES | {each.id: 0.5 for each in TEST})

    @property
    def asked(self) -> tuple[Problem, ...]:
        return tuple(each for each in self.problems if each.id.startswith("p"))


def session_of(sampler: Any = None, **changes: Any) -> Session:
    sampler = Level() if sampler is None else sampler
    parts = {
        "sampler": sampler,
        "verifier": RateVerifier(),
        "problems": sampler.asked,
        "cost": COST,
        "sequence_tokens": 10,
        "spec": SPEC,
        "policy": POLICY,
        "num_samples": 4,
        "evaluate_every": 10,
        "quiet": True,
    }
    return Session(**(parts | changes))


def train(session: Session, steps: Sequence[int] = range(10, 101, 10)) -> list[Any]:
    return [session.observe(step=step, train_tokens=10_000 * step) for step in steps]


# -- modes ------------------------------------------------------------------------------------------------------------


def test_looking_on_never_tells_the_loop_to_stop_but_records_it(tmp_path: Path) -> None:
    told = train(session_of(log=tmp_path / "stop"))
    advised = train(session_of(log=tmp_path / "advise", mode="advise"))
    assert any(each.stop for each in told)
    assert not any(each.stop for each in advised)
    first = next(each for each in told if each.stop)
    assert replace(first, action=Action.CONTINUE) in advised
    recorded = [[each.decision for each in read_log(tmp_path / name).checkpoints] for name in ("stop", "advise")]
    assert recorded[0] == recorded[1] == told


def test_a_shadow_tests_the_stop_and_holds_it_against_the_full_model_for_any_loop(tmp_path: Path) -> None:
    session = session_of(log=tmp_path, mode="shadow", test_problems=TEST, test_samples=8)
    train(session)
    assert session.stopped_at is not None
    assert session.verification is not None
    assert session.verification.stopped_step == session.stopped_at.observation.step
    assert session.verification.num_problems == len(TEST)
    assert read_log(tmp_path).verification == session.verification


def test_a_shadow_without_test_problems_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^test_problems must be a sequence of at least one Problem; got \(\)"):
        session_of(mode="shadow")
    with pytest.raises(ArgumentError, match=r"^mode must be one of stop, advise, shadow; got 'watch'"):
        session_of(mode="watch")


# -- failures ---------------------------------------------------------------------------------------------------------


class Flaky:
    """Fails at some of its evaluations."""

    def __init__(self, failing: set[int]) -> None:
        self.inner = Level()
        self.asked = self.inner.asked
        self.failing, self.calls = failing, 0

    def sample(self, problems: Sequence[Problem], num_samples: int, **how: Any) -> list[Draw]:
        if how["temperature"] == 0.0:
            self.calls += 1
        if self.calls in self.failing:
            raise ConnectionError("server away")
        return self.inner.sample(problems, num_samples, **how)


def test_a_sampler_that_fails_does_not_kill_the_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    session = session_of(Flaky({2, 3}), log=tmp_path)
    decisions = train(session)
    assert [each.reason for each in decisions[1:3]] == [Reason.EVALUATION_FAILED] * 2
    assert not any(each.stop for each in decisions[:3])
    assert any(each.stop for each in decisions), "the checkpoints that were measured decide"
    record = read_log(tmp_path)
    assert [(each.step, each.raised_by, each.error) for each in record.failures] == [
        (step, "sampler", "ConnectionError: server away") for step in (20, 30)
    ]
    assert "the evaluation at step 20 failed, and training goes on: the sampler raised ConnectionError" in caplog.text
    assert list(replay([each.observation for each in record.checkpoints], SPEC, POLICY)) == [
        each.decision for each in record.checkpoints
    ]


def test_a_resumed_run_does_not_repeat_what_failed(tmp_path: Path) -> None:
    with session_of(Flaky({2}), log=tmp_path) as session:
        before = train(session, range(10, 51, 10))
    with session_of(Flaky(set()), log=tmp_path, resume=True) as session:
        assert train(session, range(10, 51, 10)) == before


def test_too_many_failures_in_a_row_are_raised() -> None:
    session = session_of(Flaky(set(range(2, 99))), max_failures=3)
    train(session, (10, 20, 30))
    with pytest.raises(ConnectionError, match="server away"):
        session.observe(step=40, train_tokens=400_000)


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (lambda problems: ["four"] * len(problems), ArgumentError),  # strings in place of draws
        (lambda problems: problems[0].nothing, AttributeError),  # a mistake in a part that never worked
    ],
)
def test_a_wrong_type_is_never_swallowed(broken: Any, kind: type[Exception]) -> None:
    class Broken(Level):
        def sample(self, problems: Sequence[Problem], num_samples: int, **how: Any) -> list[Draw]:
            found: list[Draw] = broken(problems)
            return found

    with pytest.raises(kind):
        session_of(Broken()).observe(step=10, train_tokens=100_000)


def test_a_verifier_that_gives_rewards_is_refused_by_name() -> None:
    class Rewards:
        def check(self, problem: Problem, completion: str) -> Any:
            return -1.0

    with pytest.raises(ArgumentError, match=r"on problem 'p\d+' must return True or False; got -1\.0\. It is of type"):
        session_of(verifier=Rewards()).observe(step=10, train_tokens=100_000)


# -- what is heard and left -------------------------------------------------------------------------------------------


def test_one_line_an_evaluation_and_a_warning_where_training_was_disturbed(caplog: pytest.LogCaptureFixture) -> None:
    class Careless(Level):
        def sample(self, problems: Sequence[Problem], num_samples: int, **how: Any) -> list[Draw]:
            random.random()
            return super().sample(problems, num_samples, **how)

    random.seed(1)
    expected = random.Random(1).random()
    with caplog.at_level(logging.INFO, logger="breakeven"):
        train(session_of(Careless(), quiet=False), (5, 10, 20))
    lines = [each.getMessage() for each in caplog.records if each.levelno == logging.INFO]
    assert [line.partition(" at ")[2].partition(" (")[0] for line in lines] == ["step 10", "step 20"]
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "the evaluation at step 10 disturbed training: the random generator of Python was used." in warnings[0]
    assert random.random() == expected, "training draws what it would have drawn"


def test_a_directory_holds_texts_and_how_to_serve(tmp_path: Path) -> None:
    session = session_of(log=tmp_path)
    train(session)
    assert session.stopped_at is not None
    texts = TextFile(tmp_path).read(session.stopped_at.observation.step)
    assert texts is not None
    assert len(texts.greedy_P) == len(RATES)
    assert {len(row) for row in texts.texts_PN} == {4}
    note = json.loads((tmp_path / "serving.json").read_text(encoding="utf-8"))
    assert note["serving_point"]["k"] == session.stopped_at.decision.serving.k  # type: ignore[union-attr]
    assert note["temperature"] == 0.8
    session_of(log=tmp_path / "without", keep_texts=False).observe(step=10, train_tokens=100_000)
    assert not (tmp_path / "without" / "texts.jsonl").exists()


# -- going on ---------------------------------------------------------------------------------------------------------


def test_a_directory_is_gone_on_with_only_when_asked(tmp_path: Path) -> None:
    with session_of(log=tmp_path) as session:
        train(session, (10, 20))
    with pytest.raises(ArgumentError, match=r"^run_dir must not hold a log\.jsonl yet; .* pass resume=True"):
        session_of(log=tmp_path)
    with session_of(log=tmp_path, resume=True) as session:
        assert [each.observation.step for each in session.checkpoints] == [10, 20]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"problems": [replace(each, prompt="other") for each in Level().asked]}, "problems"),
        ({"cost": ModelCost(body_params=1000.0, num_layers=1)}, "cost"),
        ({"answers": str.strip}, "answers"),
    ],
)
def test_what_differs_from_the_recorded_run_is_named(tmp_path: Path, change: dict[str, Any], name: str) -> None:
    with session_of(log=tmp_path) as session:
        train(session, (10,))
    with pytest.raises(ArgumentError, match=rf"^{name} must be the recorded one, "):
        session_of(log=tmp_path, resume=True, **change)


def test_micro_steps_are_told_from_steps() -> None:
    session = session_of()
    session.observe(step=5, train_tokens=50_000)
    with pytest.raises(ArgumentError, match=r"^step must grow from 5, .* Observe once a step, after optimizer\.step"):
        session.observe(step=5, train_tokens=55_000)


def test_a_sampler_that_gives_too_few_is_a_failure_like_any_other() -> None:
    class Few(Level):
        def sample(self, problems: Sequence[Problem], num_samples: int, **how: Any) -> list[Draw]:
            return super().sample(problems[1:], num_samples, **how)

    session = session_of(Few(), max_failures=2)
    assert session.observe(step=10, train_tokens=100_000).reason is Reason.EVALUATION_FAILED
    with pytest.raises(SamplerError, match="The sampler must return"):
        session.observe(step=20, train_tokens=200_000)
