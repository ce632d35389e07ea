"""`decide` asks any policy, and refuses what is no history for any of them."""

from dataclasses import replace
from typing import Any

import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Action, Decision, FitStatus, KCurve, LearningPoint, Made, QueryFlops, Reason, RunSpec
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.course import Course, Needs, Policy, Seen
from breakeven.stopping.decide import RULES, decide, default_policy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import policy_settings

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


def test_each_rule_decides_under_its_own_name() -> None:
    for policy in (PaperPolicy(), CalibratedPolicy()):
        decision = decide(HISTORY, [CURVE], PLAN, policy)
        assert (decision.policy, decision.reason) == (policy.name, Reason.REACHED)


def test_every_rule_is_known_by_its_own_name() -> None:
    assert {name: rule().name for name, (rule, _) in RULES.items()} == {name: name for name in RULES}
    assert all(isinstance(rule(), Policy) for rule, _ in RULES.values())


def test_the_default_stops_at_the_first_checkpoint_that_suffices() -> None:
    assert policy_settings(default_policy()) == {**policy_settings(CalibratedPolicy()), "patience": 1}


class Overtakes:
    """A rule of somebody else: stop where one greedy sample beats the projection of the paper."""

    name, max_k, max_evaluation_share, needs = "overtakes", 1, 1.0, Needs(method="paper", max_k=1)

    def check(self, num_samples: int) -> None:
        pass

    def wants(self, course: Course, seen: Seen | None, drawn: tuple[int, int]) -> tuple[int, int] | None:
        return None

    def trusts(self, course: Course, seen: Seen) -> bool:
        return True

    def decide(self, course: Course, seen: Seen) -> Decision:
        decision = course.undecided(seen, seen.curves)
        assert seen.point.greedy_accuracy is not None
        stop = seen.point.greedy_accuracy >= seen.forecast.mean
        return replace(
            decision,
            action=Action.STOP if stop else Action.CONTINUE,
            reason=Reason.REACHED if stop else Reason.OUT_OF_REACH,
        )


def test_a_rule_of_somebody_else_is_asked_like_ours() -> None:
    decision = decide(HISTORY, [CURVE], PLAN, Overtakes())
    assert (decision.policy, decision.stop) == ("overtakes", True)


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
