"""Bytes of weights and of a query, counted by hand."""

import pytest

from breakeven.plan.quantizing.serving import query_bytes, weight_bytes
from breakeven.records import TransformerShape

SHAPE = TransformerShape(num_layers=1, embedding=4, num_heads=1, feed_forward=8, vocab_size=10, max_tokens=8)
MATRICES = 4 * 16 + 3 * 32
WHOLE = 4 * (3 * 4 + 40)
"""Norms and head."""


def test_matrices_are_stored_at_their_bits_with_a_scale_for_each_row():
    rows = 12 + 4 + 16 + 4  # queries, keys and values; out; gate and up; down
    assert weight_bytes(SHAPE, 0) == 4 * MATRICES + WHOLE
    assert weight_bytes(SHAPE, 2) == MATRICES / 4 + 4 * rows + WHOLE
    assert weight_bytes(SHAPE, 4) - weight_bytes(SHAPE, 2) == MATRICES / 4


def test_a_query_reads_the_weights_for_each_token_and_the_cache_before_it():
    """A prompt of 3 and 3 tokens: the prompt together, then two tokens that read 3 and 4 cached ones, 2 x 4 floats."""
    assert query_bytes(SHAPE, 2, 3, 3) == 3 * weight_bytes(SHAPE, 2) + (3 + 4) * 2 * 4 * 4


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_fewer_bits_never_move_more(bits):
    assert weight_bytes(SHAPE, bits) < weight_bytes(SHAPE, 0)
