"""A small curve in one line of text."""

from collections.abc import Sequence

from breakeven.evenly import evenly

_LEVELS = "▁▂▃▄▅▆▇█"


def spark(values: Sequence[float | None], top: float, width: int) -> str:
    """A bar a value, from 0 to `top`, and a blank where it is None; of more than `width` values so many, spread evenly.

    >>> spark([0.0, 0.25, None, 0.5], top=0.5, width=9), spark([0.1, 0.2, 0.3, 0.4, 0.5], top=0.5, width=3)
    ('▁▅ █', '▂▅█')
    """
    shown = [values[place] for place in evenly(len(values), width)]
    most = len(_LEVELS) - 1
    return "".join(" " if each is None else _LEVELS[min(most, int(each / top * len(_LEVELS)))] for each in shown)
