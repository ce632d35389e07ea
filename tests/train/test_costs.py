"""What a run, an evaluation and a query cost, counted by hand."""

import subprocess
import sys

import pytest

from breakeven.config import RunConfig, load_recipe, recipe_names
from breakeven.cost.evaluation import price_of
from breakeven.cost.tokens import ModelCost
from breakeven.data.made.countdown import Countdown
from breakeven.errors import ArgumentError
from breakeven.records import SampleBank
from breakeven.train.costs import cost_of, longest_evaluation_flops, longest_query, sequence_tokens, spec_for

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)


def bank(*, output_tokens: int, greedy_output_tokens: int) -> SampleBank:
    """Two problems with 6 and 8 prompt tokens and 4 samples each."""
    return SampleBank(
        correct_PN=("1100", "0000"),
        greedy_correct_P="10",
        temperature=0.8,
        seed=0,
        prompt_tokens=14,
        output_tokens=output_tokens,
        greedy_output_tokens=greedy_output_tokens,
    )


PREFILL = 2 * 100 * 7 + 2 * 10 + 4 * 5 * (7 * 8 / 2)  # 7 prompt tokens, the head once: 1980


def decode(fed_tokens: float) -> float:
    return 2 * 110 * fed_tokens + 4 * 5 * (fed_tokens * 7 + fed_tokens * (fed_tokens + 1) / 2)


def test_a_completion_is_charged_for_the_tokens_that_are_fed_back() -> None:
    """9 tokens: the first comes out of the prefill, the last is not fed."""
    query = price_of(bank(output_tokens=72, greedy_output_tokens=16), COST).query
    assert (query.prefill_flops, query.decode_flops) == (PREFILL, decode(8))


def test_a_completion_of_one_token_costs_its_prefill_alone() -> None:
    at_once = bank(output_tokens=8, greedy_output_tokens=2)
    assert price_of(at_once, COST).query.total(4) == PREFILL
    assert price_of(at_once, COST).evaluation_flops == 2 * 2 * PREFILL


def test_an_evaluation_is_the_samples_and_the_greedy_ones_each_after_a_prefill() -> None:
    drawn = bank(output_tokens=72, greedy_output_tokens=10)  # 9 tokens a sample, 5 a greedy one
    assert price_of(drawn, COST).evaluation_flops == 2 * (PREFILL + 4 * decode(8)) + 2 * (PREFILL + decode(4))


def test_lengths_are_taken_at_their_mean() -> None:
    drawn = bank(output_tokens=68, greedy_output_tokens=11)  # 8.5 and 5.5
    assert price_of(drawn, COST).query.decode_flops == decode(7.5)
    assert price_of(drawn, COST).evaluation_flops == pytest.approx(4 * PREFILL + 8 * decode(7.5) + 2 * decode(4.5))


@pytest.mark.parametrize("recipe", recipe_names())
def test_before_a_run_completions_are_taken_at_their_longest(recipe: str) -> None:
    config = load_recipe(recipe)
    task, shown = config.task, config.evaluate
    num_samples = shown.num_problems * shown.num_samples
    drawn = SampleBank(
        correct_PN=("0" * shown.num_samples,) * shown.num_problems,
        greedy_correct_P="0" * shown.num_problems,
        temperature=shown.temperature,
        seed=0,
        prompt_tokens=task.prompt_tokens * shown.num_problems,
        output_tokens=task.output_tokens * num_samples,
        greedy_output_tokens=task.output_tokens * shown.num_problems,
    )
    assert longest_query(config) == price_of(drawn, cost_of(config)).query
    assert longest_evaluation_flops(config) == price_of(drawn, cost_of(config)).evaluation_flops


def test_the_last_token_of_a_training_sequence_is_predicted_but_not_read() -> None:
    task = Countdown(num_numbers=2)
    assert sequence_tokens(task) == task.prompt_tokens + task.output_tokens - 1 == 5 + 4 - 1


@pytest.mark.parametrize("shared_prefill", [True, False])
def test_the_plan_is_the_configured_run(shared_prefill: bool) -> None:
    config = load_recipe("countdown", [f"shared_prefill={str(shared_prefill).lower()}", "baseline=sampled"])
    spec = spec_for(config)
    num_sequences = config.train.steps * config.train.batch_size
    assert spec.budget_flops == cost_of(config).train_flops(num_sequences, sequence_tokens(config.task))
    assert (spec.baseline, spec.shared_prefill) == ("sampled", shared_prefill)


def test_a_budget_of_just_one_evaluation_is_refused() -> None:
    def config(num_problems: int) -> RunConfig:
        train, shown = "train={steps=1, batch_size=8}", f"evaluate={{every_steps=1, num_problems={num_problems}}}"
        return load_recipe("countdown", [train, shown])

    budget = spec_for(config(1)).budget_flops
    most = int(budget / longest_evaluation_flops(config(1)))
    assert spec_for(config(most)).budget_flops == budget
    with pytest.raises(ArgumentError, match=r"^train\.steps must make a budget above one evaluation, .*num_samples\)"):
        spec_for(config(most + 1))


def test_costs_are_known_without_torch() -> None:
    code = "import sys, breakeven.train.costs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=100).returncode == 0
