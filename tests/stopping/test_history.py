"""The one-sample accuracy a plan declares, read from checkpoints that may lack one kind of sample."""

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import LearningPoint, QueryFlops
from breakeven.stopping.history import baseline_accuracy


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
