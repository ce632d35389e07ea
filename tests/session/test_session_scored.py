"""A session whose samples a reward model scores: what it chooses, what it pays, and that it replays."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from breakeven.cost.evaluation import price_of, reward_flops
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError, SamplerError
from breakeven.records import Prefix, Problem, Reward, RunSpec
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Policy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import Header, RunLog, read_log
from breakeven.testing import RateSampler, RateVerifier

COST = ModelCost(body_params=100, head_params=10)
READER = ModelCost(body_params=7, head_params=1)
PLAN = RunSpec(budget_flops=20 * 2000 * 3 * 2 * 110 * 10, decay_share=0.0)
RULE = CalibratedPolicy(strategies=("best_of_n", "majority_vote"), max_evaluation_share=0.5)
POLICY = Patience(RULE, 2)
PROBLEMS = [Problem(id=str(number), prompt=str(number), reference="gold") for number in range(40)]


class Knows:
    """A reward model that always tells right from wrong; it must never be shown a reference."""

    kind: Literal["outcome"] = "outcome"

    def __init__(self) -> None:
        self.num_scored = 0

    def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
        assert all(each.problem.reference is None for each in prefixes)
        self.num_scored += len(prefixes)
        return [Reward(value=float(each.text == "right"), read_tokens=14) for each in prefixes]


def run(policy: Policy = POLICY, log: RunLog | None = None) -> tuple[Session, Knows]:
    rates = {each.id: 0.0 for each in PROBLEMS}
    knows = Knows()
    session = Session(
        sampler=RateSampler(rates),
        verifier=RateVerifier(),
        problems=PROBLEMS,
        cost=COST,
        sequence_tokens=10,
        spec=PLAN,
        policy=policy,
        num_samples=16,
        extract=lambda text: text,
        reward_model=knows,
        reward_cost=READER,
        log=log,
    )
    for step in range(1, 21):
        level = 0.5 * (1 - 0.35**step)
        rates.update({each: min(1.0, 2 * level * (number + 0.5) / 40) for number, each in enumerate(rates)})
        if session.observe(step=step, train_tokens=step * 20_000).stop:
            break
    return session, knows


def test_a_stop_serves_best_of_n_and_pays_for_every_score(tmp_path: Path) -> None:
    header = Header(versions={}, config={}, spec=PLAN, policy=policy_settings(POLICY), seed=0)
    with RunLog.create(tmp_path, header) as log:
        session, knows = run(log=log)
    stopped = session.stopped_at
    assert stopped is not None
    assert stopped.decision.serving is not None
    assert stopped.decision.serving.strategy == "best_of_n"
    assert stopped.decision.serving.deployable
    observation, serving = stopped.observation, stopped.decision.serving
    reading = READER.prefill_flops(14)
    assert observation.reward_flops == reading
    samples = serving.expected_samples or serving.k
    assert serving.flops_per_query == pytest.approx(observation.query_flops.total(samples) + samples * reading)
    bank = observation.bank
    assert observation.evaluation_flops == pytest.approx(
        price_of(bank, COST).evaluation_flops + bank.num_drawn * reading
    )
    assert knows.num_scored == sum(each.observation.bank.num_drawn for each in session.checkpoints)

    recorded = read_log(tmp_path)
    observations = [each.observation for each in recorded.checkpoints]
    assert list(replay(observations, PLAN, POLICY)) == [each.decision for each in recorded.checkpoints]
    votes = replay(observations, PLAN, Patience(replace(RULE, strategies=("majority_vote",)), 2))
    assert all(each.serving is None or each.serving.strategy in ("greedy", "majority_vote") for each in votes)


def test_a_reward_model_without_a_price_is_refused() -> None:
    with pytest.raises(ArgumentError, match="reward_cost must be given with reward_model"):
        Session(
            sampler=RateSampler({"0": 1.0}),
            verifier=RateVerifier(),
            problems=PROBLEMS[:1],
            cost=COST,
            sequence_tokens=10,
            spec=PLAN,
            policy=POLICY,
            reward_model=Knows(),
        )


def test_a_reward_model_that_returns_too_few_is_refused() -> None:
    class Short(Knows):
        def score(self, prefixes: Sequence[Prefix]) -> list[Reward]:
            return super().score(prefixes)[1:]

    session = Session(
        sampler=RateSampler({each.id: 0.5 for each in PROBLEMS}),
        verifier=RateVerifier(),
        problems=PROBLEMS,
        cost=COST,
        sequence_tokens=10,
        spec=replace(PLAN, baseline="sampled"),
        policy=POLICY,
        reward_model=Short(),
        reward_cost=READER,
        max_failures=1,
    )
    with pytest.raises(SamplerError, match=r"^The reward model must return 160 rewards, one a text; got 159\.$"):
        session.observe(step=1, train_tokens=20_000)


def test_no_reward_model_costs_nothing() -> None:
    session, _ = run()
    bank = session.checkpoints[-1].observation.bank
    assert reward_flops(bank, None) == 0.0
    assert reward_flops(replace(bank, reward_read_tokens=0), READER) == 0.0
    written = replace(bank, reward_output_tokens=3 * bank.num_drawn)
    assert reward_flops(written, READER) == pytest.approx(READER.prefill_flops(14) + READER.decode_flops(14, 2))
