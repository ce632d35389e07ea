"""Torch modules, counted as they run: by hand, and against what their configs say."""

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from breakeven.adapters.counting import count_module, counted_network, counted_object
from breakeven.cost.families import network_of_config
from breakeven.cost.parts import Reading
from breakeven.cost.training import training_flops
from breakeven.errors import ArgumentError


class Attentive(nn.Module):
    """Token ids to logits, through one layer with PyTorch's own attention; its head is its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.qkv = nn.Embedding(11, 8), nn.Linear(8, 24, bias=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(self.embedding(ids)).unflatten(-1, (2, 12)).transpose(1, 2).chunk(3, dim=-1)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        return mixed @ self.embedding.weight.T


class Asking(nn.Module):
    """Asks for a value, which meta does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return self.layer(given) if float(given.sum()) < 1e9 else given


def test_layers_attention_and_a_head_that_is_an_embedding() -> None:
    """8 x 24 and 8 x 11 a token, and 2 x 8 a pair; its input has no gradient to compute, its weights have."""
    counted = counted_network(Attentive())
    assert counted.network.forward_flops(Reading(tokens=100)) == pytest.approx(2 * (100 * (192 + 88) + 16 * 100**2))
    whole = counted.trained.forward_flops(Reading(tokens=100))
    assert whole == pytest.approx(3 * counted.network.forward_flops(Reading(tokens=100)))
    cost = counted.network.token_cost()  # by which a loop is charged: a pair a token above the square
    assert cost.prefill_flops(100) == pytest.approx(2 * (100 * 280 + 16 * 100 * 101))
    assert counted.total_params == counted.trained_params == counted.network.total_params == 88 + 192


def test_gradients_go_where_they_are_required() -> None:
    module = nn.Sequential(nn.Linear(4, 8, bias=False), nn.Linear(8, 2, bias=False))
    given = torch.zeros(3, 4)
    first, second = 2 * 3 * 32, 2 * 3 * 16
    assert count_module(module, given) == (first + second, 2 * first + 3 * second)
    module[0].requires_grad_(False)
    assert count_module(module, given) == (first + second, first + 2 * second)
    assert counted_network(module, (4,)).trained_params == 16
    assert all(each.grad is None for each in module.parameters())


def test_a_grouped_convolution_costs_its_own_size_backward_too() -> None:
    module = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 6, 1))
    own, wide = 2 * 9 * 4 * 36, 2 * 4 * 6 * 36
    assert count_module(module, torch.zeros(1, 4, 8, 8)) == (own + wide, 2 * own + 3 * wide)


def test_a_recurrent_net_is_counted_too() -> None:
    """Each of 10 steps: 4 gates of 5, from 3 inputs and 5 outputs."""
    forward, _ = count_module(nn.LSTM(3, 5, batch_first=True), torch.zeros(2, 10, 3))
    assert forward == 2 * 2 * 10 * 20 * (3 + 5)


def test_a_module_that_asks_for_a_value_is_run_for_real() -> None:
    module = Asking()
    assert count_module(module, torch.zeros(2, 4)) == (64, 128)
    assert counted_object(Asking, "mine:Asking", (4,)).network.forward_flops(Reading(tokens=0)) == 32


@pytest.mark.parametrize("family", ["llama", "mixtral", "vit"])
def test_a_model_of_transformers_is_counted_as_its_config_says(family: str) -> None:
    """Half of the square that is executed is not charged, as everywhere; experts run as grouped products."""
    transformers = pytest.importorskip("transformers")
    sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 48}
    kind = "ImageClassification" if family == "vit" else "CausalLM"
    sizes |= {"image_size": 16, "patch_size": 8} if family == "vit" else {"vocab_size": 64, "num_key_value_heads": 2}
    config = transformers.AutoConfig.for_model(family, **sizes)
    counted = counted_object(lambda: getattr(transformers, f"AutoModelFor{kind}").from_config(config), "mine:model")
    network, reading = network_of_config(config), Reading(tokens=40)
    assert counted.network.forward_flops(reading) == pytest.approx(network.forward_flops(reading), rel=0.001)
    assert counted.trained.forward_flops(reading) == pytest.approx(training_flops(network, reading).total, rel=0.001)
    if family != "vit":
        assert counted.network.decode_flops(30, 5) == pytest.approx(network.decode_flops(30, 5), rel=0.001)


class Cubic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(4, 3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        pairs = self.embedding(ids) @ self.embedding(ids).transpose(1, 2)
        return pairs @ pairs


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (nn.ReLU(), (3,), "MODEL must have a matrix multiply, a convolution or attention; got 'ReLU'"),
        (
            nn.Linear(3, 4),
            (5,),
            r"MODEL must run on inputs of these shapes; got \[\(1, 5\)\]. Linear: RuntimeError: mat1",
        ),
        (Cubic(), (), "MODEL must cost a quadratic of its text's length, .* Count it by count_module"),
        (nn.Linear(3, 4, device="meta"), (5,), r"MODEL must run without its weights \(on meta\), or have them"),
    ],
)
def test_what_cannot_be_counted_is_refused(module: nn.Module, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        counted_network(module, shape)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (3, "MODEL must name a torch module, or a function that makes one; got 'mine:it'"),
        (lambda: 3, "MODEL must make a torch module; got 'mine:it, which made int'"),
        (nn.Linear, "MODEL must make a module when it is called without arguments; got 'mine:it'. TypeError"),
    ],
)
def test_what_makes_no_module_is_refused(found: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        counted_object(found, "mine:it")
