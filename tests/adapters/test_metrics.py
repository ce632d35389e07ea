"""A checkpoint as the numbers of a host's log."""

import pytest

from breakeven.adapters.metrics import NAMES, metrics
from breakeven.records import Action, CheckpointRecord, Decision, Observation, QueryFlops, Reason, SampleBank, SoftVote


def test_what_is_measured_and_known_is_named_and_the_rest_left_out() -> None:
    bank = SampleBank(
        correct_PN=("1100", "00"), greedy_correct_P="10", temperature=0.8, seed=0, prompt_tokens=4, output_tokens=6,
        greedy_output_tokens=2,
    )  # fmt: skip
    found = metrics(checkpoint_of(bank), evaluation_seconds=3.0)
    assert found == {
        "breakeven/pass_at_1": 0.5,
        "breakeven/pass_at_4": pytest.approx(1.0),
        "breakeven/evaluation_flops": 7.0,
        "breakeven/evaluation_seconds": 3.0,
    }
    assert set(found) <= set(NAMES)


def test_of_a_classifier_what_is_served_is_named_and_no_oracle() -> None:
    votes = (
        SoftVote(
            strategy="soft_vote", k_values=(1, 4), num_passes=4, accuracy_PK=((0.5, 1.0),), monte_carlo_error_K=(0, 0)
        ),
        SoftVote(
            strategy="snapshot_ensemble", k_values=(1, 2), num_passes=2, accuracy_PK=((0.0, 1.0), (0.0, 0.0)),
            monte_carlo_error_K=(0, 0),
        ),
    )  # fmt: skip
    bank = SampleBank(
        correct_PN=("1100", ""), greedy_correct_P="10", temperature=1.0, seed=0, prompt_tokens=0, output_tokens=8,
        greedy_output_tokens=4, soft_votes=votes,
    )  # fmt: skip
    found = metrics(checkpoint_of(bank))
    assert {name: found[f"breakeven/{name}"] for name in ("pass_at_1", "soft_vote_at_4", "snapshot_ensemble")} == {
        "pass_at_1": 0.5,
        "soft_vote_at_4": 1.0,
        "snapshot_ensemble": 0.5,
    }
    assert "breakeven/pass_at_4" not in found
    assert set(found) <= set(NAMES)


def checkpoint_of(bank: SampleBank) -> CheckpointRecord:
    observation = Observation(
        step=5, train_tokens=10, train_flops=1.0, evaluation_flops=2.0, loss=None, bank=bank,
        query_flops=QueryFlops(prefill_flops=1.0, decode_flops=1.0),
    )  # fmt: skip
    decision = Decision(
        action=Action.CONTINUE, reason=Reason.UNSURE, step=5, used=0.1, policy="calibrated", evaluation_flops=7.0
    )
    return CheckpointRecord(observation=observation, decision=decision)
