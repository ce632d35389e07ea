"""Encoders of text as networks: every token attends to all others, before and after it."""

from itertools import groupby

from breakeven.cost.config_keys import (
    WIDTH,
    Config,
    architecture,
    heads_of,
    num_labels_of,
    num_layers,
    size,
    size_or,
    vocabulary,
)
from breakeven.cost.decoders import feed_forward
from breakeven.cost.network import Network
from breakeven.cost.parts import At, Attention, Block, Matmul, Part
from breakeven.errors import argument_error

ENCODERS = (
    *("bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert", "albert", "deberta-v2", "modernbert"),
)
_POOLED = ("bert", "roberta", "xlm-roberta", "camembert", "albert")
"""Families whose model without a head ends in a pooler over the first token."""
_HIDDEN = ("intermediate_size", "hidden_dim")
Stages = tuple[tuple[Part, ...], ...]


def encoder(config: Config, num_labels: int | None = None) -> Network:
    """The network of an encoder, with the head that its config says it was saved with, if any.

    What DeBERTa computes of its relative positions is counted once a batch, and both its products of contents with
    positions over all of them, as transformers does.

    Args:
        config: of a family in `ENCODERS`.
        num_labels: outputs of a sequence classifier; None: the head that `architectures` names.
    """
    family = config["model_type"]
    layers, width = num_layers(config), size(config, *WIDTH)
    outside = size_or(config, width, "embedding_size")
    blocks = []
    if outside != width:
        embed = Matmul(name="embed_proj", inputs=outside, outputs=width)
        blocks.append(Block(stages=((embed,),), is_layer=False))
    kinds = [_window(config, layer, layers) for layer in range(layers)]
    groups = size_or(config, 1, "num_hidden_groups") if family == "albert" else 1
    if layers % groups:
        raise argument_error("key num_hidden_groups,", f"divide the {layers} layers", groups)
    inner = size_or(config, 1, "inner_group_num") if family == "albert" else 1
    numbered = [(layer * groups // layers, window) for layer, window in enumerate(kinds)]
    for (_, window), alike in groupby(numbered):
        stages = inner * (*_attention(config, width, window), *_feed_forward(config, width))
        blocks.append(Block(stages=stages, copies=len(list(alike)), is_stored_once=family == "albert"))
    if family == "deberta-v2" and size_or(config, 0, "conv_kernel_size", least=0):
        kernel, parts = size(config, "conv_kernel_size"), size_or(config, 1, "conv_groups")
        conv = Matmul(name="conv", inputs=kernel * width / parts, outputs=width)
        blocks.append(Block(stages=((conv,),), is_layer=False))
    head = _head(config, width, outside, num_labels)
    if head:
        blocks.append(Block(stages=head, is_layer=False))
    return Network(
        family=family,
        blocks=tuple(blocks),
        is_normed_first=family == "modernbert",
        embedding_params=_embedding_params(config, width, outside),
    )


def _attention(config: Config, width: int, window: int) -> Stages:
    own = size_or(config, 0, "attention_head_size")
    heads = size(config, "num_attention_heads", "n_heads") if own else heads_of(config, width)
    inner = heads * own if own else width
    projections: tuple[Part, ...] = tuple(
        Matmul(name=name, inputs=width, outputs=inner) for name in ("q_proj", "k_proj", "v_proj")
    )
    pairs: tuple[Part, ...] = (Attention(width=inner, sees="all", window=window),)
    if config["model_type"] == "deberta-v2" and config.get("relative_attention"):
        kinds, positions = _position_kinds(config), 2 * _span(config)
        once = 0 if config.get("share_att_key") else 1
        count = 2 if once == 0 else len(kinds)  # with shared matrices both are computed, whatever is used
        projections = (
            *projections,
            Matmul(
                name="pos_proj",
                inputs=width,
                outputs=inner,
                times=count,
                stored=once * count,
                at=positions,
                shared=True,
            ),
        )
        pairs = (*pairs, *(Attention(width=inner / 2, sees=positions) for _ in kinds))
    return projections, pairs, (Matmul(name="o_proj", inputs=inner, outputs=width),)


def _position_kinds(config: Config) -> tuple[str, ...]:
    given = config.get("pos_att_type") or ()
    words = given.split("|") if isinstance(given, str) else tuple(given)
    return tuple(each for each in ("c2p", "p2c") if each in words)


def _span(config: Config) -> int:
    """Relative positions that DeBERTa tells apart, to either side: buckets where it has them, else distances."""
    buckets = config.get("position_buckets")
    if isinstance(buckets, int) and buckets > 0:
        return size(config, "position_buckets")
    most = config.get("max_relative_positions")
    return size(config, "max_relative_positions" if isinstance(most, int) and most > 0 else "max_position_embeddings")


def _feed_forward(config: Config, width: int) -> Stages:
    return feed_forward(width, size(config, *_HIDDEN), is_gated=config["model_type"] == "modernbert")


def _window(config: Config, layer: int, layers: int) -> int:
    """Tokens that a token of the layer attends to, itself included; 0: all."""
    if config["model_type"] != "modernbert":
        return 0
    kinds = config.get("layer_types")
    if isinstance(kinds, list | tuple):
        if len(kinds) != layers:
            raise argument_error("key layer_types,", f"name each of the {layers} layers", len(kinds))
        is_local = kinds[layer] == "sliding_attention"
    else:
        is_local = layer % size_or(config, 3, "global_attn_every_n_layers") > 0
    return size_or(config, 128, "local_attention") + 1 if is_local else 0


def _head(config: Config, width: int, outside: int, num_labels: int | None) -> Stages:
    """What follows the layers: of a classifier of sequences or tokens, of a masked language model, or a pooler."""
    family, saved_as = config["model_type"], architecture(config)
    pooler = Matmul(name="pooler", inputs=width, outputs=width, at=1)
    if num_labels is not None or saved_as.endswith(("ForSequenceClassification", "ForTokenClassification")):
        at: At = "tokens" if num_labels is None and saved_as.endswith("ForTokenClassification") else 1
        labels = num_labels_of(config, num_labels) or 2
        score = Matmul(name="classifier", inputs=width, outputs=labels, at=at)
        return ((pooler,), (score,)) if at == 1 else ((score,),)
    if saved_as.endswith("ForMaskedLM"):
        tied = bool(config.get("tie_word_embeddings", True))
        head = Matmul(name="lm_head", inputs=outside, outputs=vocabulary(config), stored=0 if tied else 1, at="outputs")
        return (Matmul(name="transform", inputs=width, outputs=outside, at="outputs"),), (head,)
    return ((pooler,),) if family in _POOLED else ()


def _embedding_params(config: Config, width: int, outside: int) -> int:
    family = config["model_type"]
    rows = vocabulary(config)
    if family != "modernbert" and (family != "deberta-v2" or config.get("position_biased_input", True)):
        rows += size_or(config, 0, "max_position_embeddings")
    if family not in ("distilbert", "modernbert"):
        rows += size_or(config, 0, "type_vocab_size", least=0)
    relative = 2 * _span(config) * width if family == "deberta-v2" and config.get("relative_attention") else 0
    return rows * outside + relative
