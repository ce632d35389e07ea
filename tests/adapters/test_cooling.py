"""The learning rates of a cooldown in somebody else's loop, group by group."""

from types import SimpleNamespace
from typing import cast

import pytest

pytest.importorskip("torch")

from breakeven.adapters.cooling import Cooling, begin
from breakeven.adapters.watch import Watch
from breakeven.adapters.watching import Watching
from breakeven.cost.tokens import ModelCost
from breakeven.records import Cooldown
from breakeven.session.session import Session

COST = ModelCost(body_params=100, head_params=10, num_layers=1, attention_width=5)


def test_each_group_falls_from_its_own_rate() -> None:
    cooling = Cooling(step=8, steps=3, rate=None, rates=[0.4, 0.1])
    groups = [{"lr": 7.0}, {"lr": 7.0}]
    for step, factor in ((9, 0.5), (10, 1 - 0.5**0.5), (11, 1 - 0.75**0.5)):
        cooling.set_rates(groups, step)
        assert [each["lr"] for each in groups] == pytest.approx([0.4 * factor, 0.1 * factor])


def test_one_that_was_not_there_keeps_the_groups_in_proportion_from_the_recorded_rate() -> None:
    cooling = Cooling(step=8, steps=3, rate=0.4)
    groups = [{"lr": 0.2}, {"lr": 0.05}]
    cooling.set_rates(groups, 9)
    assert [each["lr"] for each in groups] == pytest.approx([0.2, 0.05])
    cooling = Cooling(step=8, steps=3, rate=None)
    groups = [{"lr": 0.0}, {"lr": 0.0}]
    cooling.set_rates(groups, 9)
    assert [each["lr"] for each in groups] == [0.0, 0.0]


def test_a_run_that_is_gone_on_with_from_before_its_stop_trains_up_to_it_again() -> None:
    watching = Watching(problems=["1 + 1 ="], is_right=lambda problem, text: True, mode="stop")
    watching._every, watching._steps, watching._cooldown_share = 20, 200, 0.1
    watching._cost, watching._measures = COST, True
    watch = SimpleNamespace(observe=lambda **_: None, stops=True, session=None, steered=lambda step: False)
    watch.cool_down = lambda share, step: (None, step >= 100)
    watching._watch = cast(Watch, watch)
    assert not watching._stops_at(60, device="cpu")
    assert watching._stops_at(100, device="cpu"), "where no cooldown is begun the stop ends training"


def test_a_run_that_was_trained_past_its_cooldown_meanwhile_begins_none() -> None:
    plan = Cooldown(
        step=100, branch="cooldown/step-000100", steps=10, train_flops=1.0, evaluation_flops=1.0, expected=0.5,
        expected_lo=0.4, expected_hi=0.6, expected_by="prior", least_queries=None, left_out=None,
    )  # fmt: skip
    appended: list[Cooldown] = []
    log = SimpleNamespace(cooldown=plan, append=appended.append)
    stop = SimpleNamespace(observation=SimpleNamespace(step=100, train_tokens=1000))
    session = SimpleNamespace(stopped_at=stop, log=log, steered=None)
    assert begin(cast(Session, session), 0.1, step=151, last_step=200, settings={}) is None
    assert [each.left_out for each in appended] == ["failed"]
