"""Files in breakeven's own layout: `prompt`, `reference` (a text, or several of which any will do), maybe `id`."""

import json
from dataclasses import dataclass
from typing import ClassVar

from breakeven import check
from breakeven.data.answers.find import ANSWER_RULES, AnswerRule, extracted, plain_form
from breakeven.data.sets.file_task import FileTask, Layout
from breakeven.data.sets.rows import Row
from breakeven.records import Problem


@dataclass(frozen=True, kw_only=True)
class PlainFile(FileTask):
    """Any problems with short answers: right if equal to a reference after `breakeven.data.answers.find.plain_form`.

    Args:
        instruction: none by default, since prompts are expected to be complete.
        answer: how the answer is found in a completion, see `breakeven.data.answers.find.extracted`.
    """

    _layout: ClassVar = Layout(kind="jsonl", asks=("prompt",), row="row")
    template: str = "{prompt}\n\n{instruction}"
    instruction: str = ""
    answer: AnswerRule = "final"
    max_tokens: int = 512

    def __post_init__(self) -> None:
        check.one_of("answer", self.answer, ANSWER_RULES)

    @property
    def name(self) -> str:
        """`jsonl:FILE`, with a rule for answers that is not the default."""
        return super().name + ("" if self.answer == "final" else f"(answer={self.answer!r})")

    def _reference(self, row: Row) -> str:
        """The right answers, as JSON."""
        return json.dumps(_references(row), ensure_ascii=False)

    def extract(self, completion: str) -> str | None:
        """The answer by the task's rule."""
        return extracted(completion, self.answer)

    def canonical(self, answer: str) -> str:
        """The answer's plain form."""
        return plain_form(answer)

    def _right(self, answer: str, reference: str) -> bool:
        return plain_form(answer) in map(plain_form, json.loads(reference))

    def solution(self, problem: Problem) -> str:
        """The first of the right answers."""
        first: str = json.loads(problem.reference or '[""]')[0]
        return first


def _references(row: Row) -> list[str]:
    value = row.fields.get("reference")
    if not isinstance(value, list):
        return [row.text("reference")]
    if not value or not all(isinstance(each, str) and each.strip() for each in value):
        raise row.refuse("reference", "be text, or a list of one text or more", "Put numbers in quotes, too.")
    return list(value)
