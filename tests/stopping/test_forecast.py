"""The paper's projection: known curves recovered, degenerate ones given a status, the optimum by brute force."""

import csv
import gzip
import math
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit

from breakeven.errors import ArgumentError
from breakeven.records import FitStatus, Forecast
from breakeven.stopping.forecast import filter_fluctuations, fit_saturation, forecast_accuracy, saturation
from breakeven.stopping.stack import DECAY_GAINS

PROPERTY = settings(derandomize=True, max_examples=80)
FITTED, NOT_CONVERGED = FitStatus.FITTED, FitStatus.NOT_CONVERGED
PYTHIA = Path(__file__).parents[3] / "shared" / "data" / "pythia_curves_v0.csv.gz"

accuracies = st.lists(st.integers(0, 50).map(lambda c: c / 50), min_size=1, max_size=25)


def project(accuracy, *, first: float = 0.05, last: float = 0.5, **settings) -> Forecast:
    """The paper's forecast from checkpoints evenly spaced between two shares of a budget of 1."""
    return paper_forecast(np.linspace(first, last, len(accuracy)), accuracy, 1.0, **settings)


def paper_forecast(train_flops, accuracy, budget_flops: float, **settings) -> Forecast:
    return forecast_accuracy(train_flops, accuracy, budget_flops, method="paper", **settings)


# -- known curves -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.06, 0.5, 2.0, 10.0, 50.0])
@pytest.mark.parametrize(("rise", "start"), [(0.5, 0.0), (0.3, 0.25), (0.95, 0.05)])
def test_known_curve_is_recovered(rise: float, rate: float, start: float) -> None:
    share = np.linspace(0.1, 0.5, 20)
    accuracy = rise * (1 - np.exp(-rate * share)) + start
    forecast = paper_forecast(share * 6e18, accuracy, 6e18)
    assert (forecast.status, forecast.num_points) == (FITTED, 20)
    assert forecast.parameters == pytest.approx((rise, rate, start), rel=1e-4, abs=1e-4)
    assert forecast.mean == pytest.approx(rise * (1 - math.exp(-rate)) + start, abs=1e-7)
    assert forecast.lo == forecast.hi == forecast.mean
    assert forecast.method == "paper"


@pytest.mark.parametrize("rate", [2.0, 20.0, 60.0, 400.0])
def test_known_curve_is_recovered_from_checkpoints_that_start_late(rate: float) -> None:
    """Counted from 0, exp(-b x) is below the last digit of 1 here; the projection must not suffer from it."""
    share = np.linspace(0.5, 0.9, 41)
    forecast = paper_forecast(share, 0.5 - 0.4 * np.exp(-rate * (share - 0.5)), 1.0)
    assert forecast.status is FITTED
    assert forecast.mean == pytest.approx(0.5 - 0.4 * math.exp(-rate * 0.5), abs=1e-6)


def test_parameters_are_left_out_where_they_would_be_astronomic() -> None:
    share = np.linspace(0.5, 0.9, 41)
    steep = paper_forecast(share, 0.5 - 0.4 * np.exp(-100.0 * (share - 0.5)), 1.0)
    assert (steep.status, steep.parameters) == (FITTED, ())  # a would be 0.4 exp(50)


def test_recorded_parameters_give_the_projection_back() -> None:
    forecast = project([0.1, 0.3, 0.4, 0.45, 0.48])
    assert float(saturation(1.0, *forecast.parameters)) == pytest.approx(forecast.mean, abs=1e-9)


def test_noise_is_averaged_out() -> None:
    share = np.linspace(0.05, 0.5, 60)
    noise = np.random.default_rng(0).normal(0.0, 0.02, len(share))
    accuracy = np.clip(0.6 * (1 - np.exp(-6.0 * share)) + noise, 0.0, 1.0)
    forecast = paper_forecast(share, accuracy, 1.0, fluctuation_filter=False)
    assert forecast.mean == pytest.approx(0.6 * (1 - math.exp(-6.0)), abs=0.03)


def test_number_of_problems_changes_nothing_in_paper_mode() -> None:
    assert project([0.1, 0.2, 0.25, 0.27], num_problems=500) == project([0.1, 0.2, 0.25, 0.27])


