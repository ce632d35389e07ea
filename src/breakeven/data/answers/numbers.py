"""Numbers in text, with thousands marks of every sort, and the one form of a number. Pure functions of text.

All take time linear in the text.
"""

import re
from fractions import Fraction

MAX_READ = 1_000_000
"""Characters of a completion that are read, from its end, where the answer is."""
_THOUSANDS = re.compile(
    r"(?<=[0-9])(?:,?\{?,?\\[,!:; ]\}?|\{,\}|\\thinspace ?|[~'_\u2019\u00a0\u2007\u2009\u202f\uff0c\u066c])"
    r"(?=[0-9]{3}(?![0-9]))"
)
_SPACED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?: [0-9]{3})+(?![0-9])")
_ZEROS = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?: [0-9]{3}){0,4} 0[0-9]{2}(?: [0-9]{3}){0,4}(?![0-9])")
"""Spaces mark thousands where a number would else begin with zeros."""
_DOTTED = re.compile(r"(?<![0-9.,])[0-9]{1,3}(?:(?:\.[0-9]{3}){1,4},[0-9]{1,2}|(?:\.[0-9]{3}){2,4})(?![0-9.,]*[0-9])")
"""Where dots mark thousands beyond doubt: `1.234,50`, `1.234.567`."""
_NUMBER = re.compile(
    r"(?<![0-9.])[-+\u2212]?(?:\\?[$\u20ac\u00a3\u00a5\u20b9])?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])"
    r"|[0-9]{1,2}(?:,[0-9]{2}){1,4},[0-9]{3}(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
)
_BELOW = re.compile(r"/[0-9]+(?![0-9/.,])")
_INDIAN = re.compile(r",[0-9]{2},")
_CURRENCY = re.compile(r"[\\$\u20ac\u00a3\u00a5\u20b9]")
_PLAIN = re.compile(r"([-+]?)((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)(?:\s?/\s?([0-9]+))?", re.ASCII)
_MAX_DIGITS = 200


def with_commas(text: str, *, spaces: bool = False) -> str:
    r"""`text` with a comma for whatever else marks thousands: `{,}`, `\,`, apostrophes, low lines, narrow spaces.

    Args:
        text: any.
        spaces: whether an ordinary space does, which may also part two numbers.

    >>> with_commas(r"70{,}000 or 1\,000\,000"), with_commas("70'000"), with_commas("70 000", spaces=True)
    ('70,000 or 1,000,000', '70,000', '70,000')
    """
    marked = _THOUSANDS.sub(",", text)
    return _SPACED.sub(lambda found: found[0].replace(" ", ","), marked) if spaces else marked


def last_number(text: str) -> str | None:
    """The last number in `text`, without a currency, its thousands marked by commas: `-1,234.50`.

    >>> last_number("from 3 to $1,234.50, in 2024."), last_number("none")
    ('2024', None)
    """
    numbers = _NUMBER.findall(_found_in(text[-MAX_READ:]))
    return _bare(numbers[-1]) if numbers else None


def first_number(text: str, *, fractions: bool = False) -> str | None:
    """The first number in `text`, as `last_number` gives it; with `fractions` 1/2 is one, which may also be a ratio."""
    text = _found_in(text)
    found = _NUMBER.search(text)
    if found is None:
        return None
    below = _BELOW.match(text, found.end()) if fractions else None
    return _bare(found[0]) + (below[0] if below else "")


def _found_in(text: str) -> str:
    text = _DOTTED.sub(lambda found: found[0].replace(".", "").replace(",", "."), text)
    return _ZEROS.sub(lambda found: found[0].replace(" ", ","), with_commas(text))


def _bare(number: str) -> str:
    number = _CURRENCY.sub("", number)
    return number.replace(",", "") if _INDIAN.search(number) else number


def number_form(text: str) -> str | None:
    """A plain number in the one form of its value: a whole number, or a fraction in lowest terms. None for any other.

    Thousands separators, leading zeros, a plus sign and zeros at the end go; `%`, units, currency and exponents are no
    part of a plain number. Digits are those of ASCII.

    >>> number_form("1,000"), number_form("18.0"), number_form("-0.5"), number_form("6/4"), number_form("50%")
    ('1000', '18', '-1/2', '3/2', None)
    """
    value = number_value(text)
    return None if value is None else str(value)


def number_value(text: str) -> Fraction | None:
    """The value of a plain number as of `number_form`."""
    text = with_commas(text.strip().replace("\u2212", "-"))
    if len(text) > _MAX_DIGITS:
        return None
    match = _PLAIN.fullmatch(text)
    if match is None:
        return None
    sign, above, below = match.groups()
    if below is not None and not int(below):
        return None
    value = Fraction(above.replace(",", "").removesuffix(".")) / int(below or 1)
    return -value if sign == "-" else value
