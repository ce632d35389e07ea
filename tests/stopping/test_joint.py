"""Several tasks: a stop asks for all of them, and their risks add up."""

from dataclasses import replace

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Action, Decision, Reason
from breakeven.stopping.joint import joint_decision


def decided(stop: bool = True, confidence: float | None = 0.97, net: float | None = 0.68, step: int = 10) -> Decision:
    return Decision(
        action=Action.STOP if stop else Action.CONTINUE,
        reason=Reason.REACHED if stop else Reason.UNSURE,
        step=step,
        used=0.3,
        policy="calibrated",
        gross_saving=0.7,
        net_saving=net,
        confidence=confidence,
    )


def test_all_ready_and_sure_enough_together() -> None:
    joint = joint_decision({"sums": decided(), "sorting": decided(confidence=0.94)}, risk=0.1)
    assert joint.stop
    assert joint.confidence == pytest.approx(0.91)
    assert joint.net_saving == pytest.approx(0.7 - 0.02 - 0.02)
    assert joint.waiting_for == ()
    assert str(joint).startswith("Stop at step 10 (30% of the budget): all 2 tasks keep their margins")


def test_risks_add_up() -> None:
    tasks = {name: decided(confidence=0.96) for name in ("a", "b", "c")}
    joint = joint_decision(tasks, risk=0.1)
    assert not joint.stop
    assert joint.confidence == pytest.approx(0.88)
    assert "each task is ready, but all together only with probability 0.88" in str(joint)
    assert joint_decision(tasks, risk=0.13).stop


def test_one_task_that_is_not_ready_keeps_the_run_going() -> None:
    joint = joint_decision({"a": decided(), "b": decided(stop=False, confidence=0.5)})
    assert not joint.stop
    assert joint.waiting_for == ("b",)
    assert "not ready for b" in str(joint)
    assert joint.confidence == pytest.approx(0.47)
    hopeless = {name: decided(stop=False, confidence=0.3) for name in ("a", "b")}
    assert joint_decision(hopeless).confidence == 0.0


def test_one_task_alone_decides_as_it_does_without_others() -> None:
    assert joint_decision({"a": decided(confidence=0.9)}, risk=0.1).stop
    assert not joint_decision({"a": decided(stop=False)}).stop


def test_what_is_unknown_stays_unknown() -> None:
    joint = joint_decision({"a": decided(), "b": decided(confidence=None, net=None)})
    assert joint.stop
    assert (joint.confidence, joint.net_saving) == (None, None)
    assert joint_decision({"a": replace(decided(), gross_saving=None)}).net_saving is None


@pytest.mark.parametrize(
    ("decisions", "risk", "words"),
    [
        ({}, 0.1, "at least one task"),
        ({"a": decided(), "b": decided(step=20)}, 0.1, r"of one step; got \[10, 20\]"),
        ({"a": decided()}, 0.0, "risk must be above 0 and below 1"),
    ],
)
def test_bad_input_is_named(decisions: dict[str, Decision], risk: float, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        joint_decision(decisions, risk=risk)
