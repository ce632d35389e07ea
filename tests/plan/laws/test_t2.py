"""Pass@K of a Beta law, the three forms by hand and against what made them, and the size for two budgets."""

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.chinchilla import HOFFMANN
from breakeven.plan.laws.fit import LawStatus, fit_law
from breakeven.plan.laws.law import last_part, points_of
from breakeven.plan.laws.t2 import best_size, pass_at_k, t2_additive, t2_beta, t2_product


def test_pass_at_k_of_a_beta_law():
    assert pass_at_k(0.1, 3.0, np.array([10.0, 100.0])) == pytest.approx([0.3909, 0.6770], abs=5e-5)
    rates = np.random.default_rng(0).beta(0.3, 2.7, 100_000)
    assert pass_at_k(0.1, 3.0, 10) == pytest.approx((1 - (1 - rates) ** 10).mean(), abs=3e-3)
    assert pass_at_k(0.1, 3.0, 10) < 1 - 0.9**10  # Jensen: the mean rate alone promises too much


COLUMNS = {"train_tokens": np.array([1e6, 1e8]), "k": np.array([1.0, 16.0])}


def test_the_forms_by_hand():
    falls = [np.log(0.1), np.log(10.0)]  # E = .1; 10 / D^(1/6) is 1 at 1e6
    additive = t2_additive("train_tokens").at(np.array([[*falls, np.log(0.8), 1 / 6, 0.5]]), COLUMNS)[0]
    assert additive == pytest.approx(np.exp([-(0.1 + 1 + 0.8), -(0.1 + 10 ** (-1 / 3) + 0.2)]))
    product = t2_product("train_tokens").at(np.array([[*falls, 1 / 6, 0.5]]), COLUMNS)[0]
    assert product == pytest.approx(np.exp([-(0.1 + 1), -(0.1 + 10 ** (-1 / 3)) / 4]))
    latent = t2_beta("train_tokens").at(np.array([[np.log(10.0), 1 / 6, 1.0, 0.0, np.log(3.0), 0.0]]), COLUMNS)[0]
    assert latent[0] == pytest.approx(0.5 * 0.5)  # half of those that can be solved at all
    measured = t2_beta("loss").at(
        np.array([[0.0, 2.0, 50.0, np.log(3.0), 0.0]]), {"loss": np.array([2.0, 4.0]), "k": np.array([1.0, 8.0])}
    )[0]
    assert measured == pytest.approx([0.5, float(pass_at_k(1 / (1 + np.exp(2)), 3.0, 8))])


TRUE = {
    t2_additive: [-2.5, np.log(0.8) + 0.4 * np.log(1e6), -0.5, 0.4, 0.5],
    t2_product: [-2.5, np.log(1.5) + 0.4 * np.log(1e6), 0.4, 0.5],
    t2_beta: [np.log(2.0) + 0.4 * np.log(1e6), 0.4, 1.0, 1.0, 1.0, -0.2],
}


@pytest.mark.parametrize("form", TRUE)
def test_each_form_predicts_what_it_made(form):
    tokens, k = (each.ravel() for each in np.meshgrid(np.geomspace(1e6, 3e7, 5), [1, 2, 4, 8.0]))
    law, columns = form("train_tokens"), {"train_tokens": tokens, "k": k}
    exact = law.at(np.array([TRUE[form]]), columns)[0]
    points = points_of(columns, exact * np.exp(np.random.default_rng(0).normal(0, 0.003, len(k))))
    fitted = fit_law(law, points, held_out=last_part(points, "train_tokens"), num_starts=4, draws=2)
    assert fitted.status is LawStatus.FITTED
    assert fitted.error < 0.02 < fitted.mean_error
    further = {"train_tokens": 6e7, "k": 16}
    assert fitted.predict(further).value == pytest.approx(law.at(np.array([TRUE[form]]), further)[0, 0], abs=0.03)


def chinchilla_and_samples(x):
    return -(HOFFMANN.loss(x["params"], x["train_tokens"]) + 2 / x["k"] ** 0.3)


@pytest.mark.parametrize(("inference_flops", "params"), [(2e9, 6.9e7), (2e11, 3.8e8)])
def test_samples_make_the_best_size_smaller_than_chinchillas(inference_flops, params):
    best = best_size(chinchilla_and_samples, train_flops=1e21, inference_flops=inference_flops)
    assert best.params == pytest.approx(params, rel=0.01)
    assert HOFFMANN.compute_optimal(1e21)[0] == pytest.approx(2.2e9, rel=0.01)
    assert (best.k, best.train_tokens) == pytest.approx((inference_flops / (2 * best.params), 1e21 / (6 * best.params)))


def test_a_sample_that_cannot_be_paid_is_refused():
    with pytest.raises(ArgumentError, match=r"sizes\[0\] must be from 1.0 to 500.0; got 1000.0"):
        best_size(chinchilla_and_samples, train_flops=1e21, inference_flops=1e3)
