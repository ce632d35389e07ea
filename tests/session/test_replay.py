"""Replay: the decisions of a recorded run, from its log alone."""

import dataclasses
import math
from pathlib import Path

import msgspec
import pytest

from breakeven import CalibratedPolicy
from breakeven.config import policy_from, recorded_policy
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import Decision, Reason, RunSpec
from breakeven.session.replay import replay
from breakeven.session.session import Session
from breakeven.stopping.course import Policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience, policy_settings
from breakeven.store import Header, RunLog, read_log
from breakeven.testing import RateSampler, RateVerifier, synthetic_run

PLAN = RunSpec(budget_flops=1e15)
POLICY = Patience(PaperPolicy(), 3)
RUN = synthetic_run(
    lambda share: 0.6 * (1 - math.exp(-8 * share)), num_checkpoints=20, num_problems=100, num_samples=8, seed=0
)


def bits(decisions: tuple[Decision, ...]) -> bytes:
    """Equal for equal decisions to the last bit; JSON writes every float in full."""
    return msgspec.json.encode(decisions)


def test_a_replayed_run_equals_the_live_one_bit_for_bit(tmp_path: Path) -> None:
    """Live decisions of a model that learns, recorded, read back and decided again."""
    rates = {str(number): 0.0 for number in range(30)}
    sampler = RateSampler(rates)
    spec = RunSpec(budget_flops=3 * 2 * 1000.0 * 10_000, baseline="sampled")
    header = Header(versions={}, config={}, spec=spec, policy=policy_settings(POLICY), seed=5)
    with RunLog.create(tmp_path, header) as log:
        session = Session(
            sampler=sampler,
            verifier=RateVerifier(),
            problems=sampler.problems,
            cost=ModelCost(body_params=1000.0),
            sequence_tokens=10,
            spec=spec,
            policy=POLICY,
            num_samples=8,
            seed=5,
            log=log,
        )
        for step in range(1, 16):
            rates.update({each: (1 + int(each)) / 30 * (1 - 0.6**step) for each in rates})
            session.observe(step=step, train_tokens=600 * step, loss=1 / step)
        live = tuple(each.decision for each in session.checkpoints)
    record = read_log(tmp_path)
    policy = policy_from(record.header.policy)
    again = replay([each.observation for each in record.checkpoints], record.header.spec, policy)
    assert again == live == tuple(each.decision for each in record.checkpoints)
    assert bits(again) == bits(live)
    assert len({each.reason for each in live}) > 2, "the run went through several stages"


@pytest.mark.parametrize("rule", [CalibratedPolicy(), PaperPolicy(), Patience(CalibratedPolicy(), 3)])
def test_a_rule_decides_as_what_a_log_says_of_it(rule: Policy) -> None:
    """Wrapped in patience or not: read with the usual patience, the paper's would wait where the run had stopped."""
    recorded = recorded_policy(policy_settings(rule))
    assert recorded == rule
    assert bits(replay(RUN, PLAN, recorded)) == bits(replay(RUN, PLAN, rule))


def test_replaying_twice_gives_the_same_bits() -> None:
    assert bits(replay(RUN, PLAN, POLICY)) == bits(replay(RUN, PLAN, POLICY))


def test_a_decision_does_not_know_what_comes_later() -> None:
    whole = replay(RUN, PLAN, POLICY)
    for end in (1, 7, 19):
        assert bits(replay(RUN[:end], PLAN, POLICY)) == bits(whole[:end])


def first_stop(decisions: tuple[Decision, ...]) -> int:
    return next((index for index, each in enumerate(decisions) if each.stop), len(decisions))


def test_patience_changes_when_to_stop_and_nothing_else() -> None:
    by_patience = {patience: replay(RUN, PLAN, Patience(POLICY.rule, patience)) for patience in (0, 1, 2, 3, 5, 99)}
    for patience, decisions in by_patience.items():
        for mine, theirs in zip(decisions, by_patience[1], strict=True):
            assert dataclasses.replace(mine, action=theirs.action, reason=theirs.reason) == theirs
            assert mine.stop == (mine.serving is not None and mine.streak >= patience)
            assert mine.reason is theirs.reason or {mine.reason, theirs.reason} == {Reason.WAITING, Reason.REACHED}
    stops = [first_stop(decisions) for decisions in by_patience.values()]
    assert stops[0] == stops[1] < stops[-1] == len(RUN)
    assert stops == sorted(stops)
    assert bits(by_patience[0]) == bits(by_patience[1])


def test_a_smaller_largest_k_never_stops_earlier() -> None:
    stops = [first_stop(replay(RUN, PLAN, Patience(PaperPolicy(max_k=max_k), 1))) for max_k in (1, 2, 4, 64)]
    assert stops == sorted(stops, reverse=True)


def test_fewer_checkpoints_than_a_projection_needs_go_on() -> None:
    assert [each.reason for each in replay(RUN[:2], PLAN, POLICY)] == 2 * [Reason.TOO_FEW_CHECKPOINTS]
    assert replay([], PLAN, POLICY) == ()


def test_observations_out_of_order_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^train_flops must be finite and increasing"):
        replay(RUN[::-1], PLAN, POLICY)


def test_where_only_some_checkpoints_are_decided_on_they_are_decided_as_among_all() -> None:
    whole = replay(RUN, PLAN, POLICY)
    for places in ([0, 7, 19], [0, 1, 2, first_stop(whole)]):
        some = replay(RUN, PLAN, POLICY, at=frozenset(places), recorded=whole)
        assert bits(some) == bits(tuple(whole[place] for place in places))


def test_without_recorded_decisions_one_follows_the_last_that_was_taken() -> None:
    some = replay(RUN, PLAN, POLICY, at={0, *range(9, 20, 2)})
    assert [each.step for each in some] == [RUN[place].step for place in (0, *range(9, 20, 2))]
    assert any(each.stop for each in some), "patience counts the checkpoints that were decided on"
