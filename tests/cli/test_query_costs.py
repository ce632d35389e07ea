"""Caps on what a query may cost, in FLOPs or in money."""

import pytest

from breakeven.cli.query_costs import query_cap
from breakeven.errors import ArgumentError


def test_no_cap_is_none() -> None:
    assert query_cap(None, None, None, None, None) is None


def test_flops_pass_through() -> None:
    assert query_cap(1e12, None, None, None, None) == 1e12


def test_money_becomes_flops_at_the_declared_price_and_efficiency() -> None:
    assert query_cap(None, 0.01, 2.0, 1e15, 0.4) == pytest.approx(0.01 / 2.0 * 3600 * 1e15 * 0.4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1e12, 0.01, 2.0, 1e15, 0.4), "--max-query-flops must be left out when --max-query-cost is given"),
        ((None, None, 2.0, None, None), "--hour-price must be given with --max-query-cost; got 2.0."),
        ((None, 0.01, None, 1e15, 0.4), "--hour-price must be finite and above 0; got None. Prices and efficiency"),
        ((None, 0.01, 2.0, 1e15, None), "--efficiency must be finite and above 0; got None."),
        ((None, 0.01, 2.0, 1e15, 40.0), "--efficiency must be a share up to 1; got 40.0."),
        ((None, -1.0, 2.0, 1e15, 0.4), "--max-query-cost must be finite and above 0; got -1.0."),
    ],
)
def test_what_cannot_be_a_cap_is_refused(arguments: tuple[float | None, ...], message: str) -> None:
    with pytest.raises(ArgumentError, match=message.replace(".", r"\.")):
        query_cap(*arguments)
