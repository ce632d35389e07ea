"""Epoch's span of exchange: published, of no loss in particular, and against a walk along one loss."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.chinchilla import BESIROGLU, HOFFMANN
from breakeven.plan.laws.spans import exchange_span


def test_the_published_span():
    span = exchange_span(HOFFMANN)
    assert (span.inference, span.training) == pytest.approx((0.70, 1.20), abs=0.005)


@pytest.mark.parametrize("law", [HOFFMANN, BESIROGLU])
@pytest.mark.parametrize("loss", [1.9, 2.0, 3.0])
def test_a_walk_along_any_loss_finds_it(law, loss):
    params = np.exp(np.linspace(np.log((law.A / (loss - law.E)) ** (1 / law.alpha)) + 1e-3, 60, 400_000))
    tokens = (law.B / (loss - law.E - law.A / params**law.alpha)) ** (1 / law.beta)
    rate = -np.gradient(np.log(params * tokens), np.log(params))
    within = (rate > 1 / 6) & (rate < 6)
    ends = np.log10(params[within][[0, -1]]), np.log10((params * tokens)[within][[-1, 0]])
    span = exchange_span(law)
    assert [np.ptp(each) for each in ends] == pytest.approx([span.inference, span.training], abs=2e-3)


def test_a_rate_of_one_has_no_span():
    with pytest.raises(ArgumentError, match="rate must be above 1; got 1"):
        exchange_span(HOFFMANN, rate=1)
