"""When another piece of samples is drawn: only where it could decide, up the ladder, within the share.

Where the curve can be projected the policy is given a projection: that it stays where it is.
"""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.records import FitStatus, KCurve, LearningPoint, Made, QueryFlops, RunSpec
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Course
from breakeven.stopping.spending import LADDER

PROPERTY = settings(derandomize=True, max_examples=80, deadline=None)
PLAN = RunSpec(budget_flops=1e7, decay_share=0.0)
POLICY = CalibratedPolicy()
QUERY = QueryFlops(prefill_flops=1.0, decode_flops=10.0)


def plateau(length: int = 5, greedy: float = 0.5, **changed: Any) -> list[LearningPoint]:
    """400 problems; each evaluation cost 400 greedy samples."""
    return [
        replace(
            LearningPoint(
                step=number,
                train_flops=1e6 * number,
                evaluation_flops=4400.0,
                query_flops=QUERY,
                output_tokens=8.0,
                num_problems=400,
                num_drawn=0,
                greedy_accuracy=greedy,
                sampled_accuracy=None,
                disagreement=0.1,
            ),
            **changed,
        )
        for number in range(1, length + 1)
    ]


def curve(accuracy: float, half: float = 0.0, strategy: str = "pass@k") -> KCurve:
    return KCurve(
        strategy=strategy,
        deployable=True,
        k_values=(1,),
        accuracy_K=(accuracy,),
        lo_K=(max(0.0, accuracy - half),),
        hi_K=(min(1.0, accuracy + half),),
        made_K=(Made.MEASURED,),
        status=FitStatus.FITTED,
        method="calibrated",
        expected_samples_K=(1.0,),
        paired_error_K=(0.0,),
    )


GREEDY = curve(0.5, strategy="greedy")
CERTAIN = curve(0.9)
HOPELESS = curve(0.2)
COULD = curve(0.65, half=0.3)  # sure if it were known exactly


def wanted(
    *curves: KCurve,
    drawn: tuple[int, int] = (0, 0),
    num_samples: int = 16,
    history: list[LearningPoint] | None = None,
    policy: CalibratedPolicy = POLICY,
    spec: RunSpec = PLAN,
) -> tuple[int, int] | None:
    history = plateau() if history is None else history
    course = Course(
        spec=spec,
        policy=policy,
        num_problems=history[-1].num_problems,
        num_samples=num_samples,
        points=tuple(history[:-1]),
    )
    seen = course.see(history[-1], curves)
    if seen.forecast.status is FitStatus.FITTED:
        level = history[-1].greedy_accuracy or 0.0
        seen = replace(seen, forecast=replace(seen.forecast, mean=level, lo=level, hi=level, cdf=()))
    return policy.wants(course, seen, drawn)


def test_the_ladder_is_climbed_in_order_while_more_could_decide() -> None:
    drawn, climbed = (0, 0), []
    while (following := wanted(GREEDY, COULD, drawn=drawn)) is not None:
        drawn = following
        climbed.append(drawn)
    assert climbed == [(round(share * 400), count) for share, count in LADDER]


def test_the_first_piece_is_drawn_though_one_greedy_sample_says_nothing() -> None:
    assert wanted(GREEDY) == (100, 4)
    assert wanted(HOPELESS) == (100, 4)


@pytest.mark.parametrize("drawn", [(0, 0), (100, 4), (400, 4)])
def test_nothing_is_drawn_where_something_suffices(drawn: tuple[int, int]) -> None:
    assert wanted(GREEDY, CERTAIN, drawn=drawn) is None


@pytest.mark.parametrize("drawn", [(100, 4), (400, 4), (400, 8)])
def test_nothing_is_drawn_where_nothing_could_suffice(drawn: tuple[int, int]) -> None:
    assert wanted(GREEDY, HOPELESS, drawn=drawn) is None
    assert wanted(GREEDY, curve(0.5, half=0.3), drawn=drawn) is None, "as likely as not, known exactly or not"


@pytest.mark.parametrize(
    ("history", "policy"),
    [
        (plateau(3), POLICY),  # too few checkpoints to project
        (plateau(5, greedy=0.0), POLICY),
        (plateau(10), POLICY),  # the budget is spent
        (plateau(), replace(POLICY, min_used=0.51)),  # less of it is used than the policy asks for
    ],
)
def test_nothing_is_drawn_where_samples_cannot_decide(history: list[LearningPoint], policy: CalibratedPolicy) -> None:
    assert wanted(GREEDY, COULD, history=history, policy=policy) is None


def test_what_no_limit_allows_is_not_sampled_for() -> None:
    assert wanted(GREEDY, COULD, drawn=(100, 4), spec=replace(PLAN, max_query_flops=1.0)) is None


def test_no_problem_gets_more_samples_than_the_session_allows() -> None:
    assert wanted(GREEDY, COULD, num_samples=2) == (100, 2)
    assert wanted(GREEDY, COULD, num_samples=2, drawn=(100, 2)) == (400, 2)
    assert wanted(GREEDY, COULD, num_samples=2, drawn=(400, 2)) is None
    assert wanted(GREEDY, COULD, num_samples=6, drawn=(400, 4)) == (400, 6)


def test_problems_are_rounded_and_all_are_drawn_at_the_second_rung() -> None:
    few = plateau(num_problems=30)
    assert wanted(GREEDY, COULD, history=few) == (8, 4)
    assert wanted(GREEDY, curve(0.99, half=0.9), history=few, drawn=(8, 4)) == (30, 4)


def test_the_share_of_training_is_never_passed() -> None:
    """The first piece costs 100 prompts and 400 samples, 4100 FLOPs, after 5 greedy evaluations of 4400."""
    spent = 5 * 4400 + 4100
    for excess, expected in ((1e-6, (100, 4)), (-1e-6, None)):
        policy = replace(POLICY, max_evaluation_share=(spent + excess) / 5e6)
        assert wanted(GREEDY, COULD, policy=policy) == expected


@PROPERTY
@given(
    st.sampled_from([(0, 0), (100, 4), (400, 4), (400, 8)]),
    st.floats(1e-4, 0.1),
    st.floats(0.0, 1e5),
    st.integers(1, 20),
    st.floats(0.3, 0.9),
    st.floats(0.0, 0.3),
)
def test_a_piece_always_fits_into_the_share(
    drawn: tuple[int, int], share: float, evaluation: float, num_samples: int, accuracy: float, half: float
) -> None:
    history = plateau(evaluation_flops=evaluation)
    policy = replace(POLICY, max_evaluation_share=share)
    piece = wanted(GREEDY, curve(accuracy, half), drawn=drawn, num_samples=num_samples, history=history, policy=policy)
    course = Course(spec=PLAN, policy=policy, points=tuple(history[:-1]))
    assert course.see(history[-1], ()).forecast.status is FitStatus.FITTED
    if piece is not None:
        assert piece[0] * piece[1] > drawn[0] * drawn[1]
        assert piece[1] <= num_samples
        further = piece[0] * 1.0 + (piece[0] * piece[1] - drawn[0] * drawn[1]) * 10.0
        assert 5 * evaluation + further <= share * 5e6 * (1 + 1e-9)
