"""The budgets and the count of AgentTTS, as published and as they are exactly."""

import math
from itertools import product

import pytest

from breakeven.plan.pipelining.published import (
    CHATDEV,
    CHATDEV_BILLIONS,
    SUBTASKS,
    UNIT_FLOPS,
    Subtask,
    clamped_flops,
    count_configurations,
    count_in_floats,
    published_table,
    published_units,
)


def test_the_unit_is_one_sample_of_3b_on_its_base_task() -> None:
    assert published_units(3e9, 128, 64) == 1
    assert published_units(3e9, 128, 64, samples=2) == 2


@pytest.mark.parametrize(
    ("prompt_tokens", "output_tokens", "units"),
    [
        (2048, 128, 814),
        (256, 64, 118),
        (1024, 64, 406),
        (128, 64, 70),
        (1024, 256, 478),
        (1024, 2048, 1150),
        (1024, 1024, 766),
        (1024, 512, 574),
    ],
)
def test_one_sample_of_72b_as_in_its_table_5(prompt_tokens: int, output_tokens: int, units: int) -> None:
    assert published_units(72e9, prompt_tokens, output_tokens) == pytest.approx(units, abs=1e-9)


def test_both_forms_of_the_formula_are_one() -> None:
    """B = 2 a b2 S / b1 + 2 (a b2 - 1), with a = M / 3e9, b1 = N_p / N_d, b2 = N_p / 128."""
    for params, prompt, output, samples in product((2e9, 8e9, 70e9), (128, 2048), (64, 1024), (1, 10, 90)):
        a, b1, b2 = params / 3e9, prompt / output, prompt / 128
        long = 2 * a * b2 * samples / b1 + 2 * (a * b2 - 1)
        assert published_units(params, prompt, output, samples) == pytest.approx(long)


def test_a_small_call_costs_nothing_in_it_and_is_clamped() -> None:
    """2B on 128 and 64 tokens: two thirds of three units, less two."""
    assert published_units(2e9, 128, 64) == pytest.approx(0)
    assert published_units(1e9, 128, 64) < 0
    flops = 2 * 1e9 * (128 + 64)
    assert clamped_flops(flops) == 2 * UNIT_FLOPS
    assert clamped_flops(10 * UNIT_FLOPS) == 10 * UNIT_FLOPS


def test_both_counts_of_chatdev() -> None:
    assert math.fsum(each.units for each in CHATDEV) == pytest.approx(1767.33, abs=0.005)
    assert count_in_floats(CHATDEV, CHATDEV_BILLIONS) == 1_854_841
    assert count_configurations(CHATDEV, CHATDEV_BILLIONS) == 1_855_468


def test_the_count_is_that_of_a_listing() -> None:
    """Two stages of a model of 1 and one of 2 billions, one token read and one written; the budget is 2 x 2 + 2 x 2."""
    stages = [Subtask(task="", name=name, prompt_tokens=1, output_tokens=1, billions=2) for name in "ab"]
    prices = [model * (1 + samples) for model in (1, 2) for samples in range(9)]
    assert count_configurations(stages, (1, 2)) == sum(one + other <= 8 for one, other in product(prices, prices))


def test_the_table_says_that_it_is_published() -> None:
    found = published_table()
    assert found.label.startswith("Published: ")
    assert "1,854,841" in found.label
    assert "1,855,468" in found.label
    assert len(found.rows) == len(SUBTASKS)
