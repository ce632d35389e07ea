"""math-verify inside a worker process: parse, compare. No timeouts of its own, since the process is killed instead."""

import functools
import logging
import zlib
from collections.abc import Callable, Mapping
from typing import Any


def start(settings: Mapping[str, Any]) -> Callable[..., bool]:
    """A function (gold, answer) -> whether math-verify takes it for right; (answer) -> whether it means anything."""
    import sympy
    from math_verify import parse, verify

    logging.disable()  # math-verify warns at length that its timeouts are off
    slow = (sympy.Derivative, sympy.Integral, sympy.Limit, sympy.Product, sympy.Sum)

    @functools.lru_cache(maxsize=8192)
    def parsed(text: str) -> list[Any]:
        expressions: list[Any] = parse(f"\\boxed{{{text}}}", parsing_timeout=None)
        return expressions

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
        return bool(verify(parsed(gold), parsed(answer), timeout_seconds=None, raise_on_error=True))

    for gold, answer in (("\\frac{1}{2}x", "0.5x"), ("(1, 2)", "[1, 2)"), ("x", "x + y"), ("\\sqrt{2}", "1")):
        right(gold, answer)  # loads grammars and much of sympy, which is not to count for the first answer's time
    return right
