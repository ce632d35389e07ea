"""The analytic FLOPs of `ModelCost` against an independent count of what torch executes.

Compared: `ModelCost.train_flops`, `.prefill_flops` and `.decode_flops` with `torch.utils.flop_counter.FlopCounterMode`
over a forward and backward pass, a prefill and a token-by-token decode of the reference model. Both count a multiply
and an add as 2, every matrix multiply and attention; neither counts look-ups, norms, softmax, activations or the
optimizer. They differ, by design, in two things:

1. The counter charges causal attention for the full T x T square, `ModelCost` for the T (T + 1) / 2 pairs attended.
2. The counter charges the fused attention backward 2.5 times the forward, since that kernel computes the scores anew;
   `ModelCost` charges 2 times, leaving recomputation out.

A whole evaluation is compared too: `train.costs.evaluation_flops` of the bank that `collect` returns, with the count
over that call. There rows may end at different lengths and are charged at their mean, which takes the attention part,
growing with the square of the length, a little too low.

At the lengths of the default recipe the two amount to less than 2 % together; at those of every recipe, and at 256
tokens, they are held to account for all of the difference.
"""

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch.utils import flop_counter

from breakeven.config import load_recipe, recipe_names
from breakeven.cost.evaluation import price_of
from breakeven.cost.tokens import ModelCost
from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import Draw, SampleBank, TransformerShape
from breakeven.sampling.collect import collect
from breakeven.sampling.transformer import TransformerSampler
from breakeven.train.costs import cost_of

aten = torch.ops.aten
CPU_ATTENTION = {  # torch counts its fused attention on GPUs only
    aten._scaled_dot_product_flash_attention_for_cpu: lambda q, k, v, *rest, out_shape=None, **options: (
        flop_counter.sdpa_flop_count(q, k, v)
    ),
    aten._scaled_dot_product_flash_attention_for_cpu_backward: lambda grad, q, k, v, *rest, out_shape=None, **options: (
        flop_counter.sdpa_backward_flop_count(grad, q, k, v)
    ),
}
LONG = TransformerShape(num_layers=2, embedding=32, num_heads=2, feed_forward=48, vocab_size=50, max_tokens=256)


def count(run: Any) -> float:
    with flop_counter.FlopCounterMode(display=False, custom_mapping=CPU_ATTENTION) as counter:
        run()
    return float(counter.get_total_flops())


def count_training(shape: TransformerShape, rows: int, tokens: int) -> float:
    model = Transformer(shape)
    return count(lambda: model(torch.zeros(rows, tokens, dtype=torch.long)).sum().backward())


def count_prefill(shape: TransformerShape, rows: int, tokens: int) -> float:
    model = Transformer(shape)
    with torch.no_grad():
        return count(lambda: model(torch.zeros(rows, tokens, dtype=torch.long), KVCache([], []), last_only=True))


def count_decode(shape: TransformerShape, rows: int, before: int, tokens: int) -> float:
    model, cache = Transformer(shape), KVCache([], [])
    with torch.no_grad():
        model(torch.zeros(rows, before, dtype=torch.long), cache, last_only=True)
        return count(lambda: [model(torch.zeros(rows, 1, dtype=torch.long), cache) for _ in range(tokens)])


def test_the_count_is_within_two_percent_at_the_default_shape() -> None:
    config = load_recipe("countdown")
    task, shape = config.task, config.model.shape_for(config.task)
    cost, prompt, output = ModelCost.of(shape), task.prompt_tokens, task.output_tokens
    tokens = prompt + output - 1
    assert count_training(shape, 3, tokens) == pytest.approx(cost.train_flops(3, tokens), rel=0.02)
    assert count_prefill(shape, 3, prompt) == pytest.approx(3 * cost.prefill_flops(prompt), rel=0.02)
    assert count_decode(shape, 3, prompt, output) == pytest.approx(3 * cost.decode_flops(prompt, output), rel=0.02)


def square_and_triangle(tokens: int, shape: TransformerShape = LONG) -> tuple[float, float]:
    """Forward FLOPs of scores and values over all pairs, and over the attended ones: 2 matrix products of 2 d each."""
    per_pair = 2 * 2 * shape.embedding * shape.num_layers
    return per_pair * tokens**2, per_pair * tokens * (tokens + 1) / 2


