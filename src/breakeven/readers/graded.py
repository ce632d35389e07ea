"""Mathematical answers in the solutions of others, and which of them are right: as text, then by math-verify."""

from collections.abc import Sequence
from pathlib import Path

from breakeven.data.answers.find import tidy
from breakeven.data.answers.math import MathVerifier, math_form, readable
from breakeven.data.answers.math_find import math_answer
from breakeven.data.answers.numbers import number_value
from breakeven.errors import CheckFailedError, LogError, MissingExtraError


class Grader:
    """Finds answers and grades them, and counts what text alone cannot tell. Close it."""

    def __init__(self) -> None:
        self._verifier: MathVerifier | None = None
        self._left_as_text = self._equated = self._failed = 0

    def __enter__(self) -> "Grader":
        try:
            self._verifier = MathVerifier()
        except MissingExtraError:
            self._verifier = None
        return self

    def __exit__(self, *_: object) -> None:
        if self._verifier is not None:
            self._verifier.close()

    def extract(self, solution: str) -> str | None:
        """The answer of a solution in canonical form, by which solutions are voted on; None where it has none."""
        found = math_answer(solution)
        return None if found is None or not readable(found) else math_form(tidy(found)) or None

    def right(self, gold: str, answers: Sequence[str | None], where: Path) -> list[bool]:
        """Whether each answer is right.

        Args:
            gold: the reference answer, or a solution that ends in it.
            answers: in canonical form.
            where: the gold answer stands, for messages.

        Raises:
            LogError: the gold answer is none.
        """
        form = self.extract(gold) if "boxed" in gold else math_form(tidy(gold))
        if not form:
            raise LogError(f"{where}, gt_answer, must be an answer, or end in a boxed one; got {gold[-80:]!r}.")
        known = {each: each is not None and self._is_right(form, each, answers.count(each)) for each in {*answers}}
        return [known[each] for each in answers]

    def _is_right(self, gold: str, answer: str, count: int) -> bool:
        if gold == answer:
            return True
        numbers = number_value(gold), number_value(answer)
        if None not in numbers or max(len(gold), len(answer)) == 1:
            return None not in numbers and numbers[0] == numbers[1]
        if self._verifier is None:
            self._left_as_text += count
            return False
        try:
            same = self._verifier.verify(gold, answer)
        except CheckFailedError:
            self._failed += count
            return False
        self._equated += same * count
        return same

    @property
    def notes(self) -> list[str]:
        """What text alone could not tell."""
        notes = []
        if self._left_as_text:
            notes.append(
                f"{self._left_as_text:,} answers differ from the gold answer as text, and count as wrong: math-verify, "
                "which could equate them, is not installed (pip install 'breakeven[tasks]')."
            )
        if self._equated:
            notes.append(
                f"{self._equated:,} answers are right by math-verify alone; in a vote each way of writing stands apart."
            )
        if self._failed:
            notes.append(f"{self._failed:,} answers could not be checked by math-verify, and count as wrong.")
        return notes
