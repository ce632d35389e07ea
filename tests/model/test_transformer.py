"""What the reference model promises: causal logits, and a cache that changes their cost but not their value."""

import pytest

pytest.importorskip("torch")

import torch

from breakeven.model.transformer import KVCache, Transformer
from breakeven.records import TransformerShape

SHAPE = TransformerShape(num_layers=2, embedding=16, num_heads=2, feed_forward=24, vocab_size=11, max_tokens=12)
B, T, V = 3, 9, SHAPE.vocab_size


def assert_close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.fixture
def model() -> Transformer:
    """With weights far from their small start, so that positions and attention matter."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = Transformer(SHAPE)
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    return made.eval().requires_grad_(False)


@pytest.fixture
def tokens_BT() -> torch.Tensor:
    return torch.randint(V, (B, T), generator=torch.Generator().manual_seed(1))


def test_one_logit_a_row_a_token_and_a_word(model, tokens_BT) -> None:
    logits = model(tokens_BT)
    assert logits.shape == (B, T, V)
    assert logits.dtype == torch.float32
    last = model(tokens_BT, last_only=True)
    assert last.shape == (B, 1, V)
    assert_close(last, logits[:, -1:])


def test_the_longest_sequence_fits(model) -> None:
    assert model(torch.zeros(1, SHAPE.max_tokens, dtype=torch.long)).shape == (1, SHAPE.max_tokens, V)


@pytest.mark.parametrize("prompt_tokens", [1, 4, T - 1])
def test_logits_with_the_cache_equal_those_of_a_full_pass(model, tokens_BT, prompt_tokens: int) -> None:
    full = model(tokens_BT)
    cache = KVCache([], [])
    assert cache.num_tokens == 0
    assert_close(model(tokens_BT[:, :prompt_tokens], cache), full[:, :prompt_tokens])
    for position in range(prompt_tokens, T):
        assert cache.num_tokens == position
        step = model(tokens_BT[:, position : position + 1], cache, last_only=True)
        assert_close(step, full[:, position : position + 1])
    assert cache.num_tokens == T
    assert len(cache.keys) == len(cache.values) == SHAPE.num_layers


@pytest.mark.parametrize(
    "rows",
    [torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([2, 0]), torch.tensor([True, False, True])],
    ids=["repeat", "reorder and drop", "mask"],
)
def test_selected_rows_go_on_from_their_own_past(model, tokens_BT, rows) -> None:
    cache = KVCache([], [])
    model(tokens_BT[:, :5], cache)
    selected = cache.select(rows)
    step = model(tokens_BT[rows][:, 5:6], selected)
    assert_close(step, model(tokens_BT[rows])[:, 5:6])
    assert (cache.num_tokens, selected.num_tokens) == (5, 6)
    assert cache.keys[0].shape[0] == B


def test_a_later_token_leaves_earlier_logits_alone(model, tokens_BT) -> None:
    changed = tokens_BT.clone()
    changed[:, 6] = (changed[:, 6] + 1) % V
    before, after = model(tokens_BT), model(changed)
    assert torch.equal(before[:, :6], after[:, :6])
    assert (before[:, 6:] != after[:, 6:]).any(dim=-1).all()


def test_rows_do_not_see_each_other(model, tokens_BT) -> None:
    assert_close(model(tokens_BT)[1:2], model(tokens_BT[1:2]))


def test_the_order_of_the_past_matters(model) -> None:
    logits = model(torch.tensor([[1, 2, 3, 4], [2, 1, 3, 4]]))[:, -1]
    assert (logits[0] - logits[1]).abs().max() > 1e-3


def test_the_parameters_in_matrix_multiplies_are_those_that_are_charged(model) -> None:
    from breakeven.cost.tokens import ModelCost

    cost = ModelCost.of(SHAPE)
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    assert sum(module.weight.numel() for module in linear) == cost.body_params + cost.head_params
    assert all(module.bias is None for module in linear)


def test_every_parameter_gets_a_gradient(tokens_BT) -> None:
    model = Transformer(SHAPE)
    model(tokens_BT).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
