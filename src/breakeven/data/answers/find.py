"""The answer in a completion, and the form in which equal answers are equal strings. Pure functions of text.

All take time linear in the text. None means that there is no answer; text that is too long is none, too.
"""

import re
from fractions import Fraction
from typing import Literal, get_args

MAX_READ = 1_000_000
"""Characters of a completion that are read, from its end, where the answer is."""
MAX_ANSWER = 20_000
"""Longest answer in characters."""
AnswerRule = Literal["final", "first_line", "first_number", "last_number"]
ANSWER_RULES: tuple[AnswerRule, ...] = get_args(AnswerRule)

_NUMBER = re.compile(r"(?<![0-9.])[-+\u2212]?\$?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?")
_PLAIN = re.compile(r"([-+]?)((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)(?:\s?/\s?([0-9]+))?", re.ASCII)
_MAX_DIGITS = 200
_BRACES = re.compile(r"\\boxed\s*\{|\\fbox\s*\{|\\.|[{}]", re.DOTALL)
_TAGS = re.compile(r"<answer>|</answer>", re.IGNORECASE)
_MARK = re.compile(r"answer(?: is)?[ \t*]*:(?:\*\*)?", re.IGNORECASE)
_FENCE = re.compile(r"```[a-zA-Z]*\n(.*?)\n?```", re.DOTALL)
_WRAPPERS = ("**", "`", "$")


def extracted(completion: str, rule: AnswerRule) -> str | None:
    r"""The answer in `completion` by a rule.

    `final`: what the last `<answer>` holds (its end may be missing); else the last `\boxed{}`; else the line after
    the last `Answer:`; else the last line. `first_line`, `first_number` and `last_number` say what they take: the
    first ones suit base models, which go on after the answer.

    >>> extracted("4 + 3 = 7\n<answer> 7 </answer>", "final"), extracted("7\n8 + 1 = 9", "first_number")
    ('7', '7')
    """
    if rule == "first_number":
        return first_number(completion[:MAX_READ])
    if rule == "last_number":
        return last_number(completion)
    if rule == "first_line":
        return _bounded(next((each for each in completion[:MAX_READ].splitlines() if each.strip()), None))
    return final_answer(completion)


def final_answer(completion: str) -> str | None:
    r"""The final answer as most prompts ask for it, see rule `final` of `extracted`.

    >>> final_answer("So it is 12. **Answer:** 12."), final_answer("... which gives\n\n  blue\n"), final_answer(" ")
    ('12', 'blue', None)
    """
    text = completion[-MAX_READ:]
    for found in (tagged(text), boxed(text), after_mark(text)):
        if found is not None:
            return _bounded(found)
    return _bounded(next((each for each in reversed(text.splitlines()) if each.strip(" \t`")), None))


def tagged(text: str) -> str | None:
    """What stands between the last `<answer>` and its end, or the end of the text."""
    tags = list(_TAGS.finditer(text))
    for index in range(len(tags) - 1, -1, -1):
        if not tags[index].group().startswith("</"):
            return text[tags[index].end() : tags[index + 1].start() if index + 1 < len(tags) else None]
    return None


def after_mark(text: str) -> str | None:
    """The line after the last `Answer:` or `answer is:`; where it is empty, the next one that is not."""
    mark = next(iter(reversed([each.end() for each in _MARK.finditer(text)])), None)
    if mark is None:
        return None
    return next((each for each in text[mark:].splitlines() if each.strip()), None)


def boxed(text: str) -> str | None:
    r"""What the last complete `\boxed{...}` (or `\fbox`) holds, its braces balanced.

    >>> boxed(r"\boxed{1}, no: \boxed{\frac{1}{2}} and \boxed{unfinished")
    '\\frac{1}{2}'
    """
    text = text[-MAX_READ:]
    found: str | None = None
    opened: list[int | None] = []
    for match in _BRACES.finditer(text):
        token = match.group()
        if token == "}":
            start = opened.pop() if opened else None
            if start is not None:
                found = text[start : match.start()]
        elif token == "{":
            opened.append(None)
        elif len(token) > 2:
            opened.append(match.end())
    return found


def last_number(text: str) -> str | None:
    """The last number in `text`, as written but for a dollar sign: `-1,234.50`.

    >>> last_number("from 3 to $1,234.50, in 2024."), last_number("none")
    ('2024', None)
    """
    numbers = _NUMBER.findall(text[-MAX_READ:])
    return _bounded(numbers[-1].replace("$", "")) if numbers else None


def first_number(text: str) -> str | None:
    """The first number in `text`, as `last_number` gives it."""
    found = _NUMBER.search(text)
    return _bounded(found.group().replace("$", "")) if found else None


def gsm8k_answer(text: str) -> str | None:
    """The number after the last `####`; None where there is no such mark or no number after it.

    >>> gsm8k_answer("2 + 2 = 4 #### $1,200"), gsm8k_answer("It is 4.")
    ('1,200', None)
    """
    _, mark, rest = text[-MAX_READ:].rpartition("####")
    return first_number(rest) if mark else None


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
    text = text.strip().replace("\u2212", "-")
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


def plain_form(text: str) -> str:
    """For exact match: a plain number's form, else lower case, single spaces, no full stop at the end.

    >>> plain_form("  The  Cat. "), plain_form("$1,000"), plain_form("007")
    ('the cat', '1000', '7')
    """
    spaced = " ".join(text.casefold().split())
    short = spaced.rstrip(". ") or spaced
    return number_form(short.removeprefix("$")) or short


def tidy(answer: str) -> str:
    """`answer` without what only surrounds it: white space, a code fence, `**`, backticks or `$`, a number's full stop.

    >>> tidy(" **12.** "), tidy("`a  b`"), tidy("see e.g.")
    ('12', 'a  b', 'see e.g.')
    """
    fenced = _FENCE.fullmatch(answer.strip())
    text = "\n".join(line.rstrip() for line in (fenced.group(1) if fenced else answer).splitlines()).strip()
    for wrapper in _WRAPPERS:
        if len(text) > 2 * len(wrapper) and text.startswith(wrapper) and text.endswith(wrapper):
            text = text[len(wrapper) : -len(wrapper)].strip()
    short = text.removesuffix("**").removesuffix(".").removesuffix("**")
    return short if number_form(short) else text


def _bounded(answer: str | None) -> str | None:
    if answer is None or len(answer) > MAX_ANSWER:
        return None
    return tidy(answer) or None
