"""What quantized weights change when serving: bytes read from memory, not FLOPs."""

from typing import Final

from breakeven.records import TransformerShape

FLOAT_BYTES: Final = 4
"""Of a number in full precision, as the reference model is trained and measured."""


def weight_bytes(shape: TransformerShape, bits: int) -> float:
    """Bytes of the weights that every token is multiplied by.

    Counted: the matrices of the blocks at so many bits, with a scale for each row; norms and head in full precision.
    Not counted: the embedding, of which a token reads one row.

    Args:
        shape: of the reference transformer.
        bits: of the matrices of the blocks; 0: full precision.
    """
    width, inner = shape.embedding, shape.feed_forward
    matrices = shape.num_layers * (4 * width**2 + 3 * width * inner)
    rows = shape.num_layers * (5 * width + 2 * inner)
    whole = (2 * shape.num_layers + 1) * width + width * shape.vocab_size
    quantized = matrices * bits / 8 + rows * FLOAT_BYTES if bits else matrices * FLOAT_BYTES
    return quantized + whole * FLOAT_BYTES


def query_bytes(shape: TransformerShape, bits: int, prompt_tokens: int, output_tokens: int) -> float:
    """Bytes that answering one query alone reads from memory: weights and cached keys and values.

    Weights are read once for the prompt and once for each token fed after it; the cache at each of these.

    Args:
        shape: of the reference transformer.
        bits: as of `weight_bytes`.
        prompt_tokens: read together.
        output_tokens: generated one after another.
    """
    fed = output_tokens - 1
    cached = fed * prompt_tokens + fed * (fed - 1) / 2
    cache = cached * 2 * shape.num_layers * shape.embedding * FLOAT_BYTES
    return output_tokens * weight_bytes(shape, bits) + cache
