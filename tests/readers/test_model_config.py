"""Costs from a transformers config.json, counted by hand."""

from pathlib import Path

import pytest

from breakeven.errors import LogError
from breakeven.readers.model_config import cost_from_config

LLAMA = {
    "model_type": "llama",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 10,
    "vocab_size": 100,
}


def test_gated_feed_forward_and_fewer_key_and_value_heads(write) -> None:
    cost = cost_from_config(write("config.json", LLAMA))
    assert cost.body_params == 2 * (8 * 8 + 2 * 8 * 4 + 8 * 8 + 3 * 8 * 10)
    assert (cost.head_params, cost.num_layers, cost.attention_width) == (800, 2, 8)
    wider = cost_from_config(write("config.json", LLAMA | {"head_dim": 3}))
    assert wider.body_params == 2 * (8 * 12 + 2 * 8 * 6 + 12 * 8 + 3 * 8 * 10)
    assert wider.attention_width == 12


def test_gpt_neox_has_two_feed_forward_matrices(write) -> None:
    """pythia-160m: 12 layers of width 768, 84,934,656 matrix parameters without biases."""
    config = LLAMA | {"model_type": "gpt_neox", "hidden_size": 768, "num_hidden_layers": 12, "vocab_size": 50304}
    config |= {"num_attention_heads": 12, "intermediate_size": 3072}
    del config["num_key_value_heads"]
    cost = cost_from_config(write("config.json", config))
    assert (cost.body_params, cost.head_params) == (84_934_656, 38_633_472)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"model_type": "rwkv"},
            "key model_type, must be one of llama, .*; got 'rwkv'. The module itself can .* Or give --params",
        ),
        ({"model_type": None}, "key model_type, must be one of"),
        ({"num_local_experts": 8}, "key num_local_experts, must be absent: experts of a llama are not counted"),
        ({"hidden_size": None}, "key hidden_size, must be a whole number of at least 1; got None. Or give --params"),
        ({"hidden_size": 9}, "key num_attention_heads, must divide hidden_size 9; got 4. Or give --params"),
        ({"num_hidden_layers": 10**18}, "the number of layers must be at most 100000; got 10{18}. Or give --params"),
        ({"model_type": "olmoe", "num_experts": 2, "mlp_only_layers": 3}, "must be a config.json as transformers"),
        (
            {"model_type": "olmoe", "num_experts": 2, "decoder_sparse_step": "2"},
            "must be a config.json as transformers",
        ),
        ({"model_type": "olmoe", "num_experts": 2, "first_k_dense_replace": "2"}, "must be a config.json as transform"),
        ({"vocab_size": "many"}, "key vocab_size, must be a whole number of at least 1; got 'many'"),
    ],
)
def test_what_is_not_known_is_refused(write, changes: dict, message: str) -> None:
    with pytest.raises(LogError, match=message):
        cost_from_config(write("config.json", LLAMA | changes))


def test_a_file_that_is_no_config_is_refused(write, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="must hold a JSON object, as transformers saves it"):
        cost_from_config(write("config.json", [1]))
    (tmp_path / "deep.json").write_text('{"a":' * 100_000)
    with pytest.raises(LogError, match="must hold a JSON object, as transformers saves it: maximum recursion depth"):
        cost_from_config(tmp_path / "deep.json")
    with pytest.raises(LogError, match="must be a readable file"):
        cost_from_config(tmp_path / "none.json")
