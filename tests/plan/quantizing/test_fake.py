"""Rounded weights: which ones, to which levels, that gradients pass, and that torchao is quiet."""

import subprocess
import sys

import pytest

from breakeven.config import ModelConfig
from breakeven.data.made.chain import Chain
from breakeven.errors import ArgumentError
from breakeven.plan.quantizing.fake import check_bits, fake_quantize


@pytest.fixture
def model():
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchao", reason="torchao is not installed: breakeven[quantization]")
    from breakeven.model.transformer import Transformer

    torch.manual_seed(0)
    shape = ModelConfig(num_layers=1, embedding=16, num_heads=2, feed_forward=32).shape_for(Chain(num_digits=1))
    return Transformer(shape)


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        (1, r"bits must be from 2 to 8; got 1\. With 1 bit all weights are 0"),
        (9, r"bits must be from 2 to 8; got 9\. With more nothing is lost"),
        (2.5, "bits must be a whole number"),
        (0, "bits must be"),
        (float("nan"), "bits must be"),
    ],
)
def test_bits_that_weights_cannot_be_trained_at_are_refused(bits, message):
    with pytest.raises(ArgumentError, match=message):
        check_bits("bits", bits)


def test_weights_of_the_blocks_have_few_levels_and_names_stay(model):
    import torch

    before = {name: value.clone() for name, value in model.state_dict().items()}
    fake_quantize(model, 2)
    after = model.state_dict()
    assert {*after} == {*before}
    assert all(torch.equal(after[name], value) for name, value in before.items())
    rows = model.blocks[0].down(torch.eye(32)).T  # the weights as a token meets them
    for row in rows:
        scale = row[row != 0].abs().min()
        assert {*(row / scale).round(decimals=3).tolist()} <= {-2.0, -1.0, 0.0, 1.0}
    assert len(model.head(torch.eye(16)).unique()) > 100


def test_the_more_bits_the_less_is_lost_and_with_one_all_would_be(model):
    import torch

    weight = model.blocks[0].down.weight.detach().clone()
    lost = []
    for bits in (2, 4, 8):
        fresh = type(model)(model.shape)
        fresh.load_state_dict(model.state_dict())
        fake_quantize(fresh, bits)
        lost.append(float((fresh.blocks[0].down(torch.eye(32)).T - weight).abs().mean().detach()))
    assert lost[0] > 3 * lost[1] > 9 * lost[2] > 0


def test_gradients_pass_as_if_nothing_were_rounded(model):
    import torch

    fake_quantize(model, 2)
    model(torch.zeros(1, 4, dtype=torch.long)).square().sum().backward()
    assert model.blocks[0].down.weight.grad.abs().sum() > 0


@pytest.mark.slow
def test_it_says_nothing_of_kernels_and_sets_nothing():
    pytest.importorskip("torch")
    pytest.importorskip("torchao", reason="torchao is not installed: breakeven[quantization]")
    code = """
import logging
from breakeven.config import ModelConfig
from breakeven.data.made.chain import Chain
from breakeven.model.transformer import Transformer
from breakeven.plan.quantizing.fake import fake_quantize
fake_quantize(Transformer(ModelConfig(num_layers=1, embedding=16, num_heads=2).shape_for(Chain())), 4)
print(logging.root.manager.disable)
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