@PROPERTY
@given(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=12).map(sorted))
def test_no_other_rate_fits_better(accuracy: list[float]) -> None:
    """Brute force over b, with a and c by linear least squares."""
    x, y = np.linspace(0.0, 0.45, len(accuracy)), np.array(accuracy)
    status, parameters = fit_saturation(x, y)
    if status is not FITTED:
        return
    found = np.square(saturation(x, *parameters) - y).sum()
    for rate in np.geomspace(0.05, 1e4, 97):
        columns = np.stack([1 - np.exp(-rate * x), np.ones_like(x)], axis=1)
        solution = np.linalg.lstsq(columns, y)[0]
        assert found <= np.square(columns @ solution - y).sum() + 1e-6


# -- degenerate curves ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accuracy", "status", "mean", "num_points"),
    [
        ([0.3], FitStatus.TOO_FEW_POINTS, 0.3, 1),
        ([0.3, 0.4], FitStatus.TOO_FEW_POINTS, 0.4, 2),
        ([0.4, 0.3, 0.2, 0.1], FitStatus.TOO_FEW_POINTS, 0.4, 1),  # falling: the filter keeps one
        ([0.0], FitStatus.NO_SIGNAL, 0.0, 1),
        ([0.0] * 8, FitStatus.NO_SIGNAL, 0.0, 8),
        ([1.0] * 8, FITTED, 1.0, 8),
        ([0.3] * 8, FITTED, 0.3, 8),
        ([0.1, 0.2, 0.3, 0.4], NOT_CONVERGED, 0.4, 4),  # a line has no ceiling
        ([0.01, 0.04, 0.09, 0.16, 0.25], NOT_CONVERGED, 0.25, 5),
        ([0.0] * 9 + [0.5], NOT_CONVERGED, 0.5, 10),  # a jump at the end
        ([0.0] * 5 + [0.5] * 5, NOT_CONVERGED, 0.5, 10),  # a jump in the middle
        ([0.0] + [0.5] * 9, FITTED, 0.5, 10),  # a jump at the start
    ],
)
def test_degenerate_curves(accuracy: list[float], status: FitStatus, mean: float, num_points: int) -> None:
    forecast = project(accuracy)
    assert (forecast.status, forecast.num_points) == (status, num_points)
    assert forecast.mean == pytest.approx(mean, abs=1e-8)
    if status is not FITTED:
        assert forecast.parameters == ()


def test_worked_example() -> None:
    """0.3, 0.35, 0.38 at even steps: each gain is 3/5 of the one before, and the budget is 4 steps from the first."""
    forecast = paper_forecast([1.0, 1.5, 2.0, 2.5, 3.0], [0.3, 0.1, 0.35, 0.2, 0.38], 5.0)
    assert (forecast.status, forecast.num_points) == (FITTED, 3)
    assert forecast.mean == pytest.approx(0.3 + 0.05 + 0.03 + 0.018 + 0.0108, abs=1e-8)


def test_falling_curve_without_the_filter_has_no_projection() -> None:
    forecast = project([0.5, 0.4, 0.35, 0.33], fluctuation_filter=False)
    assert (forecast.status, forecast.mean, forecast.num_points) == (NOT_CONVERGED, 0.5, 4)


def test_plateau_is_projected_to_the_last_bit() -> None:
    for accuracy in (1 / 3, 0.1 + 0.2, 0.7):
        assert project([accuracy] * 5).mean == accuracy


def test_projection_is_clipped_at_1() -> None:
    forecast = project([0.2, 0.5, 0.75, 0.95])
    assert (forecast.status, forecast.mean) == (FITTED, 1.0)
    assert float(saturation(1.0, *forecast.parameters)) > 1.0


def test_first_checkpoint_may_be_the_untrained_model_and_the_last_the_fully_trained_one() -> None:
    forecast = paper_forecast([0.0, 0.5, 1.0], [0.0, 0.4, 0.6], 1.0)
    assert forecast.status is FITTED
    assert forecast.mean == pytest.approx(0.6)


# -- properties -------------------------------------------------------------------------------------------------------


@PROPERTY
@given(accuracies, st.booleans(), st.floats(0.0, 0.9))
def test_projection_is_an_accuracy(accuracy: list[float], filtered: bool, first: float) -> None:
    forecast = project(accuracy, first=first, last=first + 0.1, fluctuation_filter=filtered)
    assert 0.0 <= forecast.lo <= forecast.mean <= forecast.hi <= 1.0
    assert all(map(math.isfinite, forecast.parameters))
    if forecast.status is not FITTED:
        assert forecast.mean == max(accuracy)


@PROPERTY
@given(accuracies, st.integers(-60, 60))
def test_unit_of_flops_changes_nothing(accuracy: list[float], power: int) -> None:
    flops = np.linspace(0.05, 0.5, len(accuracy))
    scaled = paper_forecast(flops * 2.0**power, accuracy, 2.0**power)
    assert scaled == paper_forecast(flops, accuracy, 1.0)


