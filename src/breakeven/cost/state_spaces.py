"""State-space layers as networks: what a token costs does not grow with the text before it.

Mamba's recurrence works number by number and is not counted, its read-out, a matrix product, is. Mamba-2 is counted as
its authors compute it, in chunks: products within a chunk, over the pairs that are attended to, and one product into
the state and one out of it a token. Written token by token the chunks fall away.
"""

import math

from breakeven.cost.config_keys import WIDTH, Config, num_labels_of, num_layers, size, size_or, vocabulary
from breakeven.cost.network import Network
from breakeven.cost.parts import Attention, Block, Matmul, Part
from breakeven.errors import argument_error

STATE_SPACES = ("mamba", "falcon_mamba", "mamba2")
Stages = tuple[tuple[Part, ...], ...]


def state_space(config: Config, num_labels: int | None = None) -> Network:
    """The network of a Mamba, of its original layout or of transformers'.

    Args:
        config: of a family in `STATE_SPACES`.
        num_labels: outputs of a classifier, in place of the head over the vocabulary.

    Source:
        arXiv 2312.00752, and 2405.21060, section 6, for the chunks.
    """
    family, width = config["model_type"], size(config, *WIDTH)
    layer = _mamba2(config, width) if family == "mamba2" else _mamba(config, width)
    rows, labels = vocabulary(config), None if num_labels is None else num_labels_of(config, num_labels)
    tied = bool(config.get("tie_word_embeddings", family != "mamba2"))
    head = Matmul(name="lm_head", inputs=width, outputs=rows, stored=0 if tied else 1, at="outputs")
    if labels:
        head = Matmul(name="score", inputs=width, outputs=labels, at="outputs")
    return Network(
        family=family,
        blocks=(Block(stages=layer, copies=num_layers(config)), Block(stages=((head,),), is_layer=False)),
        embedding_params=rows * width,
    )


def _mamba(config: Config, width: int) -> Stages:
    inner = size_or(config, size_or(config, 2, "expand") * width, "intermediate_size", "d_inner")
    state, kernel = size(config, "state_size", "d_state"), size(config, "conv_kernel", "d_conv")
    rank = math.ceil(width / 16) if config.get("time_step_rank", "auto") == "auto" else size(config, "time_step_rank")
    return (
        (Matmul(name="in_proj", inputs=width, outputs=2 * inner),),
        (Matmul(name="conv1d", inputs=kernel, outputs=inner),),
        (Matmul(name="x_proj", inputs=inner, outputs=rank + 2 * state),),
        (Matmul(name="dt_proj", inputs=rank, outputs=inner),),
        (Matmul(name="state", inputs=state, outputs=inner, stored=1),),
        (Matmul(name="out_proj", inputs=inner, outputs=width),),
    )


def _mamba2(config: Config, width: int) -> Stages:
    inner = size_or(config, 2, "expand") * width
    heads, head = size(config, "num_heads"), size(config, "head_dim")
    if heads * head != inner:
        raise argument_error("key num_heads,", f"share hidden_size x expand, {inner}, in heads of {head}", heads)
    state, groups = size(config, "state_size"), size(config, "n_groups")
    kernel, chunk = size(config, "conv_kernel"), size(config, "chunk_size")
    return (
        (Matmul(name="in_proj", inputs=width, outputs=2 * inner + 2 * groups * state + heads),),
        (Matmul(name="conv1d", inputs=kernel, outputs=inner + 2 * groups * state),),
        (
            Matmul(name="state", inputs=state, outputs=inner, times=2, stored=0),
            Attention(width=(groups * state + inner) / 2, sees=(chunk + 1) / 2),
        ),
        (Matmul(name="out_proj", inputs=inner, outputs=width),),
    )
