"""`breakeven flops`: what a recipe costs, before anything is spent."""

import json

import pytest

from breakeven.config import load_recipe
from breakeven.cost.tokens import ModelCost
from breakeven.records import NOT_COUNTED

# Counted by hand for E = 16, one layer, F = 16, 2 numbers: 5 prompt and 4 output tokens, 31 words.
BODY = 4 * 16**2 + 3 * 16 * 16
HEAD = 16 * (10 + 21)
PAIR = 4 * 16
PREFILL = 2 * BODY * 5 + 2 * HEAD + PAIR * 15
DECODE = 2 * (BODY + HEAD) * 3 + PAIR * (3 * 5 + 6)  # the first token comes from the prefill, the last is not fed
TRAIN_SEQUENCE = 3 * (2 * (BODY + HEAD) * 8 + PAIR * 36)


def test_json_has_every_number_unrounded(cli, recipe) -> None:
    numbers = json.loads(cli("flops", recipe, "--samples", 8, "--json").stdout)
    assert numbers["matmul_params"] == BODY + HEAD
    assert numbers["train_flops"] == 12 * 8 * TRAIN_SEQUENCE
    assert numbers["train_flops_per_token"] == pytest.approx(TRAIN_SEQUENCE / 8)
    assert numbers["evaluation_flops"] == 6 * (2 * PREFILL + 5 * DECODE)
    assert numbers["evaluation_share_of_interval"] == pytest.approx(
        6 * (2 * PREFILL + 5 * DECODE) / (2 * 8 * TRAIN_SEQUENCE)
    )
    assert numbers["query_flops_one_sample"] == PREFILL + DECODE
    assert numbers["samples"] == 8
    assert numbers["query_flops_shared_prefill"] == PREFILL + 8 * DECODE
    assert numbers["query_flops_unshared_prefill"] == 8 * (PREFILL + DECODE)


def test_text_names_what_is_counted_and_what_is_not(cli) -> None:
    result = cli("flops")
    assert result.exit_code == 0
    config = load_recipe("countdown")
    cost = ModelCost.of(config.model.shape_for(config.task))
    assert f"{cost.body_params + cost.head_params:,.0f}" in result.stdout
    assert f"full run, {config.train.steps} steps" in result.stdout
    assert "one query, 8 samples, shared prefill" in result.stdout
    lines = result.stdout.splitlines()
    assert lines[-2] == "Counted: matrix multiplies, attention over the context, the output head."
    assert lines[-1] == f"Not counted: {NOT_COUNTED}."


def test_a_budget_below_one_evaluation_is_refused_as_run_refuses_it(refused, recipe) -> None:
    options = ["--set", "train.steps=2", "--set", "train.batch_size=1"]
    assert refused("flops", recipe, *options).startswith("train.steps must make a budget above one evaluation, ")


def test_an_override_changes_the_price(cli) -> None:
    def train_flops(*overrides: str) -> float:
        options = [part for each in overrides for part in ("--set", each)]
        return float(json.loads(cli("flops", "countdown", *options, "--json").stdout)["train_flops"])

    assert train_flops("train.steps=4000") == 2 * train_flops("train.steps=2000")
    assert train_flops("train.steps=2000", "train.batch_size=512") == 2 * train_flops("train.steps=2000")


def test_an_unknown_recipe_is_refused_with_the_nearest_name(refused) -> None:
    message = refused("flops", "countdwon")
    assert message.startswith("RECIPE must be a shipped name or the path of a .toml file; got 'countdwon'.")
    assert "Did you mean countdown" in message


def test_no_samples_is_a_usage_error(cli) -> None:
    result = cli("flops", "--samples", 0)
    assert result.exit_code == 2
    assert "--samples" in result.stderr
