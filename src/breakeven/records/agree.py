"""Which answers of one problem agree, told from the answers alone: one rule for runs, evaluations and searches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from breakeven.errors import CheckFailedError, argument_error
from breakeven.records.protocols import Answers
from breakeven.records.samples import NO_ANSWER, answer_label


@dataclass(frozen=True, slots=True)
class SameText:
    """`Answers` of a function from a completion to its final answer, or None: they agree if they are the same text."""

    function: Callable[[str], str | None]

    def extract(self, completion: str) -> str | None:
        """What the function gives."""
        return self.function(completion)

    def canonical(self, answer: str) -> str:
        """The answer itself."""
        return answer

    def equivalent(self, answer: str, other: str) -> bool:
        """True if they are the same text."""
        return answer == other


def answers_from(given: Answers | Callable[[str], str | None] | None) -> Answers | None:
    """What a user gave to compare answers by: `Answers`, a function as `SameText` takes it, or None for no votes."""
    if given is None or isinstance(given, Answers):
        return given
    other: object = given
    if not callable(other):
        rule = "have extract, canonical and equivalent, or be a function from a completion to its final answer"
        raise argument_error("answers", rule, given)
    return SameText(given)


def canonical_answer(answers: Answers, completion: str) -> str | None:
    """The answer that a completion gives, in canonical form."""
    answer = answers.extract(completion)
    return None if answer is None else answers.canonical(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Which of N answers agree."""

    labels: tuple[int, ...]
    """One an answer: equal numbers from 0 up, by first appearance, for equal answers; -1 for no answer."""
    num_failed: int
    """Comparisons that crashed or were late: their answers are taken as different."""

    @property
    def row(self) -> str:
        """As a row of `SampleBank.answer_PN`."""
        return "".join(NO_ANSWER if label < 0 else answer_label(label) for label in self.labels)


def label_answers(given: Sequence[str | None], answers: Answers) -> Labels:
    """Equal labels for equal answers of one problem. No reference is asked for or seen.

    Answers of one canonical form are one group. Groups are merged, in the order of their forms, with the first earlier
    group whose first form means the same both ways: equivalence need be neither symmetric nor transitive (math-verify:
    0.5 = 50 %, 50 % = 50, but 0.5 is not 50), so that only a fixed order makes it one partition for any order of
    samples. Takes as many comparisons as there are pairs of different answers, at most.

    Args:
        given: extracted, canonical or not; None is no answer.
        answers: gives canonical form and equivalence.
    """
    forms = [None if answer is None else answers.canonical(answer) for answer in given]
    leaders: list[str] = []
    leader_of: dict[str, str] = {}
    num_failed = 0
    for form in sorted({form for form in forms if form is not None}):
        for leader in leaders:
            try:
                same = answers.equivalent(leader, form) and answers.equivalent(form, leader)
            except CheckFailedError:
                num_failed += 1
                continue
            if same:
                leader_of[form] = leader
                break
        else:
            leaders.append(form)
            leader_of[form] = form
    number: dict[str, int] = {}
    labels = tuple(-1 if form is None else number.setdefault(leader_of[form], len(number)) for form in forms)
    return Labels(labels=labels, num_failed=num_failed)


def agreeing(given: Sequence[str | None], answers: Answers) -> list[str | None]:
    """Equal strings where the answers of one problem agree, for rules that compare strings; None is no answer.

    That of a group is the first of its canonical forms, whatever the order of the samples.

    >>> agreeing(["7", None, "7", "8"], SameText(str))
    ['7', None, '7', '8']
    """
    forms = [None if answer is None else answers.canonical(answer) for answer in given]
    labels = label_answers(given, answers).labels
    first: dict[int, str] = {}
    for label, form in zip(labels, forms, strict=True):
        if form is not None:
            first[label] = min(first.get(label, form), form)
    return [first.get(label) for label in labels]
