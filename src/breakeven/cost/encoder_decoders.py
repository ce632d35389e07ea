"""Encoder-decoders of text as networks: an encoder reads the source, a decoder attends to it and to its own tokens."""

from breakeven.cost.config_keys import WIDTH, Config, heads_of, num_layers, size, size_or, vocabulary
from breakeven.cost.network import Network
from breakeven.cost.parts import At, Attention, Block, Matmul, Part
from breakeven.errors import argument_error

_T5 = ("t5", "mt5", "umt5")
_BART = ("bart", "mbart", "marian", "pegasus")
ENCODER_DECODERS = (*_T5, *_BART)
Stages = tuple[tuple[Part, ...], ...]


def encoder_decoder(config: Config, num_labels: int | None = None) -> Network:
    """The network of an encoder-decoder with its head over the vocabulary.

    Args:
        config: of a family in `ENCODER_DECODERS`.
        num_labels: None; a classifier of these families is not counted.
    """
    family, width = config["model_type"], size(config, *WIDTH)
    if num_labels is not None:
        raise argument_error("num_labels", f"be left out of a {family}, which is counted as it writes", num_labels)
    if family in _T5:
        layers = num_layers(config, "num_layers", "num_hidden_layers")
        depths = layers, size_or(config, layers, "num_decoder_layers")
        heads = size(config, "num_heads", "num_attention_heads")
        inner = (heads * size(config, "d_kv", "head_dim"),) * 2
        hidden = (size(config, "d_ff"),) * 2
    else:
        sides = ("encoder", "decoder")
        depths = num_layers(config, "encoder_layers"), num_layers(config, "decoder_layers")
        for side in sides:
            heads_of(config, width, f"{side}_attention_heads")
        inner = width, width
        hidden = size(config, "encoder_ffn_dim"), size(config, "decoder_ffn_dim")
    gated = str(config.get("feed_forward_proj", "")).startswith("gated")
    reading = (*_attention(width, inner[0], "source"), *_feed_forward(width, hidden[0], "source", gated))
    own = _attention(width, inner[1], "tokens")
    crossing = _crossing(width, inner[1])
    writing = (*own, *crossing, *_feed_forward(width, hidden[1], "tokens", gated))
    rows = vocabulary(config)
    positions = 2 * size_or(config, 0, "max_position_embeddings") if family in _BART else 0
    tied = bool(config.get("tie_word_embeddings", True))
    head = Matmul(name="lm_head", inputs=width, outputs=rows, stored=0 if tied else 1, at="outputs")
    return Network(
        family=family,
        reads="pairs",
        blocks=(
            Block(stages=reading, copies=depths[0]),
            Block(stages=writing, copies=depths[1]),
            Block(stages=((head,),), is_layer=False),
        ),
        embedding_params=(rows + positions) * width,
    )


def _attention(width: int, inner: int, at: At) -> Stages:
    return (
        tuple(Matmul(name=name, inputs=width, outputs=inner, at=at) for name in ("q_proj", "k_proj", "v_proj")),
        (Attention(width=inner, sees="all" if at == "source" else "before", at=at),),
        (Matmul(name="o_proj", inputs=inner, outputs=width, at=at),),
    )


def _crossing(width: int, inner: int) -> Stages:
    """Queries of the decoder's tokens; keys and values of the source, which are kept while it writes."""
    return (
        (
            Matmul(name="q_proj", inputs=width, outputs=inner),
            Matmul(name="k_proj", inputs=width, outputs=inner, at="source"),
            Matmul(name="v_proj", inputs=width, outputs=inner, at="source"),
        ),
        (Attention(width=inner, sees="source"),),
        (Matmul(name="o_proj", inputs=inner, outputs=width),),
    )


def _feed_forward(width: int, hidden: int, at: At, gated: bool) -> Stages:
    up = ("gate_proj", "up_proj") if gated else ("up_proj",)
    return (
        tuple(Matmul(name=name, inputs=width, outputs=hidden, at=at) for name in up),
        (Matmul(name="down_proj", inputs=hidden, outputs=width, at=at),),
    )
