"""The share of RL: near the published shares, as near as rounded constants allow, and against a search by hand."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.pretrain_rl import CHESS, best_split


def test_the_shares_are_within_three_points_of_the_published_ones():
    """By the budget for which each size is the best. They are rounded, and so are the constants: near, not equal."""
    splits = [best_split(CHESS, flops) for flops in np.geomspace(1e18, 2e20, 8)]
    log_params = np.log([each.params for each in splits])
    published = {50e6: 0.19, 150e6: 0.21, 200e6: 0.22, 300e6: 0.23, 400e6: 0.25, 500e6: 0.27, 680e6: 0.28}
    shares = np.interp(np.log([*published]), log_params, [each.share for each in splits])
    assert (np.diff(log_params) > 0).all()
    assert np.abs(shares - [*published.values()]).max() < 0.03
    assert shares[-1] > shares[1]  # the larger the budget, the more RL


def test_a_given_size_takes_its_own_best_split():
    best = best_split(CHESS, 1e19, params=1e8)
    assert best.params == 1e8
    assert 6 * best.params * best.train_tokens + best.rl_flops == pytest.approx(1e19)
    others = [CHESS.reward(1e8, (1 - share) * 1e19 / 6e8, share * 1e19) for share in np.linspace(0.02, 0.88, 200)]
    assert best.reward >= max(others)
    assert best_split(CHESS, 1e19).reward >= best.reward


@pytest.mark.parametrize("wrong", [{"flops": 0.0}, {"flops": 1e19, "params": -1.0}])
def test_a_budget_or_size_that_is_none_is_refused(wrong):
    with pytest.raises(ArgumentError, match=r"must be finite and above 0"):
        best_split(CHESS, **wrong)
