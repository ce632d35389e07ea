"""A task held against itself: its own answers must pass, others fail, and its forms and comparisons must be sound."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

from breakeven import check
from breakeven.data.task import Solved, TextTask
from breakeven.errors import CheckFailedError
from breakeven.records import Problem

T = TypeVar("T")
NO_ANSWERS: Final = ("", "I do not know.")
"""Completions that are right for no problem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule, and what of a task broke it."""

    rule: str
    num_tried: int
    failed: tuple[str, ...]
    """What broke it, one text each: the problem, and how."""
    unknown: tuple[str, ...]
    """What could not be told, since a check crashed or was late: neither kept nor broken."""

    @property
    def kept(self) -> bool:
        """Whether nothing broke it, and all of it could be told."""
        return not self.failed and not self.unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gold:
    problem: Problem
    completion: str
    """A right one."""
    form: str | None
    """The canonical form of its answer; None: it has none."""


def validate(task: TextTask, *, workers: int = 1) -> tuple[Finding, ...]:
    """What holds of every task, tried on all problems that have a gold answer or a solution.

    A completion with the gold answer is right; one without an answer, or with that of another problem,
    is wrong. A canonical form is one of itself. An answer is equivalent to itself, and two are both ways or not at all.

    Args:
        task: its `problems` are tried.
        workers: checks at once; `task` must bear calls from several threads where it is above 1.
    """
    check.at_least("--workers", workers, 1)
    golds = [gold for each in task.problems if (gold := _gold(task, each)) is not None]
    others = [(gold, other) for at, gold in enumerate(golds) if (other := _other(golds, at)) is not None]
    pairs = [(gold.form, other.form) for gold, other in others if gold.form and other.form]
    forms = sorted({each.form for each in golds if each.form is not None})

    def right(gold: _Gold) -> str:
        if task.check(gold.problem, gold.completion):
            return ""
        return f"{gold.problem.id}: {_short(gold.completion)} is taken for wrong"

    def nothing(problem: Problem) -> str:
        passed = [text for text in NO_ANSWERS if task.check(problem, text)]
        return f"{problem.id}: {_short(passed[0])} is taken for right" if passed else ""

    def wrong(pair: tuple[_Gold, _Gold]) -> str:
        gold, other = pair
        if gold.form is not None and other.form is not None and task.equivalent(gold.form, other.form):
            return ""
        if not task.check(gold.problem, other.completion):
            return ""
        return f"{gold.problem.id}: {_short(other.completion)}, of {other.problem.id}, is taken for right"

    def itself(form: str) -> str:
        again = task.canonical(form)
        return "" if again == form else f"{_short(form)} becomes {_short(again)}"

    def same(form: str) -> str:
        return "" if task.equivalent(form, form) else f"{_short(form)} is not equivalent to itself"

    def symmetric(pair: tuple[str, str]) -> str:
        one, other = pair
        there, back = task.equivalent(one, other), task.equivalent(other, one)
        return "" if there == back else f"{_short(one)} and {_short(other)} are equivalent one way only"

    return (
        _tried("the gold answer is right", right, golds, workers),
        _tried("no answer is wrong", nothing, task.problems, workers),
        _tried("another problem's answer is wrong", wrong, others, workers),
        _tried("a canonical form is its own", itself, forms, workers),
        _tried("an answer is equivalent to itself", same, forms, workers),
        _tried("equivalence is symmetric", symmetric, pairs, workers),
    )


def _tried(rule: str, broken: Callable[[T], str], cases: Sequence[T], workers: int) -> Finding:
    def outcome(case: T) -> tuple[str, str]:
        try:
            return broken(case), ""
        except CheckFailedError as error:
            return "", str(error)

    with ThreadPoolExecutor(workers) as pool:
        outcomes = list(pool.map(outcome, cases))
    failed, unknown = (tuple(each[part] for each in outcomes if each[part]) for part in (0, 1))
    return Finding(rule=rule, num_tried=len(cases), failed=failed, unknown=unknown)


def _gold(task: TextTask, problem: Problem) -> _Gold | None:
    """A right completion: the problem's own or the task's, else its reference, with a mark if the task needs one."""
    gold = problem.solution or (task.solution(problem) if isinstance(task, Solved) else problem.reference)
    if gold is None or not gold.strip():
        return None
    wanted = task.canonical(gold)
    marked = (gold, f"<answer>{gold}</answer>", f"\\boxed{{{gold}}}", f"#### {gold}")
    completion = next((each for each in marked if _form(task, each) == wanted), gold)
    return _Gold(problem=problem, completion=completion, form=_form(task, completion))


def _form(task: TextTask, completion: str) -> str | None:
    answer = task.extract(completion)
    return None if answer is None else task.canonical(answer)


def _other(golds: Sequence[_Gold], at: int) -> _Gold | None:
    """The next problem's gold answer that has another form; None where all have the same."""
    following = (golds[(at + step) % len(golds)] for step in range(1, len(golds)))
    return next((each for each in following if each.form != golds[at].form), None)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}...")
