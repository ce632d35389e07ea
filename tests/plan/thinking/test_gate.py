"""The gate: two standard errors over seeds, or nothing is compared."""

import pytest

from breakeven.plan.thinking.arms import AT_ONCE, STEPS, pauses
from breakeven.plan.thinking.gate import Gate, gates
from breakeven.plan.thinking.recipe import Answered, Model
from breakeven.plan.thinking.told import seeds_needed
from breakeven.records import SampleBank


def model(arm, seed: int, greedy: str) -> Model:
    """One whose greedy answers are right as `greedy` says."""
    count = len(greedy)
    bank = SampleBank(
        correct_PN=("1",) * count,
        greedy_correct_P=greedy,
        temperature=0.8,
        seed=seed,
        prompt_tokens=count,
        output_tokens=count,
        greedy_output_tokens=count,
    )
    return Model(arm=arm, seed=seed, train_flops=1.0, kept=None, answered=Answered(bank=bank, num_leaks=0))


def test_a_thought_is_held_against_none_seed_by_seed():
    models = [
        model(AT_ONCE, 0, "1000"),
        model(pauses(4), 0, "1000"),
        model(STEPS, 0, "1110"),
        model(AT_ONCE, 1, "0000"),
        model(pauses(4), 1, "1000"),
        model(STEPS, 1, "0110"),
    ]
    paused, steps = gates(models)
    assert (paused.arm, paused.gain_S) == (pauses(4), (0.0, 0.25))
    assert (steps.arm, steps.gain_S) == (STEPS, (0.5, 0.5))
    assert steps.holds
    assert not paused.holds  # a gain of one standard error
    assert paused.standard_error == pytest.approx(0.125)
    assert "Gate holds: hidden steps less at once" in steps.finding.text
    assert "does not hold" in paused.finding.text


def test_a_loss_never_holds():
    assert not Gate(arm=STEPS, gain_S=(-0.2, -0.2, -0.2)).holds
    assert not Gate(arm=STEPS, gain_S=(0.0, 0.0, 0.0)).holds


def test_how_many_seeds_it_would_take():
    gate = Gate(arm=STEPS, gain_S=(0.0, 0.2, 0.1))  # a spread of .1, and a gain of .1: 2 x .1 / sqrt(n) <= .1
    assert seeds_needed(gate).value in (4, 5)  # 4, or a hair above it
    assert seeds_needed(Gate(arm=STEPS, gain_S=(-0.1, 0.0))).value is None
