"""The answer in a completion, and the form in which equal answers are equal strings. Pure functions of text.

All take time linear in the text. None means that there is no answer; text that is too long is none, too.
"""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from breakeven.data.answers.numbers import MAX_READ, first_number, last_number, number_form, with_commas
from breakeven.data.answers.said import before_next_question, said

MAX_ANSWER = 20_000
"""Longest answer in characters."""
AnswerRule = Literal["final", "first_line", "first_number", "last_number"]
ANSWER_RULES: tuple[AnswerRule, ...] = get_args(AnswerRule)

_BRACES = re.compile(
    r"\\(?:boxed|fbox|framebox)\s*\{"
    r"|\\boxed(?![a-zA-Z])[ \t]*(?=[-+0-9.\\]|[A-HJ-Zb-z](?![a-zA-Z]))"
    r"((?:[^\s${}\\]|\\[a-zA-Z]+|\\[^)\]a-zA-Z\s]|\{(?:[^{}]|\{[^{}]*\}){0,99}\}){1,99})"
    r"|\\.|[{}]",
    re.DOTALL,
)
_TAGS = re.compile(r"<answer>|</answer>", re.IGNORECASE)
_MARK = re.compile(r"answer(?: is)?[ \t*]*:(?:\*\*)?(?:[ \t]*the (?:final )?answer is\b:?)?", re.IGNORECASE)
_HOPE = re.compile(r"\bI hope (?:it|this) is correct\b.*", re.IGNORECASE)
_FENCE = re.compile(r"```[a-zA-Z]*\n(.*?)\n?```", re.DOTALL)
_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\{([^{}\\]*)\}")
_WRAPPERS = (("**", "**"), ("`", "`"), ("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    r"""A complete `\boxed{...}`: where it stands, and what it holds."""

    start: int
    end: int
    text: str


def extracted(completion: str, rule: AnswerRule) -> str | None:
    r"""The answer in `completion` by a rule, after any thinking.

    `final`: what the last `<answer>` holds (its end may be missing); else the last `\boxed{}`; else the line after
    the last `Answer:`; else the last line. `first_line`, `first_number` and `last_number` say what they take: the
    first ones suit base models, which go on after the answer.

    >>> extracted("4 + 3 = 7\n<answer> 7 </answer>", "final"), extracted("7\n8 + 1 = 9", "first_number")
    ('7', '7')
    """
    if rule == "final":
        return final_answer(completion)
    text = said(completion)
    if rule == "first_number":
        return _bounded(first_number(text[:MAX_READ]))
    if rule == "last_number":
        return _bounded(last_number(text))
    return _bounded(next((each for each in text[:MAX_READ].splitlines() if each.strip()), None))


def final_answer(completion: str) -> str | None:
    r"""The final answer as most prompts ask for it, see rule `final` of `extracted`.

    An answer with a mark before the next `Question:` is taken: what a base model runs on into is not read.

    >>> final_answer("So it is 12. **Answer:** 12."), final_answer("... which gives\n\n  blue\n"), final_answer(" ")
    ('12', 'blue', None)
    """
    text = said(completion)
    own = before_next_question(text[:MAX_READ])
    found = None if own is None else _marked(own)
    text = text[-MAX_READ:]
    if found is None:
        found = _marked(text)
    if found is None:
        found = next((each for each in reversed(text.splitlines()) if each.strip(" \t`")), None)
    return _bounded(found)


def _marked(text: str) -> str | None:
    return next((found for find in (tagged, boxed, after_mark) if (found := find(text)) is not None), None)


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
    line = next((each for each in text[mark:].splitlines() if each.strip()), None)
    hope = None if line is None else _HOPE.search(line)
    return line[: hope.start()].rstrip(". ") if line and hope else line


def boxed(text: str) -> str | None:
    r"""What the last complete `\boxed{...}` (or `\fbox`) holds, its braces balanced; see `boxes`.

    >>> boxed(r"\boxed{1}, no: \boxed{\frac{1}{2}} and \boxed{unfinished")
    '\\frac{1}{2}'
    """
    return next((each.text for each in reversed(boxes(text))), None)


def boxes(text: str) -> list[Box]:
    r"""Every complete `\boxed{...}` that is in no other. One without braces holds what is next: `\boxed 2`.

    >>> [each.text for each in boxes(r"\boxed{1} or $\boxed 2$.")]
    ['1', '2']
    """
    text = text[-MAX_READ:]
    found: list[tuple[int, int, slice]] = []
    opened: list[tuple[int, int] | None] = []
    for match in _BRACES.finditer(text):
        token = match.group()
        if token == "}":
            if opened and (start := opened.pop()):
                while found and found[-1][0] > start[0]:
                    found.pop()
                found.append((start[0], match.end(), slice(start[1], match.start())))
        elif token == "{":
            opened.append(None)
        elif match[1]:
            found.append((*match.span(), slice(match.start(1), match.start(1) + len(match[1].rstrip(".,;:")))))
        elif len(token) > 2:
            opened.append(match.span())
    return [Box(start=start, end=end, text=text[inside]) for start, end, inside in found]


def plain_form(text: str) -> str:
    r"""For exact match: a plain number's form, else lower case, single spaces, no full stop at the end, no `\text{}`.

    >>> plain_form("  The  Cat. "), plain_form("$1,000"), plain_form("007")
    ('the cat', '1000', '7')
    """
    spaced = " ".join(with_commas(_TEXT.sub(r"\1", text)).casefold().split())
    short = spaced.rstrip(". ") or spaced
    return number_form(short.removeprefix("\\").removeprefix("$")) or short


def tidy(answer: str) -> str:
    """`answer` without what only surrounds it: white space, a code fence, `**`, backticks, `$`, a number's full stop.

    >>> tidy(" **12.** "), tidy("`a  b`"), tidy("see e.g.")
    ('12', 'a  b', 'see e.g.')
    """
    fenced = _FENCE.fullmatch(answer.strip())
    text = "\n".join(line.rstrip() for line in (fenced.group(1) if fenced else answer).splitlines()).strip()
    for before, after in _WRAPPERS:
        inside = text[len(before) : -len(after)]
        if text == f"{before}{inside}{after}" and inside and after not in inside:
            text = inside.strip()
    short = text.removesuffix("**").removesuffix(".").removesuffix("**")
    return short if number_form(short) else text


def _bounded(answer: str | None) -> str | None:
    if answer is None or len(answer) > MAX_ANSWER:
        return None
    return tidy(answer) or None
