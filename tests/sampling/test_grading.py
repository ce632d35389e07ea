"""Rows of verdicts: each text checked once, in threads or not, failures kept apart from wrong answers."""

import threading
from typing import Any

import numpy as np
import pytest

from breakeven.errors import ArgumentError, CheckFailedError
from breakeven.records import Problem
from breakeven.sampling.grading import grade

PROBLEMS = tuple(Problem(id=each, prompt=each, reference=each) for each in "abc")
TEXTS = [["a", "x", "a", "fail"], [], ["c", "c", "a", "fail"]]


class Checker:
    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.threads: set[int] = set()

    def check(self, problem: Problem, completion: str) -> bool:
        self.asked.append((problem.id, completion))
        self.threads.add(threading.get_ident())
        if completion == "fail":
            raise CheckFailedError("late")
        return completion == problem.reference


@pytest.mark.parametrize("workers", [1, 3])
def test_rows_are_in_order_and_equal_texts_are_checked_once(workers: int) -> None:
    checker = Checker()
    assert grade(checker, PROBLEMS, TEXTS, workers=workers) == ["101?", "", "110?"]
    assert sorted(checker.asked) == sorted(
        [("a", "a"), ("a", "x"), ("a", "fail"), ("c", "c"), ("c", "a"), ("c", "fail")]
    )
    if workers == 1:
        assert checker.threads == {threading.get_ident()}


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_is_told_in_the_callers_thread(workers: int) -> None:
    told: list[tuple[int, int, int]] = []
    grade(Checker(), PROBLEMS, TEXTS, workers=workers, progress=lambda *at: told.append((*at, threading.get_ident())))
    assert told == [(done, 6, threading.get_ident()) for done in range(1, 7)]


@pytest.mark.parametrize("workers", [1, 2])
def test_another_exception_is_not_hidden(workers: int) -> None:
    class Broken:
        def check(self, problem: Problem, completion: str) -> bool:
            raise KeyError(completion)

    with pytest.raises(KeyError):
        grade(Broken(), PROBLEMS, TEXTS, workers=workers)


def test_nothing_to_grade() -> None:
    assert grade(Checker(), [], []) == []
    assert grade(Checker(), PROBLEMS[:1], [[]], workers=2) == [""]


def test_what_cannot_be_graded_is_refused() -> None:
    with pytest.raises(ArgumentError, match="workers must be at least 1; got 0"):
        grade(Checker(), PROBLEMS, TEXTS, workers=0)
    with pytest.raises(ArgumentError, match="texts_PN must have a row for each of the 3 problems; got 2"):
        grade(Checker(), PROBLEMS, TEXTS[:2])


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (-1.0, "-1.0. It is of type float."),
        (0.7, "0.7. It is of type float."),
        ("wrong", "'wrong'. It is of type str."),
        (1, "1. It is of type int."),
        (None, "None. It is of type NoneType."),
        (np.float64(1.0), "np.float64(1.0). It is of type float64."),
    ],
)
@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_no_verdict_is_refused(verdict: object, said: str, workers: int) -> None:
    class Rewarding:
        def check(self, problem: Problem, completion: str) -> Any:
            return verdict if completion == "x" else True

    with pytest.raises(ArgumentError) as error:
        grade(Rewarding(), PROBLEMS, TEXTS, workers=workers)
    assert str(error.value) == (
        f"verifier.check(...) on problem 'a' must return True or False; got {said} "
        "Turn a reward into a verdict, as in `return reward > 0.5`."
    )


def test_the_booleans_of_numpy_are_verdicts() -> None:
    class Comparing:
        def check(self, problem: Problem, completion: str) -> Any:
            return np.float64(completion == problem.reference) > 0.5

    assert grade(Comparing(), PROBLEMS[:1], [["a", "x"]]) == ["10"]
