"""A checkpoint as the numbers of a host's log."""

import pytest

from breakeven.adapters.metrics import NAMES, metrics
from breakeven.records import Action, CheckpointRecord, Decision, Observation, QueryFlops, Reason, SampleBank


def test_what_is_measured_and_known_is_named_and_the_rest_left_out() -> None:
    bank = SampleBank(
        correct_PN=("1100", "00"), greedy_correct_P="10", temperature=0.8, seed=0, prompt_tokens=4, output_tokens=6,
        greedy_output_tokens=2,
    )  # fmt: skip
    observation = Observation(
        step=5, train_tokens=10, train_flops=1.0, evaluation_flops=2.0, loss=None, bank=bank,
        query_flops=QueryFlops(prefill_flops=1.0, decode_flops=1.0),
    )  # fmt: skip
    decision = Decision(
        action=Action.CONTINUE, reason=Reason.UNSURE, step=5, used=0.1, policy="calibrated", evaluation_flops=7.0
    )
    found = metrics(CheckpointRecord(observation=observation, decision=decision), evaluation_seconds=3.0)
    assert found == {
        "breakeven/pass_at_1": 0.5,
        "breakeven/pass_at_4": pytest.approx(1.0),
        "breakeven/evaluation_flops": 7.0,
        "breakeven/evaluation_seconds": 3.0,
    }
    assert set(found) <= set(NAMES)
