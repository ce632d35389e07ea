"""What was spent on a model, over the runs that it went through."""

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Spent


def test_spending_adds_up() -> None:
    first = Spent(steps=10, train_tokens=200, train_flops=3e6)
    second = Spent(steps=1, train_tokens=20, train_flops=5e5)
    assert first + second == Spent(steps=11, train_tokens=220, train_flops=3.5e6)


@pytest.mark.parametrize("changed", [{"steps": -1}, {"train_tokens": -1}, {"train_flops": float("nan")}])
def test_spending_is_no_negative_number(changed: dict) -> None:
    name = next(iter(changed))
    with pytest.raises(ArgumentError, match=f"^{name} must be finite and at least 0; got"):
        Spent(**{"steps": 1, "train_tokens": 1, "train_flops": 1.0} | changed)
