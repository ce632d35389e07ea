"""A session with the calibrated rule: samples are drawn as the decision needs them, and all is replayed from the log.

40 problems; an evaluation of their greedy samples alone costs 2 % of the training between two evaluations.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from breakeven.config import policy_from
from breakeven.cost.tokens import ModelCost
from breakeven.records import Decision, Draw, Problem, Reason, RunSpec
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.session.step import Measured, conclude, measured_of, see
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Course
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import Header, RunLog, read_log
from breakeven.store.renamed import renamed
from breakeven.testing import RateSampler, RateVerifier
from breakeven.ttc.tally import Tally, point_of

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)
SEQUENCE_TOKENS = 10
SEQUENCE_FLOPS = 3 * (2 * 110 * 10 + 4 * 5 * 10 * 11 / 2)  # 9900
LAST_STEP = 20
PLAN = RunSpec(budget_flops=LAST_STEP * 1000 * SEQUENCE_FLOPS, decay_share=0.0)
RULE = CalibratedPolicy(max_k=32, max_evaluation_share=0.1)
POLICY = Patience(RULE, 2)
NAMES = [str(number) for number in range(40)]


class Learning:
    """Samples of a model that improves from step to step and then levels off."""

    def __init__(self, level: float = 0.5, sharp: bool = False) -> None:
        self.level, self.sharp = level, sharp
        self.rates = dict.fromkeys(NAMES, 0.0)
        self.inner = RateSampler(self.rates)
        self.asked: list[tuple[tuple[str, ...], float, int]] = []

    def train_to(self, step: int) -> None:
        learnt = self.level * (1 - 0.35**step)
        if self.sharp:  # nearly every problem is always right or never: more samples bring little
            hard = [(7 * number) % 40 for number in range(40)]
            self.rates.update({name: min(0.97, max(0.03, 40 * learnt - hard[i])) for i, name in enumerate(NAMES)})
            return
        self.rates.update({name: min(1.0, 2 * learnt * (number + 0.5) / 40) for number, name in enumerate(NAMES)})

    def sample(self, problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
        self.asked.append((tuple(each.id for each in problems), temperature, seed))
        return self.inner.sample(problems, num_samples, temperature=temperature, seed=seed)


def session_of(sampler: Any, **changes: Any) -> Session:
    settings: dict[str, Any] = {
        "sampler": sampler,
        "verifier": RateVerifier(),
        "problems": [Problem(id=each, prompt=each) for each in NAMES],
        "cost": COST,
        "sequence_tokens": SEQUENCE_TOKENS,
        "spec": PLAN,
        "policy": POLICY,
        "extract": lambda text: text,
        "seed": 5,
    }
    return Session(**settings | changes)


def log_of(directory: Path, **changes: Any) -> RunLog:
    spec, policy = changes.get("spec", PLAN), changes.get("policy", POLICY)
    return RunLog.create(directory, Header(versions={}, config={}, spec=spec, policy=policy_settings(policy), seed=5))


def train(session: Session, sampler: Learning, steps: range = range(1, LAST_STEP + 1)) -> list[Decision]:
    decisions = []
    for step in steps:
        sampler.train_to(step)
        decisions.append(session.observe(step=step, train_tokens=step * 1000 * SEQUENCE_TOKENS))
    return decisions


def test_samples_are_drawn_up_a_ladder_and_only_while_they_could_decide() -> None:
    known, drawn = {(0, 0), (10, 4), (40, 4), (40, 8), (40, 16)}, set()
    for seed in (1, 10):  # by which some checkpoint needs all its samples, and some fewer
        sampler = Learning(sharp=True)
        session = session_of(sampler, seed=seed)
        decisions = train(session, sampler)
        lengths = [[len(row) for row in each.observation.bank.correct_PN] for each in session.checkpoints]
        pieces = [(sum(length > 0 for length in each), max(each)) for each in lengths]
        drawn.update(pieces)
        for decision, piece in zip(decisions, pieces, strict=True):
            if decision.reason in (Reason.TOO_FEW_CHECKPOINTS, Reason.NO_SIGNAL, Reason.BUDGET_SPENT):
                assert piece == (0, 0)
        assert all(set(each) <= {0, max(each)} for each in lengths), "no problem has more samples than its piece says"
    assert drawn == known, "some checkpoints needed more than others"


def test_no_sample_of_a_problem_is_drawn_twice_at_any_checkpoint() -> None:
    """The sampler counts anew with every call, so that a problem must never be asked for twice by one seed."""
    sampler = Learning()
    train(session_of(sampler), sampler)
    sampled = [(name, seed) for names, temperature, seed in sampler.asked if temperature > 0 for name in names]
    assert len(set(sampled)) == len(sampled) > LAST_STEP / 2
    greedy = [seed for *_, temperature, seed in sampler.asked if temperature == 0]
    assert len(set(greedy)) == len(greedy) == LAST_STEP


@pytest.mark.parametrize("share", [0.001, 0.02, 0.03, 0.05, 0.2])
def test_samples_beyond_the_greedy_ones_stay_within_the_share(share: float) -> None:
    sampler = Learning()
    session = session_of(sampler, policy=Patience(replace(RULE, max_evaluation_share=share), 2))
    train(session, sampler)
    spent = 0.0
    for each in session.checkpoints:
        spent += each.observation.evaluation_flops
        assert each.decision.evaluation_flops == pytest.approx(spent)
        if each.observation.bank.num_drawn:
            assert spent <= share * each.observation.train_flops * (1 + 1e-9)


def test_a_run_that_has_levelled_off_is_stopped_and_says_what_to_serve() -> None:
    sampler = Learning()
    session = session_of(sampler)
    train(session, sampler)
    assert session.stopped_at is not None
    decision = session.stopped_at.decision
    assert decision.used < 0.9
    assert decision.streak == 2
    assert decision.serving is not None
    assert decision.serving.strategy in ("greedy", "pass@k", "majority_vote")
    assert decision.confidence is not None
    assert decision.confidence >= 0.9
    assert decision.net_saving is not None
    assert decision.net_saving > 0.0


@pytest.mark.parametrize("kill_after", [1, 4, 6, 11])
def test_a_run_killed_and_resumed_is_the_uninterrupted_one(tmp_path: Path, kill_after: int) -> None:
    sampler = Learning()
    with log_of(tmp_path / "straight") as log:
        straight = train(session_of(sampler, log=log), sampler)

    class Killed(BaseException):
        """Ends a run within an evaluation, after its greedy samples."""

    dying = Learning()
    real: Callable[..., list[Draw]] = dying.sample
    with log_of(tmp_path / "killed") as log:
        session = session_of(dying, log=log)
        train(session, dying, range(1, kill_after + 1))

        def sample(problems: Sequence[Problem], num_samples: int, *, temperature: float, seed: int) -> list[Draw]:
            real(problems, num_samples, temperature=temperature, seed=seed)
            raise Killed

        dying.sample = sample  # type: ignore[method-assign]
        with pytest.raises(Killed):
            train(session, dying, range(kill_after + 1, kill_after + 2))
    resumed = Learning()
    with RunLog.open(tmp_path / "killed") as log:
        assert train(session_of(resumed, log=log), resumed) == straight
    one, other = ((tmp_path / name / "log.jsonl").read_bytes() for name in ("straight", "killed"))
    assert one == other


def test_a_log_is_replayed_bit_for_bit(tmp_path: Path) -> None:
    sampler = Learning()
    with log_of(tmp_path) as log:
        live = train(session_of(sampler, log=log), sampler)
    record = read_log(tmp_path)
    policy = policy_from(record.header.policy)
    again = replay([each.observation for each in record.checkpoints], record.header.spec, policy)
    assert policy == POLICY
    assert msgspec.json.encode(again) == msgspec.json.encode(tuple(live))
    assert len({each.reason for each in live}) > 2, "the run went through several stages"


@pytest.mark.parametrize("baseline", ["greedy", "sampled", "best"])
def test_every_baseline_is_measured(baseline: str) -> None:
    sampler = Learning()
    session = session_of(sampler, spec=replace(PLAN, baseline=baseline))
    decisions = train(session, sampler)
    assert {each.baseline for each in decisions} == {baseline}
    assert all(each.baseline_accuracy is not None for each in decisions)
    assert any(each.stop for each in decisions)


def test_without_answers_to_vote_on_there_is_no_vote() -> None:
    sampler = Learning()
    session = session_of(sampler, extract=None)
    train(session, sampler)
    assert all(each.observation.bank.answer_PN == () for each in session.checkpoints)
    strategies = {each.decision.serving.strategy for each in session.checkpoints if each.decision.serving}
    assert strategies <= {"greedy", "pass@k"}


def test_the_most_samples_may_change_when_a_run_is_resumed(tmp_path: Path) -> None:
    sampler = Learning()
    with log_of(tmp_path) as log:
        train(session_of(sampler, log=log), sampler, range(1, 6))
    with RunLog.open(tmp_path) as log:
        train(session_of(sampler, log=log, num_samples=8), sampler, range(6, 9))
        assert len(log.checkpoints) == 8


def test_a_log_that_names_no_policy_is_the_papers(tmp_path: Path) -> None:
    from breakeven.stopping.paper import PaperPolicy

    policy = Patience(PaperPolicy(), 2)
    named = policy_settings(policy)
    del named["name"]
    header = Header(versions={}, config={}, spec=PLAN, policy=named, seed=5)
    with RunLog.create(tmp_path, header) as log:
        session_of(Learning(), policy=policy, log=log)


MANY = 480
"""Problems enough for strata, also where only a quarter of them is sampled."""
MANY_STEPS = 8
MANY_TOKENS = 100_000 * SEQUENCE_TOKENS
"""Trained on between two evaluations, which cost about 1 % of it."""
SAMPLED = RunSpec(budget_flops=LAST_STEP * 100_000 * SEQUENCE_FLOPS, decay_share=0.0, baseline="sampled", checker=True)


def follow_many(directory: Path, killed_after: int = MANY_STEPS) -> list[Decision]:
    """The decisions of a run on many problems, killed once and gone on with."""
    rates = {str(number): 0.0 for number in range(MANY)}
    sampler = RateSampler(rates)
    decisions: list[Decision] = []
    for steps in (range(1, killed_after + 1), range(killed_after + 1, MANY_STEPS + 1)):
        with session_of(
            sampler, problems=sampler.problems, log=directory, resume=bool(decisions), spec=SAMPLED
        ) as session:
            for step in steps:
                rates.update({name: (1 - 0.8**step) * int(name) / MANY for name in rates})
                decisions.append(session.observe(step=step, train_tokens=step * MANY_TOKENS))
    return decisions


def in_strata(decisions: Sequence[Decision]) -> list[bool]:
    return [each.k_curve is not None and len(each.k_curve.parameters) > 2 for each in decisions]


def test_curves_in_strata_are_the_same_live_resumed_replayed_and_from_counts(tmp_path: Path) -> None:
    live = follow_many(tmp_path / "whole")
    assert not in_strata(live)[0], "nothing is known of earlier answers"
    assert sum(in_strata(live)) >= MANY_STEPS - 2, "one earlier checkpoint is not enough to part problems yet"
    assert follow_many(tmp_path / "killed", killed_after=4) == live
    record = read_log(tmp_path / "whole")
    observations = [each.observation for each in record.checkpoints]
    assert list(replay(observations, record.header.spec, policy_from(record.header.policy))) == live
    course = Course(spec=SAMPLED, policy=POLICY)
    for observation, decision in zip(observations, live, strict=True):  # as of evaluations that somebody else made
        tally = measured_of(observation).tally
        counts = Tally(correct_P=tally.correct_P, samples_P=tally.samples_P, greedy_P=tally.greedy_P)
        point = point_of(
            counts,
            step=observation.step,
            train_flops=observation.train_flops,
            evaluation_flops=observation.evaluation_flops,
            query_flops=observation.query_flops,
        )
        course, seen, _ = conclude(course, see(course, Measured(tally=counts, point=point)))
        (curve,) = (each for each in seen.curves if each.strategy == "pass@k")
        assert decision.k_curve is not None
        assert replace(decision.k_curve, flops_K=()) == curve


def test_a_log_of_an_earlier_version_is_replayed_without_strata(tmp_path: Path) -> None:
    follow_many(tmp_path)
    record = read_log(tmp_path)
    observations = [each.observation for each in record.checkpoints]
    then = replay(observations, SAMPLED, Patience(replace(RULE, strata=False), 2))
    assert not any(in_strata(then))
    settings = policy_settings(POLICY)
    del settings["strata"]
    header = renamed("header", {"policy": settings, "spec": {}})
    assert replay(observations, SAMPLED, policy_from(header["policy"])) == then
