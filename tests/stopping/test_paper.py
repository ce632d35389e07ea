"""Algorithm 1 on hand-made histories: each reason, each condition where it alone decides, and purity.

The hand-made run: a budget of 1000 FLOPs, 10 problems with 4 samples each, 30 FLOPs an evaluation, and a query of 1
FLOP for the prompt and 10 for each sample. At the third checkpoint, with 300 FLOPs trained, serving with K samples is
thus charged 300 + 3 x 30 + 10 x (1 + 10 K).
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.choice.break_even import break_even_queries
from breakeven.errors import ArgumentError
from breakeven.records import (
    Action,
    Decision,
    FitStatus,
    KCurve,
    LearningPoint,
    Made,
    Observation,
    QueryFlops,
    Reason,
    RunSpec,
    SampleBank,
)
from breakeven.stopping.course import Policy
from breakeven.stopping.decide import decide
from breakeven.stopping.forecast import forecast_accuracy
from breakeven.stopping.history import baseline_accuracy
from breakeven.stopping.paper import PaperPolicy
from breakeven.stopping.patience import Patience
from breakeven.testing import synthetic_run
from breakeven.ttc.evaluate import evaluate
from breakeven.ttc.tally import learning_point, tally_of

PROPERTY = settings(derandomize=True, max_examples=80)
PLAN = RunSpec(budget_flops=1000.0)
NOW = PaperPolicy()


def observed(number: int, num_greedy: int, *, train_flops: float | None = None, **changed) -> LearningPoint:
    """The checkpoint at `number` tenths of the budget, with `num_greedy` of 10 problems solved greedily."""
    bank = SampleBank(
        correct_PN=("1100",) * 10,
        greedy_correct_P="1" * num_greedy + "0" * (10 - num_greedy),
        temperature=0.8,
        seed=number,
        prompt_tokens=60,
        output_tokens=320,
        greedy_output_tokens=80,
    )
    observation = Observation(
        step=100 * number,
        train_tokens=1000 * number,
        train_flops=100.0 * number if train_flops is None else train_flops,
        evaluation_flops=30.0,
        query_flops=QueryFlops(prefill_flops=1.0, decode_flops=10.0),
        loss=1.0,
        bank=bank,
    )
    return learning_point(replace(observation, **changed))


def plateau(length: int = 3, num_greedy: int = 5, **changed) -> list[LearningPoint]:
    """A run that stays at one accuracy: full training is projected to stay there too."""
    return [observed(number, num_greedy, **changed) for number in range(1, length + 1)]


def curve(*accuracy: float, status: FitStatus = FitStatus.FITTED, strategy: str = "pass@k") -> KCurve:
    """Accuracy at K = 1, 2, 3, ...; the first four count as measured."""
    return KCurve(
        strategy=strategy,
        deployable=True,
        k_values=tuple(range(1, len(accuracy) + 1)),
        accuracy_K=accuracy,
        lo_K=accuracy,
        hi_K=accuracy,
        made_K=tuple(Made.MEASURED if k <= 4 else Made.EXTRAPOLATED for k in range(1, len(accuracy) + 1)),
        status=status,
        method="paper",
    )


REACHES_AT_4 = curve(0.2, 0.3, 0.4, 0.5, 0.6)
FALLS_SHORT = curve(0.2, 0.3, 0.35, 0.4, 0.45)


def decide_all(
    history: Sequence[LearningPoint],
    curves: Sequence[KCurve],
    policy: Policy,
    spec: RunSpec = PLAN,
    decided: Sequence[Decision] = (),
) -> list[Decision]:
    """One decision a checkpoint, going on after those already `decided`."""
    decisions = list(decided)
    for number in range(len(decisions), len(history)):
        previous = decisions[-1] if decisions else None
        decisions.append(decide(history[: number + 1], [curves[number]], spec, policy, previous))
    return decisions


# -- each reason ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "k_curve", "policy", "reason"),
    [
        (plateau(2), REACHES_AT_4, NOW, Reason.TOO_FEW_CHECKPOINTS),
        (plateau(3, num_greedy=0), REACHES_AT_4, NOW, Reason.NO_SIGNAL),
        (plateau(1, num_greedy=0), REACHES_AT_4, NOW, Reason.NO_SIGNAL),
        ([observed(n, n) for n in range(1, 5)], curve(1.0), NOW, Reason.NO_PROJECTION),
        (plateau(), curve(0.2, 0.2, status=FitStatus.NOT_CONVERGED), NOW, Reason.NO_K_CURVE),
        (plateau(), curve(0.0, 0.0, status=FitStatus.NO_SIGNAL), NOW, Reason.NO_K_CURVE),
        (plateau(), FALLS_SHORT, NOW, Reason.OUT_OF_REACH),
        (
            plateau(query_flops=QueryFlops(prefill_flops=1.0, decode_flops=99.0)),
            REACHES_AT_4,
            NOW,
            Reason.TOO_COSTLY,
        ),
        (plateau(), REACHES_AT_4, Patience(PaperPolicy(), 2), Reason.WAITING),
        (plateau(), REACHES_AT_4, NOW, Reason.REACHED),
        (plateau(10), REACHES_AT_4, NOW, Reason.BUDGET_SPENT),
    ],
)
def test_reason(history: list[LearningPoint], k_curve: KCurve, policy: PaperPolicy, reason: Reason) -> None:
    decision = decide(history, [k_curve], PLAN, policy)
    assert decision.reason is reason
    assert decision.action is (Action.STOP if reason is Reason.REACHED else Action.CONTINUE)
    assert decision.stop is (reason is Reason.REACHED)
    assert (decision.serving is not None) is (reason in (Reason.WAITING, Reason.REACHED))
    assert (decision.streak > 0) is (decision.serving is not None)
    assert decision.k_curve == k_curve
    assert decision.step == history[-1].step


def test_every_number_a_stop_rests_on() -> None:
    history = plateau()
    decision = decide(history, [REACHES_AT_4], PLAN, NOW)
    assert decision.used == 0.3
    assert decision.evaluation_flops == 90.0
    assert decision.gross_saving == pytest.approx(0.7)
    assert decision.net_saving == pytest.approx((1000 - 300 - 90) / 1000)
    assert (decision.baseline, decision.baseline_accuracy) == ("greedy", 0.5)
    assert decision.forecast == forecast_accuracy([100, 200, 300], [0.5] * 3, 1000, method="paper")
    assert decision.serving is not None
    point = decision.serving
    assert (point.step, point.strategy, point.deployable, point.k) == (300, "pass@k", True, 4)
    assert (point.accuracy, point.made, point.flops_per_query) == (0.5, Made.MEASURED, 41.0)
    assert decision.break_even_queries == (1000 - 300 - 90) / (41 - 11)
    assert (decision.policy, decision.streak) == ("paper", 1)


def test_sufficient_k_counts_even_where_the_curve_has_no_fit() -> None:
    """What was measured needs no fit."""
    decision = decide(plateau(), [replace(REACHES_AT_4, status=FitStatus.NOT_CONVERGED)], PLAN, NOW)
    assert decision.reason is Reason.REACHED


def test_k_read_from_the_fit_is_marked() -> None:
    decision = decide(plateau(num_greedy=6), [REACHES_AT_4], PLAN, NOW)
    assert decision.serving is not None
    assert (decision.serving.k, decision.serving.made) == (5, Made.EXTRAPOLATED)


# -- condition (i): training so far plus TTC stays below full training ------------------------------------------------


@pytest.mark.parametrize(
    ("decode_flops", "reason"),
    [(15.0 - 1e-6, Reason.REACHED), (15.0, Reason.REACHED), (15.0 + 1e-6, Reason.TOO_COSTLY)],
)
def test_cost_alone_decides(decode_flops: float, reason: Reason) -> None:
    """300 trained, 90 evaluated and 10 x (1 + 4 x 15) for K = 4 make 1000, just within this budget."""
    history = plateau(query_flops=QueryFlops(prefill_flops=1.0, decode_flops=decode_flops))
    budget = RunSpec(budget_flops=1000.0 + 1e-5)
    assert decide(history, [REACHES_AT_4], budget, NOW).reason is reason


def test_cost_equal_to_full_training_is_too_much() -> None:
    """C_t + C_TTC(K) < B is strict: 300 + 90 + 610 = 1000."""
    history = plateau(query_flops=QueryFlops(prefill_flops=1.0, decode_flops=15.0))
    decision = decide(history, [REACHES_AT_4], PLAN, NOW)
    assert (decision.reason, decision.serving, decision.break_even_queries) == (Reason.TOO_COSTLY, None, None)


def test_earlier_evaluations_are_charged() -> None:
    history = plateau()
    dear = [replace(history[0], evaluation_flops=400.0), *history[1:]]
    assert decide(history, [REACHES_AT_4], PLAN, NOW).reason is Reason.REACHED
    assert decide(dear, [REACHES_AT_4], PLAN, NOW).reason is Reason.TOO_COSTLY


def test_prefill_is_charged_once_a_sample_where_it_is_not_shared() -> None:
    history = plateau(query_flops=QueryFlops(prefill_flops=11.0, decode_flops=5.0))
    shared = decide(history, [REACHES_AT_4], PLAN, NOW)
    unshared = decide(history, [REACHES_AT_4], replace(PLAN, shared_prefill=False), NOW)
    assert shared.serving is not None
    assert shared.serving.flops_per_query == 11 + 4 * 5
    assert unshared.reason is Reason.TOO_COSTLY  # 10 x 4 x (11 + 5) = 640 of the 610 left


# -- condition (ii): the estimated accuracy reaches the projection ----------------------------------------------------


@pytest.mark.parametrize(
    ("accuracy", "reason"), [(0.5, Reason.REACHED), (math.nextafter(0.5, 0.0), Reason.OUT_OF_REACH)]
)
def test_accuracy_alone_decides(accuracy: float, reason: Reason) -> None:
    assert decide(plateau(), [curve(0.1, 0.2, accuracy)], PLAN, NOW).reason is reason


def test_a_plateau_is_matched_by_one_sample_to_the_last_bit() -> None:
    """Pass@1 and the projected plateau are the same share of right samples, here 2 of 12, however it is computed."""
    bank = SampleBank(
        correct_PN=("1100", "0000", "0000"),
        greedy_correct_P="000",
        temperature=0.8,
        seed=1,
        prompt_tokens=18,
        output_tokens=96,
        greedy_output_tokens=24,
    )
    history = plateau(bank=bank, query_flops=QueryFlops(prefill_flops=0.0, decode_flops=0.1))
    decision = decide(
        history, evaluate(tally_of(bank), max_k=8, method="paper"), replace(PLAN, baseline="sampled"), NOW
    )
    assert decision.serving is not None
    assert decision.serving.k == 1


@PROPERTY
@given(st.lists(st.integers(0, 10), min_size=1, max_size=8), st.integers(1, 9), st.integers(1, 8))
def test_smallest_sufficient_k_is_selected(accuracy: list[int], target: int, max_k: int) -> None:
    """Also where the curve falls in K, as a vote's may."""
    k_curve = curve(*(a / 10 for a in accuracy))
    history = plateau(num_greedy=target, query_flops=QueryFlops(prefill_flops=0.1, decode_flops=0.5))
    decision = decide(history, [k_curve], PLAN, Patience(PaperPolicy(max_k=max_k), 1))
    sufficient = [k for k, a in enumerate(accuracy, start=1) if a >= target and k <= max_k]
    assert (decision.serving.k if decision.serving else None) == min(sufficient, default=None)


