"""What samples buy: measured and extrapolated apart, K-curves of earlier checkpoints fainter."""

from breakeven.records import FitStatus, Made, Reason
from breakeven.report.charts.chart import Chart, Marker, Series
from breakeven.report.charts.samples import k_curves, smallest_k


def named(chart: Chart, part: str) -> list[Series]:
    return [series for series in chart.series if part in series.label and series.points]


def test_k_curves_show_the_decision_and_at_most_five_before(run):
    chart = k_curves(run(), 12)
    assert chart is not None
    labels = [series.label.removesuffix(", measured") for series in named(chart, "measured")]
    assert labels == ["step 100", "step 400", "step 700", "step 900", "step 1200", "step 1300"]
    assert all(series.dashed for series in named(chart, "extrapolated"))
    assert not any(series.dashed for series in named(chart, "measured"))


def test_an_unfitted_k_curve_shows_its_measurements_only(checkpoint, curve):
    chart = k_curves([checkpoint(k_curve=curve(status=FitStatus.NO_SIGNAL))], 0)
    assert chart is not None
    assert not named(chart, "extrapolated")
    assert named(chart, "measured")


def test_k_curves_hold_one_strategy(calibrated):
    checkpoints = [calibrated(100), calibrated(200, strategy="majority_vote"), calibrated(300)]
    chart = k_curves(checkpoints, 2)
    assert chart is not None
    assert [series.label for series in named(chart, "measured")] == ["step 100, measured", "step 300, measured"]
    assert [reference.label for reference in chart.references if reference.x] == ["cheapest sufficient K = 8"]
    vote = k_curves(checkpoints, 1)
    assert vote is not None
    assert vote.y.label == "accuracy, majority vote (deployable)"
    assert vote.note.startswith("Solid: measured, at temperature 0.8. Dashed")
    assert vote.bands


def test_one_greedy_sample_is_a_curve_of_one_point(calibrated):
    chart = k_curves([calibrated(strategy="greedy")], 0)
    assert chart is not None
    assert [len(series.points) for series in named(chart, "measured")] == [1]


def test_an_unsure_checkpoint_has_no_sufficient_k(calibrated):
    chart = smallest_k([calibrated(300, reason=Reason.UNSURE), calibrated(600)], 1)
    assert chart is not None
    assert chart.title == "Cheapest K that is sure enough to match full training"
    (crosses,) = named(chart, "no K suffices")
    assert [x for x, _ in crosses.points] == [0.12]


def test_no_k_curve_no_chart(checkpoint):
    assert k_curves([checkpoint(k_curve=None)], 0) is None


def test_smallest_k_marks_how_each_was_made_and_where_none_sufficed(run):
    checkpoints = run()
    chart = smallest_k(checkpoints, 5)
    assert chart is not None
    (extrapolated,) = [series for series in named(chart, "extrapolated") if series.strength == 1]
    assert extrapolated.marker is Marker.HOLLOW_DIAMOND
    assert [k for _, k in extrapolated.points] == [8.0, 8.0, 8.0]
    (crosses,) = named(chart, "no K suffices")
    assert [x for x, _ in crosses.points] == [0.12]
    assert checkpoints[2].decision.reason is Reason.OUT_OF_REACH
    measured = [c for c in checkpoints if c.decision.serving and c.decision.serving.made is Made.MEASURED]
    assert measured
    assert sum(len(series.points) for series in named(chart, "at K measured")) == len(measured)


def test_no_serving_point_no_chart(checkpoint):
    assert smallest_k([checkpoint(serving=None)], 0) is None
