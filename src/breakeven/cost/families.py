"""`ModelCost` of a transformers config: dense, grouped-query, latent-attention and mixture-of-experts decoders.

No torch and no transformers: sizes are read by the names that config.json has for them. Only families whose layout is
known are counted, since a guess would be wrong without anybody noticing; each of them is held against a count of what
transformers executes. Biases, norms and embedding look-ups are not counted; a head tied to the embedding is.
"""

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

from breakeven import check
from breakeven.cost.tokens import ModelCost
from breakeven.errors import argument_error

Config: TypeAlias = Mapping[str, Any]

GATED = (
    *("llama", "mistral", "ministral", "qwen2", "qwen3", "olmo", "olmo2", "olmo3", "smollm3", "gemma", "gemma2"),
    *("gemma3_text", "phi3", "granite", "cohere", "cohere2", "stablelm", "glm", "glm4", "helium", "exaone4"),
    *("seed_oss", "ernie4_5", "hunyuan_v1_dense"),
)
"""Dense families with three feed-forward matrices a layer."""
PLAIN = (
    *("gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gptj", "codegen", "opt", "phi", "bloom", "falcon", "mpt"),
    *("starcoder2", "nemotron", "persimmon"),
)
"""Dense families with two feed-forward matrices a layer."""
SPARSE = (
    *("mixtral", "phimoe", "olmoe", "granitemoe", "gpt_oss", "qwen2_moe", "qwen3_moe", "dots1", "glm4_moe"),
    *("deepseek_v2", "deepseek_v3"),
)
"""Mixtures of experts; their experts have three matrices each."""
_WIDE_EXPERTS = ("mixtral", "phimoe", "olmoe", "granitemoe", "gpt_oss")
"""Mixtures whose experts are as wide as `intermediate_size`; those of others are as `moe_intermediate_size`."""
_GROUPED = (*GATED, *SPARSE, "starcoder2", "nemotron", "phi")
"""Families that may have fewer key and value heads than query heads, as `num_key_value_heads` says."""
_FOURFOLD = ("gpt2", "gpt_bigcode", "gpt_neo", "gptj", "codegen", "bloom", "falcon", "mpt")
"""Families whose feed-forward is four times as wide as the model where the config does not name its width."""
_ALL_WINDOWED = ("mistral", "ministral", "mixtral", "phi3", "starcoder2", "phimoe")
"""Families in which a `sliding_window` holds for every layer where `layer_types` is missing."""

_MOST_LAYERS = 100_000
"""Each is looked at by itself; a config from somewhere else may state any number."""
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_WIDTH = ("hidden_size", "n_embd", "d_model")
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
_HIDDEN = ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size")


@runtime_checkable
class HasDict(Protocol):
    """A transformers `PretrainedConfig`, as far as it is needed here."""

    def to_dict(self) -> dict[str, Any]:
        """The settings by name."""
        ...


def cost_of_config(config: Config | HasDict, *, num_labels: int | None = None) -> ModelCost:
    """What a token costs on the model that a transformers config describes.

    Of a mixture of experts the active parameters are counted: the router, the shared experts and as many of the others
    as a token visits. Latent attention (DeepSeek) is counted as trained, keys and values unfolded from the latent
    once a token; serving engines that fold the projection into the scores instead spend more on every attended token.
    Layers with a sliding window are counted as such where the config says which they are, else as full ones, which is
    an upper bound. Of a config with a `text_config` only the text model is counted.

    Args:
        config: the content of config.json, or a PretrainedConfig.
        num_labels: of a sequence classifier, its outputs; they take the place of the head over the vocabulary.

    Raises:
        ArgumentError: a family that is not known, experts in a dense one, or a size that is missing.

    >>> llama = dict(model_type="llama", hidden_size=8, num_hidden_layers=2, num_attention_heads=4, vocab_size=100)
    >>> cost_of_config(llama | dict(intermediate_size=10)).body_params  # 2 layers x (4 x 8 x 8 + 3 x 8 x 10)
    992
    """
    settings: Config = config.to_dict() if isinstance(config, HasDict) else config
    return _cost(settings["text_config"] if isinstance(settings.get("text_config"), Mapping) else settings, num_labels)


