"""FLOPs per token: published golden values, and a count of every multiply one token at a time."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import TransformerShape

PROPERTY = settings(derandomize=True, max_examples=60)
TINY_LLAMA = ModelCost(body_params=1.1e9, num_layers=22, attention_width=2048)
SHAPE = TransformerShape(num_layers=3, embedding=8, num_heads=2, feed_forward=20, vocab_size=11, max_tokens=64)

tokens = st.integers(1, 60)


def forward_flops(shape: TransformerShape, first: int, last: int, *, heads: int) -> int:
    """A forward pass over positions first..last (from 1) with the earlier ones cached, head at `heads` of them."""
    total = 2 * heads * shape.embedding * shape.vocab_size
    for position in range(first, last + 1):
        for _ in range(shape.num_layers):
            total += 2 * 4 * shape.embedding * shape.embedding  # query, key, value, output
            total += 2 * 3 * shape.embedding * shape.feed_forward
            total += 2 * position * shape.embedding  # scores against all before it and itself
            total += 2 * position * shape.embedding  # weighted values
    return total


# -- golden values ----------------------------------------------------------------------------------------------------


def test_golden_values_of_a_1_1_b_model() -> None:
    query = TINY_LLAMA.query_flops(1000, 300)
    assert f"{query.prefill_flops:.4e}" == "2.2902e+12"
    assert f"{query.decode_flops:.4e}" == "7.2220e+11"
    assert f"{query.total(64):.4e}" == "4.8511e+13"


@pytest.mark.parametrize(("prompt", "ratio"), [(100, "1.32"), (1000, "3.97"), (3000, "8.71")])
def test_prefilling_once_a_query_instead_of_once_a_sample(prompt: int, ratio: str) -> None:
    query = TINY_LLAMA.query_flops(prompt, 300)
    assert f"{query.total(64, shared_prefill=False) / query.total(64):.2f}" == ratio


@pytest.mark.parametrize(("prompt", "percent"), [(100, "3"), (1000, "13"), (3000, "30")])
def test_plain_2_n_per_generated_token_counts_too_little(prompt: int, percent: str) -> None:
    plain = 2 * 1.1e9 * 300 * 64
    assert f"{100 * (1 - plain / TINY_LLAMA.query_flops(prompt, 300).total(64)):.0f}" == percent


def test_training_without_attention_and_head_is_6_n_d() -> None:
    assert ModelCost(body_params=1e9).train_flops(10, 100) == 6 * 1e9 * 1000


# -- token by token ---------------------------------------------------------------------------------------------------


@PROPERTY
@given(tokens, tokens)
def test_equals_the_count_token_by_token(prompt: int, output: int) -> None:
    cost = ModelCost.of(SHAPE)
    assert cost.prefill_flops(prompt) == forward_flops(SHAPE, 1, prompt, heads=1)
    assert cost.decode_flops(prompt, output) == forward_flops(SHAPE, prompt + 1, prompt + output, heads=output)
    assert cost.train_flops(5, prompt) == 5 * 3 * forward_flops(SHAPE, 1, prompt, heads=prompt)


def test_parameters_of_the_reference_shape() -> None:
    cost = ModelCost.of(SHAPE)
    assert cost.body_params == 3 * (4 * 8 * 8 + 3 * 8 * 20)
    assert cost.head_params == 8 * 11
    assert (cost.num_layers, cost.attention_width) == (3, 8)


@PROPERTY
@given(tokens, tokens, tokens)
def test_decoding_in_two_parts_costs_the_same(prompt: int, first: int, second: int) -> None:
    cost = ModelCost.of(SHAPE)
    whole = cost.decode_flops(prompt, first + second)
    assert cost.decode_flops(prompt, first) + cost.decode_flops(prompt + first, second) == whole


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_a_model_without_parameters_is_refused(value: float) -> None:
    with pytest.raises(ArgumentError) as error:
        ModelCost(body_params=value)
    assert str(error.value) == f"body_params must be above 0; got {value}."