def test_largest_k_of_the_policy_holds_for_curves_that_go_further() -> None:
    assert decide(plateau(), [REACHES_AT_4], PLAN, Patience(PaperPolicy(max_k=4), 1)).reason is Reason.REACHED
    assert decide(plateau(), [REACHES_AT_4], PLAN, Patience(PaperPolicy(max_k=3), 1)).reason is Reason.OUT_OF_REACH


def test_among_several_strategies_the_cheapest_sufficient_one_wins() -> None:
    vote = curve(0.2, 0.2, 0.5, strategy="vote")
    decision = decide(plateau(), [REACHES_AT_4, vote], PLAN, NOW)
    assert decision.serving is not None
    assert (decision.serving.strategy, decision.serving.k) == ("vote", 3)
    assert decision.k_curve == vote
    tie = decide(plateau(), [REACHES_AT_4, replace(REACHES_AT_4, strategy="vote")], PLAN, NOW)
    assert tie.k_curve == REACHES_AT_4


@pytest.mark.parametrize(
    ("deployable", "reason", "k"), [(REACHES_AT_4, Reason.REACHED, 4), (FALLS_SHORT, Reason.OUT_OF_REACH, None)]
)
def test_an_oracle_does_not_count_beside_what_can_be_deployed(
    deployable: KCurve, reason: Reason, k: int | None
) -> None:
    """Though it is higher, cheaper, and alone in reaching the projection."""
    oracle = replace(curve(0.9, strategy="oracle"), deployable=False)
    for curves in ([deployable, oracle], [oracle, deployable]):
        decision = decide(plateau(), curves, PLAN, NOW)
        assert (decision.reason, decision.k_curve) == (reason, deployable)
        assert (decision.serving.k if decision.serving else None) == k


