"""Hours, energy and money that FLOPs take on accelerators, from what the user says of them: nothing is assumed."""

from dataclasses import dataclass

from breakeven import check
from breakeven.errors import argument_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """One accelerator; several take as many hours together.

    Args:
        peak_flops: FLOPs per second at the precision that is used, multiply and add counted as 2. What data sheets give
            with sparsity is twice that.
        efficiency: share of the peak that is reached, in (0, 1]. It is of the model's FLOPs, as in MFU, where none are
            computed anew.
        hour_price: money an hour; None: unknown.
        watts: drawn while it works, with its share of host and cooling if those are to count; None: unknown.
    """

    peak_flops: float
    efficiency: float
    hour_price: float | None = None
    watts: float | None = None

    def __post_init__(self) -> None:
        check.positive("peak_flops", self.peak_flops, "For example 9.89e14 of an H100 at bf16.")
        check.positive("efficiency", self.efficiency, "For example 0.4.")
        if self.efficiency > 1:
            raise argument_error("efficiency", "be a share up to 1", self.efficiency, "Divide percentages by 100.")
        check.each_field(self, check.finite, "hour_price", "watts", unknown=True)

    def hours(self, flops: float) -> float:
        """Hours of one accelerator."""
        return flops / (self.peak_flops * self.efficiency) / 3600

    def money(self, flops: float) -> float | None:
        """In the unit of `hour_price`.

        >>> Hardware(peak_flops=1e15, efficiency=0.5, hour_price=2.0).money(1.8e18)
        2.0
        """
        return None if self.hour_price is None else self.hours(flops) * self.hour_price

    def kilowatt_hours(self, flops: float) -> float | None:
        """Energy.

        >>> Hardware(peak_flops=1e15, efficiency=0.5, watts=700).kilowatt_hours(1.8e18)
        0.7
        """
        return None if self.watts is None else self.hours(flops) * self.watts / 1000
