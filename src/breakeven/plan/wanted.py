"""What is asked of a plan's options."""

from collections.abc import Callable
from dataclasses import dataclass

from breakeven.choice.choose import least_of, value_of
from breakeven.choice.prices import Price, lifetime, per_query
from breakeven.errors import argument_error
from breakeven.records.options import Option


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a row's options, once they are there.

    Raises:
        ArgumentError: both a budget and a target.
    """

    queries: float | None = None
    """Declared workload, over whose life options are compared; None: per query."""
    budget: float | None = None
    """Most FLOPs, at that price: the best for it is chosen."""
    target: float | None = None
    """Quality to reach: the cheapest that does is chosen. None and no budget: that of the row, or the best."""
    without: tuple[str, ...] = ()
    """Cost lines to leave out."""
    published: bool = False
    """Whether points that were read somewhere may be chosen."""
    sure: bool = False
    """Whether it is the lower end of the interval that has to be high, or to reach the target."""

    def __post_init__(self) -> None:
        if self.budget is not None and self.target is not None:
            remedy = "Ask for one, then for the other."
            raise argument_error("--budget", "be given without --target", self.budget, remedy)

    @property
    def price(self) -> Price:
        """By which options are compared."""
        return per_query if self.queries is None else lifetime(self.queries)

    @property
    def quality(self) -> Callable[[Option], float]:
        """By which they are held against the target."""
        return least_of if self.sure else value_of