def _cost(config: Config, num_labels: int | None) -> ModelCost:
    family = config.get("model_type")
    check.one_of("key model_type,", family, (*GATED, *PLAIN, *SPARSE))
    if family not in SPARSE and (unknown := next((key for key in _EXPERTS if config.get(key)), None)):
        raise argument_error(f"key {unknown},", f"be absent: experts of a {family} are not counted", config[unknown])
    layers, width = _size(config, *_LAYERS), _size(config, *_WIDTH)
    if layers > _MOST_LAYERS:
        raise argument_error("the number of layers", f"be at most {_MOST_LAYERS}", layers)
    latent = bool(config.get("kv_lora_rank"))
    attention, attention_width = (_latent_attention if latent else _attention)(config, width)
    feed_forward = sum(_feed_forward(config, width, layer) for layer in range(layers))
    projections, head_width = 0, width
    if family == "opt" and config.get("word_embed_proj_dim"):
        head_width = _size(config, "word_embed_proj_dim")
        projections = 2 * width * head_width if head_width != width else 0
    window, num_windowed = _window(config, layers)
    return ModelCost(
        body_params=layers * attention + feed_forward + projections,
        head_params=width * num_labels if num_labels else head_width * _size(config, "vocab_size"),
        num_layers=layers,
        attention_width=attention_width,
        window_tokens=window,
        num_window_layers=num_windowed,
    )


def _attention(config: Config, width: int) -> tuple[int, float]:
    """Parameters of one layer's projections, and query heads times head width."""
    heads = _size(config, *_HEADS)
    if config.get("head_dim") is None and width % heads:
        raise argument_error("key num_attention_heads,", f"divide hidden_size {width}", heads)
    head = width // heads if config.get("head_dim") is None else _size(config, "head_dim")
    return 2 * width * head * (heads + _key_value_heads(config, heads)), heads * head


def _key_value_heads(config: Config, heads: int) -> int:
    family = config["model_type"]
    if family in _GROUPED:
        return heads if config.get("num_key_value_heads") is None else _size(config, "num_key_value_heads")
    if family == "falcon" and config.get("new_decoder_architecture"):
        return heads if config.get("num_kv_heads") is None else _size(config, "num_kv_heads")
    if family in ("falcon", "gpt_bigcode"):
        return 1 if config.get("multi_query", True) else heads
    return heads


def _latent_attention(config: Config, width: int) -> tuple[int, float]:
    """Queries and the key-value latent through low ranks; scores and values may differ in width (arXiv 2405.04434)."""
    heads, rank = _size(config, *_HEADS), _size(config, "kv_lora_rank")
    rotary, plain = _size(config, "qk_rope_head_dim"), _size(config, "qk_nope_head_dim")
    value = _size(config, "v_head_dim")
    query = heads * (rotary + plain)
    queries = _size(config, "q_lora_rank") * (width + query) if config.get("q_lora_rank") else width * query
    keys_values = width * (rank + rotary) + rank * heads * (plain + value)
    return queries + keys_values + heads * value * width, heads * (rotary + plain + value) / 2


def _feed_forward(config: Config, width: int, layer: int) -> int:
    """Parameters that one token meets in the feed-forward of a layer."""
    family = config["model_type"]
    if family not in SPARSE or not _is_sparse(config, layer):
        return (2 if family in PLAIN else 3) * width * _hidden(config, width)
    experts = _size(config, "num_local_experts", "num_experts", "n_routed_experts")
    expert = 3 * width * _size(config, "intermediate_size" if family in _WIDE_EXPERTS else "moe_intermediate_size")
    active = width * experts + _size(config, "num_experts_per_tok") * expert
    if family == "qwen2_moe":  # one wide shared expert, and the gate before it
        active += 3 * width * _size(config, "shared_expert_intermediate_size") + width
    elif config.get("n_shared_experts"):
        active += _size(config, "n_shared_experts") * expert
    return active


def _is_sparse(config: Config, layer: int) -> bool:
    kinds = config.get("mlp_layer_types")
    if isinstance(kinds, list | tuple) and len(kinds) > layer:
        return bool(kinds[layer] == "sparse")
    if layer in (config.get("mlp_only_layers") or ()) or layer < (config.get("first_k_dense_replace") or 0):
        return False
    return (layer + 1) % (config.get("decoder_sparse_step") or 1) == 0


def _hidden(config: Config, width: int) -> int:
    family = config["model_type"]
    if family in _FOURFOLD and all(config.get(key) is None for key in _HIDDEN):
        return 4 * width
    return _size(config, *_HIDDEN)


def _window(config: Config, layers: int) -> tuple[int, int]:
    """Tokens of the sliding window and the number of layers that have it."""
    window, kinds = config.get("sliding_window"), config.get("layer_types")
    if not window or config.get("use_sliding_window") is False:
        return 0, 0
    if isinstance(kinds, list | tuple):
        num_windowed = sum(kind == "sliding_attention" for kind in kinds)
    else:
        num_windowed = layers if config["model_type"] in _ALL_WINDOWED else 0
    return (_size(config, "sliding_window"), num_windowed) if num_windowed else (0, 0)


def _size(config: Config, *names: str) -> int:
    """The first of `names` that the config has; families differ in what they call a size."""
    name = next((each for each in names if config.get(each) is not None), names[0])
    return check.whole(f"key {name},", config.get(name), 1)
