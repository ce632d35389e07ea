"""Snell's multiplier against the totals that it equates, and the published values."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.plan.laws.exchange import ACCOUNTINGS, VERIFIER_BOTH, VERIFIER_FREE, VERIFIER_SMALL, exchange

SIZE = st.floats(1.0, 1e4)
RATIO = st.floats(1e-4, 1e4)


@settings(derandomize=True, max_examples=100)
@given(st.sampled_from(ACCOUNTINGS), SIZE, RATIO)
def test_at_the_multiplier_both_take_the_same_flops(accounting, size, ratio):
    times = exchange(accounting, size=size, tokens_ratio=ratio)
    small = 6 + times * accounting.small * ratio  # for each parameter of the small model and token of pretraining
    assert small == pytest.approx(size * (6 + accounting.large * ratio))


@pytest.mark.parametrize(
    ("accounting", "ratios", "published"),
    [
        (VERIFIER_FREE, (0.16, 0.79, 22), (257.75, 63.37, 15.77)),
        (VERIFIER_BOTH, (0.08, 0.40, 11), (257.75, 62.75, 15.77)),
        (VERIFIER_SMALL, (0.08, 0.40, 11), (250.75, 55.75, 8.77)),
    ],
)
def test_fourteen_times_the_parameters(accounting, ratios, published):
    found = [exchange(accounting, size=14, tokens_ratio=each) for each in ratios]
    assert found == pytest.approx(published, abs=0.005)


@pytest.mark.parametrize(("accounting", "same"), [(VERIFIER_FREE, 1), (VERIFIER_BOTH, 1), (VERIFIER_SMALL, 0.5)])
def test_the_ends(accounting, same):
    assert exchange(accounting, size=1, tokens_ratio=0.3) == same
    assert exchange(accounting, size=14, tokens_ratio=float("inf")) == 14 * same


@pytest.mark.parametrize(
    ("size", "ratio", "name"), [(0.5, 1, "size"), (14, 0, "tokens_ratio"), (14, float("nan"), "tok")]
)
def test_what_is_no_exchange_is_refused(size, ratio, name):
    with pytest.raises(ArgumentError, match=name):
        exchange(VERIFIER_FREE, size=size, tokens_ratio=ratio)
