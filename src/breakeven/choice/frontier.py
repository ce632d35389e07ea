"""What cannot be bettered: no other option is as good for less, or better for as much."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from breakeven.choice.choose import choosable, value_of
from breakeven.choice.prices import Price
from breakeven.errors import argument_error
from breakeven.records.options import Option

_Item = TypeVar("_Item")
Floats: TypeAlias = npt.NDArray[np.float64]
_DRAWS_AT_ONCE: Final = 200
"""Resamplings held in memory together."""
DIGITS: Final = 12
"""Decimals to which resampled qualities are told apart."""


def frontier(options: Sequence[Option], price: Price, *, published: bool = False) -> list[Option]:
    """The options that cannot be bettered, from the cheapest to the best.

    Args:
        options: of any kind.
        price: by which they are compared.
        published: whether those whose quality was read somewhere may stand on it.

    Returns:
        Of options of one price and one quality the first.
    """
    return undominated(choosable(options, published=published), price=price, value=value_of)


def undominated(
    items: Sequence[_Item], *, price: Callable[[_Item], float], value: Callable[[_Item], float]
) -> list[_Item]:
    """The items, of any kind, that cannot be bettered, from the cheapest to the best.

    >>> undominated([3, 1, 2, 5], price=lambda each: abs(each - 2), value=float)
    [2, 3, 5]
    """
    price_O, value_O = prices_of(items, price), prices_of(items, value)
    order = np.lexsort((-value_O, price_O))
    sorted_O = value_O[order]
    before_O = np.maximum.accumulate(np.concatenate(([-np.inf], sorted_O)))[:-1]
    return [items[place] for place in order[sorted_O > before_O].tolist()]


def prices_of(items: Sequence[_Item], price: Callable[[_Item], float]) -> Floats:
    """The price of each, shape (O,)."""
    return np.fromiter(map(price, items), np.float64, len(items))


def frontier_shares(options: Sequence[Option], price: Price, *, draws: int = 1000, seed: int = 0) -> tuple[float, ...]:
    """In how many resamplings of the problems each option is on the frontier: how sure its place is.

    Args:
        options: all known problem by problem on the same problems.
        price: by which they are compared; not resampled.
        draws: resamplings, with replacement.
        seed: of them.

    Returns:
        A share for each option.

    Raises:
        ArgumentError: an option that is not paired with the first.

    Source:
        Paired bootstrap over problems, Efron and Tibshirani, An introduction to the bootstrap, chapter 8.
    """
    if not options:
        return ()
    value_OP = paired_values(options)
    price_O = prices_of(options, price)
    order = np.lexsort((np.arange(len(price_O)), price_O))
    sorted_OP, first_O = value_OP[order], np.searchsorted(price_O[order], price_O[order], side="left")
    last_O = np.searchsorted(price_O[order], price_O[order], side="right")
    counts_O = np.zeros(len(options))
    for value_DO in resampled(sorted_OP, draws, seed):
        best_DO = np.maximum.accumulate(value_DO, axis=1)
        # Better than all that is cheaper, and no worse than what costs the same; of equals the first.
        cheaper_DO = np.where(first_O > 0, best_DO[:, np.maximum(first_O - 1, 0)], -np.inf)
        at_price_DO = best_DO[:, last_O - 1]
        before_DO = np.concatenate((np.full((len(value_DO), 1), -np.inf), best_DO[:, :-1]), axis=1)
        on_DO = (value_DO > cheaper_DO) & (value_DO >= at_price_DO) & (value_DO > before_DO)
        counts_O[order] += on_DO.sum(axis=0)
    shares: list[float] = (counts_O / draws).tolist()
    return tuple(shares)


def resampled(value_OP: Floats, draws: int, seed: int) -> Iterator[Floats]:
    """The quality of each option in each resampling of the problems, in pieces of shape (D, O).

    Rounded to `DIGITS`, so that equal ones are equal on every machine, whatever the order in which it sums.
    """
    random, num_problems = np.random.default_rng(seed), value_OP.shape[1]
    even_P = np.full(num_problems, 1.0 / num_problems)
    for start in range(0, draws, _DRAWS_AT_ONCE):
        weight_DP = random.multinomial(num_problems, even_P, size=min(_DRAWS_AT_ONCE, draws - start)) / num_problems
        yield np.round(weight_DP @ value_OP.T, DIGITS)


def paired_values(options: Sequence[Option]) -> Floats:
    """The quality of each option on each problem, shape (O, P).

    Raises:
        ArgumentError: an option that is not known problem by problem, or on other problems than the first.
    """
    first = options[0]
    for each in options:
        if not each.quality.value_P:
            remedy = "Give values per problem, or leave such options out."
            raise argument_error(f"option {each.name}", "be known problem by problem", "one value", remedy)
        if not each.quality.pairs_with(first.quality):
            rule = f"be measured on the {len(first.quality.value_P)} problems of {first.name}, to be paired with it"
            raise argument_error(f"option {each.name}", rule, f"{len(each.quality.value_P)} other problems")
    return np.array([each.quality.value_P for each in options])