@pytest.mark.parametrize("recipe", recipe_names())
def test_at_every_recipe_attention_alone_accounts_for_the_difference(recipe: str) -> None:
    config = load_recipe(recipe)
    task, shape = config.task, config.model.shape_for(config.task)
    cost, prompt, output = ModelCost.of(shape), task.prompt_tokens, task.output_tokens
    tokens = prompt + output - 1
    square, triangle = square_and_triangle(tokens, shape)
    training = cost.train_flops(3, tokens) - 3 * 3 * triangle + 3 * 3.5 * square
    assert training == pytest.approx(count_training(shape, 3, tokens), rel=0.001)
    square, triangle = square_and_triangle(prompt, shape)
    prefill = 3 * (cost.prefill_flops(prompt) - triangle + square)
    assert prefill == pytest.approx(count_prefill(shape, 3, prompt), rel=0.001)
    assert count_decode(shape, 3, prompt, output) == pytest.approx(3 * cost.decode_flops(prompt, output), rel=0.001)


def test_at_256_tokens_attention_alone_accounts_for_the_difference_in_training() -> None:
    square, triangle = square_and_triangle(256)
    counted, ours = count_training(LONG, 2, 256), ModelCost.of(LONG).train_flops(2, 256)
    assert counted > 1.5 * ours  # the difference is no rounding at this shape
    assert ours - 2 * 3 * triangle + 2 * 3.5 * square == pytest.approx(counted, rel=0.001)


def test_at_256_tokens_attention_alone_accounts_for_the_difference_in_prefill() -> None:
    square, triangle = square_and_triangle(256)
    counted, ours = count_prefill(LONG, 2, 256), 2 * ModelCost.of(LONG).prefill_flops(256)
    assert counted > 1.2 * ours
    assert ours - 2 * triangle + 2 * square == pytest.approx(counted, rel=0.001)


def test_decoding_up_to_256_tokens_is_counted_alike() -> None:
    """A single new token attends to all before it: nothing is masked, so there is no difference."""
    assert count_decode(LONG, 2, 200, 56) == pytest.approx(2 * ModelCost.of(LONG).decode_flops(200, 56), rel=0.001)


def count_collect(num_problems: int, num_samples: int, end_bias: float) -> tuple[float, float, list[int]]:
    """FLOPs counted and charged for one evaluation of an untrained shipped model, and the lengths it drew.

    The logit of the end token is raised by `end_bias`.
    """
    config = load_recipe("countdown")
    task, lengths = config.task, list[int]()
    torch.manual_seed(0)
    model = Transformer(config.model.shape_for(task))
    bias = torch.zeros(task.vocab_size)
    bias[task.end_token] = end_bias
    model.head.register_forward_hook(lambda module, inputs, logits: logits + bias)

    class Recorded(TransformerSampler):
        def sample(self, *arguments: Any, **options: Any) -> list[Draw]:
            draws = super().sample(*arguments, **options)
            lengths.extend(each.output_tokens for draw in draws for each in draw.completions)
            return draws

    banks: list[SampleBank] = []
    sampler = Recorded(model, task, new_cache=lambda: KVCache([], []))
    problems = task.problems("validation", num_problems)
    counted = count(
        lambda: banks.append(collect(sampler, task, problems, num_samples=num_samples, temperature=0.8, seed=0))
    )
    return counted, price_of(banks[0], cost_of(config)).evaluation_flops, lengths


@pytest.mark.parametrize("end_bias", [0.0, 2.0, -1e3, 1e3], ids=["untrained", "uneven", "longest", "shortest"])
def test_a_whole_evaluation_is_within_two_percent(end_bias: float) -> None:
    counted, charged, lengths = count_collect(8, 4, end_bias)
    assert len(lengths) == 8 * 4 + 8
    assert charged == pytest.approx(counted, rel=0.02)
    if abs(end_bias) == 1e3:
        assert set(lengths) == {1 if end_bias > 0 else load_recipe("countdown").task.output_tokens}
    elif end_bias:
        assert len(set(lengths)) > 5  # rows leave the batch one by one, and only those that run are charged
