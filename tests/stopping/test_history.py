"""The one-sample accuracy a plan declares, read from checkpoints that may lack one kind of sample."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.records import Action, Decision, LearningPoint, QueryFlops, Reason, RunSpec
from breakeven.stopping import history
from breakeven.stopping.course import Course
from breakeven.stopping.decide import default_policy
from breakeven.stopping.history import History, baseline_accuracy


def point(greedy: float | None, sampled: float | None) -> LearningPoint:
    return LearningPoint(
        step=7,
        train_flops=1.0,
        evaluation_flops=1.0,
        query_flops=QueryFlops(prefill_flops=1.0, decode_flops=1.0),
        output_tokens=8.0,
        num_problems=10,
        num_drawn=0,
        greedy_accuracy=greedy,
        sampled_accuracy=sampled,
        disagreement=0.0,
    )


@pytest.mark.parametrize(
    ("greedy", "sampled", "baseline", "accuracy"),
    [
        (0.3, 0.2, "greedy", 0.3),
        (0.3, 0.2, "sampled", 0.2),
        (0.3, 0.2, "best", 0.3),
        (0.1, 0.2, "best", 0.2),
        (0.1, None, "best", 0.1),
        (None, 0.2, "best", 0.2),
        (0.0, None, "greedy", 0.0),
        (None, 0.0, "sampled", 0.0),
    ],
)
def test_the_declared_baseline_is_read(
    greedy: float | None, sampled: float | None, baseline: str, accuracy: float
) -> None:
    assert baseline_accuracy(point(greedy, sampled), baseline) == accuracy


@pytest.mark.parametrize(
    ("greedy", "sampled", "baseline"), [(None, 0.2, "greedy"), (0.3, None, "sampled"), (None, None, "best")]
)
def test_a_checkpoint_without_such_a_sample_is_refused(
    greedy: float | None, sampled: float | None, baseline: str
) -> None:
    with pytest.raises(ArgumentError) as error:
        baseline_accuracy(point(greedy, sampled), baseline)
    assert str(error.value) == (
        f"baseline must be measured at every checkpoint; step 7 has none; got {baseline!r}. Choose the other one."
    )


def at(step: int, flops: float | None = 0.1) -> LearningPoint:
    return replace(point(0.3, 0.2), step=step, train_flops=float(step), evaluation_flops=flops)


def test_a_history_goes_on_without_touching_those_before() -> None:
    first = History(map(at, range(1, 40)))
    second, other = first.plus(at(40)), first.plus(at(50))
    assert first.plus(at(40)) == second != other
    assert [each.step for each in first] == list(range(1, 40))
    assert (second[-1].step, other[-1].step, len(second[:7]), second[5:7][0].step) == (40, 50, 7, 6)
    assert second[:39] == first == tuple(first)
    assert first.column("train_flops", 99.0).tolist() == [*range(1, 40), 99.0]


def test_each_checkpoint_is_looked_at_once(monkeypatch) -> None:
    """However long the run: what is summed of it is not summed again."""
    seen = list[int]()
    once = history._Held.append

    def counted(held: history._Held, each: LearningPoint) -> None:
        seen.append(each.step)
        once(held, each)

    monkeypatch.setattr(history._Held, "append", counted)
    course = Course(spec=RunSpec(budget_flops=100.0), policy=default_policy())
    decision = Decision(action=Action.CONTINUE, reason=Reason.UNSURE, step=1, used=0.1, policy="calibrated")
    for step in range(1, 60):
        course.see(at(step), ())
        course.then(at(step), decision)
        course = course.then(at(step), decision)
    assert seen == list(range(1, 60))


@given(st.lists(st.floats(0, 1e25), max_size=40))
def test_a_running_sum_is_the_exact_one_rounded(flops: list[float]) -> None:
    held = History(at(step, each) for step, each in enumerate(flops, 1))
    assert held.evaluation_flops() == math.fsum(flops)
    assert held.evaluation_flops(at(99, 1.5)) == math.fsum([*flops, 1.5])
    assert held.evaluation_flops(at(99, None)) is None
    assert held.plus(at(99, None)).plus(at(100)).evaluation_flops() is None


def test_a_slice_is_that_of_a_list() -> None:
    points = [replace(point(0.1, 0.2), step=step) for step in range(1, 7)]
    whole = History()
    for each in points:
        whole = whole.plus(each)
    for place in (slice(None, None, -1), slice(2, None, -1), slice(1, 3), slice(None, None, 2), slice(5, 1, -2)):
        assert list(whole[place]) == points[place]
    assert list(whole[:2][::-1]) == points[:2][::-1]


@given(st.lists(st.floats(0.0, 1e9), max_size=9))
def test_seconds_of_all_evaluations_are_summed_to_the_last_bit(seconds: list[float]) -> None:
    held = History([replace(at(step), evaluation_seconds=each) for step, each in enumerate(seconds, 1)])
    assert held.evaluation_seconds() == math.fsum(seconds)
    assert held.evaluation_seconds(replace(at(99), evaluation_seconds=1.5)) == math.fsum([*seconds, 1.5])
    assert held.evaluation_seconds(at(99)) is None
