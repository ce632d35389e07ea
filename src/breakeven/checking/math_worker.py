"""math-verify inside a worker process: parse, compare. No timeouts of its own, since the process is killed instead."""

import functools
import logging
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any

_EITHER = re.compile(r"\bor\b")


def _joined(expression: Any, text: str) -> Any:
    """The set of numbers that several inequalities in one variable mean together, which parsing only lists.

    A comma is "and" where numbers are left then, else "or". Also of one `x != 2`, which math-verify cannot compare.
    """
    import sympy

    listed = list(expression.args) if isinstance(expression, sympy.FiniteSet) else [expression]
    if not all(isinstance(each, sympy.And | sympy.Rel) and not isinstance(each, sympy.Eq) for each in listed):
        return expression
    if len(expression.free_symbols) != 1 or not (len(listed) > 1 or isinstance(expression, sympy.Ne)):
        return expression
    try:
        both = None if _EITHER.search(text) else sympy.And(*listed).as_set()
        return both or sympy.Or(*listed).as_set()
    except NotImplementedError:  # sin(x) > 0
        return expression


def start(settings: Mapping[str, Any]) -> Callable[..., bool]:
    """A function (gold, answer) -> whether math-verify takes it for right; (answer) -> whether it means anything."""
    import sympy
    from math_verify import parse, verify

    logging.disable()  # math-verify warns at length that its timeouts are off
    slow = (sympy.Derivative, sympy.Integral, sympy.Limit, sympy.Product, sympy.Sum)

    @functools.lru_cache(maxsize=8192)
    def parsed(text: str) -> list[Any]:
        expressions: list[Any] = parse(f"\\boxed{{{text}}}", parsing_timeout=None)
        joined = [_joined(each, text) for each in expressions[:1]]
        # What follows is the text, which no longer says whether it was "and" or "or".
        return expressions if joined == expressions[:1] else joined

    @functools.lru_cache(maxsize=8192)
    def probe(text: str) -> complex | None:
        """The value of a formula at a point that is a function of its variables' names; None for anything else.

        Not for a percentage or a single variable, of which math-verify has rules of its own.
        """
        expression = parsed(text)[0] if parsed(text) else None
        if not isinstance(expression, sympy.Expr) or expression.is_Symbol or "%" in text or expression.has(*slow):
            return None
        point = {each: 0.5 + zlib.crc32(str(each).encode()) / 2**32 for each in expression.free_symbols}
        try:
            return complex(expression.subs(point).evalf())
        except (ArithmeticError, TypeError, ValueError):
            return None

    @functools.lru_cache(maxsize=8192)
    def undefined(text: str) -> bool:
        """Whether it says something like 1 / 0, of which math-verify makes an exception."""
        return any(isinstance(each, sympy.Basic) and each.has(sympy.nan, sympy.zoo) for each in parsed(text))

    def right(gold: str, answer: str | None = None) -> bool:
        if answer is None:
            probe(gold)
            return not undefined(gold)
        if undefined(gold) or undefined(answer):
            return False
        # Formulas whose values differ are not equal. Without this, nearly all the time is spent on trying to simplify
        # the difference of wrong answers to 0.
        first, second = probe(gold), probe(answer)
        if first is not None and second is not None and abs(first - second) > 1e-4 * (1 + abs(first)):
            return False
        # An interval is right where an inequality is, whichever of the two is the gold answer.
        options: dict[str, Any] = {"timeout_seconds": None, "raise_on_error": True, "allow_set_relation_comp": True}
        return bool(verify(parsed(gold), parsed(answer), **options))

    for gold, answer in (("\\frac{1}{2}x", "0.5x"), ("(1, 2)", "[1, 2)"), ("x", "x + y"), ("\\sqrt{2}", "1")):
        right(gold, answer)  # loads grammars and much of sympy, which is not to count for the first answer's time
    return right
