"""The best size by a law, against the optimum that its constants have in closed form."""

import numpy as np
import pytest

from breakeven.plan.laws.chinchilla import Chinchilla
from breakeven.plan.laws.fit import Fitted, LawStatus
from breakeven.plan.laws.t2 import t2_additive
from breakeven.plan.sizing.planned import best_for, planned_table

LAW = Chinchilla(E=0.05, A=40.0, B=90.0, alpha=0.4, beta=0.45, source="made")
G, GAMMA = 2.0, 0.3


def fitted(spread: float = 0.0) -> Fitted:
    """T^2's additive form with the constants above, and three resamplings of it, moved by `spread` in A."""
    law = t2_additive()
    names = {
        "log_E": np.log(LAW.E),
        "log_A_params": np.log(LAW.A),
        "log_A_train_tokens": np.log(LAW.B),
        "log_A_k": np.log(G),
        "a_params": LAW.alpha,
        "a_train_tokens": LAW.beta,
        "a_k": GAMMA,
    }
    parameters = {name: float(names[name]) for name in law.parameters}
    moved = law.parameters.index("log_A_params")
    draws_DP = np.array([[*parameters.values()]] * 3)
    draws_DP[:, moved] += spread * np.array([-1.0, 0.0, 1.0])
    return Fitted(
        law=law,
        status=LawStatus.FITTED,
        parameters=parameters,
        intervals={},
        draws_DP=draws_DP,
        over="made",
        num_points=9,
        agreement=1.0,
        error=0.02,
        mean_error=0.2,
        held_out="some",
        ranges={"params": (1e5, 1e7), "train_tokens": (1e6, 1e9), "k": (1.0, 64.0)},
    )


@pytest.mark.parametrize("train_flops", [1e14, 1e15])
def test_at_one_k_the_best_size_is_the_compute_optimal_one(train_flops: float) -> None:
    best = best_for(fitted(), train_flops, lambda params_N: np.full_like(params_N, 8.0))
    params, tokens = LAW.compute_optimal(train_flops)
    assert best.params == pytest.approx(params, rel=0.02)  # the sizes are 1.9 % apart
    assert best.train_tokens == pytest.approx(tokens, rel=0.02)
    assert not best.at_end


def test_where_a_query_costs_as_much_the_best_size_is_smaller_by_the_first_order_condition() -> None:
    # -d/d ln N: alpha A N^-alpha + gamma-term of K ~ 1/N against beta B D^-beta, with D ~ 1/N.
    best = best_for(fitted(), 1e15, lambda params_N: 1e8 / params_N)
    gain = LAW.alpha * LAW.A * best.params**-LAW.alpha
    loss = LAW.beta * LAW.B * best.train_tokens**-LAW.beta + GAMMA * G * best.k**-GAMMA
    assert gain == pytest.approx(loss, rel=0.03)
    assert best.params < LAW.compute_optimal(1e15)[0]


def test_the_table_says_what_the_law_misses_by_and_what_lies_at_the_end() -> None:
    table, findings = planned_table(fitted(0.3), (1e15, 1e22), (1, 16))
    assert "misses by 0.020" in table.label
    assert all("misses by 0.020" in each.text for each in findings)
    assert len(table.rows) == 2 * 2 * 2
    assert any("the end of the range" in row[2] for row in table.rows if row[0] == "10 ZFLOPs")
    same, paid = findings[:2]
    assert (same.value, same.lo, same.hi) == pytest.approx((1.0, 1.0, 1.0))  # additive: K moves no size by itself
    assert paid.value is not None
    assert paid.value > 1.0  # at K = 1 the samples that a small size draws more of are worth most
    assert {str(each.made) for each in findings} == {"forecast", "extrapolated"}
