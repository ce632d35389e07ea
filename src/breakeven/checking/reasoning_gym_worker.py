"""reasoning-gym inside a worker process: problems are made and answers are scored here.

Some of the package's checkers give a model's answer to Python's `eval` or to sympy's `parse_expr`, which evaluates it
too. Both are replaced: by a reader of literals, and by a parser that takes formulas of known functions only.
"""

import ast
import importlib
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

_EVALUATING = (
    *(f"algorithmic.{name}" for name in ("binary_matrix", "number_sorting", "spiral_matrix", "string_insertion")),
    "games.n_queens",
)
_OF_BAD_FORM = (ArithmeticError, AttributeError, LookupError, SyntaxError, TypeError, ValueError)
_FORMULA = re.compile(r"[0-9A-Za-z.+\-*/^(),\s]*", re.ASCII)
_ATTRIBUTE = re.compile(r"\.\s*[A-Za-z]")
_FUNCTIONS = (
    *("sin", "cos", "tan", "cot", "sec", "csc", "asin", "acos", "atan", "acot", "sinh", "cosh", "tanh", "coth"),
    *("asinh", "acosh", "atanh", "exp", "log", "ln", "sqrt", "Abs", "pi", "erf", "Si", "Ci"),
)


def start(settings: Mapping[str, Any]) -> Callable[..., Any]:
    """A function that answers `("entries", start, stop)` with (question, answer) pairs and `("score", index, answer)`.

    Args:
        settings: `generator`, `seed`, `size` and `config`, the generator's own settings.
    """
    from reasoning_gym.factory import create_dataset

    _disarm()
    config = generator_settings(settings["generator"], settings["config"])
    dataset = create_dataset(settings["generator"], seed=settings["seed"], size=settings["size"], **config)
    entries: dict[int, Any] = {}

    def entry(index: int) -> Any:
        if index not in entries:
            entries[index] = dataset[index]
        return entries[index]

    def score(index: int, text: str) -> float:
        gold = entry(index)["answer"]
        stricter = _STRICTER.get(entry(index)["metadata"].get("source_dataset", ""))
        if stricter is not None and not stricter(text, gold):
            return 0.0
        try:
            return float(dataset.score_answer(text, entry(index)))
        except _OF_BAD_FORM:
            # Some checkers reject an answer that they cannot read by an exception. That it is the answer, not the
            # checker, shows where the same checker accepts the gold answer of the same problem.
            if gold is None or float(dataset.score_answer(gold, entry(index))) < 1.0:
                raise
            return 0.0

    def answer(what: str, *arguments: Any) -> Any:
        if what == "score":
            return score(*arguments)
        return [(made["question"], made["answer"]) for made in map(entry, range(*arguments))]

    return answer


def generator_settings(generator: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as the generator's configuration takes it: the parts of `composite` are records there."""
    if generator != "composite":
        return dict(config)
    from reasoning_gym.composite import DatasetSpec

    parts = [DatasetSpec(**({"weight": 1.0, "config": {}} | each)) for each in config.get("datasets", ())]
    return dict(config) | {"datasets": parts}


def _same_text(answer: str, gold: str) -> bool:
    return answer.strip().casefold() == gold.strip().casefold()


def _close(answer: str, gold: str) -> bool:
    try:
        value = Fraction(gold)
        return abs(Fraction(answer.replace(",", "")) - value) <= min(Fraction(1, 10_000), abs(value) / 100)
    except (ValueError, ZeroDivisionError):
        return False


def _no_nan(answer: str, gold: str) -> bool:
    return "nan" not in answer.casefold()


_STRICTER: dict[str, Callable[[str, str], bool]] = {
    "coin_flip": _close,  # gives "0" its full score for any probability that begins with 0, as a matching beginning
    "complex_arithmetic": _no_nan,  # min(1.0, nan) is 1.0
    "game_of_life_halting": _same_text,  # compares bool(answer) with bool(gold), of texts: any answer is right
}
"""What an answer must meet besides, where the package's checker gives its full score to wrong answers."""


def _disarm() -> None:
    import sympy

    original = importlib.import_module("sympy.parsing.sympy_parser").parse_expr

    def parse_formula(text: str, *arguments: Any, **named: Any) -> Any:
        unknown = [each for each in re.findall(r"[A-Za-z]+", text) if len(each) > 1 and each not in _FUNCTIONS]
        if unknown or not _FORMULA.fullmatch(text) or _ATTRIBUTE.search(text):
            raise ValueError("not a formula of known functions")
        return original(text, *arguments, **named)

    vars(sympy)["parse_expr"] = parse_formula
    for name in ("games.countdown", "games.puzzle24"):
        vars(importlib.import_module(f"reasoning_gym.{name}"))["parse_expr"] = parse_formula
    for name in _EVALUATING:
        # A module's own name comes before the builtin one.
        vars(importlib.import_module(f"reasoning_gym.{name}"))["eval"] = ast.literal_eval
