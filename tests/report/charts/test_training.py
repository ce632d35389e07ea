"""The charts show what was recorded: what came later apart, fits only where there is one."""

import pytest

from breakeven.records import FitStatus
from breakeven.report.charts.chart import Chart, Series
from breakeven.report.charts.samples import k_curves
from breakeven.report.charts.training import accuracy_floor, learning_curve, learning_rates, losses


def named(chart: Chart, part: str) -> list[Series]:
    return [series for series in chart.series if part in series.label and series.points]


def test_learning_curve_keeps_later_checkpoints_apart(run):
    chart = learning_curve(run(), 5)
    seen, later = named(chart, "measured")
    assert [len(seen.points), len(later.points)] == [6, 19]
    assert later.strength < seen.strength


def test_the_fitted_curve_ends_at_the_budget_and_follows_its_formula(run):
    (fit,) = named(learning_curve(run(), 5), "fitted curve")
    assert fit.dashed
    assert fit.points[0][0] == pytest.approx(0.04)
    assert fit.points[-1][0] == 1.0
    assert fit.points[-1][1] == pytest.approx(0.55 * (1 - 2.718281828**-2.5) + 0.02)


@pytest.mark.parametrize(
    ("accuracies", "floor"),
    [
        ([0.97, 0.805], 0.8),
        ([0.999], 0.9),
        ([0.55, 0.9], 0.5),
        ([0.5, 0.9], 0.0),
        ([0.02], 0.0),
        ([1.0], 0.9),
        ([], 0.0),
    ],
)
def test_an_axis_begins_below_what_it_shows_where_that_is_high(accuracies, floor):
    assert accuracy_floor(accuracies) == floor


@pytest.mark.parametrize("change", [{"method": "other"}, {"parameters": ()}])
def test_a_fit_without_recorded_parameters_is_not_drawn(checkpoint, forecast, change):
    chart = learning_curve([checkpoint(forecast=forecast(**change))], 0)
    assert not named(chart, "fitted curve")
    assert named(chart, "fully trained model")


def test_parameters_beyond_floating_point_draw_nothing(checkpoint, forecast):
    chart = learning_curve([checkpoint(forecast=forecast(parameters=(-1.0, -1e6, 0.0)))], 0)
    assert not named(chart, "fitted curve")


def test_a_fallback_forecast_is_not_drawn(checkpoint, forecast):
    chart = learning_curve([checkpoint(forecast=forecast(FitStatus.NOT_CONVERGED))], 0)
    assert not [series for series in chart.series if series.role == "forecast"]


def test_intervals_are_drawn_where_recorded(checkpoint, forecast, curve):
    wide = [checkpoint(forecast=forecast(lo=0.4, hi=0.6), k_curve=curve(width=0.05))]
    plain = [checkpoint()]
    for run, drawn in ((wide, True), (plain, False)):
        k_chart = k_curves(run, 0)
        assert k_chart is not None
        assert bool(k_chart.bands) == drawn
        assert bool(learning_curve(run, 0).bands) == drawn


def test_an_interval_of_the_projection_is_drawn_and_described(calibrated):
    chart = learning_curve([calibrated()], 0)
    assert [(band.label, band.points) for band in chart.bands] == [("its 90 % interval", ((1.0, 0.45, 0.6),))]
    assert chart.description.endswith("projected at 0.525, 90 % interval 0.450 to 0.600.")
    assert named(chart, "at most 8 samples, 0.679 (extrapolated, deployable)")


def test_what_each_checkpoint_foretold_is_a_band_over_training(rich):
    chart = learning_curve(rich(), 2)
    (means,) = named(chart, "as each checkpoint foretold it")
    assert means.points == ((0.12, 0.525), (0.16, 0.525), (0.2, 0.525))
    over, end = chart.bands
    assert over.points == ((0.12, 0.45, 0.6), (0.16, 0.45, 0.6), (0.2, 0.45, 0.6))
    assert end.points == ((1.0, 0.45, 0.6),)


def test_averaged_and_cooled_accuracies_are_told_apart(rich, cooldown):
    chart = learning_curve(rich(), 2, cooldown())
    (averaged,) = named(chart, "the same with averaged weights, measured")
    (cooled,) = named(chart, "cooled down from the stop, measured")
    assert [x for x, _ in averaged.points] == [0.12, 0.16, 0.2, 0.24]
    stop, end = cooled.points
    assert stop == (0.2, rich()[2].decision.baseline_accuracy)
    assert end == pytest.approx((0.22, 0.4))
    assert len({each.role for each in (averaged, cooled, chart.series[0])}) == 3


def test_losses_and_rates_are_those_recorded(rich, checkpoint):
    chart = losses(rich())
    assert chart is not None
    train, held = chart.series
    assert [x for x, _ in train.points] == [0.12, 0.16, 0.2, 0.24]
    assert held.points == ((0.12, 1.0), (0.16, 0.75), (0.2, 0.6), (0.24, 0.5))
    rates = learning_rates(rich())
    assert rates is not None
    assert [y for _, y in rates.series[0].points] == pytest.approx([2.64e-4, 2.52e-4, 2.4e-4, 2.28e-4])
    assert learning_rates([checkpoint()]) is None
