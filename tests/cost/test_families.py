"""Costs of transformers configs: by hand, and against a count of what transformers executes for every known family."""

import dataclasses
from typing import Any

import pytest

from breakeven.cost.decoders import GATED, PLAIN, SPARSE
from breakeven.cost.families import cost_of_config
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 10,
    "vocab_size": 100,
}

# -- by hand ----------------------------------------------------------------------------------------------------------


def test_gpt2_small_by_its_own_names() -> None:
    """12 layers of width 768 with 12 d^2 each; the tied head is counted, though it is no parameter of its own."""
    cost = cost_of_config(
        {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": None, "vocab_size": 50257}
    )
    assert cost == ModelCost(body_params=84_934_656, head_params=38_597_376, num_layers=12, attention_width=768)


def test_mixtral_8x7b_has_12_7_billion_active_matrix_parameters() -> None:
    config = {"model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32}
    config |= {"num_key_value_heads": 8, "intermediate_size": 14336, "num_local_experts": 8, "num_experts_per_tok": 2}
    cost = cost_of_config(config | {"vocab_size": 32000, "sliding_window": None})
    attention = 4096 * 4096 * 2 + 4096 * 1024 * 2
    assert cost.body_params == 32 * (attention + 2 * 3 * 4096 * 14336 + 4096 * 8)
    assert cost.body_params + cost.head_params == pytest.approx(12.75e9, rel=1e-3)


def test_a_mixture_costs_its_router_more_than_a_dense_model_as_wide_as_the_experts_of_a_token() -> None:
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2}
    sizes |= {"head_dim": 16, "vocab_size": 100, "intermediate_size": 176, "moe_intermediate_size": 88}
    dense = cost_of_config(sizes | {"model_type": "qwen3", "moe_intermediate_size": None})
    experts = {"model_type": "qwen3_moe", "num_experts": 8, "num_experts_per_tok": 2}
    assert cost_of_config(sizes | experts) == dataclasses.replace(dense, body_params=dense.body_params + 2 * 64 * 8)


def test_deepseek_v3_activates_37_billion_parameters() -> None:
    config = {"model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128}
    config |= {"intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256, "vocab_size": 129280}
    config |= {"n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3, "q_lora_rank": 1536}
    config |= {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}
    cost = cost_of_config(config)
    assert cost.body_params + cost.head_params == pytest.approx(36.6e9, rel=0.01)
    assert cost.attention_width == 128 * 160


def test_a_sequence_classifier_has_its_labels_for_a_head() -> None:
    assert cost_of_config(LLAMA, num_labels=1).head_params == 8
    assert cost_of_config(LLAMA).head_params == 800


def test_the_text_model_of_a_model_of_text_and_images() -> None:
    assert cost_of_config({"model_type": "gemma3", "text_config": LLAMA}) == cost_of_config(LLAMA)


@pytest.mark.parametrize(
    ("changes", "windowed"),
    [
        ({}, 0),
        ({"sliding_window": None}, 0),
        ({"sliding_window": 16, "use_sliding_window": False}, 0),
        ({"sliding_window": 16}, 2),
        ({"sliding_window": 16, "layer_types": ["sliding_attention", "full_attention"]}, 1),
        ({"sliding_window": 16, "model_type": "gemma2", "head_dim": 2}, 0),  # which layers is not said: an upper bound
    ],
)
def test_layers_with_a_sliding_window(changes: dict[str, Any], windowed: int) -> None:
    cost = cost_of_config(LLAMA | {"model_type": "mistral"} | changes)
    assert (cost.num_window_layers, cost.window_tokens) == (windowed, 16 if windowed else 0)


def test_a_window_bounds_the_pairs_that_are_charged() -> None:
    """Each of 2 layers of width 4: one with all 10 x 11 / 2 pairs, one with 1 + 2 + 3 and 7 x 3 of them."""
    cost = ModelCost(body_params=1, num_layers=2, attention_width=4, num_window_layers=1, window_tokens=3)
    assert cost.prefill_flops(10) == 2 * 10 + 4 * 4 * (55 + 27)
    assert cost.prefill_flops(6) + cost.decode_flops(6, 4) == cost.prefill_flops(10)
    assert cost.prefill_flops(2) == ModelCost(body_params=1, num_layers=2, attention_width=4).prefill_flops(2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "rwkv"}, "key model_type, must be one of llama, .*; got 'rwkv'"),
        ({"num_local_experts": 8}, "key num_local_experts, must be absent: experts of a llama are not counted; got 8"),
        ({"hidden_size": None}, "key hidden_size, must be a whole number of at least 1; got None"),
        ({"hidden_size": 9}, "key num_attention_heads, must divide hidden_size 9; got 4"),
        ({"num_hidden_layers": True}, "key num_hidden_layers, must be a whole number of at least 1; got True"),
        ({"model_type": "mixtral"}, "key num_local_experts, must be a whole number"),
    ],
)
def test_what_is_not_known_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        cost_of_config(LLAMA | changes)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        (
            {"num_layers": 2, "num_window_layers": 3, "window_tokens": 4},
            "num_window_layers must be from 0 to num_layer",
        ),
        ({"num_layers": 2, "num_window_layers": 1}, "window_tokens must be at least 1 where layers have a window"),
    ],
)
def test_windows_that_cannot_be_are_refused(sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        ModelCost(body_params=1, **sizes)


# -- against transformers ---------------------------------------------------------------------------------------------

TINY = {"num_hidden_layers": 3, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 64}
SPARSE_SIZES = {"num_experts_per_tok": 2, "moe_intermediate_size": 24}
LATENT = {"kv_lora_rank": 12, "qk_rope_head_dim": 4, "qk_nope_head_dim": 6, "v_head_dim": 10, "head_dim": 4}
EIGHT = {"n_routed_experts": 8, "n_shared_experts": 2, "n_group": 2, "topk_group": 1, "first_k_dense_replace": 1}
CHANGES: dict[str, list[dict[str, Any]]] = {
    "bloom": [{"n_layer": 3}],
    "codegen": [{"rotary_dim": 4}],
    "cohere2": [{"sliding_window": 4}],
    "deepseek_v2": [LATENT | EIGHT | {"q_lora_rank": 20}, LATENT | EIGHT | {"q_lora_rank": None}],
    "deepseek_v3": [LATENT | EIGHT | {"q_lora_rank": 20}, LATENT | EIGHT | {"q_lora_rank": None}],
    "dots1": [EIGHT],
    "falcon": [
        {"multi_query": True, "new_decoder_architecture": False},
        {"multi_query": False, "new_decoder_architecture": False},
        {"new_decoder_architecture": True, "num_kv_heads": 2, "ffn_hidden_size": 40},
    ],
    "glm4_moe": [EIGHT | {"head_dim": 8}],
    "gpt2": [{"n_inner": 40}, {"n_inner": None}],
    "gpt_bigcode": [{"multi_query": True}, {"multi_query": False}],
    "gpt_neo": [{"attention_types": [[["global"], 3]], "num_layers": 3}],
    "gpt_oss": [{"num_local_experts": 4, "head_dim": 8}],
    "gptj": [{"rotary_dim": 4}],
    "granitemoe": [{"num_local_experts": 4}],
    "helium": [{"head_dim": 8}],
    "hunyuan_v1_dense": [{"head_dim": 8}],
    "mixtral": [{"num_local_experts": 4}],
    "mpt": [{"n_layers": 3}],
    "olmoe": [{"num_experts": 4}],
    "opt": [{"ffn_dim": 40, "word_embed_proj_dim": 16}, {"ffn_dim": 40}],
    "phimoe": [{"num_local_experts": 4}],
    "qwen2_moe": [{"num_experts": 4, "shared_expert_intermediate_size": 20, "decoder_sparse_step": 2}],
    "qwen3_moe": [{"num_experts": 4, "head_dim": 16, "mlp_only_layers": [1]}],
}
OWN_HEADS = ("gemma", "gemma2", "gemma3_text", "glm", "glm4", "qwen3", "seed_oss", "ministral")
CASES = [
    (family, changes)
    for family in (*GATED, *PLAIN, *SPARSE)
    for changes in CHANGES.get(family, [{"head_dim": 6} if family in OWN_HEADS else {}])
]


@pytest.mark.parametrize(("family", "changes"), CASES, ids=[f"{family}-{i}" for i, (family, _) in enumerate(CASES)])
def test_a_forward_pass_of_transformers_is_within_two_percent(family: str, changes: dict[str, Any]) -> None:
    """Attention without a fused kernel computes the full square, head at every position; `ModelCost` the triangle."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from torch.utils.flop_counter import FlopCounterMode

    transformers.logging.set_verbosity_error()  # special tokens outside so small a vocabulary
    sizes = TINY | (SPARSE_SIZES if family in SPARSE else {})
    if family not in PLAIN or family in ("starcoder2", "nemotron", "phi"):
        sizes["num_key_value_heads"] = 4 if family.startswith("deepseek") else 2
    if family in ("gpt2", "gpt_bigcode", "gpt_neo", "gptj", "codegen", "bloom", "falcon", "mpt", "opt"):
        del sizes["intermediate_size"]
    specials = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = transformers.AutoConfig.for_model(family, **sizes, **specials, **changes)
    cost = dataclasses.replace(cost_of_config(config), num_window_layers=0)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    model.set_experts_implementation("eager") if family in SPARSE else None
    tokens = 12
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(torch.ones(1, tokens, dtype=torch.long), use_cache=False)
    square, triangle = tokens**2, tokens * (tokens + 1) / 2
    expected = cost.train_flops(1, tokens) / 3 + 4 * cost.num_layers * cost.attention_width * (square - triangle)
    assert expected == pytest.approx(counter.get_total_flops(), rel=0.02)
