"""Files in the layout of GSM8K: `question`, and `answer` ending in `#### ` and a number. `id` is optional."""

from dataclasses import dataclass
from functools import cached_property

from breakeven.data.answers.find import boxed, first_number, gsm8k_answer, last_number, number_form
from breakeven.data.sets.rows import distinct, fill, read_rows
from breakeven.records import Problem


@dataclass(frozen=True, kw_only=True)
class Gsm8kFile:
    r"""Grade-school word problems with a number for an answer.

    An answer is the number after the last `####`; without one, the first number in the last `\boxed{}`; without that,
    the last number. Commas, a dollar sign and a percent sign are no part of it; 18, 18.0 and 18.00 are equal.

    Args:
        path: the file.
        template: of the prompt, with `{question}` and `{instruction}`.
        instruction: on the answer's form; "" for none.
        max_tokens: limit of a completion.
        stop: strings before which a completion ends.
    """

    path: str
    template: str = "{question}\n\n{instruction}"
    instruction: str = "Think step by step. End with a line of #### and the answer, a number alone: #### 42"
    max_tokens: int = 512
    stop: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`gsm8k:FILE`."""
        return f"gsm8k:{self.path}"

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The problems in the order of the file, read when first asked for.

        Raises:
            ArgumentError: the file breaks a rule of its layout; the message says where.
        """
        rows = read_rows(self.path)
        made: list[Problem] = []
        for row in rows:
            gold = gsm8k_answer(row.text("answer"))
            if gold is None:
                raise row.refuse("answer", "end in #### and a number", "Write the number after ####.")
            prompt = fill(self.template, {"question": row.text("question")}, self.instruction)
            made.append(Problem(id=row.id("id", "gsm8k"), prompt=prompt, reference=self.canonical(gold)))
        return distinct(rows, made)

    def extract(self, completion: str) -> str | None:
        """The number as written."""
        if (marked := gsm8k_answer(completion)) is not None:
            return marked
        box = boxed(completion)
        return last_number(completion) if box is None else first_number(box)

    def canonical(self, answer: str) -> str:
        """The number's one form."""
        return number_form(answer) or answer

    def equivalent(self, answer: str, other: str) -> bool:
        """True for equal forms."""
        return answer == other

    def check(self, problem: Problem, completion: str) -> bool:
        """True if the number is the reference's."""
        answer = self.extract(completion)
        return answer is not None and self.canonical(answer) == problem.reference
