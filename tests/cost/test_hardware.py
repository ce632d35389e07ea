"""Hours, energy and money, by hand."""

import pytest

from breakeven.cost.hardware import Hardware
from breakeven.errors import ArgumentError


def test_an_hour_at_half_the_peak() -> None:
    hardware = Hardware(peak_flops=1e12, efficiency=0.5, hour_price=3.0, watts=500)
    flops = 0.5e12 * 3600 * 2
    assert (hardware.hours(flops), hardware.money(flops), hardware.kilowatt_hours(flops)) == (2, 6, 1)


def test_what_nobody_said_is_unknown() -> None:
    hardware = Hardware(peak_flops=1e12, efficiency=1)
    assert (hardware.money(1e12), hardware.kilowatt_hours(1e12)) == (None, None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"peak_flops": 0}, "peak_flops must be finite and above 0; got 0"),
        ({"efficiency": 40}, "efficiency must be a share up to 1; got 40. Divide percentages by 100"),
        ({"hour_price": -1}, "hour_price must be finite and at least 0; got -1"),
        ({"watts": float("nan")}, "watts must be finite and at least 0; got nan"),
    ],
)
def test_what_cannot_be_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        Hardware(**{"peak_flops": 1e12, "efficiency": 0.4} | given)
