"""Whether two mathematical answers mean the same: a cheap comparison first, math-verify in a worker process else."""

import importlib.util
import re
from fractions import Fraction

from breakeven.checking.workers import CheckBrokeError, Workers
from breakeven.data.answers.latex import in_latex
from breakeven.data.answers.numbers import number_form, number_value, with_commas
from breakeven.errors import MissingExtraError

MAX_MATH_ANSWER = 500
"""Longest answer in characters; parsing takes more than linear time."""
MAX_DEPTH = 20
"""Deepest nesting of brackets: parsing 200 of them takes seconds, 5,000 minutes."""
_MAX_CACHED = 200_000
_ROUNDED_AWAY = Fraction(1, 10_000)
"""math-verify compares to 6 decimals; plain numbers further apart than this differ whatever it does."""
_SIZES = re.compile(r"\\(?:left|right)(?![a-zA-Z])|\\!|\\,(?![a-zA-Z])")
_SIMPLE_FRACTION = re.compile(r"(-?)\\frac\{([0-9]+)\}\{([0-9]+)\}")
_SHORT_FRACTION = re.compile(r"\\frac([0-9])([0-9])(?![0-9])")
_SPACED = re.compile(r"[-+]?[0-9]{1,3}(?: [0-9]{3})+(?:\.[0-9]+)?")
_WORDS = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\{([^{}\\]*)\}")


class MathVerifier:
    """math-verify in processes of its own, with a deadline and a cache. May be called from several threads.

    math-verify needs the main thread, may hang in big-number arithmetic for ever, and is neither symmetric nor
    transitive (0.5 = 50 %, 50 % = 50): say which answer is the gold one. An inequality is right where its interval is.

    Args:
        timeout_seconds: CPU time of one comparison. A pair that took more is not tried again.
        num_workers: processes, of about 200 MB each.

    Raises:
        MissingExtraError: math-verify is not installed.
    """

    def __init__(self, timeout_seconds: float = 5.0, num_workers: int = 1) -> None:
        if importlib.util.find_spec("math_verify") is None:
            raise MissingExtraError("mathematical answers need math-verify: pip install 'breakeven[tasks]'")
        self._workers = Workers(
            "breakeven.checking.math_worker:start", {}, timeout_seconds=timeout_seconds, num_workers=num_workers
        )
        self._known: dict[tuple[str, ...], bool | str] = {}

    def verify(self, gold: str, answer: str) -> bool:
        """True if `answer` is right where `gold` is; False for one that is not `readable`, or breaks its check.

        Raises:
            CheckFailedError: math-verify crashed on the gold answer or took too long for it, or was not served.
        """
        if not readable(gold) or not readable(answer):
            return False
        gold, answer = math_form(gold), math_form(answer)
        cheap = _cheaply(gold, answer)
        if cheap is not None:
            return cheap
        # Each alone first: an answer that hangs costs its deadline once, not once for every other answer.
        if not self._ask(gold):
            return False
        try:
            return self._ask(answer) and self._ask(gold, answer)
        except CheckBrokeError:  # by a tower of powers, say: who cannot be checked is not right for that
            return False

    def _ask(self, *texts: str) -> bool:
        known = self._known.get(texts)
        if known is None:
            try:
                known = bool(self._workers.call(*texts))
            except CheckBrokeError as error:
                known = f"{' against '.join(repr(each[:60]) for each in texts)}: {error}"
            if len(self._known) >= _MAX_CACHED:
                self._known.clear()
            self._known[texts] = known
        if isinstance(known, str):
            raise CheckBrokeError(known)
        return known

    def equivalent(self, answer: str, other: str) -> bool:
        """True if each is right where the other is the gold answer. Errors as of `verify`."""
        return self.verify(answer, other) and self.verify(other, answer)

    def close(self) -> None:
        """End the processes; they end by themselves with the program."""
        self._workers.close()

    def __enter__(self) -> "MathVerifier":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def math_form(answer: str) -> str:
    r"""`answer` without what changes no meaning; a plain number or fraction in its one form.

    >>> math_form(r"$\dfrac{6}{4}$."), math_form(r"\left( 1, 2 \right)"), math_form(r"\text{Even}"), math_form("50\\%")
    ('3/2', '( 1, 2 )', '\\text{even}', '50\\%')
    """
    text = with_commas(in_latex(answer))
    # Spaces are only made single: "1 1/2" without them would be 11/2, and "1, 200" a thousand two hundred.
    text = " ".join(_SIZES.sub("", text).split()).lstrip("$ ").rstrip("$ .")
    if _SPACED.fullmatch(text):
        text = text.replace(" ", "")
    text = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac"))
    simple, words = _SIMPLE_FRACTION.fullmatch(text), _WORDS.fullmatch(text)
    if words:
        return f"\\text{{{words[1].strip().casefold()}}}"
    plain = f"{simple[1]}{simple[2]}/{simple[3]}" if simple else text
    form = number_form(plain)
    if form is None:
        return text
    if "/" not in form or "/" in plain:
        return form
    # A decimal stays one: math-verify rounds 0.333333 where it compares it with 1/3, but no fraction of whole numbers.
    whole, _, decimals = plain.lstrip("+-\u2212").replace(",", "").partition(".")
    return f"{'-' if form.startswith('-') else ''}{whole.lstrip('0') or '0'}.{decimals.rstrip('0')}"


def readable(answer: str) -> bool:
    """Whether an answer is short and flat enough to be given to math-verify at all."""
    if len(answer) > MAX_MATH_ANSWER:
        return False
    depth = deepest = 0
    for character in answer:
        depth += (character in "{[(") - (character in "}])")
        deepest = max(deepest, depth)
    return deepest <= MAX_DEPTH


def _cheaply(gold: str, answer: str) -> bool | None:
    """What needs no math-verify: equal texts, and plain numbers that are equal or far apart. None for all others."""
    if gold == answer:
        return True
    if not gold or not answer:
        return False
    first, second = number_value(gold), number_value(answer)
    if first is not None and second is not None:
        apart = abs(first - second)
        if not apart:
            return True
        if apart > _ROUNDED_AWAY * (1 + abs(first)):
            return False
    return None
