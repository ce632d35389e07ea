"""Which trainings there are: shares, durations of equal FLOPs, and what is refused."""

from dataclasses import replace

import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.quantizing.grid import Grid
from breakeven.train.costs import cost_of, sequence_tokens


def test_each_share_is_trained_once_and_those_inside_on_both_schedules():
    grid = Grid(steps=(100, 200), seeds=(2, 1), fractions=(0.0, 0.1, 0.4, 1.0))
    main = list(grid.courses("2x64"))
    assert len({each.key for each in main}) == len(main)
    # A duration of a seed: one in full precision, and at each number of bits two ends and two shares on two schedules.
    assert len(main) == 2 * (1 + 6) + 2 * (1 + 12)
    assert {each.seed for each in main if each.bits == 4} == {0}
    assert [each.switch for each in main if each.bits == 2 and each.seed == 1 and each.steps == 200] == [
        *(200, 180, 180, 120, 120, 0)
    ]
    other = list(grid.courses("1x64"))
    assert {each.schedule for each in other} == {"fused", "none"}
    assert {each.seed for each in other} == {0}


def test_durations_of_another_size_take_the_same_training():
    grid = Grid()

    def flops(size, steps):
        config = grid.config(size, 0)
        return cost_of(config).train_flops(steps, sequence_tokens(config.task))

    for own, first in zip(grid.durations("1x64"), grid.durations("2x64"), strict=True):
        assert abs(flops("1x64", own) - flops("2x64", first)) <= flops("1x64", 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bits": (1, 2)}, "bits must be from 2 to 8; got 1"),
        ({"bits": (2, 2)}, r"bits must hold at least one, and each once; got \[2, 2\]"),
        ({"sizes": ()}, "sizes must hold at least one, and each once"),
        ({"sizes": ("large",)}, "sizes must hold layers x embedding each, such as 2x32; got 'large'"),
        ({"seeds": (3,)}, r"seeds must have one number for each of 2 bits; got \[3\]"),
        ({"seeds": (3, 0)}, "seeds must be a whole number of at least 1|seeds must be at least 1"),
        ({"steps": (400, 200)}, "steps must be increasing whole numbers"),
        ({"fractions": (0.2, 0.1)}, "fractions must ascend"),
        ({"fractions": ()}, "fractions must ascend"),
        ({"fractions": (-0.1, 0.2)}, r"fractions must be .*; got -0\.1\. 0 quantizes after training, 1 trains with"),
        ({"fractions": (0.2, 1.5)}, r"fractions must be .*; got 1\.5\. 0 quantizes after training, 1 trains with"),
        ({"fractions": (0.0, 0.001)}, "fractions must leave a step to either phase of 200 steps; got 0.001"),
        ({"num_problems": 1}, "num_problems must be"),
        ({"seed": -1}, "seed must be from 0"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(settings, message):
    with pytest.raises(ArgumentError, match=message):
        Grid(**settings)


def test_ends_alone_are_a_grid():
    """0 is quantization after training, 1 training with quantized weights throughout: both are valid."""
    courses = list(replace(Grid(), fractions=(0.0, 1.0)).courses("1x64"))
    assert {each.fraction for each in courses} == {0.0, 1.0}
