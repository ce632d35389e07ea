"""The `Stopper` of Ray Tune, called as Tune calls it, and held against the decisions on the same numbers."""

import pickle
from typing import Any

import numpy as np
import pytest

import breakeven
from breakeven import RunSpec
from breakeven.errors import ArgumentError
from breakeven.session.step import curves_of
from breakeven.stopping.decide import decide, default_policy
from breakeven.ttc.tally import Tally, point_of

pytest.importorskip("ray")
ACCURACIES = [0.1, 0.3, 0.45, 0.55, 0.6, 0.62, 0.62, 0.62, 0.62, 0.62]
RATES = np.random.default_rng(0).beta(0.7, 0.7, size=200)


def accuracy_results() -> list[dict[str, Any]]:
    return [{"training_iteration": 10 * at, "accuracy": each} for at, each in enumerate(ACCURACIES, 1)]


def count_results(samples: int = 8) -> list[dict[str, Any]]:
    draw = np.random.default_rng(1)
    results = []
    for step in range(10, 101, 10):
        rates = RATES * min(1.0, step / 60)
        right, greedy = draw.binomial(samples, rates).tolist(), (draw.random(200) < rates).tolist()
        results.append(
            {"training_iteration": step, "breakeven": {"right": right, "samples": samples, "greedy": greedy}}
        )
    return results


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "breakeven"]


def test_an_accuracy_is_decided_on_as_decide_does() -> None:
    stopper = breakeven.ray.Stopper(steps=100, metric="accuracy", num_problems=500, mode="advise")
    spec, policy = RunSpec(budget_flops=100.0), default_policy()
    points, previous = [], None
    for result in accuracy_results():
        assert not stopper("a", result)
        tally = Tally.of_accuracy(result["accuracy"], 500)
        step = result["training_iteration"]
        points.append(point_of(tally, step=step, train_flops=step, evaluation_flops=None, query_flops=None))
        previous = decide(points, curves_of(tally, policy.needs), spec, policy, previous)
        assert stopper.decisions("a")[-1] == previous
    assert len(stopper.decisions("a")) == 10


def test_counts_end_a_trial_with_more_than_one_sample_and_leave_the_others_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stopper = breakeven.ray.Stopper(steps=100, checker=True, target=0.4)
    told = [stopper("a", each) for each in count_results()]
    assert any(told)
    first = stopper.decisions("a")[told.index(True)]
    assert first.serving is not None
    assert first.serving.k > 1
    assert not stopper.stop_all()
    wrong = {"training_iteration": 10, "breakeven/right": [0] * 200, "breakeven/samples": 8}
    assert not stopper("b", wrong | {"breakeven/greedy": [False] * 200})
    assert len(stopper.decisions("b")) == 1
    assert sum("trial a ends at step" in each for each in warnings_of(caplog)) == 1


def test_without_a_checker_counts_serve_no_passes() -> None:
    stopper = breakeven.ray.Stopper(steps=100, target=0.4)
    for each in count_results():
        stopper("a", each)
    assert all(each.serving is None or each.serving.k == 1 for each in stopper.decisions("a"))


def test_advice_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    stopper = breakeven.ray.Stopper(steps=100, checker=True, target=0.4, mode="advise")
    assert not any(stopper("a", each) for each in count_results())
    assert sum("trial a may end at step" in each for each in warnings_of(caplog)) == 1


def test_a_trial_that_begins_again_is_decided_on_from_there_and_results_without_a_metric_are_none() -> None:
    results = accuracy_results()
    straight, broken = (
        breakeven.ray.Stopper(steps=100, metric="accuracy", num_problems=500, mode="advise") for _ in range(2)
    )
    for each in results:
        straight("a", each)
    for each in [*results[:5], {"training_iteration": 51, "loss": 1.0}, *results[2:]]:
        broken("a", each)
    assert broken.decisions("a") == straight.decisions("a")


def test_flops_that_a_trial_reports_are_its_budget() -> None:
    stopper = breakeven.ray.Stopper(
        steps=100, metric="val/accuracy", num_problems=500, train_flops="flops", budget_flops=1e9, step="epoch"
    )
    stopper("a", {"epoch": 1, "val": {"accuracy": 0.1}, "flops": 2e8})
    assert stopper.decisions("a")[0].used == pytest.approx(0.2)


def test_too_few_problems_advise_nothing() -> None:
    stopper = breakeven.ray.Stopper(steps=100, metric="accuracy", num_problems=10, target=0.1)
    assert not any(stopper("a", each) for each in accuracy_results()[:-1])
    assert {each.reason.value for each in stopper.decisions("a")} == {"too_few_problems"}


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"accuracy": 62.0}, "accuracy must be a share from 0 to 1; got 62.0. Divide percentages by 100."),
        ({"accuracy": 0.5, "training_iteration": 200}, "training_iteration must be at most steps, 100; got 200."),
        ({"breakeven/right": [1] * 30, "breakeven/samples": [4] * 29}, "breakeven/samples must be one number, or one"),
        ({"breakeven/right": 3, "breakeven/samples": 4}, "breakeven/right must be a list of whole numbers"),
        ({"breakeven/right": [1] * 30, "breakeven/samples": 4}, "baseline must be measured at every checkpoint"),
    ],
)
def test_what_a_trial_reports_wrongly_ends_nothing_and_is_said_once(
    caplog: pytest.LogCaptureFixture, result: dict[str, Any], said: str
) -> None:
    stopper = breakeven.ray.Stopper(steps=100, metric="accuracy", num_problems=500)
    for _ in range(2):
        assert not stopper("a", {"training_iteration": 10} | result)
    (warning,) = warnings_of(caplog)
    assert "trial a is watched no more, and trains on" in warning
    assert said in warning


def test_it_is_kept_with_the_experiment() -> None:
    stopper = breakeven.ray.Stopper(steps=100, metric="accuracy", num_problems=500)
    for each in accuracy_results()[:4]:
        stopper("a", each)
    assert pickle.loads(pickle.dumps(stopper)).decisions("a") == stopper.decisions("a")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, r"^steps must be a whole number of at least 1"),
        ({"steps": 9, "metric": "accuracy"}, r"^num_problems must be given with metric"),
        ({"steps": 9, "mode": "shadow"}, r"^mode must be one of stop, advise"),
        ({"steps": 9, "train_flops": "flops"}, r"^budget_flops must be given with train_flops"),
        ({"steps": 9, "querys": 3}, r"^argument must be one of .*queries.*; got 'querys'\."),
    ],
)
def test_arguments_are_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        breakeven.ray.Stopper(**changes)
