"""Splits whose losses are made up."""

from collections.abc import Callable, Sequence

import pytest

from breakeven.plan.quantizing.splits import Split


@pytest.fixture
def split() -> Callable[..., Split]:
    """One split of a model of 100 parameters: at 8 bits its tokens are twice its steps a byte."""

    def make(
        fraction: float, loss_S: Sequence[float], *, steps: int = 100, bits: int = 8, schedule: str = "none"
    ) -> Split:
        return Split(
            model=f"1x16, {steps} steps",
            size="1x16",
            params=100.0,
            bits=bits,
            tokens=200.0 * steps,
            fraction=fraction,
            schedule=schedule,  # type: ignore[arg-type]
            level=1e6 * steps,
            loss_SP=tuple((each - 0.1, each + 0.1) for each in loss_S),
            problems="two",
            train_flops=1e6 * steps,
            evaluation_flops=7.0,
            query_flops=1e3,
            weight_bytes=100.0 * (bits or 32) / 8,
            query_bytes=500.0 * (bits or 32) / 8,
        )

    return make
