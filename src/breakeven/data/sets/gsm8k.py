"""Files in the layout of GSM8K: `question`, and `answer` ending in `#### ` and a number. `id` is optional."""

from dataclasses import dataclass
from typing import ClassVar

from breakeven.data.answers.gsm8k import gsm8k_answer, number_answer
from breakeven.data.answers.numbers import number_form
from breakeven.data.sets.file_task import FileTask, Layout
from breakeven.data.sets.rows import Row


@dataclass(frozen=True, kw_only=True)
class Gsm8kFile(FileTask):
    r"""Grade-school word problems with a number for an answer.

    An answer is found by `data.answers.gsm8k.number_answer`: after the last `####` that is no heading, else in the last
    `\boxed{}`, else the last number. Thousands marks, currencies and a percent sign are no part of it; 18, 18.0 and
    18.00 are equal.
    """

    _layout: ClassVar = Layout(kind="gsm8k", asks=("question",))
    template: str = "{question}\n\n{instruction}"
    instruction: str = "Think step by step. End with a line of #### and the answer, a number alone: #### 42"
    max_tokens: int = 512

    def _reference(self, row: Row) -> str:
        gold = gsm8k_answer(row.text("answer"))
        if gold is None:
            raise row.refuse("answer", "end in #### and a number", "Write the number after ####.")
        return self.canonical(gold)

    def extract(self, completion: str) -> str | None:
        """The number as written, its thousands marked by commas."""
        return number_answer(completion, self.instruction)

    def canonical(self, answer: str) -> str:
        """The number's one form."""
        return number_form(answer) or answer

    def _right(self, answer: str, reference: str) -> bool:
        return self.canonical(answer) == reference