@pytest.mark.parametrize("unit", [1e-3, 3.0, 7.77e17])
def test_any_unit_of_flops_gives_the_same_projection(unit: float) -> None:
    flops, accuracy = np.linspace(0.05, 0.5, 9), [0.1, 0.25, 0.2, 0.33, 0.4, 0.41, 0.46, 0.45, 0.49]
    projected = paper_forecast(flops, accuracy, 1.0)
    scaled = paper_forecast(flops * unit, accuracy, unit)
    assert (scaled.status, scaled.num_points) == (projected.status, projected.num_points)
    assert scaled.mean == pytest.approx(projected.mean, abs=1e-7)


@PROPERTY
@given(accuracies)
def test_filter_keeps_a_monotone_running_maximum(accuracy: list[float]) -> None:
    kept = filter_fluctuations(accuracy)
    values = np.array(accuracy)[kept]
    assert kept[0] == 0
    assert np.all(np.diff(values) >= 0)
    assert values[-1] == max(accuracy)
    np.testing.assert_array_equal(filter_fluctuations(values), np.arange(len(values)))
    last_kept = accuracy[0]
    for index, value in enumerate(accuracy):
        assert (index in kept) == (value >= last_kept)
        last_kept = max(last_kept, value)


def test_filter_drops_points_before_the_fit() -> None:
    noisy = paper_forecast([0.1, 0.15, 0.2, 0.3], [0.2, 0.1, 0.3, 0.35], 1.0)
    clean = paper_forecast([0.1, 0.2, 0.3], [0.2, 0.3, 0.35], 1.0)
    assert noisy == clean
    unfiltered = paper_forecast([0.1, 0.15, 0.2, 0.3], [0.2, 0.1, 0.3, 0.35], 1.0, fluctuation_filter=False)
    assert unfiltered.num_points == 4


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flops", "accuracy", "budget", "message"),
    [
        ([1.0, 2.0], [0.1], 9.0, "accuracy must have one value for each of the 2 train_flops; got 1."),
        ([[1.0]], [[0.1]], 9.0, "accuracy must have one value for each of the 1 train_flops; got 1."),
        ([], [], 9.0, "accuracy must hold at least one checkpoint; got []."),
        ([1.0], [35.0], 9.0, "accuracy must be shares from 0 to 1; got 35.0. Divide percentages by 100."),
        ([1.0], [-0.1], 9.0, "accuracy must be shares from 0 to 1; got -0.1. Divide percentages by 100."),
        ([1.0], [math.nan], 9.0, "accuracy must be shares from 0 to 1; got nan. Divide percentages by 100."),
        (
            [2.0, 1.0],
            [0.1, 0.2],
            9.0,
            "train_flops must be finite and increasing from one checkpoint to the next; got [2.0, 1.0].",
        ),
        (
            [1.0, 1.0],
            [0.1, 0.2],
            9.0,
            "train_flops must be finite and increasing from one checkpoint to the next; got [1.0, 1.0].",
        ),
        ([-1.0], [0.1], 9.0, "train_flops must be finite and increasing from one checkpoint to the next; got [-1.0]."),
        (
            [math.nan],
            [0.1],
            9.0,
            "train_flops must be finite and increasing from one checkpoint to the next; got [nan].",
        ),
        (
            [10.0],
            [0.1],
            9.0,
            "budget_flops must be at least the last checkpoint's 10 FLOPs; got 9.0. Pass the FLOPs of the full run.",
        ),
        (
            [0.0],
            [0.1],
            0.0,
            "budget_flops must be at least the last checkpoint's 0 FLOPs; got 0.0. Pass the FLOPs of the full run.",
        ),
        (
            [1.0],
            [0.1],
            math.inf,
            "budget_flops must be at least the last checkpoint's 1 FLOPs; got inf. Pass the FLOPs of the full run.",
        ),
    ],
)
def test_curves_that_are_none_are_refused(flops, accuracy, budget: float, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        paper_forecast(flops, accuracy, budget)
    assert str(error.value) == message


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ArgumentError) as error:
        forecast_accuracy([1.0], [0.1], 9.0, method="magic")  # type: ignore[arg-type]
    assert str(error.value) == 'method must be "paper" or "calibrated"; got \'magic\'.'


