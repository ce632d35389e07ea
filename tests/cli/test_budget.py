"""The budget in what people know of it."""

import pytest

from breakeven.cli.budget import Budget, amount, chosen_budget
from breakeven.errors import ArgumentError


def test_amounts_with_their_suffixes() -> None:
    written = ["20000", "20K", "1.5m", "300B", "2T", "1.7e21", None]
    assert [amount("x", each) for each in written] == [2e4, 2e4, 1.5e6, 3e11, 2e12, 1.7e21, None]
    with pytest.raises(ArgumentError, match=r"^x must be a number; got 'K'"):
        amount("x", "K")
    with pytest.raises(ArgumentError, match=r"^x must be a number; got ''"):
        amount("x", "")
    assert Budget(unit="hours", amount=9).name == "--budget-hours"


def test_one_budget_is_chosen_and_none_is_none() -> None:
    assert chosen_budget({"steps": None, "tokens": "3B"}) == Budget(unit="tokens", amount=3e9)
    assert chosen_budget({"steps": None}) is None
