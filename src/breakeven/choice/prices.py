"""What an option costs: a price is a function of it, so that one rule of choice serves them all."""

from collections.abc import Callable
from typing import TypeAlias

from breakeven import check
from breakeven.records.options import Option

Price: TypeAlias = Callable[[Option], float]


def per_query(option: Option) -> float:
    """FLOPs of one query."""
    return option.per_query


def once(option: Option) -> float:
    """FLOPs spent before the first query."""
    return option.once


def lifetime(queries: float) -> Price:
    """FLOPs of a life of so many queries.

    Raises:
        ArgumentError: queries that are negative, infinite or NaN.
    """
    check.finite("queries", queries)
    return lambda option: option.total(queries)
