"""Which answers of one problem are the same, told from the answers alone."""

from collections.abc import Sequence
from dataclasses import dataclass

from breakeven.data.task import TextTask
from breakeven.errors import CheckFailedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Which of N answers agree."""

    labels: tuple[int, ...]
    """One an answer: equal numbers from 0 up, by first appearance, for equal answers; -1 for no answer."""
    num_failed: int
    """Comparisons that crashed or were late: their answers are taken as different."""


def label_answers(answers: Sequence[str | None], task: TextTask) -> Labels:
    """Equal labels for equal answers of one problem. No reference is asked for or seen.

    Answers of one canonical form are one group. Groups are merged, in the order of their forms, with the first earlier
    group whose first form means the same both ways: equivalence need be neither symmetric nor transitive (math-verify:
    0.5 = 50 %, 50 % = 50, but 0.5 is not 50), so that only a fixed order makes it one partition for any order of
    samples. Takes as many comparisons as there are pairs of different answers, at most.

    Args:
        answers: extracted, canonical or not; None is no answer.
        task: gives canonical form and equivalence.
    """
    forms = [None if answer is None else task.canonical(answer) for answer in answers]
    leaders: list[str] = []
    leader_of: dict[str, str] = {}
    num_failed = 0
    for form in sorted({form for form in forms if form is not None}):
        for leader in leaders:
            try:
                same = task.equivalent(leader, form) and task.equivalent(form, leader)
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
