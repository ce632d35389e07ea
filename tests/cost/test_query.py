"""FLOPs of strategies: published and derived golden values, and what must hold of any sizes and lengths."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.families import cost_of_config
from breakeven.cost.query import (
    StrategyFlops,
    judging_flops,
    mean_flops,
    sampling_flops,
    scoring_flops,
    search_flops,
    verdict_tokens,
)
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import SearchCost

SMALL = ModelCost(body_params=1.1e9, num_layers=22, attention_width=2048)
BARE, BARE_7B = ModelCost(body_params=1.1e9), ModelCost(body_params=7e9)  # without attention, as in plain estimates
PROPERTY = settings(derandomize=True, max_examples=50)
lengths = st.lists(st.integers(1, 500), min_size=1, max_size=6)

# -- golden values ----------------------------------------------------------------------------------------------------


def test_one_sample_and_64_samples_of_a_1_1_b_model() -> None:
    assert f"{SMALL.prefill_flops(1000):.4e}" == "2.2902e+12"
    assert f"{SMALL.decode_flops(1000, 300):.4e}" == "7.2220e+11"
    assert sampling_flops(SMALL, 1000, [301], num_samples=1).total == pytest.approx(2.2902e12 + 7.2220e11, rel=1e-4)
    assert f"{sampling_flops(SMALL, 1000, [301], num_samples=64).total:.4e}" == "4.8511e+13"


@pytest.mark.parametrize(("prompt", "ratio", "percent"), [(100, 1.32, 3), (1000, 3.97, 13), (3000, 8.71, 30)])
def test_shared_prefill_and_plain_2_n_t_k(prompt: int, ratio: float, percent: int) -> None:
    shared = sampling_flops(SMALL, prompt, [301], num_samples=64).total
    unshared = sampling_flops(SMALL, prompt, [301], num_samples=64, shared_prefill=False).total
    assert round(unshared / shared, 2) == ratio
    assert round(100 * (1 - 2 * 1.1e9 * 300 * 64 / shared)) == percent


def test_a_7_b_reward_model_on_a_1_1_b_policy_costs_8_9_times_the_generation_in_best_of_n() -> None:
    generation = sampling_flops(BARE, 200, [501], num_samples=64)
    anew = generation + scoring_flops(BARE_7B, [700], num_samples=64)
    assert anew.model_flops == 2 * 1.1e9 * (200 + 64 * 500)
    assert anew.reward_flops == 2 * 7e9 * 64 * (200 + 500)
    assert round(anew.reward_flops / anew.model_flops, 1) == 8.9
    shared = scoring_flops(BARE_7B, [700], num_samples=64, shared_tokens=200)
    assert shared.reward_flops == 2 * 7e9 * (200 + 64 * 500)


def test_it_costs_60_times_the_generation_where_ten_steps_are_scored_from_the_start_each() -> None:
    beams, steps, prompt, tokens = 64, 10, 200, 500
    at_steps = [prompt + tokens * step // steps for step in range(1, steps + 1)]
    tree = SearchCost(
        num_samples=beams * steps,
        output_tokens=beams * tokens,
        shared_prefill_tokens=prompt,
        unshared_prefill_tokens=beams * sum(each - tokens // steps for each in at_steps),
        num_scored=beams * steps,
        reward_tokens=prompt + beams * tokens,
        reward_reread_tokens=beams * sum(at_steps),
    )
    whole = search_flops(BARE, BARE_7B, tree, incremental=False)
    assert whole.model_flops == pytest.approx(2 * 1.1e9 * (prompt + beams * tokens))
    assert whole.reward_flops == pytest.approx(2 * 7e9 * beams * (steps * prompt + tokens * (steps + 1) / 2))
    assert round(whole.reward_flops / whole.model_flops) == 60
    cached = search_flops(BARE, BARE_7B, tree)
    assert cached.reward_flops == pytest.approx(2 * 7e9 * (prompt + beams * tokens))
    anew = search_flops(BARE, BARE_7B, tree, shared_prefill=False)
    assert anew.model_flops == pytest.approx(2 * 1.1e9 * (tree.unshared_prefill_tokens + tree.output_tokens))


def test_generative_verification_reads_each_solution_once_and_decodes_every_verdict() -> None:
    policy, verifier, solutions, verdicts = SMALL, SMALL, 8, 16
    query = sampling_flops(policy, 200, [301], num_samples=solutions) + judging_flops(
        verifier, [400 + 300], [[601]], num_samples=solutions, num_verdicts=verdicts
    )
    one = policy.prefill_flops(200) + solutions * policy.decode_flops(200, 300)
    each = verifier.prefill_flops(700) + verdicts * verifier.decode_flops(700, 600)
    assert query.model_flops == pytest.approx(one)
    assert query.reward_flops == pytest.approx(solutions * each)
    bare = judging_flops(BARE, [0], [[601]], num_samples=solutions, num_verdicts=verdicts)
    assert bare.total == pytest.approx(2 * 1.1e9 * solutions * verdicts * 600)  # the lambda V S of the paper


def test_served_queries_until_full_training_would_have_been_cheaper() -> None:
    """Q* = 6 N dD / (c(K) - c(1)); without attention N cancels."""
    saved_flops = BARE.train_flops(1, 2.5e12)
    for shared, expected in ((True, 1.67e9), (False, 3.85e8)):
        k, one = (sampling_flops(BARE, 1000, [301], num_samples=each, shared_prefill=shared).total for each in (16, 1))
        assert saved_flops / (k - one) == pytest.approx(expected, rel=2e-3)


# -- what must hold ---------------------------------------------------------------------------------------------------


@PROPERTY
@given(st.integers(1, 400), lengths)
def test_all_samples_of_a_problem_cost_their_sum(prompt: int, output_N: list[int]) -> None:
    together = sampling_flops(SMALL, prompt, output_N, num_samples=len(output_N)).total
    alone = [SMALL.decode_flops(prompt, each - 1) for each in output_N]
    assert together == pytest.approx(SMALL.prefill_flops(prompt) + sum(alone))
    mean = sampling_flops(SMALL, prompt, [sum(output_N) / len(output_N)], num_samples=len(output_N)).total
    assert together >= mean * (1 - 1e-12)  # attention grows with the square: means would charge too little


@PROPERTY
@given(st.integers(0, 200), lengths)
def test_a_shared_problem_never_costs_more_and_one_solution_as_much(problem: int, solution_N: list[int]) -> None:
    verifier = ModelCost(body_params=1e6, head_params=300, num_layers=4, attention_width=64)
    read_N = [problem + each for each in solution_N]
    for num in (1, len(read_N)):
        shared = scoring_flops(verifier, read_N, num_samples=num, shared_tokens=problem).total
        anew = scoring_flops(verifier, read_N, num_samples=num).total
        assert shared == pytest.approx(anew) if num == 1 else shared <= anew * (1 + 1e-12)


def test_a_verifier_of_the_policys_size_reads_a_query_at_about_the_price_of_writing_it() -> None:
    for scale in (0.5, 1.0, 2.0):
        verifier = ModelCost(body_params=scale * 1.1e9)
        query = sampling_flops(BARE, 200, [501], num_samples=8) + scoring_flops(
            verifier, [700], num_samples=8, shared_tokens=200
        )
        assert query.reward_flops == pytest.approx(scale * query.model_flops)
        assert query.total == query.model_flops + query.reward_flops


def test_a_config_or_given_numbers_price_alike() -> None:
    config = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4}
    saved_reward = cost_of_config(config | {"intermediate_size": 10, "vocab_size": 100}, num_labels=1)
    given_numbers = ModelCost(body_params=992, head_params=8, num_layers=2, attention_width=8)
    costs = [scoring_flops(each, [30, 50], num_samples=2).total for each in (saved_reward, given_numbers)]
    assert costs[0] == costs[1]


def test_expected_samples_price_strategies_that_draw_in_turn() -> None:
    two, three = (sampling_flops(SMALL, 100, [31, 51], num_samples=each).total for each in (2, 3))
    assert sampling_flops(SMALL, 100, [31, 51], num_samples=2.5).total == pytest.approx((two + three) / 2)


def test_a_tree_of_one_step_costs_what_samples_cost_up_to_the_last_token() -> None:
    tree = SearchCost(num_samples=4, output_tokens=400, shared_prefill_tokens=50, unshared_prefill_tokens=200)
    query = search_flops(SMALL, SMALL, tree)
    assert query.reward_flops == 0
    assert query.model_flops == pytest.approx(sampling_flops(SMALL, 50, [101], num_samples=4).total)
    assert search_flops(SMALL, SMALL, SearchCost()).total == 0


def test_a_step_reward_model_that_writes_is_charged_for_writing() -> None:
    tree = SearchCost(num_scored=2, reward_tokens=50, reward_reread_tokens=80, reward_output_tokens=20)
    assert search_flops(BARE, BARE, tree).reward_flops == pytest.approx(2 * 1.1e9 * (50 + 20))


def test_means_and_sums() -> None:
    queries = [StrategyFlops(model_flops=1.0, reward_flops=2.0), StrategyFlops(model_flops=3.0)]
    assert mean_flops(queries) == StrategyFlops(model_flops=2.0, reward_flops=1.0)
    assert queries[0] + queries[1] == StrategyFlops(model_flops=4.0, reward_flops=2.0)
    shared = judging_flops(BARE, [10], [verdict_tokens(10, 4)], num_samples=1, num_verdicts=4)
    unshared = judging_flops(BARE, [10], [verdict_tokens(10, 4)], num_samples=1, num_verdicts=4, shared_prefill=False)
    assert unshared.total - shared.total == pytest.approx(3 * BARE.prefill_flops(10))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mean_flops([]), "queries must hold at least one"),
        (lambda: sampling_flops(BARE, 1, [], num_samples=1), "output_tokens_N must hold at least one length"),
        (
            lambda: sampling_flops(BARE, 1, [5, 0], num_samples=1),
            "output_tokens_N must hold finite lengths of at least 1",
        ),
        (lambda: sampling_flops(BARE, 1, [5], num_samples=-1), "num_samples must be finite and at least 0; got -1"),
        (lambda: scoring_flops(BARE, [5], num_samples=1, shared_tokens=6), "read_tokens_N must hold finite lengths of"),
        (lambda: judging_flops(BARE, [5], [], num_samples=1, num_verdicts=1), "output_tokens_NV must have 1 rows"),
        (lambda: judging_flops(BARE, [5], [[]], num_samples=1, num_verdicts=1), "output_tokens_NV must hold at least"),
    ],
)
def test_what_cannot_be_priced_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        call()
