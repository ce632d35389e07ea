"""Fits against what made the points: predictions, intervals, errors on what was not seen, and what is refused."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.plan.laws.fit import LawStatus, fit_law
from breakeven.plan.laws.law import last_part, points_of
from breakeven.plan.laws.powers import power_law, power_sum
from breakeven.records import Made

QUICK: dict[str, Any] = {"num_starts": 2, "draws": 5}
LAW = power_sum("params", "train_tokens", unit="nats")


def losses(*, noise=0.002, seed=0):
    """Of 4 sizes, and 5 lengths of training each."""
    params, tokens = (each.ravel() for each in np.meshgrid(np.geomspace(1e6, 1e9, 4), np.geomspace(1e8, 1e11, 5)))
    exact = 1.7 + 400 / params**0.34 + 410 / tokens**0.28
    columns = {"params": params, "train_tokens": tokens}
    return columns, exact * np.exp(np.random.default_rng(seed).normal(0, noise, 20)), exact


def test_what_made_the_points_is_predicted_beyond_them():
    columns, values, _ = losses()
    points = points_of(columns, values)
    fitted = fit_law(LAW, points, held_out=last_part(points, "params", "train_tokens"), **QUICK)
    assert fitted.status is LawStatus.FITTED
    assert fitted.error < 0.03 < 1.0 < fitted.mean_error
    assert fitted.held_out == "the 11 of 20 points held out"
    assert "nats on the 11 of 20 points held out" in fitted.in_words
    near = fitted.predict({"params": 3e9, "train_tokens": 2e11})
    assert near.value == pytest.approx(1.7 + 400 / 3e9**0.34 + 410 / 2e11**0.28, rel=0.01)
    assert (near.beyond, near.made) == ((), Made.FORECAST)
    assert near.lo <= near.value <= near.hi
    far = fitted.predict({"params": [1e9, 5e9], "train_tokens": 1e11})
    assert (far.beyond, far.made, far.value.shape) == (("params",), Made.EXTRAPOLATED, (2,))
    assert fitted.predict({"params": 1e8, "train_tokens": 2e7}).beyond == ("train_tokens",)


def test_points_on_a_law_are_met_and_one_far_off_moves_nothing():
    columns, _, exact = losses()
    held = np.arange(20) == 7
    met = fit_law(LAW, points_of(columns, exact), held_out=held, **QUICK)
    assert met.status is LawStatus.FITTED
    assert met.error < 1e-3
    spoilt = exact * np.where(np.arange(20) == 12, 3.0, 1.0)
    robust = fit_law(LAW, points_of(columns, spoilt), held_out=held, **QUICK)
    assert robust.error < 0.01


def test_the_same_seed_gives_the_same_to_the_last_bit():
    columns, values, _ = losses()
    first, second, other = (
        fit_law(LAW, points_of(columns, values), held_out=np.arange(20) < 4, seed=seed, **QUICK) for seed in (0, 0, 1)
    )
    assert first.parameters == second.parameters
    assert (first.draws_DP == second.draws_DP).all()
    assert (first.draws_DP != other.draws_DP).any()


def test_a_law_worse_than_the_mean_predicts_only_when_told_to():
    random = np.random.default_rng(3)
    x = np.geomspace(1, 100, 10)
    # A rise, then a fall to where the law that follows the rise is furthest off.
    points = points_of({"x": x}, np.where(x < 20, x, 1.0) * np.exp(random.normal(0, 0.05, 10)))
    fitted = fit_law(power_law("x"), points, held_out=last_part(points, "x"), **QUICK)
    assert fitted.error > fitted.mean_error
    assert fitted.status is LawStatus.WORSE_THAN_MEAN
    with pytest.raises(ArgumentError, match="law power law in x must be fitted to predict; got 'worse than the mean'"):
        fitted.predict({"x": 2.0})
    assert fitted.predict({"x": 2.0}, anyway=True).value > 0


def test_a_law_that_gives_no_number_is_not_converged():
    nowhere = dataclasses.replace(power_law("x"), formula=lambda x, p: np.full_like(x["x"], -1.0) * p["a"] ** 2)
    fitted = fit_law(nowhere, points_of({"x": [1, 2, 3, 4]}, [1, 2, 3, 4]), num_starts=1, draws=1)
    assert fitted.status is LawStatus.NOT_CONVERGED


def test_too_few_points_are_said_and_never_predict():
    fitted = fit_law(power_law("x"), points_of({"x": [1, 2]}, [1, 2]), **QUICK)
    assert fitted.status is LawStatus.TOO_FEW_POINTS
    assert fitted.in_words == "power law in x: 2 points are too few for 2 parameters."
    with pytest.raises(ArgumentError, match="got 'too few points'"):
        fitted.predict({"x": 2.0}, anyway=True)


def test_runs_are_held_out_and_resampled_whole():
    x = np.geomspace(1, 100, 12)
    shift = np.repeat([0.5, 1.0, 2.0], 4)
    run = np.repeat(["a", "b", "c"], 4)
    alone = fit_law(power_law("x"), points_of({"x": x}, x * shift), num_starts=1, draws=1)
    whole = fit_law(power_law("x"), points_of({"x": x}, x * shift, groups=run.tolist()), num_starts=1, draws=20)
    assert alone.over == "12 points"
    assert whole.over == "3 groups of points"
    assert "each of 3 parts of the 3 groups in turn" in whole.in_words
    assert len(np.unique(whole.draws_DP.round(6), axis=0)) <= 10  # as many as there are ways to draw three of three


def test_intervals_hold_what_made_the_points_about_as_often_as_they_say():
    x = np.geomspace(1, 1000, 24)
    inside = 0
    for seed in range(6):
        values = 3 * x**0.5 * np.exp(np.random.default_rng(seed).normal(0, 0.1, 24))
        fitted = fit_law(
            power_law("x"), points_of({"x": x}, values), held_out=x > 700, num_starts=1, draws=20, seed=seed
        )
        told = fitted.predict({"x": [1, 30, 3000]})
        inside += int(((told.lo <= 3 * np.sqrt([1, 30, 3000])) & (3 * np.sqrt([1, 30, 3000]) <= told.hi)).sum())
    assert 12 <= inside <= 18  # of 18: nine in ten, as far as six seeds can tell


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"huber": 0.0}, "huber must be finite and above 0; got 0.0"),
        ({"draws": 0}, "draws must be a whole number of at least 1; got 0"),
        ({"held_out": [False] * 4}, r"held_out must be some of the 4 points, and not all; got '0 of 4'"),
        ({"held_out": [True] * 4}, r"held_out must be some of the 4 points, and not all; got '4 of 4'"),
        ({"law": power_law("tokens")}, "a column of law power law in tokens must be one of x, same; got 'tokens'"),
        ({"law": power_law("same")}, "same must have more than one value; got 5.0. Fit a law without that axis."),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, message):
    points = points_of({"x": [1, 2, 3, 4], "same": [5, 5, 5, 5]}, [1, 2, 3, 4])
    with pytest.raises(ArgumentError, match=message):
        fit_law(**{"law": power_law("x"), "points": points, **change})


def test_a_prediction_names_the_column_that_it_lacks():
    fitted = fit_law(power_law("x"), points_of({"x": [1, 2, 3, 4, 5]}, [1, 2, 3, 4, 5]), **QUICK)
    with pytest.raises(ArgumentError, match=r"columns must hold x; got \['y'\]"):
        fitted.predict({"y": 1.0})
    with pytest.raises(ArgumentError, match="x must be finite and above 0; got nan"):
        fitted.predict({"x": float("nan")})
