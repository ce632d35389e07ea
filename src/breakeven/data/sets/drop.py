"""Files in the layout of DROP: `passage`, `question`, `answers`; `query_id` is optional.

`answers` holds the gold answers, of which one is to be met: each is text, a list of texts (an answer of several spans),
or the object of the original data, `{"number": "", "date": {"day": "", ...}, "spans": []}`.
"""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from breakeven.data.answers.drop import exact_match, f1, normal_span
from breakeven.data.answers.find import final_answer
from breakeven.data.sets.file_task import FileTask, Layout
from breakeven.data.sets.rows import Row
from breakeven.records import Problem


@dataclass(frozen=True, kw_only=True)
class DropFile(FileTask):
    """Questions on a passage; answers are numbers, dates, or one or more spans of text.

    An answer is found as most prompts ask for it (`data.answers.find.final_answer`); a semicolon parts several spans.
    `check` is DROP's exact match with any of the gold answers; `f1` is its other measure.
    """

    _layout: ClassVar = Layout(kind="drop", asks=("passage", "question"), id="query_id")
    template: str = "Passage: {passage}\n\nQuestion: {question}\n\n{instruction}"
    instruction: str = (
        "End with a line of Answer: and the answer alone, a number, a date, or words of the passage. "
        "Put a semicolon between several."
    )
    max_tokens: int = 256

    def _reference(self, row: Row) -> str:
        """The gold answers, each of spans, as JSON."""
        return json.dumps(_golds(row), ensure_ascii=False)

    def extract(self, completion: str) -> str | None:
        """The answer as written."""
        return final_answer(completion)

    def canonical(self, answer: str) -> str:
        """Its spans in DROP's normal form, sorted."""
        return "; ".join(sorted(map(normal_span, _spans(answer))))

    def _right(self, answer: str, reference: str) -> bool:
        """Whether its spans are those of a gold answer, all of them and no more."""
        return any(exact_match(_spans(answer), gold) for gold in json.loads(reference))

    def f1(self, problem: Problem, completion: str) -> float:
        """DROP's F1 in 0..1: the best over the gold answers; 0 without an answer."""
        answer = self.extract(completion)
        return 0.0 if answer is None else max((f1(_spans(answer), gold) for gold in _read(problem)), default=0.0)

    def solution(self, problem: Problem) -> str:
        """The spans of the first gold answer."""
        return "; ".join(_read(problem)[0])


def _spans(answer: str) -> list[str]:
    return [part for part in map(str.strip, answer.split(";")) if part]


def _read(problem: Problem) -> list[list[str]]:
    golds: list[list[str]] = json.loads(problem.reference or "[]")
    return golds


def _golds(row: Row) -> list[list[str]]:
    rule = "be a list of answers, each text, a list of texts, or an object with number, date and spans"
    answers = row.fields.get("answers")
    if not isinstance(answers, list):
        raise row.refuse("answers", rule)
    golds = [_gold(each) for each in answers]
    if None in golds:
        raise row.refuse("answers", rule)
    full = [gold for gold in golds if gold]
    if not full:
        raise row.refuse("answers", "hold at least one answer that is not empty", "Leave out the row without answers.")
    return full


def _gold(answer: Any) -> list[str] | None:
    """The spans of one gold answer, none where it is empty; None where it has another type."""
    if isinstance(answer, str):
        return [answer] if answer.strip() else []
    if isinstance(answer, list):
        return [each for each in answer if each.strip()] if all(isinstance(each, str) for each in answer) else None
    if not isinstance(answer, dict):
        return None
    number, date, spans = answer.get("number", ""), answer.get("date", {}), answer.get("spans", [])
    if not isinstance(number, str) or not isinstance(date, dict) or not isinstance(spans, list):
        return None
    parts = [date.get(name, "") for name in ("day", "month", "year")]
    if not all(isinstance(each, str) for each in [*parts, *spans]):
        return None
    written = " ".join(each.strip() for each in parts if each.strip())
    return [number] if number.strip() else [each for each in spans if each.strip()] or ([written] if written else [])
