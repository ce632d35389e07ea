"""The validation loss as a record: its mean, its bins, and what it refuses."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.records import LOSS_EDGES, ValidationLoss


def test_a_token_at_an_edge_is_in_the_bin_that_begins_there() -> None:
    loss = ValidationLoss.of([np.array([0.0, 0.0009, 0.001, 0.24, 0.25, 9.9, 10.0, 50.0])], flops=1.0)
    assert loss.tokens_by_loss == (2, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 2)


def test_few_tokens_that_hold_the_loss_show_where_the_mean_does_not() -> None:
    spread = ValidationLoss.of([np.full(10, 0.5)], flops=0.0)
    held = ValidationLoss.of([np.array([5.0] + 9 * [0.0])], flops=0.0)
    assert spread.mean == held.mean == 0.5
    assert (spread.tokens_by_loss[0], spread.tokens_by_loss[7]) == (0, 10)
    assert (held.tokens_by_loss[0], held.tokens_by_loss[10]) == (9, 1)


def test_problems_keep_their_mean_to_three_digits_and_those_without_tokens_none() -> None:
    loss = ValidationLoss.of([np.array([1.0, 2.0, 2.0]), np.empty(0), np.array([0.000123456])], flops=0.0)
    assert loss.mean_P == (1.67, None, 0.000123)
    assert loss.mean == pytest.approx(5.000123456 / 4)


@settings(derandomize=True, max_examples=50)
@given(st.lists(st.lists(st.floats(0, 100), max_size=5), min_size=1).filter(any))
def test_the_bins_hold_every_token_once_and_bound_the_mean(rows: list[list[float]]) -> None:
    loss = ValidationLoss.of([np.array(row, np.float64) for row in rows], flops=0.0)
    assert sum(loss.tokens_by_loss) == loss.num_tokens == sum(map(len, rows))
    least = np.dot(loss.tokens_by_loss, (0.0, *LOSS_EDGES)) / loss.num_tokens
    most = np.dot(loss.tokens_by_loss, (*LOSS_EDGES, 100.0)) / loss.num_tokens
    assert least * (1 - 1e-9) <= loss.mean <= most * (1 + 1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": -0.1}, "mean must be finite"),
        ({"num_tokens": 0}, "num_tokens must be a whole number"),
        ({"num_tokens": 3}, "tokens_by_loss must hold 12 counts, num_tokens 3 together"),
        ({"tokens_by_loss": (2,)}, "tokens_by_loss must hold 12 counts"),
        ({"flops": float("nan")}, "flops must be finite"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict, message: str) -> None:
    loss = ValidationLoss.of([np.array([1.0, 2.0])], flops=0.0)
    with pytest.raises(ArgumentError, match=message):
        dataclasses.replace(loss, **changes)
