"""Decoders of text as networks: dense, grouped-query, latent attention, mixtures of experts, sliding windows.

Sizes are read by the names that config.json has for them. Only families whose layout is known are counted, since a
guess would be wrong without anybody noticing; each of them is held against a count of what transformers executes.
"""

from itertools import groupby

from breakeven.cost.config_keys import HEADS, WIDTH, Config, num_layers, size, size_or, vocabulary
from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul, Part
from breakeven.errors import argument_error

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
_TIED = (
    *("smollm3", "gemma", "gemma2", "gemma3_text", "cohere", "cohere2", "ernie4_5", "gpt2", "gpt_bigcode", "gpt_neo"),
    *("opt", "bloom", "falcon", "mpt", "starcoder2"),
)
"""Families whose head is tied to the embedding where the config does not say."""
_LEARNT_POSITIONS = ("gpt2", "gpt_bigcode", "gpt_neo", "opt")
_HIDDEN = ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_intermediate_size")


def decoder(config: Config, num_labels: int | None = None) -> Network:
    """The network of a decoder.

    Of experts a token meets the router, the shared ones and as many of the others as it visits. Latent attention
    (DeepSeek) is counted as trained, keys and values unfolded from the latent once a token. Layers with a sliding
    window are counted as such where the config says which they are, else as full ones, which is an upper bound.

    Args:
        config: of a family in `GATED`, `PLAIN` or `SPARSE`.
        num_labels: of a sequence classifier, its outputs; they take the place of the head over the vocabulary.
    """
    family = config["model_type"]
    if family not in SPARSE and (unknown := next((key for key in _EXPERTS if config.get(key)), None)):
        raise argument_error(f"key {unknown},", f"be absent: experts of a {family} are not counted", config[unknown])
    layers, width = num_layers(config), size(config, *WIDTH)
    attention = (_latent_attention if config.get("kv_lora_rank") else _attention)(config, width)
    window, windowed = _windows(config, layers)
    kinds = [(family in SPARSE and _is_sparse(config, layer), windowed[layer]) for layer in range(layers)]
    blocks = [
        Block(stages=_layer(config, width, attention, is_sparse, window if has_window else 0), copies=len(list(alike)))
        for (is_sparse, has_window), alike in groupby(kinds)
    ]
    outside = _outside(config, width)
    vocab = 0 if num_labels else vocabulary(config)
    rows, embedding = vocab or size_or(config, 0, "vocab_size"), outside or width
    tied = bool(config.get("tie_word_embeddings", family in _TIED))
    head = Matmul(name="score", inputs=width, outputs=num_labels, at="outputs") if num_labels else None
    head = head or Matmul(name="lm_head", inputs=embedding, outputs=vocab, stored=0 if tied else 1, at="outputs")
    last: tuple[tuple[Part, ...], ...] = ((head,),)
    if outside:
        blocks.insert(0, Block(stages=((Matmul(name="project_in", inputs=outside, outputs=width),),), is_layer=False))
        last = ((Matmul(name="project_out", inputs=width, outputs=outside),), *last)
    return Network(
        family=family,
        blocks=(*blocks, Block(stages=last, is_layer=False)),
        embedding_params=rows * embedding + _position_params(config, width),
    )


def _outside(config: Config, width: int) -> int:
    """Width of OPT's embedding and head where it is not that of the layers, else 0."""
    outside = size_or(config, width, "word_embed_proj_dim") if config["model_type"] == "opt" else width
    return 0 if outside == width else outside


def _position_params(config: Config, width: int) -> int:
    if config["model_type"] not in _LEARNT_POSITIONS:
        return 0
    return width * size_or(config, 0, "n_positions", "max_position_embeddings")


def _layer(
    config: Config, width: int, attention: tuple[tuple[Part, ...], ...], is_sparse: bool, window: int
) -> tuple[tuple[Part, ...], ...]:
    windowed = tuple(
        tuple(Attention(width=each.width, window=window) if isinstance(each, Attention) else each for each in stage)
        for stage in attention
    )
    return (*windowed, *(_experts(config, width) if is_sparse else _dense(config, width)))


def _attention(config: Config, width: int) -> tuple[tuple[Part, ...], ...]:
    heads = size(config, *HEADS)
    if config.get("head_dim") is None and width % heads:
        raise argument_error("key num_attention_heads,", f"divide hidden_size {width}", heads)
    head = width // heads if config.get("head_dim") is None else size(config, "head_dim")
    keys = _key_value_heads(config, heads)
    if heads % keys:
        raise argument_error("key num_key_value_heads,", f"divide the {heads} query heads", keys)
    return (
        (
            Matmul(name="q_proj", inputs=width, outputs=heads * head),
            Matmul(name="k_proj", inputs=width, outputs=keys * head),
            Matmul(name="v_proj", inputs=width, outputs=keys * head),
        ),
        (Attention(width=heads * head),),
        (Matmul(name="o_proj", inputs=heads * head, outputs=width),),
    )


