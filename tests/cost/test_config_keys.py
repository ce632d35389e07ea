"""What a config may say wrongly, of families beside decoders: each error names the key, the rule and the value."""

from typing import Any

import pytest

from breakeven.cost.config_keys import vocabulary
from breakeven.cost.families import cost_of_config, network_of_config
from breakeven.cost.parts import Reading
from breakeven.errors import ArgumentError

TEXT = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 10, "vocab_size": 100}
LLAMA = TEXT | {"model_type": "llama"}
VIT = TEXT | {"model_type": "vit", "image_size": 24, "patch_size": 8}
RESNET = {"model_type": "resnet", "hidden_sizes": [8, 16], "depths": [1, 1]}
SWIN = {"model_type": "swin", "embed_dim": 8, "depths": [1, 1], "window_size": 2, "patch_size": 4, "image_size": 16}
MAMBA2 = {"model_type": "mamba2", "hidden_size": 8, "num_hidden_layers": 1, "num_heads": 2, "head_dim": 8}
MAMBA2 |= {"state_size": 4, "n_groups": 1, "conv_kernel": 4, "chunk_size": 16, "vocab_size": 100}
BART = {"model_type": "bart", "d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 100}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 3, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}


def test_tied_weights_are_stored_once_and_cost_twice() -> None:
    """As the config says, and else as the family does; the FLOPs are the same either way."""
    tied, untied = (network_of_config(LLAMA | {"tie_word_embeddings": each}) for each in (True, False))
    assert untied.total_params - tied.total_params == 800
    assert network_of_config(LLAMA).total_params == untied.total_params
    assert network_of_config(LLAMA | {"model_type": "gemma", "head_dim": 2}).total_params == tied.total_params
    assert tied.token_cost() == untied.token_cost()


def test_rows_that_pad_a_vocabulary_cost_like_any() -> None:
    """Mamba's and NeoX's own configs name the tokens and a multiple; transformers' the padded rows."""
    assert vocabulary({"vocab_size": 50277}) == 50277
    assert vocabulary({"vocab_size": 50277, "pad_vocab_size_multiple": 8}) == 50280
    assert vocabulary({"vocab_size": 50257, "make_vocab_size_divisible_by": 128}) == 50304
    assert cost_of_config(LLAMA | {"pad_vocab_size_multiple": 64}).head_params == 8 * 128


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (LLAMA | {"model_type": "lama"}, "key model_type, .* got 'lama'. Did you mean llama.* package.module:name"),
        (LLAMA | {"model_type": 3}, "key model_type, must be one of .* got 3. The module itself can be counted"),
        (LLAMA | {"hidden_size": 10**12}, "key hidden_size, must be at most 1,000,000,000; got 10{12}"),
        (LLAMA | {"vocab_size": float("nan")}, "key vocab_size, must be a whole number of at least 1; got nan"),
        (LLAMA | {"num_key_value_heads": 3}, "key num_key_value_heads, must divide the 4 query heads; got 3"),
        (
            LLAMA | {"sliding_window": 4, "layer_types": ["full_attention"]},
            "key layer_types, must name each of the 2 la",
        ),
        (
            LLAMA | {"model_type": "mixtral", "num_local_experts": 2, "num_experts_per_tok": 3},
            "key num_experts_per_tok, must be at most the 2 experts; got 3",
        ),
        (TEXT | {"model_type": "bert", "hidden_size": 9}, "key num_attention_heads, must divide hidden_size 9; got 4"),
        (
            TEXT | {"model_type": "albert", "num_hidden_groups": 3},
            "key num_hidden_groups, must divide the 2 layers; got 3",
        ),
        (
            TEXT | {"model_type": "modernbert", "layer_types": []},
            "key layer_types, must name each of the 2 layers; got 0",
        ),
        (VIT | {"patch_size": 32}, r"key patch_size, must be at most the image's 24 x 24 pixels; got \(32, 32\)"),
        (VIT | {"image_size": None}, "key image_size, must be a whole number of at least 1; got None"),
        (VIT | {"image_size": [24, 0]}, "key image_size, must be a whole number of at least 1; got 0"),
        (RESNET | {"hidden_sizes": None}, "key hidden_sizes, must be a list of whole numbers, one a stage; got None"),
        (RESNET | {"depths": [1]}, r"key depths, must have one number for each of the 2 stages; got \[1\]"),
        (SWIN | {"num_heads": [2, 3]}, "key num_heads, must divide the 16 channels of stage 2; got 3"),
        (SWIN | {"num_heads": [2]}, r"key num_heads, must have one number for each of the 2 stages; got \[2\]"),
        (SWIN | {"mlp_ratio": 0}, "key mlp_ratio, must be finite and above 0; got 0"),
        (RESNET | {"layer_type": "wide"}, "key layer_type, must be one of basic, bottleneck; got 'wide'"),
        (RESNET | {"model_type": "convnext", "patch_size": 4, "image_size": 3}, "image_size must be large enough"),
        (MAMBA2 | {"num_heads": 3}, "key num_heads, must share hidden_size x expand, 16, in heads of 8; got 3"),
        (BART, "key num_attention_heads, must divide hidden_size 8; got 3"),
    ],
)
def test_what_cannot_be_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        network_of_config(config)


