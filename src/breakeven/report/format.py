"""Numbers, and texts of others, as a person wants to read them."""

import math
import re

_FLOPS_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_COUNT_WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def format_flops(flops: float) -> str:
    """FLOPs (a count, not a rate) with three significant digits and a metric prefix.

    >>> format_flops(1.23e12), format_flops(999.7e12), format_flops(0), format_flops(3.5e28)
    ('1.23 TFLOPs', '1 PFLOPs', '0 FLOPs', '3.5e+28 FLOPs')
    """
    rounded = float(f"{flops:.3g}")  # first, so that 999.7e9 moves on to the next prefix
    if rounded == 0 or not math.isfinite(rounded):
        return f"{rounded:.3g} FLOPs"
    power = max(0, math.floor(math.log10(abs(rounded)) / 3 + 1e-12))
    if power >= len(_FLOPS_PREFIXES):
        return f"{rounded:.3g} FLOPs"
    return f"{rounded / 1000**power:.4g} {_FLOPS_PREFIXES[power]}FLOPs"


def format_share(share: float) -> str:
    """A share as a percentage: whole from 10 % to 99 %, one decimal outside.

    >>> format_share(0.236), format_share(0.0042), format_share(0.9965), format_share(1), format_share(-0.031)
    ('24 %', '0.4 %', '99.7 %', '100 %', '-3.1 %')
    """
    percent = 100 * share
    whole = 10 <= abs(percent) < 99 or math.isclose(percent, round(percent), abs_tol=1e-9)
    return f"{percent:.0f} %" if whole else f"{percent:.1f} %"


def format_hours(hours: float) -> str:
    """A time in the unit that suits it.

    >>> format_hours(12.34), format_hours(0.25), format_hours(0.002), format_hours(-1.5)
    ('12.3 hours', '15 minutes', '7.2 seconds', '-1.5 hours')
    """
    for unit, word in ((1.0, "hours"), (60.0, "minutes")):
        if abs(hours) * unit >= 1:
            return f"{hours * unit:.3g} {word}"
    return f"{hours * 3600:.3g} seconds"


def format_accuracy(accuracy: float) -> str:
    """An accuracy in [0, 1] with three decimals, enough to see which of two close ones is larger.

    >>> format_accuracy(0.5), format_accuracy(0.06704)
    ('0.500', '0.067')
    """
    return f"{accuracy:.3f}"


def format_difference(difference: float) -> str:
    """A difference of accuracies with its sign.

    >>> format_difference(0.0123), format_difference(-1e-17)
    ('+0.012', '+0.000')
    """
    return f"{round(difference, 3) + 0.0:+.3f}"  # what rounds to -0 becomes 0


def format_quality(value: float) -> str:
    """A quality on any scale: as an accuracy where it may be one, else with four significant digits.

    >>> format_quality(0.5), format_quality(-2.34567), format_quality(1834.2)
    ('0.500', '-2.346', '1834')
    """
    return format_accuracy(value) if 0 <= value <= 1 else f"{value:.4g}"


def format_probability(probability: float) -> str:
    """A probability with two decimals, never rounded to certainty.

    >>> format_probability(0.934), format_probability(0.9997), format_probability(0.0001), format_probability(1.0)
    ('0.93', '0.99', '0.01', '0.99')
    """
    return f"{min(0.99, max(0.01, probability)):.2f}"


def format_queries(queries: float | None) -> str:
    """A number of served queries; None and inf read "unlimited", 0 and below "no".

    >>> (
    ...     format_queries(1.23e6),
    ...     format_queries(7.03e10),
    ...     format_queries(9512.4),
    ...     format_queries(None),
    ...     format_queries(-3),
    ... )
    ('1.23 million', '70.3 billion', '9,510', 'unlimited', 'no')
    """
    if queries is None or math.isinf(queries):
        return "unlimited"
    if queries <= 0:
        return "no"
    rounded = float(f"{queries:.3g}")
    if rounded >= 1e15:
        return f"{rounded:.3g}"
    for unit, word in _COUNT_WORDS:
        if rounded >= unit:
            return f"{rounded / unit:.4g} {word}"
    return f"{rounded:,.0f}"


def format_samples(num_samples: int) -> str:
    """A number of samples with its noun.

    >>> format_samples(1), format_samples(8)
    ('1 sample', '8 samples')
    """
    return f"{num_samples} sample" if num_samples == 1 else f"{num_samples} samples"


def readable(text: str, most: int) -> str:
    r"""A text of somebody else: so many characters at most, a word on the rest, and nothing that no page may hold.

    Half a character, as names of files may hold, is written as JSON has it: \udcff.

    >>> readable("abc\x00ef", 4)
    'abc� [... 2 more characters]'
    """
    rest = f" [... {len(text) - most:,} more characters]" if len(text) > most else ""
    return _UNREADABLE.sub(_stand_in, text[:most]) + rest


def _stand_in(found: "re.Match[str]") -> str:
    half = "\ud800" <= found[0] <= "\udfff"
    return found[0].encode("unicode_escape").decode("ascii") if half else "\ufffd"
