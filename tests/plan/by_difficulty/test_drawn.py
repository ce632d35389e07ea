"""A population made of samples: which samples are for what, and what they cost."""

import numpy as np
import pytest

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.plan.by_difficulty.drawn import Scored, Split, population_of
from breakeven.records import Reward, SampleBank

COST = ModelCost(body_params=1)
"""2 FLOPs a token."""


def bank(*, oracle: bool = True) -> SampleBank:
    """Two problems, 8 samples each of 5 tokens, 3 tokens of prompt; the first 4 tell difficulty."""
    return SampleBank(
        correct_PN=("11010001", "00001111"),
        greedy_correct_P="10",
        temperature=0.8,
        seed=0,
        prompt_tokens=6,
        output_tokens=80,
        greedy_output_tokens=8,
        oracle=oracle,
        answer_PN=("aabab-ca", "bbcdaaaa"),
        prompt_tokens_P=(3, 3),
        greedy_tokens_P=(4, 4),
        output_tokens_PN=((5,) * 8, (5,) * 8),
    )


def rewards() -> list[list[Reward]]:
    return [[Reward(value=0.9 if right == "1" else 0.1, read_tokens=8) for right in row] for row in bank().correct_PN]


def test_what_tells_difficulty_is_not_scored() -> None:
    """The second problem: all wrong in the first four, all right in the rest."""
    found = population_of(
        bank(), ["a", "b"], of="two", cost=COST, scored={}, split=Split(held=4, probe=2), k_values=[1, 4]
    )
    by_name = {each.name: each for each in found.settings}
    assert list(by_name) == ["greedy", "majority_vote K=1", "majority_vote K=4"]  # no checker when serving
    assert by_name["greedy"].accuracy_P == (1.0, 0.0)
    assert by_name["majority_vote K=1"].accuracy_P == (0.25, 1.0)
    true, predicted = found.difficulties
    assert (true.name, true.score_P, true.oracle) == ("solve rate", (0.75, 0.0), True)
    assert (predicted.name, predicted.num_samples, predicted.score_P) == ("agreement", 2, (1.0, 1.0))


def test_prices() -> None:
    """By hand: a prompt of 3 tokens is 6 FLOPs, a sample of 5 tokens feeds 4, 8 FLOPs, a greedy one of 4 feeds 3."""
    scored = {"small": Scored(rewards_PN=rewards(), cost=ModelCost(body_params=10))}
    found = population_of(
        bank(), ["a", "b"], of="two", cost=COST, scored=scored, split=Split(held=4, probe=2), k_values=[1, 4]
    )
    by_name = {each.name: each for each in found.settings}
    assert found.sample_flops == 14.0
    assert by_name["greedy"].model_flops_P == (12.0, 12.0)
    best = by_name["best_of_n K=4 (small reward model)"]
    assert (best.accuracy_P, best.model_flops_P, best.reward_flops_P) == ((1.0, 1.0), (38.0, 38.0), (640.0, 640.0))
    assert by_name["weighted_vote K=4 (small reward model)"].reward_flops_P == (640.0, 640.0)
    *_, by_reward = found.difficulties
    assert (by_reward.name, by_reward.score_P) == ("mean reward (small reward model)", (0.9, 0.1))
    assert (by_reward.model_flops, by_reward.reward_flops) == (16.0, 320.0)
    # All 16 samples, their two prompts read twice, two greedy ones, and 16 readings of 8 tokens at 20 FLOPs.
    assert found.evaluation_flops == 16 * 8 + 4 * 6 + 2 * 6 + 16 * 160


def test_pass_at_k_where_a_checker_serves() -> None:
    found = population_of(
        bank(oracle=False), ["a", "b"], of="two", cost=COST, scored={}, split=Split(held=4, probe=4), k_values=[4]
    )
    (passed,) = [each for each in found.settings if each.strategy == "pass@k"]
    assert passed.accuracy_P == (1.0, 1.0)
    assert passed.model_flops_P[1] == 14.0  # the first is right, and drawing ends


def test_rewards_beyond_1_are_not_summed() -> None:
    rows = [[Reward(value=3.0, read_tokens=8)] * 8] * 2
    scored = {"logit": Scored(rewards_PN=rows, cost=COST)}
    found = population_of(
        bank(), ["a", "b"], of="two", cost=COST, scored=scored, split=Split(held=4, probe=4), k_values=[4]
    )
    assert {each.strategy for each in found.settings} == {"greedy", "majority_vote", "best_of_n"}
    assert np.isfinite([each.score_P for each in found.difficulties]).all()


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ArgumentError, match="leave samples beside the 8 that tell difficulty"):
        population_of(bank(), ["a", "b"], of="two", cost=COST, scored={}, split=Split(held=8, probe=2), k_values=[1])
    with pytest.raises(ArgumentError, match="probe must be from 1 to held, 4; got 5"):
        Split(held=4, probe=5)
