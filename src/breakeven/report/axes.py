"""Axes of the charts: from values to pixels, with ticks a person would have chosen."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FONT_SIZE = 12.0
_MOST_DECIMALS = 6
_LARGEST, _LEAST_RANGE = 1e300, 1e-300
"""Beyond these a step between ticks, or an end of the axis, would be no float any more."""


def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Pixels a text takes at most in a common sans-serif font; on the safe side, as no font is measured here."""
    return 0.6 * size * len(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis shows.

    Args:
        label: what is measured, with its unit.
        log2: equal distances for equal ratios; values must be positive, others are not drawn.
        percent: values in [0, 1] are labelled as percentages.
        lo: lower end; None takes it from the data.
        hi: upper end; None takes it from the data.
    """

    label: str
    log2: bool = False
    percent: bool = False
    lo: float | None = None
    hi: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """An axis bound to data and pixels."""

    log2: bool
    lo: float
    hi: float
    ticks: tuple[tuple[float, str], ...]
    start: float
    """Pixel of `lo`."""
    end: float
    """Pixel of `hi`."""

    def __call__(self, value: float) -> float:
        """Pixel of a value."""
        position = math.log2(value) if self.log2 else value
        lo, hi = (math.log2(self.lo), math.log2(self.hi)) if self.log2 else (self.lo, self.hi)
        return self.start + (position - lo) / (hi - lo) * (self.end - self.start)

    def shows(self, value: float) -> bool:
        """True if the value can be drawn on this axis."""
        return _is_drawn(value, self.log2)


def make_scale(axis: Axis, values: Iterable[float], start: float, end: float, num_ticks: int) -> Scale:
    """A scale of all values that can be drawn, with about `num_ticks` ticks; 0 to 1 (1 to 2 for log2) without data."""
    shown = [value for value in values if _is_drawn(value, axis.log2)]
    lo, hi = min(shown, default=1.0 if axis.log2 else 0.0), max(shown, default=1.0)
    lo, hi = lo if axis.lo is None else axis.lo, hi if axis.hi is None else axis.hi
    if axis.log2:
        first, last = math.floor(math.log2(lo)), max(math.ceil(math.log2(hi)), math.floor(math.log2(lo)) + 1)
        stride = max(1, math.ceil((last - first + 1) / max(2, num_ticks)))
        powers = [2.0**power for power in range(first, last + 1, stride)]
        lo, hi = 2.0**first, 2.0**last
        return Scale(log2=True, lo=lo, hi=hi, ticks=_labelled(powers, axis), start=start, end=end)
    if hi - lo < _LEAST_RANGE:
        pad = abs(lo) / 10 or 1.0
        lo, hi = lo if axis.lo is not None else lo - pad, lo + pad if axis.hi is None else max(axis.hi, lo + pad)
    step = _nice_step((hi - lo) / max(2, num_ticks))
    lo = lo if axis.lo is not None else math.floor(lo / step + 1e-9) * step
    hi = hi if axis.hi is not None else math.ceil(hi / step - 1e-9) * step
    first, last = math.ceil(lo / step - 1e-9), math.floor(hi / step + 1e-9)
    ticks = _labelled([number * step for number in range(first, last + 1)], axis)
    return Scale(log2=False, lo=lo, hi=hi, ticks=ticks, start=start, end=end)


def _is_drawn(value: float, log2: bool) -> bool:
    return abs(value) < _LARGEST and (value > 0 or not log2)


def format_value(axis: Axis, value: float) -> str:
    """A single value as its axis would label it, with the digits a reader of one point wants."""
    return f"{100 * value:.1f} %" if axis.percent else f"{value:.4g}"


def _nice_step(rough: float) -> float:
    """The smallest of 1, 2, 5 x 10^n that is at least `rough`."""
    magnitude = 10.0 ** math.floor(math.log10(rough))
    return next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * (1 - 1e-9))


def _labelled(values: Sequence[float], axis: Axis) -> tuple[tuple[float, str], ...]:
    """The values with labels of equal decimals, as few as keep them apart."""
    if axis.log2:
        return tuple((value, f"{value:.6g}") for value in values)
    factor = 100 if axis.percent else 1
    unit = " %" if axis.percent else ""
    labels: list[str] = []
    for decimals in range(_MOST_DECIMALS + 1):
        labels = [f"{factor * value:.{decimals}f}" for value in values]
        exact = all(math.isclose(float(label), factor * value, rel_tol=1e-6, abs_tol=1e-9)
                    for label, value in zip(labels, values, strict=True))  # fmt: skip
        if exact:
            break
    return tuple((value, label + unit) for value, label in zip(values, labels, strict=True))
