"""The number that answers a word problem: after the last `####` that is no heading, or in a box after it."""

import itertools
import re
from typing import Final

from breakeven.data.answers.find import MAX_ANSWER, boxes
from breakeven.data.answers.numbers import MAX_READ, first_number, last_number, with_commas
from breakeven.data.answers.said import before_next_question, said

_MARK: Final = re.compile(r"#{4,}([^\n]*)")
_LED: Final = re.compile(r"^[\s*_`:$\\()\[\]]*")
_LABEL: Final = re.compile(r"^[\s*_$]*[A-Za-z][^0-9\n:=]*[:=]")
_STEP: Final = re.compile(
    r"(?:step|part|case|day|week|section|phase|stage|method|approach|option|question|problem|example|task|point|item)"
    r"\s*(?:[0-9]+|[A-H]|[IVX]+)\b",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(r"([0-9]{1,2})[.):]\s+(?=\W*[A-Za-z])")
_ANSWER: Final = re.compile(r"answer|result|total|conclusion|final|summary", re.IGNORECASE)
_STATES: Final = re.compile(r"[:=]\W*(?=[0-9])|[:=]\s*[-+\u2212]")
_SUM: Final = re.compile(
    r"[\s*_$\\(]*-?[0-9.,]+%?(?:[\s$()]*(?:[-+*/x\u00d7\u00f7\u2212]|\\times|\\cdot|\\div)[\s$()\\]*[0-9.,]+%?)+[\s$)\\]*="
)
_FRACTION: Final = re.compile(r"\\[dt]?frac\{([0-9]+)\}\{([0-9]+)\}")
_MAX_SUMS: Final = 8
_ASKS: Final = re.compile(
    r"^(?!\W*(?:wait|hmm|but|let|is|are|did|so|no|ok|actually|hold|check)\b)[^\n?]{0,300}"
    r"\b(?:how (?:many|much|long|far|old|tall)|what)\b[^\n?]{0,300}\?",
    re.IGNORECASE | re.MULTILINE,
)


def number_answer(completion: str, instruction: str = "") -> str | None:
    r"""The number that a completion answers with.

    That is the number after the last `####` that is no heading, or in a `\boxed{}` behind it; without either the last
    number. What runs on into a next question is no part of the answer.

    Args:
        completion: what a model wrote, its thinking included.
        instruction: of the task; a base model that comes to it again has gone on to the next question.

    >>> number_answer("#### Step 1\n2 + 2 = 4\nIt costs $1,200"), number_answer("#### 4\n\nQuestion: 1 + 1?\n#### 2")
    ('1,200', '4')
    """
    text = said(completion)[-MAX_READ:]
    if instruction and (repeated := text.find(instruction)) >= 0:
        text = text[:repeated] if gsm8k_answer(text[:repeated]) else text.replace(instruction, "\n")
    own = before_next_question(text)
    if own and (found := _final_number(own)):
        return found
    own = before_next_question(text, numbered=False)
    if own and (found := last_number(own)):
        return _bounded(found)
    return _final_number(text) or _bounded(last_number(text))


def gsm8k_answer(text: str) -> str | None:
    """The number after the last `####` that is no heading; None where there is none.

    >>> gsm8k_answer("2 + 2 = 4 #### $1,200"), gsm8k_answer("#### Step 1 #### none"), gsm8k_answer("It is 4.")
    ('1,200', None, None)
    """
    return _marked(text)[1]


def _final_number(text: str) -> str | None:
    place, marked = _marked(text)
    box = next(reversed(boxes(text)), None)
    if box is not None and box.start >= place and (inside := _stated(box.text)) is not None:
        return inside
    return marked


def _marked(text: str) -> tuple[int, str | None]:
    """Where the mark is, and the number after it; (-1, None): there is none."""
    marks = list(_MARK.finditer(text))
    for index, (mark, following) in enumerate(itertools.pairwise(marks)):
        if first_number(mark[1]) and _ASKS.search(text, mark.end(), following.start()):
            marks = marks[: index + 1]
            text = text[: following.start()]
            break
    lines = [_LED.sub("", mark[1], count=1) for mark in marks]
    first = next((each for line in lines if (each := _NUMBERED.match(line))), None)
    listed = first is not None and first[1] == "1"
    last_digit = max(map(text.rfind, "0123456789"))
    for mark, line in zip(reversed(marks), reversed(lines), strict=True):
        more = last_digit >= mark.end()
        if not _is_heading(line, more=more, listed=listed):
            number = _stated(mark[1]) or (_stated(text[mark.end() :]) if more else None)
            if number is not None:
                return mark.start(), number
    return -1, None


def _is_heading(line: str, *, more: bool, listed: bool) -> bool:
    """Whether `line`, behind a `####`, is a heading of what comes next, in place of the answer.

    Args:
        line: without what is no letter or number at its beginning.
        more: whether there are numbers behind it.
        listed: whether such lines are numbered from 1 on.
    """
    if _STEP.match(line) or (listed and _NUMBERED.match(line)):
        return True
    return line[:1].isalpha() and more and not _ANSWER.search(line) and not _STATES.search(line)


def _stated(text: str) -> str | None:
    """The first number of `text`, or what a sum comes to that it begins with."""
    box = next(iter(boxes(text)), None)
    if box is not None and not first_number(text[: box.start]):
        text = box.text
    text = _LABEL.sub("", text, count=1)
    for _ in range(_MAX_SUMS):
        if sum_ := _SUM.match(text):
            text = text[sum_.end() :]
    return _bounded(first_number(_FRACTION.sub(r"\1/\2", with_commas(text, spaces=True)), fractions=True))


def _bounded(number: str | None) -> str | None:
    return number if number is not None and len(number) <= MAX_ANSWER else None
