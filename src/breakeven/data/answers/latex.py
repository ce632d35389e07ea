"""Mathematics as people type it, in the LaTeX that math-verify reads."""

import re
import unicodedata
from typing import Final

_SYMBOLS: Final = {
    ord(symbol): latex
    for symbol, latex in {
        "\u221e": r"\infty ", "\u222a": r"\cup ", "\u2229": r"\cap ", "\u2208": r"\in ", "\u2205": r"\emptyset ",
        "\u2264": r"\le ", "\u2265": r"\ge ", "\u2a7d": r"\le ", "\u2a7e": r"\ge ", "\u2260": r"\ne ",
        "\u00d7": r"\times ", "\u00b7": r"\cdot ", "\u22c5": r"\cdot ", "\u00f7": r"\div ", "\u00b1": r"\pm ",
        "\u2212": "-", "\u2013": "-", "\u03c0": r"\pi ", "\u00b0": r"^\circ ", "\u211d": r"\mathbb{R}",
        "\u00bd": r"\frac{1}{2}", "\u00bc": r"\frac{1}{4}", "\u00be": r"\frac{3}{4}", "\uff0c": ",",
        "\u2153": r"\frac{1}{3}", "\u2154": r"\frac{2}{3}", "\u2227": r"\land ", "\u2228": r"\lor ",
    }.items()
}  # fmt: skip
_NAMES: Final = {
    r"\\leqslant(?![a-zA-Z])": r"\\le ",
    r"\\geqslant(?![a-zA-Z])": r"\\ge ",
    r"\\varnothing(?![a-zA-Z])": r"\\emptyset ",
    r"\\(?:land|wedge)(?![a-zA-Z])": r"\\text{ and }",
    r"\\(?:lor|vee)(?![a-zA-Z])": r"\\text{ or }",
    r"(?<![\\a-zA-Z])pi(?![a-zA-Z])": r"\\pi ",
    r"(?<![\\a-zA-Z])sqrt\(([^()]*)\)": r"\\sqrt{\1}",
    r"(?<=[\w)}])\*\*(?=[\w({-])": "^",
    r"(?<=[\])])\s*U\s*(?=[\[(])": r" \\cup ",
}
_POWERS: Final = re.compile("[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207b]+")
_ROOT: Final = re.compile(r"\u221a\s*([0-9]+|[a-zA-Z]|\([^()]*\)|\{[^{}]*\})")
_SET_OF: Final = re.compile(r"\\\{\s*([a-zA-Z])(?:\s*\\in\s*\\mathbb\{?R\}?)?\s*(?:\\mid|:|\|)\s*(.*\b\1\b.*?)\s*\\\}")
_INTERVAL: Final = re.compile(r"([\[\]])([^\[\]();,]+[;,][^\[\]();,]+)([\[\]])")
_OPEN: Final = {"]": "(", "[": ")"}


def in_latex(answer: str) -> str:
    r"""`answer` with LaTeX for symbols and plain names, `(a, b)` for `]a, b[`, and of `{x | x < 2}` the condition.

    >>> in_latex("3\u221a2"), in_latex("]0,\u221e["), in_latex("sqrt(2)/2"), in_latex(r"\{x \mid x < 2\}")
    ('3\\sqrt{2}', '(0,\\infty )', '\\sqrt{2}/2', 'x < 2')
    """
    text = _ROOT.sub(lambda found: f"\\sqrt{{{found[1].strip('(){}')}}}", answer)
    text = _POWERS.sub(lambda found: f"^{{{unicodedata.normalize('NFKC', found[0])}}}", text).translate(_SYMBOLS)
    for typed, latex in _NAMES.items():
        text = re.sub(typed, latex, text)
    return _SET_OF.sub(r"\2", _INTERVAL.sub(_with_round_brackets, text))


def _with_round_brackets(interval: re.Match[str]) -> str:
    left, inside, right = interval.groups()
    return f"{left if left == '[' else _OPEN[left]}{inside}{right if right == ']' else _OPEN[right]}"