def test_options_that_do_not_fit_a_family() -> None:
    with pytest.raises(ArgumentError, match="image_size must be left out of a llama, which reads no images; got 224"):
        network_of_config(LLAMA, image_size=224)
    with pytest.raises(
        ArgumentError, match="num_labels must be left out of a bart, which is counted as it writes; got 2"
    ):
        network_of_config(BART, num_labels=2)
    with pytest.raises(ArgumentError, match="num_labels must be a whole number of at least 1; got 0"):
        network_of_config(VIT, num_labels=0)
    bart = BART | {"decoder_attention_heads": 2}
    with pytest.raises(ArgumentError, match=r"key model_type, must have one stream of tokens .* got 'bart'"):
        cost_of_config(bart)
    with pytest.raises(ArgumentError, match="key model_type, must read text to be priced by the token; got 'vit'"):
        cost_of_config(VIT)


def test_a_classifier_has_the_labels_that_are_named() -> None:
    """The pooler is 8 x 8; without labels an image's network ends before its head."""
    bert = TEXT | {"model_type": "bert"}
    assert cost_of_config(bert).head_params == 64
    saved = bert | {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "a", "1": "b", "2": "c"}}
    assert cost_of_config(saved).head_params == 64 + 24
    assert cost_of_config(saved, num_labels=5).head_params == 64 + 40
    tokens = saved | {"architectures": ["BertForTokenClassification"]}
    assert cost_of_config(tokens).body_params == cost_of_config(saved).body_params + 24
    assert cost_of_config(MAMBA2, num_labels=2).head_params == 16
    headless, headed = (network_of_config(VIT, num_labels=each) for each in (None, 7))
    assert headed.forward_flops(Reading(tokens=0)) - headless.forward_flops(Reading(tokens=0)) == 2 * 8 * 7
    ends = [network_of_config(RESNET | more) for more in ({}, {"num_labels": 7})]
    assert ends[1].total_params - ends[0].total_params == 16 * 7


def test_relative_positions_are_as_many_as_the_config_tells_apart() -> None:
    """Twice as many rows of width 8; the keys and values of contents are their own too where they are shared."""
    deberta = TEXT | {"model_type": "deberta-v2", "relative_attention": True, "pos_att_type": ["c2p"]}
    deberta |= {"max_position_embeddings": 32, "position_biased_input": False, "share_att_key": True}
    plain = network_of_config(deberta | {"relative_attention": False}).total_params
    for said, span in (({}, 32), ({"max_relative_positions": 16}, 16), ({"position_buckets": 4}, 4)):
        network = network_of_config(deberta | {"position_buckets": -1, "max_relative_positions": -1} | said)
        assert network.total_params - plain == 2 * span * 8
        one, two = (network.forward_flops(Reading(tokens=1), batch) for batch in (1, 2))
        once = 2 * 2 * 2 * 64 * 2 * span  # two matrices in each of two layers, for a whole batch
        assert 2 * one - two == once


def test_windows_of_an_encoder() -> None:
    """ModernBERT's tokens see 64 to either side in layers that are not each third."""
    bert = TEXT | {"model_type": "modernbert", "num_hidden_layers": 4}
    every = cost_of_config(bert | {"global_attn_every_n_layers": 3})
    assert (every.num_layers, every.num_window_layers, every.window_tokens) == (4, 2, 65)
    said = bert | {"layer_types": ["sliding_attention"] * 3 + ["full_attention"], "local_attention": 8}
    assert (cost_of_config(said).num_window_layers, cost_of_config(said).window_tokens) == (3, 5)


def test_no_config_asks_for_more_layers_than_can_be_looked_at() -> None:
    with pytest.raises(ArgumentError, match=r"the number of layers must be at most 100000; got 10{18}"):
        network_of_config(LLAMA | {"num_hidden_layers": 10**18})