def test_an_oracle_alone_stops_nothing_unless_a_checker_is_declared() -> None:
    oracle = replace(REACHES_AT_4, deployable=False)
    curves = [replace(FALLS_SHORT, deployable=False), oracle]
    alone = decide(plateau(), curves, PLAN, NOW)
    assert (alone.reason, alone.k_curve, alone.serving) == (Reason.OUT_OF_REACH, oracle, None)
    declared = decide(plateau(), curves, replace(PLAN, checker=True), NOW)
    assert (declared.reason, declared.k_curve) == (Reason.REACHED, REACHES_AT_4)
    assert declared.serving is not None
    assert (declared.serving.k, declared.serving.deployable) == (4, True)


def test_in_logs_of_earlier_versions_an_oracle_alone_is_decided_on_and_marked() -> None:
    oracle = replace(REACHES_AT_4, deployable=False)
    decision = decide(plateau(), [replace(FALLS_SHORT, deployable=False), oracle], replace(PLAN, checker=None), NOW)
    assert (decision.reason, decision.k_curve) == (Reason.REACHED, oracle)
    assert decision.serving is not None
    assert (decision.serving.k, decision.serving.deployable) == (4, False)


def test_no_serving_point_lies_below_the_least_accuracy() -> None:
    for least, reason in ((0.0, Reason.REACHED), (0.99, Reason.OUT_OF_REACH)):
        decision = decide(plateau(), [REACHES_AT_4], replace(PLAN, min_accuracy=least), NOW)
        assert decision.reason is reason


