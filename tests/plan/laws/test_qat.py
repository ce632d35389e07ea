"""The published fraction, when the best fraction rises, and a law recovered by what it predicts."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.fit import HUBER
from breakeven.plan.laws.law import points_of
from breakeven.plan.laws.qat import best_fraction, fraction_rises, optimal_fraction, qat_law, tokens_per_byte
from breakeven.plan.laws.robust import best_of_starts

TRUE = {
    **{"log_E": np.log(1.7), "log_A_params": np.log(400.0), "log_A_train_tokens": np.log(410.0)},
    **{"a_params": 0.34, "a_train_tokens": 0.28, "log_theta": np.log(0.3), "kappa": 0.8},
    **{"log_phi": 0.0, "chi": 0.6, "psi": 0.05, "omega": 0.3},
    **{"log_lambda": np.log(6.0), "mu": 0.5, "nu": 0.05, "xi": 0.5, "rho": 0.1},
}
LAW = qat_law()


def test_the_published_fraction():
    found = [optimal_fraction(each) for each in (10, 20, 54, 100, 1000, 1e4)]
    assert found == pytest.approx([0.0538, 0.1058, 0.1851, 0.2319, 0.3775, 0.4816], abs=6e-5)
    assert optimal_fraction(18.59) == pytest.approx(0.10, abs=5e-5)
    assert tokens_per_byte(50.0, 100.0, 4) == 1.0


@pytest.mark.parametrize("per_byte", [1.0, 0.5, float("nan")])
def test_below_a_token_a_byte_it_says_nothing(per_byte):
    with pytest.raises(ArgumentError, match="per_byte must be above 1"):
        optimal_fraction(per_byte)


@pytest.mark.parametrize(("omega", "rises"), [(0.3, True), (0.59, True), (0.61, False), (0.9, False)])
def test_the_best_fraction_rises_where_the_interaction_fades_the_faster(omega, rises):
    """xi + rho is .6."""
    law = {**TRUE, "omega": omega}
    fractions = [best_fraction(law, params=1e9, tokens=each * 1e9, bits=2) for each in (10, 100, 1000)]
    assert fraction_rises(law) is rises
    assert (fractions == sorted(fractions)) is rises


def test_without_a_price_of_short_full_precision_all_of_it_is_quantized():
    law = {**TRUE, "xi": 0.0}
    assert best_fraction(law, params=1e9, tokens=1e11, bits=2) == 1.0
    assert not fraction_rises(law)


def test_an_axis_of_one_value_is_in_the_other_constants():
    """At one size and one number of bits S counts tokens, and the best share is that of all axes."""
    tokens, share = (each.ravel() for each in np.meshgrid(np.geomspace(1e9, 1e11, 4), np.linspace(0.05, 0.8, 6)))
    columns = {"fp_tokens": tokens * (1 - share), "qat_tokens": tokens * share}
    fixed = {"params": np.full_like(tokens, 1e8), "bits": np.full_like(tokens, 2.0)}
    exact = LAW.at(np.array([[TRUE[name] for name in LAW.parameters]]), columns | fixed)[0]
    own = qat_law(())
    assert own.columns == ("fp_tokens", "qat_tokens")
    log_byte = np.log(1e8 * 2 / 8)
    folded = {
        "log_E": np.log(1.7 + 400 / 1e8**0.34 + 0.3 * 2**-1.6),
        **{name: TRUE[name] for name in ("log_A_train_tokens", "a_train_tokens", "omega", "xi", "rho")},
        "log_phi": -0.6 * 2 * np.log(2) - 0.05 * np.log(1e8) + 0.3 * log_byte,
        "log_lambda": np.log(6.0) - 0.5 * 2 * np.log(2) - 0.05 * np.log(1e8) + 0.6 * log_byte,
    }
    told = own.at(np.array([[folded[name] for name in own.parameters]]), columns)[0]
    assert told == pytest.approx(exact, rel=1e-9)
    both = [best_fraction(each, params=1e8, tokens=1e10, bits=2) for each in (TRUE, folded)]
    assert both[0] == pytest.approx(both[1])
    with pytest.raises(ArgumentError, match="axis must be one of params, bits; got 'k'"):
        qat_law(("k",))


def test_a_law_is_recovered_by_what_it_predicts_though_parameters_move():
    params, per_param, bits, share = (
        each.ravel()
        for each in np.meshgrid(
            np.geomspace(8e7, 2e9, 3), np.geomspace(20, 2000, 4), [2, 4, 6], np.linspace(0.05, 0.8, 6)
        )
    )
    tokens = params * per_param
    columns = {"params": params, "fp_tokens": tokens * (1 - share), "qat_tokens": tokens * share, "bits": bits}
    exact = LAW.at(np.array([[TRUE[name] for name in LAW.parameters]]), columns)[0]
    noise = np.random.default_rng(0).normal(0, 0.002, len(exact))
    points = points_of(columns, exact * np.exp(noise))
    end, _ = best_of_starts(LAW, points, HUBER, 6, np.random.default_rng(0))
    assert end.at_rest
    told = LAW.at(end.parameters[None], columns)[0]
    assert np.sqrt(np.mean(np.square(told / exact - 1))) < 1.5e-3
    found = dict(zip(LAW.parameters, end.parameters.tolist(), strict=True))
    off = [
        best_fraction(TRUE, params=n, tokens=n * d, bits=b) - best_fraction(found, params=n, tokens=n * d, bits=b)
        for n in (1e8, 1e9)
        for d in (30, 200, 1500)
        for b in (2, 4)
    ]
    assert np.abs(off).mean() < 0.03
    assert fraction_rises(found)
