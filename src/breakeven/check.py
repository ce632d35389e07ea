"""The rules that arguments have to keep, each worded once: `<name> must <rule>; got <value>. <remedy>`.

NaN breaks every rule. Where a number is asked for, a bool or a string is none: `True` is no K, and "8" is text.
"""

import difflib
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from numbers import Real
from typing import Any, TypeGuard

from breakeven.errors import argument_error

LARGEST = sys.float_info.max
"""Upper end for `numbers` of any size: infinity is above it."""


def at_least(name: str, value: object, least: float, remedy: str = "") -> None:
    """A number from `least` up; infinity is one.

    >>> at_least("patience", -1, 0, "Use 0 to stop at once.")
    Traceback (most recent call last):
    breakeven.errors.ArgumentError: patience must be at least 0; got -1. Use 0 to stop at once.
    """
    _hold(name, value, f"be at least {least}", remedy, lambda number: number >= least)


def above(name: str, value: object, low: float, remedy: str = "") -> None:
    """A number above `low`; infinity is one."""
    _hold(name, value, f"be above {low}", remedy, lambda number: number > low)


def finite(name: str, value: object, least: float = 0, remedy: str = "") -> None:
    """A finite number from `least` up."""
    if type(value) is float and least <= value < math.inf:
        return  # without a rule in words, as a log has thousands of checkpoints with dozens of numbers
    _hold(name, value, f"be finite and at least {least}", remedy, lambda number: least <= number < math.inf)


def number(name: str, value: object, remedy: str = "") -> None:
    """A finite number."""
    _hold(name, value, "be finite", remedy, math.isfinite)


def positive(name: str, value: object, remedy: str = "") -> None:
    """A finite number above 0."""
    _hold(name, value, "be finite and above 0", remedy, lambda number: 0 < number < math.inf)


def between(name: str, value: object, low: float, high: float, remedy: str = "") -> None:
    """A number from `low` to `high`, both included."""
    _hold(name, value, f"be from {low} to {high}", remedy, lambda number: low <= number <= high)


def share(name: str, value: object, remedy: str = "", *, below_1: bool = False, slack: float = 0.0) -> None:
    """A number from 0 to 1.

    Args:
        name: of the argument.
        value: what was given.
        remedy: a sentence.
        below_1: whether 1 itself is too much.
        slack: how far beyond either end rounding may carry what was computed.
    """
    if type(value) is float and 0.0 <= value < 1.0:
        return
    rule = "be a share from 0 up to 1" if below_1 else "be a share from 0 to 1"
    _hold(name, value, rule, remedy, lambda number: -slack <= number <= 1 + slack and not (below_1 and number >= 1))


def whole(name: str, value: object, least: int = 0, remedy: str = "") -> int:
    """A whole number from `least` up, as an int: 4.0 is 4.

    >>> whole("k", 4.0, 1)
    4
    >>> whole("k", 4.5, 1)
    Traceback (most recent call last):
    breakeven.errors.ArgumentError: k must be a whole number of at least 1; got 4.5.
    """
    if not _is_number(value) or not least <= value < math.inf or value % 1:
        raise argument_error(name, f"be a whole number of at least {least}", value, remedy)
    return int(value)


def increasing(name: str, values: Iterable[Any], remedy: str = "") -> tuple[int, ...]:
    """Counts, such as those of samples: at least one, each a whole number from 1 up and above the one before it."""
    given = tuple(values)
    if given == tuple(range(1, len(given) + 1)) and given and set(map(type, given)) == {int}:
        return given  # every K up to the last, as of most curves
    if not given:
        raise argument_error(name, "hold at least one K", [], remedy)
    counts = _are_numbers(given) and all(1 <= each < math.inf and each % 1 == 0 for each in given)
    if not counts or any(later <= each for each, later in pairwise(given)):
        raise argument_error(name, "be increasing whole numbers from 1 up", list(given))
    return tuple(map(int, given))


def one_of(name: str, value: object, choices: Iterable[str], remedy: str = "") -> None:
    """One of some names.

    >>> one_of("family", "cubic", ["power", "exponential"])
    Traceback (most recent call last):
    breakeven.errors.ArgumentError: family must be one of power, exponential; got 'cubic'.
    """
    known = tuple(choices)
    if value not in known:
        raise argument_error(name, f"be one of {', '.join(known)}", value, remedy)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The remedy for a misspelt name; "" where nothing known is written nearly so.

    >>> did_you_mean("exponent", ["power", "exponential"]), did_you_mean("cubic", ["power", "exponential"])
    ('Did you mean exponential?', '')
    """
    near = difflib.get_close_matches(word, tuple(known), cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else ""


def either(name: str, value: object, *choices: str, remedy: str = "") -> None:
    """One of two or three words, which the message quotes.

    >>> either("baseline", "gready", "greedy", "sampled", "best")
    Traceback (most recent call last):
    breakeven.errors.ArgumentError: baseline must be "greedy", "sampled" or "best"; got 'gready'.
    """
    if value not in choices:
        *first, last = (f'"{each}"' for each in choices)
        raise argument_error(name, f"be {', '.join(first)} or {last}", value, remedy)


def numbers(name: str, values: Sequence[Any], rule: str, low: float = 0.0, high: float = LARGEST) -> None:
    """Numbers from `low` to `high`, of which there may be many; `rule` says so in words."""
    plain = values and {float, int}.issuperset(map(type, values))
    if plain and low <= min(values) and max(values) <= high and (total := sum(values)) == total:  # NaN is not itself
        return
    if not (_are_numbers(values) and all(low <= each <= high for each in values)):
        wrong = next(each for each in values if not (_is_number(each) and low <= each <= high))
        raise argument_error(name, rule, wrong)


def each_field(record: object, rule: Callable[[str, object], Any], *names: str, unknown: bool = False) -> None:
    """`rule` for some fields of a record; with `unknown` they may be None, which says that nobody knows.

    >>> from types import SimpleNamespace
    >>> each_field(SimpleNamespace(used=0.5, confidence=None), share, "used", "confidence", unknown=True)
    """
    for name in names:
        value = getattr(record, name)
        if not (unknown and value is None):
            rule(name, value)


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in (float, int) or (isinstance(value, Real) and not isinstance(value, bool))


def _are_numbers(values: Sequence[Any]) -> bool:
    return {float, int}.issuperset(map(type, values)) or all(map(_is_number, values))


def _hold(name: str, value: Any, rule: str, remedy: str, holds: Callable[[float], bool]) -> None:
    if value is not None and not _is_number(value):
        raise argument_error(name, "be a number", value, remedy)
    if value is None or not holds(value):
        raise argument_error(name, rule, value, remedy)