def test_where_none_suffices_the_highest_curve_is_shown() -> None:
    decision = decide(plateau(), [curve(0.1, 0.2, strategy="vote"), FALLS_SHORT], PLAN, NOW)
    assert (decision.reason, decision.k_curve) == (Reason.OUT_OF_REACH, FALLS_SHORT)


# -- patience ---------------------------------------------------------------------------------------------------------

BROKEN = [REACHES_AT_4, REACHES_AT_4, FALLS_SHORT, REACHES_AT_4, REACHES_AT_4, REACHES_AT_4]
CHEAP = QueryFlops(prefill_flops=0.1, decode_flops=0.5)


@pytest.mark.parametrize(
    ("patience", "streaks", "first_stop"),
    [(0, [1, 2, 0, 1, 2, 3], 0), (1, [1, 2, 0, 1, 2, 3], 0), (3, [1, 2, 0, 1, 2, 3], 5), (4, [1, 2, 0, 1, 2, 3], None)],
)
def test_patience_counts_checkpoints_in_a_row(patience: int, streaks: list[int], first_stop: int | None) -> None:
    history = plateau(8, query_flops=CHEAP, evaluation_flops=1.0)
    decisions = decide_all(history, [FALLS_SHORT] * 2 + BROKEN, Patience(PaperPolicy(), patience))[2:]
    assert [each.streak for each in decisions] == streaks
    stops = [index for index, each in enumerate(decisions) if each.stop]
    assert (stops[0] if stops else None) == first_stop
    assert decisions[2].reason is Reason.OUT_OF_REACH


