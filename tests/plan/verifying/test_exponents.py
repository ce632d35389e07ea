"""Exponents of S and V: planted laws come back, intervals hold them, and grids that end too soon are said to."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.verifying.exponents import exponents
from breakeven.records.options import Option, Quality


def grid(sizes, value_of, problems=0):
    rng = np.random.default_rng(0)
    options = []
    for s in sizes:
        for v in sizes:
            value = value_of(s, v)
            of_each = tuple((value + 0.01 * rng.standard_normal(problems)).tolist())
            mean = float(np.mean(of_each)) if problems else value
            options.append(
                Option(
                    name=f"{s} x {v}",
                    settings={"k": s, "num_verdicts": v},
                    query_flops=float(s),
                    reward_flops=float(s * v) - s,
                    quality=Quality(value=mean, value_P=of_each),
                )
            )
    return options


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_planted_law_comes_back(share):
    """The best S at S x V = C is C to the share, where quality falls with the distance from it."""
    sizes = [2**power for power in range(9)]

    def value_of(s, v):
        budget = np.log2(s * v)
        return 0.05 * budget - 0.01 * abs(np.log2(s) - share * budget)

    # Budgets up to where the grid holds the law's best.
    options = [each for each in grid(sizes, value_of) if each.query_flops + each.reward_flops <= 256]
    found = exponents(options)
    assert found.solutions.value == pytest.approx(share, abs=0.07)
    assert found.verdicts.value == pytest.approx(1 - share, abs=0.07)
    assert found.num_budgets == 9


def test_the_interval_is_over_resamplings_of_the_problems():
    found = exponents(grid([1, 2, 4, 8], lambda s, v: 0.1 * np.log2(s * v) - 0.02 * np.log2(v), problems=30), draws=200)
    assert found.solutions.lo is not None
    assert found.solutions.hi is not None
    assert found.solutions.lo <= found.solutions.value <= found.solutions.hi


def test_a_best_at_the_end_of_the_grid_is_censored():
    found = exponents(grid([1, 2, 4], lambda s, v: 0.1 * np.log2(v) - 0.01 * np.log2(s)))
    assert found.censored >= 1
    assert found.verdicts.value > found.solutions.value


def test_options_of_one_price_have_no_law():
    options = grid([1], lambda s, v: 0.5)
    with pytest.raises(ArgumentError, match="differ by a factor of 2"):
        exponents(options)
