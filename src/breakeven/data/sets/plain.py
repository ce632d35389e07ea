"""Files in breakeven's own layout: `prompt`, `reference` (a text, or several of which any will do), maybe `id`."""

import json
from dataclasses import dataclass
from functools import cached_property

from breakeven.data.answers.find import ANSWER_RULES, AnswerRule, extracted, plain_form
from breakeven.data.sets.rows import Row, distinct, fill, read_rows
from breakeven.errors import argument_error
from breakeven.records import Problem


@dataclass(frozen=True, kw_only=True)
class PlainFile:
    """Any problems with short answers: right if equal to a reference after `breakeven.data.answers.find.plain_form`.

    Args:
        path: the file.
        template: of the prompt, with `{prompt}` and `{instruction}`.
        instruction: on the answer's form; "" for none, the default, since prompts are expected to be complete.
        answer: how the answer is found in a completion, see `breakeven.data.answers.find.extracted`.
        max_tokens: limit of a completion.
        stop: strings before which a completion ends.
    """

    path: str
    template: str = "{prompt}\n\n{instruction}"
    instruction: str = ""
    answer: AnswerRule = "final"
    max_tokens: int = 512
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.answer not in ANSWER_RULES:
            raise argument_error("answer", f"be one of {', '.join(ANSWER_RULES)}", self.answer)

    @property
    def name(self) -> str:
        """`jsonl:FILE`."""
        return f"jsonl:{self.path}" + ("" if self.answer == "final" else f"(answer={self.answer!r})")

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in the order of the file; `reference` is the list of right answers as JSON.

        Raises:
            ArgumentError: the file breaks a rule of its layout; the message says where.
        """
        rows = read_rows(self.path)
        made: list[Problem] = []
        for row in rows:
            prompt = fill(self.template, {"prompt": row.text("prompt")}, self.instruction)
            reference = json.dumps(_references(row), ensure_ascii=False)
            made.append(Problem(id=row.id("id", "row"), prompt=prompt, reference=reference))
        return distinct(rows, made)

    def extract(self, completion: str) -> str | None:
        """The answer by the task's rule."""
        return extracted(completion, self.answer)

    def canonical(self, answer: str) -> str:
        """The answer's plain form."""
        return plain_form(answer)

    def equivalent(self, answer: str, other: str) -> bool:
        """True for equal forms."""
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        """True if the answer is one of the references."""
        answer = self.extract(completion)
        if answer is None or problem.reference is None:
            return False
        return plain_form(answer) in map(plain_form, json.loads(problem.reference))

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