# -- real curves ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not PYTHIA.is_file(), reason="needs the shared Pythia curves in ../shared/data")
def test_real_curves_are_projected_to_accuracies() -> None:
    curves: dict[tuple[str, ...], dict[int, float]] = defaultdict(dict)
    with gzip.open(PYTHIA, "rt") as lines:
        for row in csv.DictReader(lines):
            if row["setting"] == "zero-shot" and not row["task"].startswith(("mmlu", "blimp")):
                curves[row["model"], row["task"]][int(row["step"])] = float(row["acc"])
    projected = 0
    for curve in list(curves.values())[:24]:
        steps = sorted(step for step in curve if step > 0)
        for seen in (0.2, 0.5, 0.7):
            past = [step for step in steps if step <= seen * steps[-1]]
            for filtered in (True, False):
                forecast = paper_forecast(past, [curve[step] for step in past], steps[-1], fluctuation_filter=filtered)
                assert 0.0 <= forecast.lo <= forecast.mean <= forecast.hi <= 1.0
                projected += forecast.status is FITTED
    assert projected > 0


# -- a decay of the learning rate still ahead -------------------------------------------------------------------------

RISING = [0.20, 0.30, 0.36, 0.40, 0.43, 0.45]


def calibrated(accuracy=RISING, *, last: float = 0.5, **settings) -> Forecast:
    return forecast_accuracy(np.linspace(0.1, last, len(accuracy)), accuracy, 1.0, num_problems=400, **settings)


def test_what_is_known_of_a_decay_is_said() -> None:
    assert [calibrated(decay_share=share).decay for share in (None, 0.0, 0.2)] == ["unknown", "none", "included"]
    assert calibrated(last=1.0, decay_share=0.2).decay == "none"  # nothing is ahead any more
    assert project(RISING).decay == "none"


@pytest.mark.parametrize("accuracy", [[0.3], [0.0] * 6])
def test_without_a_fit_there_is_nothing_to_raise(accuracy: list[float]) -> None:
    known = calibrated(accuracy, decay_share=0.2)
    assert known.status is not FITTED
    assert replace(known, decay="") == replace(calibrated(accuracy, decay_share=0.0), decay="")


def test_an_unknown_schedule_is_projected_as_a_constant_one() -> None:
    assert replace(calibrated(), decay="none") == calibrated(decay_share=0.0)


def test_a_decay_ahead_raises_the_projection_and_widens_its_upper_side() -> None:
    """On the logit scale, on which a decay is added: on the accuracy's own, 1 is near."""
    constant, decayed = calibrated(decay_share=0.0), calibrated(decay_share=0.2)
    assert decayed.mean > constant.mean
    assert decayed.lo > constant.lo - 0.02
    upper = [logit(each.hi) - logit(each.mean) for each in (decayed, constant)]
    assert upper[0] >= upper[1]
    assert 0.0 <= decayed.lo <= decayed.mean <= decayed.hi <= 1.0


def test_what_is_left_of_a_decay_counts_in_proportion() -> None:
    """Half way through the decay at 0.9 of the budget, for a share of 0.2."""
    flops = np.linspace(0.1, 0.9, 9)
    accuracy = 0.5 * (1 - np.exp(-3 * flops))
    gains = []
    for share in (0.0, 0.8, 0.4, 0.2, 0.1):
        gains.append(forecast_accuracy(flops, accuracy, 1.0, num_problems=400, decay_share=share).mean)
    constant, *raised = gains
    assert all(later >= earlier > constant for earlier, later in pairwise(raised))
    assert calibrated(decay_share=0.2).mean == calibrated(decay_share=0.5).mean  # all of it is ahead either way


def test_a_curve_that_has_levelled_off_may_gain_nothing() -> None:
    """Nothing or much, which such a curve does not tell (docs/design/forecast.md): most likely nothing. So what was
    foretold moves only as far as a decay brings something, and none of it down."""
    constant, decayed = (np.array(calibrated([0.4] * 6, decay_share=share).cdf) for share in (0.0, 0.2))
    assert np.all(decayed <= constant + 1e-5)
    assert np.all(decayed >= DECAY_GAINS[0][1] * constant - 1e-5)
    assert decayed.sum() < constant.sum()


@PROPERTY
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12), st.floats(0.0, 1.0), st.floats(0.1, 1.0))
def test_with_any_decay_the_projection_is_an_accuracy(accuracy: list[float], share: float, last: float) -> None:
    forecast = forecast_accuracy(np.linspace(0.05, last, len(accuracy)), accuracy, 1.0, decay_share=share)
    assert 0.0 <= forecast.lo <= forecast.mean <= forecast.hi <= 1.0


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_decay_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ArgumentError, match=r"^decay_share must be a share from 0 to 1; got"):
        calibrated(decay_share=share)
