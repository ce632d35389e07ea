"""Networks by hand: what a forward pass, a prefill and a decode compute, and the flat price that is made of them."""

import pytest

from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul, Reading
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError

LAYER = Block(stages=((Matmul(name="w", inputs=3, outputs=5),), (Attention(width=7),)), copies=2)
HEAD = Block(stages=((Matmul(name="lm_head", inputs=5, outputs=11, at="outputs"),),), is_layer=False)
DECODER = Network(family="mine", blocks=(LAYER, HEAD), embedding_params=33)


def test_a_decoder_costs_what_its_flat_price_says() -> None:
    cost = DECODER.token_cost()
    assert cost == ModelCost(body_params=30, head_params=55, num_layers=2, attention_width=7)
    for prompt, fed in ((1, 1), (6, 4), (10, 0)):
        assert DECODER.prefill_flops(prompt) == cost.prefill_flops(prompt)
        assert DECODER.decode_flops(prompt, fed) == cost.decode_flops(prompt, fed)
        assert DECODER.query_flops(prompt, fed) == cost.query_flops(prompt, fed)
    assert 3 * DECODER.forward_flops(Reading(tokens=9), 4) == cost.train_flops(4, 9)


def test_a_window_bounds_what_is_attended_to() -> None:
    windowed = Block(stages=((Matmul(name="w", inputs=3, outputs=5),), (Attention(width=7, window=4),)))
    network = Network(blocks=(windowed,))
    assert network.forward_flops(Reading(tokens=10)) == 2 * (150 + 14 * (10 + 6 * 4))
    assert network.decode_flops(10, 3) == network.token_cost().decode_flops(10, 3) == 2 * (45 + 14 * 12)


def test_an_encoder_looks_both_ways_and_is_charged_one_pair_a_token_too_many() -> None:
    layer = Block(stages=((Matmul(name="w", inputs=3, outputs=5),), (Attention(width=7, sees="all"),)))
    local = Block(stages=((Attention(width=7, sees="all", window=4),),))
    pooler = Block(stages=((Matmul(name="p", inputs=2, outputs=2, at=1),),), is_layer=False)
    network = Network(family="seer", blocks=(layer, local, pooler))
    assert network.forward_flops(Reading(tokens=10)) == 2 * (150 + 14 * 100 + 14 * 40 + 4)
    cost = network.token_cost()
    assert (cost.head_params, cost.attention_width, cost.window_tokens, cost.num_window_layers) == (4, 14, 2, 1)
    assert cost.prefill_flops(10) - network.forward_flops(Reading(tokens=10)) == 2 * 14 * 10 - 2 * 14 * 2
    with pytest.raises(ArgumentError, match=r"a network must look only back to write a text .* got 'seer'"):
        network.decode_flops(10, 1)


def test_what_is_shared_is_computed_once_a_batch() -> None:
    layer = Block(
        stages=((Matmul(name="w", inputs=3, outputs=5), Matmul(name="p", inputs=2, outputs=2, at=6, shared=True)),)
    )
    network = Network(blocks=(layer,))
    assert network.forward_flops(Reading(tokens=10), 8) == 2 * (8 * 150 + 24)
    assert network.token_cost() == ModelCost(body_params=15)


def test_images_and_pairs() -> None:
    image = Network(
        family="net", reads="images", blocks=(Block(stages=((Matmul(name="c", inputs=9, outputs=4, at=5),),)),)
    )
    assert image.forward_flops(Reading(tokens=0), 3) == 2 * 3 * 180
    assert image.token_cost() == ModelCost(body_params=180)  # a token is an image
    assert not image.is_causal
    pairs = Network(family="both", reads="pairs", blocks=(LAYER, HEAD))
    with pytest.raises(ArgumentError, match=r"must have one stream of tokens .* got 'both'. breakeven flops counts it"):
        pairs.token_cost()


def test_experts_that_are_not_visited_and_layers_that_share_their_weights() -> None:
    experts = Matmul(name="experts.down_proj", inputs=3, outputs=5, times=2, stored=8)
    sparse = Network(blocks=(Block(stages=((experts,),), copies=4),), embedding_params=10)
    assert (sparse.total_params, sparse.active_params) == (4 * 8 * 15 + 10, 4 * 2 * 15 + 10)
    shared = Network(blocks=(Block(stages=((Matmul(name="w", inputs=3, outputs=5),),), copies=4, is_stored_once=True),))
    assert (shared.total_params, shared.active_params, shared.num_layers) == (15, 15, 4)
    assert shared.forward_flops(Reading(tokens=1)) == 2 * 4 * 15


def test_numbers_alone() -> None:
    network = Network.of_params(1e9)
    assert (network.total_params, network.prefill_flops(10), network.decode_flops(10, 2)) == (1e9, 2e10, 4e9)
    with pytest.raises(ArgumentError, match="params must be finite and above 0; got -1"):
        Network.of_params(-1)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ArgumentError, match="blocks must hold at least one Matmul"):
        Network(blocks=(Block(stages=((Attention(width=3),),)),))
    with pytest.raises(ArgumentError, match="tokens must be finite and at least 0; got -1"):
        Reading(tokens=-1)
    with pytest.raises(ArgumentError, match="outputs must be finite and at least 0; got nan"):
        Reading(tokens=1, outputs=float("nan"))
