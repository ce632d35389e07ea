"""`decide` picks the rule by the class of the policy, and refuses what is no history for any of them."""

import dataclasses
from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import FitStatus, KCurve, LearningPoint, Made, QueryFlops, Reason, RunSpec
from breakeven.stopping.calibrated import CalibratedPolicy, decide_calibrated
from breakeven.stopping.decide import POLICIES, Policy, decide
from breakeven.stopping.paper import PaperPolicy, decide_as_paper

PLAN = RunSpec(budget_flops=1000.0)
CURVE = KCurve(
    strategy="pass@k",
    deployable=True,
    k_values=(1, 2),
    accuracy_K=(0.5, 0.9),
    lo_K=(0.5, 0.9),
    hi_K=(0.5, 0.9),
    made_K=(Made.MEASURED,) * 2,
    status=FitStatus.FITTED,
    method="calibrated",
)
HISTORY = [
    LearningPoint(
        step=number,
        train_flops=100.0 * number,
        evaluation_flops=1.0,
        query_flops=QueryFlops(prefill_flops=0.1, decode_flops=0.1),
        output_tokens=8.0,
        num_problems=100,
        num_drawn=0,
        greedy_accuracy=0.5,
        sampled_accuracy=0.4,
        disagreement=0.1,
    )
    for number in range(1, 6)
]


def test_the_class_of_the_policy_is_the_rule() -> None:
    paper, calibrated = PaperPolicy(patience=1), CalibratedPolicy(patience=1)
    assert decide(HISTORY, [CURVE], PLAN, paper) == decide_as_paper(HISTORY, [CURVE], PLAN, paper, None)
    assert decide(HISTORY, [CURVE], PLAN, calibrated) == decide_calibrated(HISTORY, [CURVE], PLAN, calibrated, None)
    for policy in (paper, calibrated):
        decision = decide(HISTORY, [CURVE], PLAN, policy)
        assert (decision.policy, decision.reason) == (policy.name, Reason.REACHED)


def test_every_rule_is_known_by_its_own_name() -> None:
    assert {name: each().name for name, each in POLICIES.items()} == {name: name for name in POLICIES}
    assert all(isinstance(each(), Policy) for each in POLICIES.values())


def test_an_unknown_rule_is_refused() -> None:
    @dataclasses.dataclass(frozen=True)
    class Mine:
        name: str = "mine"
        max_k: int = 4

    with pytest.raises(ArgumentError, match=r"^policy must be one of CalibratedPolicy, PaperPolicy; got .*Mine"):
        decide(HISTORY, [CURVE], PLAN, Mine())


@pytest.mark.parametrize("policy", [PaperPolicy(), CalibratedPolicy()])
@pytest.mark.parametrize(
    ("history", "curves", "message"),
    [
        ([], [CURVE], "history must hold at least one checkpoint; got []."),
        (HISTORY, [], "k_curves must hold at least one curve; got []."),
        (HISTORY[::-1], [CURVE], "train_flops must be finite and increasing"),
    ],
)
def test_input_that_is_no_history_is_refused(policy: Policy, history: Any, curves: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        decide(history, curves, PLAN, policy)
    assert str(error.value).startswith(message)
