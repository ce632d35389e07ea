"""Exact evaluation of arithmetic written by a model: a small parser, no `eval`."""

import re
from fractions import Fraction


def evaluate_expression(text: str) -> tuple[Fraction, list[int]]:
    """Exact value of an arithmetic expression, and the integers it uses in order of appearance.

    Grammar: sums of products of integers and parenthesised expressions; no unary signs, no `eval`.

    Raises:
        ValueError: `text` is not such an expression. ZeroDivisionError: it divides by zero.

    >>> evaluate_expression("( 3 + 7 ) / 4")
    (Fraction(5, 2), [3, 7, 4])
    """
    tokens: list[str] = re.findall(r"[0-9]{1,9}|[-+*/()]|\S", text)
    position = 0
    used: list[int] = []

    def peek() -> str:
        return tokens[position] if position < len(tokens) else ""

    def advance() -> str:
        nonlocal position
        position += 1
        return tokens[position - 1]

    def atom() -> Fraction:
        token = advance() if peek() else ""
        if token.isascii() and token.isdigit():
            used.append(int(token))
            return Fraction(int(token))
        if token == "(":
            value = expression()
            if not peek() or advance() != ")":
                raise ValueError("unbalanced parenthesis")
            return value
        raise ValueError(f"expected a number or '(', got {token!r}")

    def product() -> Fraction:
        value = atom()
        while peek() in ("*", "/"):
            value = value * atom() if advance() == "*" else value / atom()
        return value

    def expression() -> Fraction:
        value = product()
        while peek() in ("+", "-"):
            value = value + product() if advance() == "+" else value - product()
        return value

    result = expression()
    if peek():
        raise ValueError(f"unexpected {peek()!r} after the expression")
    return result, used
