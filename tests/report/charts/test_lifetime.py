"""Two straight lines over the queries that a model serves, and where they meet."""

import pytest

from breakeven.report.charts.lifetime import lifetime_figure
from breakeven.report.charts.workload import workload_of


def load_of(checkpoint, queries=None):
    """The workload of a checkpoint that has one."""
    load = workload_of(checkpoint, queries)
    assert load is not None
    return load


def drawn(spec: dict) -> list[dict]:
    """What Vega computes of the lines, at the first values of the parameters."""
    (lines,) = [each for each in spec["layer"] if each["mark"]["type"] == "line"]
    return lines["data"]["values"]


def test_the_points_of_both_lines_are_training_and_so_many_queries(priced):
    load = load_of(priced(500), 1e6)
    chart = lifetime_figure(load).chart
    assert [each.label for each in chart.series] == [load.stop, load.full]
    for line, fixed, per in zip(
        chart.series, (load.fixed, load.full_fixed), (load.query, load.full_query), strict=True
    ):
        assert line.points[0] == (1.0, fixed + per)
        assert all(y == pytest.approx(fixed + x * per) for x, y in line.points)
    assert chart.series[0].points[-1][0] > load.break_even_hi, "the break-even lies inside"


def test_the_drawing_has_the_same_lines_and_follows_the_parameters(priced):
    load = load_of(priced(500), 1e6)
    spec = lifetime_figure(load).spec
    assert [(row["fixed"], row["per"]) for row in drawn(spec)] == [
        (load.fixed, load.query),
        (load.full_fixed, load.full_query),
    ]
    assert spec["params"] == [{"name": "queries", "value": 1e6}, {"name": "length", "value": 1.0}]


def test_the_break_even_is_marked_with_its_interval(priced):
    load = load_of(priced(500))
    figure = lifetime_figure(load)
    assert [each.x for each in figure.chart.references] == [load.break_even]
    assert "The lines meet at 51.6 million served queries." in figure.chart.description
    text = repr(figure.spec)
    for each in (load.break_even, load.break_even_lo, load.break_even_hi):
        assert f"{each} / length" in text, "longer queries bring it nearer"


def test_without_a_break_even_nothing_marks_one(checkpoint):
    load = load_of(checkpoint(break_even_queries=None), 1e5)
    figure = lifetime_figure(load)
    assert figure.chart.references == ()
    assert "The lines meet never." in figure.chart.description
    assert "break-even" not in repr(figure.spec)
    assert "your workload" in repr(figure.spec)
