"""Of all ways to stop and serve, those that no cheaper one is as accurate as."""

import dataclasses

import pytest

from breakeven.records import Made, ServingPoint
from breakeven.report.charts.frontier import frontier_figure, offers_of
from breakeven.report.charts.workload import spent_of, workload_of


def offer(step: int, k: int, accuracy: float, flops: float | None, *, deployable: bool = True) -> ServingPoint:
    return ServingPoint(
        step=step,
        strategy="pass@k" if deployable else "oracle",
        deployable=deployable,
        k=k,
        accuracy=accuracy,
        made=Made.MEASURED,
        flops_per_query=flops,
    )


def load_of(checkpoint, queries=None):
    """The workload of a checkpoint that has one."""
    load = workload_of(checkpoint, queries)
    assert load is not None
    return load


def drawn(*arguments):
    """The chart, where there is one."""
    figure = frontier_figure(*arguments)
    assert figure is not None
    return figure


def frontier(figure) -> list[tuple[float, float]]:
    return [
        each.points[0] for each in figure.chart.series if each.label.startswith("none cheaper is as accurate: step")
    ]


def test_no_point_of_the_charts_frontier_is_beaten_by_a_deployable_one(rich):
    checkpoints = rich()
    offers = [each for shown in checkpoints for each in offers_of(shown.decision)]
    load = load_of(checkpoints[2], 1e6)
    figure = drawn(checkpoints, 2, offers, load)
    fixed = {shown.decision.step: spent_of(shown) or 0 for shown in checkpoints}
    every = [(fixed[each.step] + 1e6 * (each.flops_per_query or 0), each.accuracy) for each in offers]
    assert len(frontier(figure)) > 3
    for cost, accuracy in frontier(figure):
        near = pytest.approx(cost, rel=1e-4)
        assert any(total == near and found == pytest.approx(accuracy, abs=1e-5) for total, found in every)
        assert not any(total < 0.9999 * cost and found >= accuracy + 1e-5 for total, found in every)


def test_an_oracle_is_drawn_and_never_on_the_frontier(rich):
    checkpoints = rich()
    offers = [offer(500, 1, 0.4, 2e7), offer(500, 1, 0.99, 2e7, deployable=False)]
    figure = drawn(checkpoints, 2, offers, load_of(checkpoints[2], 1e6))
    assert [accuracy for _, accuracy in frontier(figure)] == [0.4]
    assert [row["accuracy"] for row in figure.spec["data"]["values"]] == [0.4, 0.99]
    assert [row["accuracy"] for row in figure.spec["data"]["values"] if row["deployable"]] == [0.4]
    line = figure.spec["layer"][0]
    assert line["mark"]["type"] == "line"
    assert line["transform"][0] == {"filter": "datum.deployable && !datum.later"}


def test_what_was_chosen_and_full_training_stand_in_it(rich):
    checkpoints = rich()
    decision = checkpoints[2].decision
    load = load_of(checkpoints[2], 1e6)
    figure = drawn(checkpoints, 2, offers_of(decision), load)
    (chosen,) = [each for each in figure.chart.series if each.label.startswith("chosen")]
    ((total, accuracy),) = chosen.points
    assert chosen.label == "chosen: step 500, pass@k (deployable, extrapolated), K = 8"
    assert total == pytest.approx(load.fixed + 1e6 * decision.serving.flops_per_query, rel=1e-4)
    assert accuracy == pytest.approx(decision.serving.accuracy, abs=1e-5)
    own = [layer["data"]["values"] for layer in figure.spec["layer"] if "data" in layer]
    full = [row for rows in own for row in rows if row["what"] == load.full]
    assert {(row["fixed"], row["per"], row["accuracy"]) for row in full} == {(load.full_fixed, load.full_query, 0.525)}


def test_what_has_no_price_or_no_checkpoint_is_left_out(rich):
    checkpoints = rich()
    offers = [offer(500, 1, 0.4, None), offer(501, 1, 0.5, 2e7), offer(400, 2, 0.3, 3e7)]
    figure = drawn(checkpoints, 2, offers, load_of(checkpoints[2]))
    assert figure.chart.description.startswith("1 pairs of")
    assert frontier_figure(checkpoints, 2, offers[:2], None) is None
    assert frontier_figure(checkpoints, 2, [], None) is None


def test_a_decision_offers_the_powers_of_two_of_its_curve_and_the_last(priced, checkpoint):
    decision = priced(500).decision
    curve = decision.k_curve
    offered = offers_of(decision)
    assert [each.k for each in offered] == [1, 2, 4, 8]
    assert [each.accuracy for each in offered] == [curve.accuracy_K[k - 1] for k in (1, 2, 4, 8)]
    assert [each.made for each in offered] == [Made.MEASURED] * 3 + [Made.EXTRAPOLATED]
    seven = dataclasses.replace(
        curve,
        **{
            name: getattr(curve, name)[:7]
            for name in ("k_values", "accuracy_K", "lo_K", "hi_K", "made_K", "expected_samples_K", "flops_K")
        },
    )
    assert [each.k for each in offers_of(dataclasses.replace(decision, k_curve=seven))] == [1, 2, 4, 7]
    assert offers_of(checkpoint(k_curve=None).decision) == offers_of(checkpoint().decision) == []


def test_what_came_after_the_decision_is_drawn_fainter_and_never_on_the_line(rich):
    checkpoints = rich()
    offers = [offer(500, 1, 0.4, 2e7), offer(checkpoints[-1].decision.step, 1, 0.99, 2e7)]
    figure = drawn(checkpoints, 2, offers, load_of(checkpoints[2], 1e6))
    assert [row["later"] for row in figure.rows] == [False, True]
    assert [accuracy for _, accuracy in frontier(figure)] == [0.4]
