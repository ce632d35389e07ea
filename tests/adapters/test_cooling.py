"""The learning rates of a cooldown in somebody else's loop, group by group."""

import pytest

pytest.importorskip("torch")

from breakeven.adapters.cooling import Cooling


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