def _key_value_heads(config: Config, heads: int) -> int:
    family = config["model_type"]
    if family in _GROUPED:
        return size_or(config, heads, "num_key_value_heads")
    if family == "falcon" and config.get("new_decoder_architecture"):
        return size_or(config, heads, "num_kv_heads")
    if family in ("falcon", "gpt_bigcode"):
        return 1 if config.get("multi_query", True) else heads
    return heads


def _latent_attention(config: Config, width: int) -> tuple[tuple[Part, ...], ...]:
    """Queries and the key-value latent through low ranks; scores and values may differ in width (arXiv 2405.04434)."""
    heads, rank = size(config, *HEADS), size(config, "kv_lora_rank")
    rotary, plain = size(config, "qk_rope_head_dim"), size(config, "qk_nope_head_dim")
    value = size(config, "v_head_dim")
    query, latent = heads * (rotary + plain), size_or(config, 0, "q_lora_rank", least=0)
    down = Matmul(name="kv_a_proj_with_mqa", inputs=width, outputs=rank + rotary)
    up = Matmul(name="kv_b_proj", inputs=rank, outputs=heads * (plain + value))
    first: tuple[Part, ...] = (Matmul(name="q_proj", inputs=width, outputs=query), down)
    second: tuple[Part, ...] = (up,)
    if latent:
        first = (Matmul(name="q_a_proj", inputs=width, outputs=latent), down)
        second = (Matmul(name="q_b_proj", inputs=latent, outputs=query), up)
    return (
        first,
        second,
        (Attention(width=heads * (rotary + plain + value) / 2),),
        (Matmul(name="o_proj", inputs=heads * value, outputs=width),),
    )


def _dense(config: Config, width: int) -> tuple[tuple[Part, ...], ...]:
    family = config["model_type"]
    fourfold = family in _FOURFOLD and all(config.get(key) is None for key in _HIDDEN)
    return feed_forward(width, 4 * width if fourfold else size(config, *_HIDDEN), is_gated=family not in PLAIN)


def feed_forward(width: int, hidden: int, *, is_gated: bool, times: int = 1) -> tuple[tuple[Part, ...], ...]:
    """The stages of a feed-forward with two matrices, or with three; of so many of them beside one another."""
    up = tuple(
        Matmul(name=name, inputs=width, outputs=hidden, times=times)
        for name in (("gate_proj", "up_proj") if is_gated else ("up_proj",))
    )
    return up, (Matmul(name="down_proj", inputs=hidden, outputs=width, times=times),)


def _experts(config: Config, width: int) -> tuple[tuple[Part, ...], ...]:
    """A router, the experts that it chooses from, and those that every token visits."""
    family = config["model_type"]
    experts = size(config, "num_local_experts", "num_experts", "n_routed_experts")
    visited = size(config, "num_experts_per_tok")
    if visited > experts:
        raise argument_error("key num_experts_per_tok,", f"be at most the {experts} experts", visited)
    hidden = size(config, "intermediate_size" if family in _WIDE_EXPERTS else "moe_intermediate_size")
    up = (
        Matmul(name="router", inputs=width, outputs=experts),
        Matmul(name="experts.gate_up_proj", inputs=width, outputs=2 * hidden, times=visited, stored=experts),
    )
    down = (Matmul(name="experts.down_proj", inputs=hidden, outputs=width, times=visited, stored=experts),)
    if family == "qwen2_moe":  # one wide shared expert, and the gate before it
        shared = feed_forward(width, size(config, "shared_expert_intermediate_size"), is_gated=True)
        return (*up, *shared[0], Matmul(name="shared_expert_gate", inputs=width, outputs=1)), (*down, *shared[1])
    if config.get("n_shared_experts"):
        shared = feed_forward(width, hidden, is_gated=True, times=size(config, "n_shared_experts"))
        return (*up, *shared[0]), (*down, *shared[1])
    return up, down


def _is_sparse(config: Config, layer: int) -> bool:
    kinds = config.get("mlp_layer_types")
    if isinstance(kinds, list | tuple) and len(kinds) > layer:
        return bool(kinds[layer] == "sparse")
    if layer in (config.get("mlp_only_layers") or ()) or layer < (config.get("first_k_dense_replace") or 0):
        return False
    return (layer + 1) % (config.get("decoder_sparse_step") or 1) == 0


def _windows(config: Config, layers: int) -> tuple[int, list[bool]]:
    """Tokens of the sliding window, and whether each layer has it."""
    window, kinds = config.get("sliding_window"), config.get("layer_types")
    if not window or config.get("use_sliding_window") is False:
        return 0, [False] * layers
    if not isinstance(kinds, list | tuple):
        return size(config, "sliding_window"), [config["model_type"] in _ALL_WINDOWED] * layers
    if len(kinds) != layers:
        raise argument_error("key layer_types,", f"name each of the {layers} layers", len(kinds))
    return size(config, "sliding_window"), [kind == "sliding_attention" for kind in kinds]