@pytest.mark.parametrize("split", range(9))
def test_going_on_from_a_prefix_gives_the_same_decisions(split: int) -> None:
    history, curves = plateau(8, query_flops=CHEAP, evaluation_flops=1.0), [FALLS_SHORT] * 2 + BROKEN
    policy = Patience(PaperPolicy(), 3)
    whole = decide_all(history, curves, policy)
    prefix = decide_all(history[:split], curves[:split], policy)
    assert decide_all(history, curves, policy, decided=prefix) == whole


def test_equal_input_gives_equal_output_and_stays_as_it_was() -> None:
    history, curves = plateau(), [REACHES_AT_4, FALLS_SHORT]
    previous = decide(history[:2], curves, PLAN, NOW)
    before = copy.deepcopy((history, curves, PLAN, NOW, previous))
    first = decide(history, curves, PLAN, NOW, previous)
    assert decide(history, curves, PLAN, NOW, previous) == first
    assert (history, curves, PLAN, NOW, previous) == before
    assert decide(tuple(history), tuple(curves), PLAN, NOW, previous) == first


# -- the one-sample baseline ------------------------------------------------------------------------------------------


def test_baseline_is_the_greedy_or_the_sampled_accuracy() -> None:
    observation = observed(1, 7)
    assert baseline_accuracy(observation, "greedy") == 0.7
    assert baseline_accuracy(observation, "sampled") == 0.5


def test_decision_follows_the_declared_baseline() -> None:
    """Greedy solves 7 of 10, sampling every second one: K = 4 with 0.5 matches only the latter."""
    history = plateau(num_greedy=7)
    greedy = decide(history, [REACHES_AT_4], PLAN, NOW)
    sampled = decide(history, [REACHES_AT_4], replace(PLAN, baseline="sampled"), NOW)
    assert (greedy.reason, greedy.baseline, greedy.baseline_accuracy) == (Reason.OUT_OF_REACH, "greedy", 0.7)
    assert (sampled.reason, sampled.baseline, sampled.baseline_accuracy) == (Reason.REACHED, "sampled", 0.5)


def test_fluctuation_filter_is_the_policys() -> None:
    history = [observed(n, c) for n, c in ((1, 5), (2, 2), (3, 5), (4, 5))]
    kept = decide(history, [REACHES_AT_4], PLAN, NOW).forecast
    every = decide(history, [REACHES_AT_4], PLAN, replace(NOW, fluctuation_filter=False)).forecast
    assert kept is not None
    assert every is not None
    assert (kept.num_points, every.num_points) == (3, 4)


# -- break-even and the end of the budget -----------------------------------------------------------------------------


def test_one_sample_never_breaks_even() -> None:
    decision = decide(plateau(), [curve(0.5)], PLAN, NOW)
    assert decision.serving is not None
    assert (decision.serving.k, decision.break_even_queries) == (1, None)
    assert decision.serving.flops_per_query == 11.0
    assert math.isinf(
        break_even_queries(
            budget_flops=1000,
            train_flops=300,
            evaluation_flops=90,
            query_flops=decision.serving.flops_per_query,
            baseline_query_flops=11,
        )
    )


@pytest.mark.parametrize(("train_flops", "used"), [(1000.0, 1.0), (1000.0 * (1 + 1e-10), 1.0 + 1e-10)])
def test_a_spent_budget_leaves_nothing_to_save(train_flops: float, used: float) -> None:
    history = [*plateau(9), observed(10, 5, train_flops=train_flops)]
    previous = decide(history[:9], [REACHES_AT_4], PLAN, Patience(PaperPolicy(), 99))
    decision = decide(history, [REACHES_AT_4], PLAN, NOW, previous)
    assert (decision.reason, decision.action, decision.streak) == (Reason.BUDGET_SPENT, Action.CONTINUE, 0)
    assert decision.used == pytest.approx(used, abs=1e-12)
    assert decision.gross_saving == pytest.approx(0.0, abs=1e-9)
    assert decision.net_saving == pytest.approx(-0.3)


