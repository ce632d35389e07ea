"""What a course carries from checkpoint to checkpoint."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Action, Decision, Forecast, LearningPoint, QueryFlops, Reason, RunSpec
from breakeven.stopping.course import Course
from breakeven.stopping.decide import default_policy
from breakeven.stopping.forecast import forecast_accuracy

POINT = LearningPoint(
    step=1,
    train_flops=1.0,
    evaluation_flops=None,
    query_flops=None,
    output_tokens=None,
    num_problems=3,
    num_drawn=0,
    greedy_accuracy=0.5,
    sampled_accuracy=None,
    disagreement=0.1,
    right_P=(1, 0, 2),
    answers_P=(1, 1, 5),
)
DECISION = Decision(action=Action.CONTINUE, reason=Reason.UNSURE, step=1, used=0.1, policy="calibrated")


def after(*points: LearningPoint) -> tuple[tuple[int, ...], tuple[int, ...]]:
    course = Course(spec=RunSpec(budget_flops=10.0), policy=default_policy())
    for point in points:
        course = course.then(point, DECISION)
    assert course.points == tuple(replace(each, right_P=(), answers_P=()) for each in points), "they are in the sums"
    return tuple(np.array(course.right_P).tolist()), tuple(np.array(course.answers_P).tolist())


def test_answers_of_all_checkpoints_are_added_up() -> None:
    assert after() == ((), ())
    assert after(POINT, POINT) == ((2, 0, 4), (2, 2, 10))


def test_answers_to_other_problems_are_not_mixed() -> None:
    unknown, others = replace(POINT, right_P=(), answers_P=()), replace(POINT, right_P=(1, 1), answers_P=(1, 2))
    assert after(POINT, unknown) == ((), ())
    assert after(POINT, others) == ((1, 1), (1, 2))
    assert after(unknown, POINT) == (POINT.right_P, POINT.answers_P)


def test_each_problem_has_both_counts() -> None:
    with pytest.raises(
        ArgumentError, match=r"^right_P must hold one count for each of the 3 of answers_P; got 2. Leave"
    ):
        replace(POINT, right_P=(1, 0))


def test_one_projection_serves_whatever_else_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[int]()

    def counted(*curve: Any, **settings: Any) -> Forecast:
        made.append(len(curve[0]))
        return forecast_accuracy(*curve, **settings)

    monkeypatch.setattr("breakeven.stopping.course.forecast_accuracy", counted)
    for step, accuracy in enumerate((0.31, 0.42, 0.47, 0.49), 1):
        point = replace(POINT, step=step, train_flops=float(step), num_problems=400, greedy_accuracy=accuracy)
        for queries, evaluation_flops in ((None, 1.0), (1e6, 1.0), (None, 9.0)):
            before = replace(POINT, train_flops=0.5, evaluation_flops=evaluation_flops)
            spec = RunSpec(budget_flops=10.0, queries=queries)
            Course(spec=spec, policy=default_policy(), points=(before,)).see(point, ())
    assert made == [2] * 4, "lengths of the curves that were projected"


def test_a_decision_is_priced_to_the_last_digit_as_its_sums_written_out() -> None:
    random = np.random.default_rng(0)
    for _ in range(1000):
        train, budget = sorted(random.lognormal(25.0, 3.0, 2).tolist())
        evaluation, query, prefill, decode, queries = random.lognormal(20.0, 3.0, 5).tolist()
        spec = RunSpec(budget_flops=budget, queries=queries)
        cost = QueryFlops(prefill_flops=prefill, decode_flops=decode)
        point = replace(POINT, train_flops=train, evaluation_flops=evaluation, query_flops=cost)
        course = Course(spec=spec, policy=default_policy())
        priced = course.priced(replace(DECISION, confidence=0.95), course.see(point, ()), query)
        saved, more = budget - train - evaluation, query - (prefill + decode)
        queries_until = 0.0 if saved <= 0 else None if more <= 0 else saved / more
        assert priced.break_even_queries == queries_until
        assert priced.lifetime_flops == train + evaluation + queries * query
        assert priced.full_lifetime_flops == budget + queries * (prefill + decode)
