"""Patience: a wrapper around any rule, which defers its stops and leaves the rest as it is."""

import math

import pytest

from breakeven.errors import ArgumentError
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience, policy_settings


@pytest.mark.parametrize("checkpoints", [-1, 2.5, math.nan, math.inf])
def test_patience_is_a_whole_number_of_at_least_0(checkpoints: float) -> None:
    with pytest.raises(ArgumentError, match=r"^patience must be a whole number of at least 0; got "):
        Patience(PaperPolicy(), checkpoints)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule", [PaperPolicy(max_k=8), CalibratedPolicy(max_k=8, strategies=("majority_vote",))])
def test_all_else_is_asked_of_the_rule(rule: Policy) -> None:
    patient = Patience(rule, 3)
    assert isinstance(patient, Policy)
    for name in ("name", "max_k", "max_evaluation_share", "needs"):
        assert getattr(patient, name) == getattr(rule, name)


def test_settings_are_flat() -> None:
    assert policy_settings(Patience(PaperPolicy(), 3)) == {
        "name": "paper",
        "max_k": 64,
        "k_values": (1, 2, 4),
        "fluctuation_filter": True,
        "patience": 3,
    }
    assert "patience" not in policy_settings(PaperPolicy())


def test_what_a_rule_needs_of_the_samples_is_asked_through_it() -> None:
    with pytest.raises(ArgumentError, match=r"^policy\.k_values must be at most the 2 samples drawn per problem"):
        Patience(PaperPolicy(), 3).check(2)