# -- a whole run ------------------------------------------------------------------------------------------------------


def test_a_saturating_run_is_stopped_early_and_rightly() -> None:
    """The true accuracy is 0.6 (1 - exp(-5 share)): 0.596 at the full budget."""
    run = synthetic_run(
        lambda share: 0.6 * (1 - math.exp(-5 * share)),
        num_checkpoints=50,
        num_problems=800,
        num_samples=4,
        seed=0,
        evaluation_share=0.0005,
    )
    spec = RunSpec(budget_flops=1e15, baseline="sampled")
    policy = Patience(PaperPolicy(), 5)
    decisions: list[Decision] = []
    points = [learning_point(each) for each in run]
    for number in range(1, len(run) + 1):
        tally = tally_of(run[number - 1].bank)
        curves = evaluate(tally, max_k=policy.max_k, method="paper")
        decisions.append(decide(points[:number], curves, spec, policy, decisions[-1] if decisions else None))
    stop = next(each for each in decisions if each.stop)
    assert 0.0 < stop.used < 0.5
    assert stop.streak == 5
    assert stop.forecast is not None
    assert stop.forecast.mean == pytest.approx(0.596, abs=0.04)
    assert stop.serving is not None
    assert stop.serving.accuracy >= stop.forecast.mean
    assert decisions[-1].reason is Reason.BUDGET_SPENT


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"max_k": 8.5}, "max_k must be a whole number of at least 1; got 8.5."),
        ({"max_k": math.nan}, "max_k must be a whole number of at least 1; got nan."),
        ({"max_k": 0}, "max_k must be a whole number of at least 1; got 0."),
        ({"max_k": 10**9}, "max_k must be at most 65536; got 1000000000. Curves are read at every K up to it."),
        ({"k_values": ()}, "k_values must hold at least one K; got []. The paper uses [1, 2, 4]."),
        ({"k_values": (4, 2, 1)}, "k_values must be increasing whole numbers from 1 up; got [4, 2, 1]."),
        ({"k_values": (0, 1)}, "k_values must be increasing whole numbers from 1 up; got [0, 1]."),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        PaperPolicy(**setting)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("history", "curves", "spec", "message"),
    [
        ([], [REACHES_AT_4], PLAN, "history must hold at least one checkpoint; got []."),
        (plateau(), [], PLAN, "k_curves must hold at least one curve; got []."),
        (plateau()[::-1], [FALLS_SHORT], PLAN, "train_flops must be finite and increasing"),
        (
            plateau(),
            [FALLS_SHORT],
            RunSpec(budget_flops=200.0),
            "budget_flops must be at least the last checkpoint's 300",
        ),
    ],
)
def test_input_that_is_no_history_is_refused(history, curves, spec: RunSpec, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        decide(history, curves, spec, NOW)
    assert str(error.value).startswith(message)


def test_unknown_baseline_names_those_there_are() -> None:
    with pytest.raises(ArgumentError) as error:
        RunSpec(budget_flops=1000.0, baseline="gready")
    assert str(error.value) == 'baseline must be "greedy", "sampled" or "best"; got \'gready\'.'


@pytest.mark.parametrize("budget", [0.0, -1.0, float("nan"), float("inf")])
def test_budget_that_is_none_is_refused(budget: float) -> None:
    with pytest.raises(ArgumentError, match="budget_flops must be finite and above 0"):
        RunSpec(budget_flops=budget)


@pytest.mark.parametrize(
    "capped",
    [RunSpec(budget_flops=1000.0, max_query_flops=10.0), RunSpec(budget_flops=1000.0, max_sequential_tokens=1.0)],
)
def test_what_the_plan_caps_is_no_serving_point(capped: RunSpec) -> None:
    curves, history = [curve(0.5, 0.6, 0.7, 0.8)], plateau()
    assert decide(history, curves, PLAN, NOW).stop
    assert decide(history, curves, capped, NOW).reason is Reason.OUT_OF_REACH
