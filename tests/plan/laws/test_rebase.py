"""The published regression of the best size on FLOPs a question."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.rebase import best_params, best_params_law


def test_the_published_regression():
    assert best_params(1e13) == pytest.approx(1.65e9, abs=5e6)
    assert best_params(1e14) == pytest.approx(1.145e10, rel=1e-3)
    assert np.log10(1e13) == pytest.approx(1.19 * np.log10(best_params(1e13)) + 2.03)


def test_flops_that_are_none_are_refused():
    with pytest.raises(ArgumentError, match="query_flops must be finite and above 0; got 0"):
        best_params(0)


def test_its_form_can_be_fitted():
    assert best_params_law().columns == ("query_flops",)
