"""The mathematical answer in a completion: in boxes that stand together, in a tag, or after a mark."""

import re
from typing import Final

from breakeven.data.answers.find import after_mark, boxes, tagged
from breakeven.data.answers.math import math_form, readable
from breakeven.data.answers.numbers import MAX_READ
from breakeven.data.answers.said import before_next_question, said

_BETWEEN: Final = re.compile(
    r"(?:[\s$,;&*]|\\[()\[\],;! ]|\\q?quad|\\text\s*\{\s*(?:and|or)\s*\}|\b(?:and|or)\b|\n\s*[-\u2022]\s"
    r"|[a-zA-Z](?:_\{?[0-9]\}?)?\s*=)*"
)
_PARTED: Final = re.compile(r"[,;&]|\b(?:and|or)\b|\n\s*[-*\u2022]\s|^[^\n]*$")
_MAX_BETWEEN: Final = 60
_MOST_BOXES: Final = 50
_FINAL: Final = re.compile(r"final answer is:?", re.IGNORECASE)
_SAYS: Final = re.compile(
    r"\b(?:the|our) (?:correct |right )?(?:answer|result) is:?[ \t*]*"
    r"(?=[-+0-9.$\\(\[{|\u221a\u2212]|[A-Za-z]\b[ \t]*(?:[=<>.,\n]|$))",
    re.IGNORECASE,
)
_AFTER: Final = re.compile(r"(?:(?<!\\)\.\s+(?=[A-Z])|\.?\s*\bI hope\b|,?\s+(?:since|because|which)\b)(?![^{}]*\})")
_IN_DOLLARS: Final = re.compile(r"[\s*]*(?:\$([^$]+)\$|\\\((.+?)\\\)|\\\[(.+?)\\\])")


def math_answer(completion: str) -> str | None:
    r"""The answer as LaTeX, untidied; None where there is no mark. What runs on into the next problem is not read.

    >>> math_answer(r"The roots are $\boxed{1}$ and $\boxed{-2}$."), math_answer("The answer is $7$. I hope so.")
    ('1, -2', '7')
    """
    text = said(completion)
    own = before_next_question(text[:MAX_READ])
    found = None if own is None else _marked(own)
    return _marked(text[-MAX_READ:]) if found is None else found


def _marked(text: str) -> str | None:
    found = neighbours(text)
    if found is not None:
        return found
    found = tagged(text) or after_mark(text)
    for phrase in (_FINAL, _SAYS):
        if found is None and (marks := list(phrase.finditer(text))):
            found = text[marks[-1].end() :].partition("\n")[0]
    return None if found is None else _alone(found)


def neighbours(text: str) -> str | None:
    r"""What the last `\boxed{}` holds, after what those hold that a comma, `and` or `or` joins to it.

    >>> neighbours(r"\boxed{1} then \boxed{2}"), neighbours(r"x = \boxed{1} or x = \boxed{2}")
    ('2', '1, 2')
    """
    found = boxes(text)[-_MOST_BOXES:]
    if not found:
        return None
    together = [found[-1]]
    for before in reversed(found[:-1]):
        between = text[before.end : together[-1].start]
        if len(between) > _MAX_BETWEEN or not (_BETWEEN.fullmatch(between) and _PARTED.search(between)):
            break
        together.append(before)
    return ", ".join({_form(each.text): each.text for each in reversed(together)}.values())


def _form(text: str) -> str:
    return math_form(text) if readable(text) else text


def _alone(line: str) -> str:
    """The formula of a line, without the sentence it stands in."""
    line = _AFTER.split(line, maxsplit=1)[0]
    formulas = list(_IN_DOLLARS.finditer(line))
    if len(formulas) == 1 and not line[: formulas[0].start()].strip() and "\\$" not in line:
        return "".join(each or "" for each in formulas[0].groups())
    return line.strip(" \t*")
