"""Sardana's example from unrounded constants, its first-order condition, and optima against brute force."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.chinchilla import BESIROGLU, HOFFMANN, chinchilla_law, sardana

SERVED = 1e13


def of_30b(law):
    return sardana(law, loss=law.loss(30e9, law.optimal_tokens(30e9)), inference_tokens=SERVED)


def test_sardanas_example_is_met_to_three_percent():
    """Published: 13.6B parameters on 2.84 times the data, 28 % cheaper."""
    best = of_30b(HOFFMANN)
    assert best.params == pytest.approx(13.94e9, rel=1e-3)
    assert best.more_data == pytest.approx(2.74, abs=0.005)
    assert best.saved == pytest.approx(0.265, abs=5e-4)
    assert best.params == pytest.approx(13.6e9, rel=0.03)


def test_other_constants_say_something_else():
    best = of_30b(BESIROGLU)
    assert (best.params, best.more_data, best.saved) == pytest.approx((11.6e9, 4.25, 0.43), rel=0.01)


def test_at_the_optimum_a_nat_costs_the_same_by_size_and_by_tokens():
    best = of_30b(HOFFMANN)
    of_params, of_tokens = HOFFMANN.elasticities(best.params, best.train_tokens)
    assert of_params / of_tokens == pytest.approx(1.727, abs=5e-4)
    assert 1 + SERVED / (3 * best.train_tokens) == pytest.approx(1.727, abs=5e-4)


@pytest.mark.parametrize("law", [HOFFMANN, BESIROGLU])
def test_the_least_flops_are_those_of_a_search_through_sizes(law):
    best = of_30b(law)
    loss = law.loss(30e9, law.optimal_tokens(30e9))
    flops = [6 * n * law.tokens_for(loss, n) + 2 * n * SERVED for n in np.geomspace(5e9, 50e9, 2001)]
    assert best.flops == pytest.approx(min(flops), rel=1e-6)
    assert law.loss(best.params, best.train_tokens) == pytest.approx(loss)
    assert law.tokens_for(loss, 1e6) == np.inf


def test_without_serving_it_is_the_compute_optimal_model():
    params, tokens = HOFFMANN.compute_optimal(1e21)
    grid = np.geomspace(1e8, 1e11, 4001)
    assert params == pytest.approx(min(grid, key=lambda n: HOFFMANN.loss(n, 1e21 / (6 * n))), rel=2e-3)
    assert tokens == pytest.approx(HOFFMANN.optimal_tokens(params))
    best = sardana(HOFFMANN, loss=HOFFMANN.loss(params, tokens), inference_tokens=0)
    assert (best.params, best.saved, best.more_data) == pytest.approx((params, 0.0, 1.0), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("loss", [1.6, float("nan"), float("inf")])
def test_a_loss_that_nothing_reaches_is_refused(loss):
    with pytest.raises(ArgumentError, match=r"loss must be finite and above 1\.6934"):
        sardana(HOFFMANN, loss=loss, inference_tokens=1)


def test_its_form_can_be_fitted():
    assert chinchilla_law().columns == ("params", "train_tokens")
