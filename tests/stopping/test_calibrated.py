"""The calibrated rule on hand-made learning curves: each reason, what is chosen, what caps and risk change.

The hand-made run: a budget of 1000 FLOPs, 400 problems, 1 FLOP an evaluation, and a query of 1 FLOP for the prompt and
10 for each sample of 8 tokens. Where the projection is not what is tested, the policy is given one: a single number,
that of a curve that stays where it is, so that what is left unsure is known in closed form.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from breakeven.choice.break_even import break_even_queries
from breakeven.errors import ArgumentError
from breakeven.records import (
    Action,
    Decision,
    FitStatus,
    Forecast,
    KCurve,
    LearningPoint,
    Made,
    QueryFlops,
    Reason,
    RunSpec,
)
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.candidates import Candidate, candidates, deployable
from breakeven.stopping.course import Course, Policy
from breakeven.stopping.decide import decide
from breakeven.stopping.density import of_normals, quantile
from breakeven.stopping.patience import Patience

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)
PLAN = RunSpec(budget_flops=1000.0, decay_share=0.0)
NOW = CalibratedPolicy()
QUERY = QueryFlops(prefill_flops=1.0, decode_flops=10.0)


def point(number: int, greedy: float = 0.5, **changed: Any) -> LearningPoint:
    """The checkpoint at `number` tenths of the budget."""
    known = LearningPoint(
        step=100 * number,
        train_flops=100.0 * number,
        evaluation_flops=1.0,
        query_flops=QUERY,
        output_tokens=8.0,
        num_problems=400,
        num_drawn=0,
        greedy_accuracy=greedy,
        sampled_accuracy=max(0.0, greedy - 0.05),
        disagreement=0.1,
    )
    return replace(known, **changed)


def plateau(length: int = 5, greedy: float = 0.5, **changed: Any) -> list[LearningPoint]:
    return [point(number, greedy, **changed) for number in range(1, length + 1)]


def curve(
    *accuracy: float,
    half: float = 0.0,
    paired: float = 0.0,
    strategy: str = "pass@k",
    deployable: bool = True,
    early: bool = True,
) -> KCurve:
    """Accuracy at K = 1, 2, 3, ...; the first four count as measured. `half` is the interval's half width."""
    size = len(accuracy)
    fails = np.append(0.0, np.cumsum(1.0 - np.array(accuracy))[:-1])
    return KCurve(
        strategy=strategy,
        deployable=deployable,
        k_values=tuple(range(1, size + 1)),
        accuracy_K=accuracy,
        lo_K=tuple(max(0.0, a - half) for a in accuracy),
        hi_K=tuple(min(1.0, a + half) for a in accuracy),
        made_K=tuple(Made.MEASURED if k <= 4 else Made.EXTRAPOLATED for k in range(1, size + 1)),
        status=FitStatus.FITTED,
        method="calibrated",
        expected_samples_K=tuple((1.0 + fails).tolist()) if early else (),
        paired_error_K=(paired,) * size,
    )


GREEDY = replace(curve(0.5, strategy="greedy"), expected_samples_K=(1.0,))
HIGH = curve(0.45, 0.6, 0.7, 0.8)
LOW = curve(0.2, 0.22, 0.24, 0.25)
GREEDY_SHORT = replace(GREEDY, accuracy_K=(0.45,), lo_K=(0.45,), hi_K=(0.45,))
"""One greedy sample that falls short of 0.5."""
SURE = curve(0.45, 0.6, 0.8, 0.995)
"""Sure even of a curve that may yet rise to 1."""


def forecast(history: Sequence[LearningPoint], spec: RunSpec = PLAN) -> Forecast:
    course = Course(spec=spec, policy=NOW, points=tuple(history[:-1]))
    return course.see(history[-1], ()).forecast


def flat(accuracy: float = 0.5, sd: float = 0.0) -> Forecast:
    """The projection of a curve that stays where it is: a single number, or a normal law about it."""
    if not sd:
        return Forecast(
            mean=accuracy, lo=accuracy, hi=accuracy, status=FitStatus.FITTED, method="calibrated", num_points=5
        )
    cdf = of_normals(np.ones(1), np.array([accuracy]), np.array([sd]))
    lo, hi = quantile(cdf, 0.05), quantile(cdf, 0.95)
    return replace(flat(accuracy), lo=lo, hi=hi, cdf=tuple(cdf.tolist()))


def given_forecast(
    history: Sequence[LearningPoint],
    curves: Sequence[KCurve],
    spec: RunSpec,
    policy: Policy,
    previous: Decision | None = None,
    known: Forecast | None = None,
) -> Decision:
    """The decision where what is projected is known: `known`, or that the curve stays where it is."""
    course = Course(spec=spec, policy=policy, points=tuple(history[:-1]), decision=previous)
    seen = course.see(history[-1], tuple(curves))
    return policy.decide(course, replace(seen, forecast=known or flat(history[-1].greedy_accuracy or 0.0)))


UNSEEN = math.sqrt(0.1 / 400)
"""The error that is left where projection and curve are known: what the model will yet change in its answers."""


def with_confidence(z: float) -> float:
    """The accuracy that exceeds what is needed by `z` standard errors."""
    return 0.5 - NOW.margin + z * UNSEEN


# -- each reason ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "curves", "reason"),
    [
        (plateau(3), [HIGH], Reason.TOO_FEW_CHECKPOINTS),
        (plateau(5, greedy=0.0, sampled_accuracy=0.0), [HIGH], Reason.NO_SIGNAL),
        (plateau(10), [HIGH], Reason.BUDGET_SPENT),
        (plateau(), [GREEDY, SURE], Reason.REACHED),
        (plateau(), [LOW], Reason.OUT_OF_REACH),
        (plateau(evaluation_flops=100.0), [SURE], Reason.TOO_COSTLY),
    ],
)
def test_reason(history: list[LearningPoint], curves: list[KCurve], reason: Reason) -> None:
    decision = decide(history, curves, PLAN, NOW)
    assert decision.reason is reason
    assert decision.action is (Action.STOP if reason is Reason.REACHED else Action.CONTINUE)
    assert (decision.serving is not None) is (reason in (Reason.REACHED, Reason.TOO_COSTLY))
    assert (decision.streak > 0) is (decision.serving is not None)
    assert (decision.policy, decision.margin, decision.step) == ("calibrated", 0.01, history[-1].step)
    assert decision.forecast == forecast(history)


@pytest.mark.parametrize(
    ("z", "reason"),
    [
        (1.2815516 + 1e-3, Reason.REACHED),  # 90 % of the normal law
        (1.2815516 - 1e-3, Reason.UNSURE),
        (1e-3, Reason.UNSURE),
        (-1e-3, Reason.OUT_OF_REACH),
    ],
)
def test_probability_alone_decides(z: float, reason: Reason) -> None:
    decision = given_forecast(plateau(), [curve(with_confidence(z))], PLAN, NOW)
    assert decision.reason is reason
    assert decision.confidence == pytest.approx(float(ndtr(z)), abs=1e-9)


@pytest.mark.parametrize("z", [-1.0, 0.5, 1.2, 1.4, 2.5])
def test_the_probability_is_an_integral_over_the_density(z: float) -> None:
    """Of a normal law about the projection, which adds its variance: the closed form."""
    sd = 0.04
    accuracy = 0.5 - NOW.margin + z * math.hypot(sd, UNSEEN)
    decision = given_forecast(plateau(), [curve(accuracy)], PLAN, NOW, known=flat(sd=sd))
    assert decision.confidence == pytest.approx(float(ndtr(z)), abs=2e-3)
    assert (decision.serving is not None) is (z > 1.2815516)


def test_a_tail_that_no_normal_law_has_keeps_training_on() -> None:
    """One run in five rises to 0.9, and the accuracy that is sure of the others is not sure enough."""
    late = of_normals(np.array([0.8, 0.2]), np.array([0.5, 0.9]), np.array([0.01, 0.01]))
    known = replace(flat(), lo=0.48, hi=0.9, cdf=tuple(late.tolist()))
    decision = given_forecast(plateau(), [curve(0.7)], PLAN, NOW, known=known)
    assert decision.reason is Reason.UNSURE
    assert decision.confidence == pytest.approx(0.8, abs=1e-4)


def test_where_little_is_reached_the_margin_is_smaller_in_proportion() -> None:
    """A point is more than all of an accuracy of .008: a tenth of a tenth of it may be lost."""
    history = plateau(greedy=0.008, disagreement=0.0, num_problems=4000)
    for accuracy, reason in ((0.0073, Reason.REACHED), (0.0071, Reason.OUT_OF_REACH)):
        decision = given_forecast(history, [curve(accuracy)], PLAN, NOW)
        assert decision.reason is reason
        assert decision.margin == pytest.approx(0.0008)
    assert given_forecast(plateau(greedy=0.1), [LOW], PLAN, NOW).margin == NOW.margin


@pytest.mark.parametrize(("min_used", "reason"), [(0.5, Reason.REACHED), (0.501, Reason.TOO_EARLY)])
def test_a_projection_is_trusted_from_a_share_of_the_budget_on(min_used: float, reason: Reason) -> None:
    decision = decide(plateau(), [SURE], PLAN, replace(NOW, min_used=min_used))
    assert (decision.reason, decision.used) == (reason, 0.5)
    assert (decision.serving is None) is (reason is Reason.TOO_EARLY)
    assert decision.forecast == forecast(plateau()), "recorded all the same"


def test_every_number_a_stop_rests_on() -> None:
    decision = given_forecast(plateau(), [GREEDY, HIGH], replace(PLAN, queries=5.0), NOW)
    assert decision.used == 0.5
    assert decision.evaluation_flops == 5.0
    assert decision.gross_saving == pytest.approx(0.5)
    assert decision.net_saving == pytest.approx((1000 - 500 - 5) / 1000)
    assert (decision.baseline, decision.baseline_accuracy) == ("greedy", 0.5)
    served = decision.serving
    assert served is not None
    assert (served.step, served.strategy, served.deployable, served.k) == (500, "pass@k", True, 2)
    assert (served.accuracy, served.made) == (0.6, Made.MEASURED)
    assert served.expected_samples == pytest.approx(1.55)
    assert served.flops_per_query == pytest.approx(1 + 1.55 * 10)
    assert decision.k_curve == HIGH
    assert decision.break_even_queries == pytest.approx((1000 - 500 - 5) / (16.5 - 11))
    assert decision.lifetime_flops == pytest.approx(500 + 5 + 5 * 16.5)
    assert decision.full_lifetime_flops == pytest.approx(1000 + 5 * 11)
    assert decision.confidence is not None
    assert decision.confidence >= 0.9


def test_without_declared_queries_there_is_no_lifetime() -> None:
    decision = given_forecast(plateau(), [HIGH], PLAN, NOW)
    assert decision.serving is not None
    assert (decision.lifetime_flops, decision.full_lifetime_flops) == (None, None)


def test_what_costs_no_more_than_one_sample_never_breaks_even() -> None:
    decision = given_forecast(plateau(greedy=0.3), [GREEDY], PLAN, NOW)
    assert decision.serving is not None
    assert (decision.serving.strategy, decision.serving.k, decision.break_even_queries) == ("greedy", 1, None)
    assert math.isinf(
        break_even_queries(
            budget_flops=1000, train_flops=500, evaluation_flops=5, query_flops=11, baseline_query_flops=11
        )
    )


def test_without_a_fit_nothing_is_said_of_confidence() -> None:
    decision = decide(plateau(3), [HIGH, LOW], PLAN, NOW)
    assert (decision.confidence, decision.k_curve) == (None, HIGH)


# -- what the user knows ----------------------------------------------------------------------------------------------


def test_a_target_is_reached_or_not_whatever_the_curve_says() -> None:
    """From the first checkpoint on, with what is unsure of the accuracy itself alone; less the margin, as always."""
    for z, reason in ((1.3, Reason.REACHED), (1.2, Reason.UNSURE), (-0.1, Reason.OUT_OF_REACH)):
        for history in (plateau(1, greedy=0.2), plateau(5, greedy=0.0)):
            decision = decide(history, [curve(with_confidence(z))], replace(PLAN, target=0.5), NOW)
            assert decision.reason is reason
            assert decision.confidence == pytest.approx(float(ndtr(z)), abs=1e-9)
            assert decision.forecast is not None
            assert (decision.forecast.method, decision.forecast.mean, decision.forecast.late_rise) == ("target", 0.5, 0)


def test_a_target_is_weighed_against_a_workload() -> None:
    reasons = [
        decide(RISING, [CLIMBS], replace(PLAN, target=0.6, queries=queries), NOW).reason
        for queries in np.geomspace(0.1, 1e4, 60).tolist()
    ]
    assert list(dict.fromkeys(reasons)) == [Reason.REACHED, Reason.CHEAPER_LATER, Reason.TOO_COSTLY]


def test_nothing_is_served_below_the_least_accuracy() -> None:
    for least, k in ((0.0, 2), (0.6, 2), (0.61, 3), (0.8, 4)):
        decision = given_forecast(plateau(), [GREEDY, HIGH], replace(PLAN, min_accuracy=least), NOW)
        assert decision.serving is not None
        assert decision.serving.k == k
    decision = given_forecast(plateau(), [GREEDY, HIGH], replace(PLAN, min_accuracy=0.81), NOW)
    assert (decision.reason, decision.serving) == (Reason.OUT_OF_REACH, None)


# -- what makes a lead unsure -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wider",
    [
        {"curves": [curve(0.56, half=0.1)]},
        {"curves": [curve(0.56, paired=0.05)]},
        {"history": plateau(disagreement=0.9)},
        {"history": plateau(num_problems=30)},
    ],
)
def test_every_doubt_lowers_the_probability(wider: dict[str, Any]) -> None:
    """The draws, the choice of problems, what the model will yet change, and fewer problems."""
    known: dict[str, Any] = {"history": plateau(), "curves": [curve(0.56)]}
    sure = decide(known["history"], known["curves"], PLAN, NOW).confidence
    doubtful = known | wider
    unsure = decide(doubtful["history"], doubtful["curves"], PLAN, NOW).confidence
    assert sure is not None
    assert unsure is not None
    assert 0.5 < unsure < sure


def test_errors_add_up_as_independent_ones() -> None:
    (option,) = candidates(plateau()[-1], [curve(0.52, half=0.02, paired=0.03)], flat(), PLAN, margin=0.01, max_k=64)
    together = math.hypot(UNSEEN, 0.02 / 1.6448536269514722, 0.03)
    assert option.confidence == pytest.approx(float(ndtr(0.03 / together)))
    assert option.exact_confidence == pytest.approx(float(ndtr(0.03 / UNSEEN)))


def test_a_curve_without_errors_is_taken_as_exact() -> None:
    history = plateau()
    bare = replace(curve(0.56), paired_error_K=())
    (option,) = candidates(history[-1], [bare], forecast(history), PLAN, margin=0.01, max_k=64)
    assert option.confidence == option.exact_confidence


def test_certainty_is_no_division_by_zero() -> None:
    now = plateau(greedy=1.0, disagreement=0.0)[-1]
    for known, digits in ((flat(), 0.0), (flat(sd=1e-9), 1e-12)):
        high, low = (candidates(now, [curve(a)], known, PLAN, margin=0.01, max_k=64)[0].confidence for a in (0.6, 0.4))
        assert (high, low) == pytest.approx((1.0, 0.0), abs=digits, rel=0.0)


# -- what is chosen ---------------------------------------------------------------------------------------------------


def test_the_cheapest_sufficient_serving_point_wins_whatever_its_strategy() -> None:
    vote = curve(0.45, 0.45, 0.9, strategy="majority_vote", early=False)
    decision = given_forecast(plateau(), [GREEDY, HIGH, vote], PLAN, NOW)
    assert decision.serving is not None
    assert (decision.serving.strategy, decision.serving.k) == ("pass@k", 2)
    dear = replace(HIGH, k_values=(1, 4, 6, 8), expected_samples_K=(1.0, 3.5, 3.6, 3.7))
    decision = given_forecast(plateau(), [GREEDY, dear, vote], PLAN, NOW)
    assert decision.serving is not None
    assert (decision.serving.strategy, decision.serving.k, decision.serving.expected_samples) == (
        "majority_vote",
        3,
        3.0,
    )
    assert decision.k_curve == vote


CERTAINTY_K = curve(*(with_confidence(z) for z in (1.2, 1.3, 1.8, 1.9, 2.5, 2.6)))
"""Sufficient from K = 2 on, by 97 % (1.88 standard errors) from K = 4 on."""


@pytest.mark.parametrize(("certainty", "k"), [(0.97, 4), (0.95, 3), (0.0, 2)])
def test_without_a_workload_the_cheapest_k_that_is_sure_is_served(certainty: float, k: int) -> None:
    decision = given_forecast(plateau(), [GREEDY_SHORT, CERTAINTY_K], PLAN, replace(NOW, certainty=certainty))
    assert decision.serving is not None
    assert decision.serving.k == k


def test_where_none_is_as_sure_the_surest_is_served() -> None:
    """And of equally sure ones the cheapest."""
    short = curve(*(with_confidence(z) for z in (1.2, 1.3, 1.5, 1.5)))
    decision = given_forecast(plateau(), [GREEDY_SHORT, short], PLAN, NOW)
    assert decision.serving is not None
    assert decision.serving.k == 3


def test_with_a_workload_the_k_of_least_expected_cost_is_served() -> None:
    """Of the queries, and by the chance that it does not suffice, of the training that is left: 500 FLOPs."""
    for queries in np.geomspace(1e-3, 1e3, 13).tolist():
        decision = given_forecast(plateau(), [CERTAINTY_K], replace(PLAN, queries=queries), NOW)
        assert decision.serving is not None
        costs = {
            k: queries * (1 + 10 * CERTAINTY_K.expected_samples_K[k - 1])
            + 500 * float(ndtr(-(CERTAINTY_K.accuracy_K[k - 1] - with_confidence(0.0)) / UNSEEN))
            for k in range(2, 7)
        }
        assert decision.serving.k == min(costs, key=costs.__getitem__)


def test_largest_k_of_the_policy_holds() -> None:
    assert given_forecast(plateau(), [HIGH], PLAN, replace(NOW, max_k=2)).reason is Reason.REACHED
    assert given_forecast(plateau(), [HIGH], PLAN, replace(NOW, max_k=1)).reason is Reason.OUT_OF_REACH


def test_an_oracle_counts_only_where_a_checker_is_declared() -> None:
    oracle = replace(HIGH, deployable=False)
    vote = curve(0.45, 0.46, strategy="majority_vote")
    assert deployable([GREEDY, oracle, vote]) == [GREEDY, vote]
    assert deployable([GREEDY, oracle]) == [GREEDY]
    assert deployable([oracle]) == []
    assert deployable([GREEDY, oracle, vote], checker=True) == [GREEDY, HIGH, vote]
    without = given_forecast(plateau(), [oracle], PLAN, NOW)
    assert (without.reason, without.confidence, without.k_curve) == (Reason.OUT_OF_REACH, None, oracle)
    declared = given_forecast(plateau(), [oracle], replace(PLAN, checker=True), NOW)
    assert declared.stop
    assert declared.serving is not None
    assert declared.serving.deployable


def test_in_logs_of_earlier_versions_an_oracle_counts_where_no_vote_can_be_deployed() -> None:
    oracle = replace(HIGH, deployable=False)
    vote = curve(0.45, 0.46, strategy="majority_vote")
    assert deployable([GREEDY, oracle, vote], checker=None) == [GREEDY, vote]
    assert deployable([GREEDY, oracle], checker=None) == [GREEDY, oracle]
    early = replace(PLAN, checker=None)
    alone = given_forecast(plateau(), [GREEDY_SHORT, oracle], early, NOW)
    assert alone.serving is not None
    assert not alone.serving.deployable
    beside = given_forecast(plateau(), [GREEDY_SHORT, oracle, vote], early, NOW)
    assert (beside.serving, beside.k_curve) == (None, vote)


def test_only_the_strategies_that_were_named_are_chosen_from() -> None:
    vote = replace(HIGH, strategy="majority_vote")
    best = replace(HIGH, strategy="best_of_n")
    assert deployable([GREEDY, vote, best], ("best_of_n",)) == [GREEDY, best]
    assert deployable([GREEDY, vote, best], ("greedy",)) == [GREEDY]
    assert deployable([GREEDY], ("best_of_n",)) == [GREEDY], "nothing was sampled yet"
    assert deployable([GREEDY, vote, best], ("dvts/weighted_vote",)) == [GREEDY], "it was not searched yet"
    with pytest.raises(ArgumentError, match=r"policy.strategies must name some of the measured majority_vote"):
        deployable([vote], ("dvts/weighted_vote",))


def test_where_none_suffices_the_best_candidate_is_recorded() -> None:
    near = curve(with_confidence(0.5), strategy="majority_vote")
    decision = given_forecast(plateau(), [LOW, near], PLAN, NOW)
    assert (decision.reason, decision.k_curve) == (Reason.UNSURE, near)
    assert decision.confidence == pytest.approx(float(ndtr(0.5)))


# -- limits on a query ------------------------------------------------------------------------------------------------


def test_query_flops_are_limited_on_average() -> None:
    """K = 2 takes 1.55 samples and 16.5 FLOPs on average."""
    for cap, reason in ((16.6, Reason.REACHED), (16.4, Reason.OUT_OF_REACH)):
        assert given_forecast(plateau(), [HIGH], replace(PLAN, max_query_flops=cap), NOW).reason is reason


def test_where_time_is_short_samples_are_drawn_at_once_and_all_paid_for() -> None:
    """8 tokens a sample: 16 leave room for two in turn, 8 for one."""
    for cap, samples in ((16.0, 1.55), (15.9, 2.0), (8.0, 2.0)):
        decision = given_forecast(plateau(), [HIGH], replace(PLAN, max_sequential_tokens=cap), NOW)
        assert decision.serving is not None
        assert decision.serving.expected_samples == pytest.approx(samples)
        assert decision.serving.flops_per_query == pytest.approx(1 + 10 * samples)


def test_limits_that_nothing_meets_leave_no_probability() -> None:
    for capped in (replace(PLAN, max_sequential_tokens=7.9), replace(PLAN, max_query_flops=10.9)):
        decision = decide(plateau(), [GREEDY, HIGH], capped, NOW)
        assert (decision.reason, decision.confidence, decision.serving) == (Reason.OUT_OF_REACH, None, None)


def test_prefill_is_charged_once_a_sample_where_it_is_not_shared() -> None:
    decision = given_forecast(plateau(), [HIGH], replace(PLAN, shared_prefill=False), NOW)
    assert decision.serving is not None
    assert decision.serving.flops_per_query == pytest.approx(1.55 * 11)


# -- the declared queries ---------------------------------------------------------------------------------------------

RISING = [point(number, accuracy) for number, accuracy in enumerate((0.30, 0.36, 0.40, 0.43, 0.45), start=1)]
CLIMBS = curve(*(0.44 + 0.01 * k for k in range(40)))


def test_more_queries_first_make_it_cheaper_to_train_on_and_then_to_train_to_the_end() -> None:
    reasons: list[Reason] = []
    for queries in np.geomspace(0.1, 1e4, 120).tolist():
        spec = replace(PLAN, queries=queries)
        decision = given_forecast(RISING, [CLIMBS], spec, NOW, known=flat(0.51, sd=0.04))
        assert decision.serving is not None
        assert decision.lifetime_flops is not None
        assert decision.full_lifetime_flops is not None
        assert (decision.lifetime_flops >= decision.full_lifetime_flops) == (decision.reason is Reason.TOO_COSTLY)
        if not reasons or reasons[-1] is not decision.reason:
            reasons.append(decision.reason)
    assert reasons == [Reason.REACHED, Reason.CHEAPER_LATER, Reason.TOO_COSTLY]


def test_no_queries_at_all_leave_training_alone() -> None:
    decision = given_forecast(RISING, [CLIMBS], replace(PLAN, queries=0.0), NOW, known=flat(0.51, sd=0.04))
    assert decision.reason is Reason.REACHED


# -- patience ---------------------------------------------------------------------------------------------------------


def decide_all(curves: Sequence[KCurve], policy: Policy) -> list[Decision]:
    """One decision a checkpoint of a plateau, from the fifth on."""
    history = plateau(4 + len(curves))
    decisions: list[Decision] = []
    for number, each in enumerate(curves):
        previous = decisions[-1] if decisions else None
        decisions.append(given_forecast(history[: 5 + number], [each], PLAN, policy, previous))
    return decisions


@pytest.mark.parametrize(("patience", "first_stop"), [(0, 0), (1, 0), (2, 1), (3, None)])
def test_patience_counts_checkpoints_in_a_row(patience: int, first_stop: int | None) -> None:
    decisions = decide_all([HIGH, HIGH, LOW, HIGH, HIGH], Patience(NOW, patience))
    assert [each.streak for each in decisions] == [1, 2, 0, 1, 2]
    stops = [index for index, each in enumerate(decisions) if each.stop]
    assert (stops[0] if stops else None) == first_stop
    waiting = [each.reason is Reason.WAITING for each in decisions]
    assert waiting == [each.serving is not None and not each.stop for each in decisions]


def test_equal_input_gives_equal_output_and_stays_as_it_was() -> None:
    history, curves = plateau(), [GREEDY, HIGH]
    previous = decide(history[:4], curves, PLAN, NOW)
    before = copy.deepcopy((history, curves, PLAN, NOW, previous))
    first = decide(history, curves, PLAN, NOW, previous)
    assert decide(tuple(history), tuple(curves), PLAN, NOW, previous) == first
    assert (history, curves, PLAN, NOW, previous) == before


# -- risk and margin --------------------------------------------------------------------------------------------------


@cache
def of_the_plateau() -> Forecast:
    return forecast(plateau())


def on_the_plateau(curves: Sequence[KCurve], policy: CalibratedPolicy) -> Decision:
    """The decision on the curve's own projection."""
    return given_forecast(plateau(), curves, PLAN, policy, known=of_the_plateau())


accuracies = st.lists(st.floats(0.3, 1.0), min_size=1, max_size=6).map(sorted)
shares = st.floats(0.001, 0.999)


@PROPERTY
@given(accuracies, st.floats(0.0, 0.1), shares, shares)
def test_less_risk_never_makes_a_stop(accuracy: list[float], half: float, one: float, other: float) -> None:
    curves = [GREEDY, curve(*accuracy, half=half)]
    strict, loose = (on_the_plateau(curves, replace(NOW, risk=risk)) for risk in (min(one, other), max(one, other)))
    assert loose.stop or not strict.stop
    if strict.serving is not None:
        assert loose.serving is not None
        assert (loose.serving.flops_per_query or 0.0) <= (strict.serving.flops_per_query or 0.0)


@PROPERTY
@given(accuracies, st.floats(0.0, 0.1), st.floats(0.0, 0.2), st.floats(0.0, 0.2))
def test_a_wider_margin_never_unmakes_a_stop(accuracy: list[float], half: float, one: float, other: float) -> None:
    curves = [curve(*accuracy, half=half)]
    narrow, wide = (
        on_the_plateau(curves, replace(NOW, margin=margin)) for margin in (min(one, other), max(one, other))
    )
    assert wide.stop or not narrow.stop
    if narrow.serving is not None:
        assert wide.serving is not None
        assert (wide.serving.flops_per_query or 0.0) <= (narrow.serving.flops_per_query or 0.0)


@PROPERTY
@given(accuracies, st.floats(0.0, 0.2), shares)
def test_a_serving_point_is_as_sure_as_asked_for(accuracy: list[float], half: float, risk: float) -> None:
    decision = on_the_plateau([curve(*accuracy, half=half)], replace(NOW, risk=risk))
    assert decision.confidence is not None
    assert 0.0 <= decision.confidence <= 1.0
    assert (decision.serving is not None) == (decision.confidence >= 1.0 - risk)
    if decision.reason in (Reason.UNSURE, Reason.OUT_OF_REACH):
        assert (decision.reason is Reason.OUT_OF_REACH) == (decision.confidence < 0.5)


# -- arguments --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"risk": 0.0}, "risk must be above 0 and below 1; got 0.0. 0.1 allows one bad stop in ten runs."),
        ({"risk": 1.0}, "risk must be above 0 and below 1; got 1.0."),
        ({"risk": math.nan}, "risk must be above 0 and below 1; got nan."),
        ({"margin": -0.01}, "margin must be a share from 0 up to 1; got -0.01. 0.01 is one point of accuracy."),
        ({"margin": 1.0}, "margin must be a share from 0 up to 1; got 1.0."),
        ({"certainty": -0.1}, "certainty must be a share from 0 to 1; got -0.1. Divide percentages by 100."),
        ({"certainty": math.nan}, "certainty must be a share from 0 to 1; got nan."),
        ({"max_k": 0}, "max_k must be a whole number of at least 1; got 0."),
        ({"max_k": 2.5}, "max_k must be a whole number of at least 1; got 2.5."),
        ({"max_k": 10**9}, "max_k must be at most 65536; got 1000000000. Curves are read at every K up to it."),
        ({"min_used": -0.1}, "min_used must be a share from 0 up to 1; got -0.1. Divide percentages by 100."),
        ({"min_used": 1.0}, "min_used must be a share from 0 up to 1; got 1.0."),
        ({"max_evaluation_share": 0.0}, "max_evaluation_share must be above 0; got 0.0."),
        ({"max_evaluation_share": math.nan}, "max_evaluation_share must be above 0; got nan."),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict, message: str) -> None:
    with pytest.raises(ArgumentError) as error:
        CalibratedPolicy(**setting)
    assert str(error.value).startswith(message)


def test_where_the_target_is_known_the_learning_curve_is_still_one() -> None:
    history = [*plateau(), plateau()[0]]
    with pytest.raises(ArgumentError, match="train_flops must be finite and increasing"):
        decide(history, [GREEDY_SHORT], replace(PLAN, target=0.5), NOW)


# -- what would change a decision --------------------------------------------------------------------------------------


def test_what_would_be_enough_is_enough_and_a_little_less_is_not() -> None:
    known = flat(sd=0.05)
    decision = given_forecast(plateau(), [curve(0.52)], PLAN, NOW, known=known)
    assert decision.reason is Reason.UNSURE
    assert decision.outlook is not None
    for more, reached in ((0.01, True), (-0.01, False)):
        at = given_forecast(plateau(), [curve(decision.outlook.enough + more)], PLAN, NOW, known=known)
        assert (at.reason is Reason.REACHED) is reached


def test_what_more_samples_could_show() -> None:
    decision = given_forecast(plateau(), [curve(0.53, half=0.1)], PLAN, NOW, known=flat(sd=0.02))
    assert decision.outlook is not None
    assert decision.confidence is not None
    exact = decision.outlook.exact_confidence
    assert exact is not None
    assert exact == pytest.approx(float(ndtr(0.04 / math.hypot(0.02, UNSEEN))), abs=5e-3)
    assert exact > decision.confidence


def test_an_oracle_that_would_suffice_is_named_and_stops_nothing() -> None:
    oracle = curve(0.45, 0.6, 0.8, 0.995, deployable=False)
    decision = decide(plateau(), [GREEDY, oracle], PLAN, NOW)
    assert decision.serving is None
    assert decision.outlook is not None
    assert decision.outlook.checker_k == 4
    checked = decide(plateau(), [GREEDY, oracle], replace(PLAN, checker=True), NOW)
    assert checked.serving is not None
    assert checked.outlook is not None
    assert checked.outlook.checker_k is None
    assert decision.outlook.checker_confidence == checked.confidence


def test_of_random_candidates_the_one_is_served_that_a_minimum_written_out_finds() -> None:
    """With ties in price and chance, with and without prices, and under workloads of all sizes."""
    random = np.random.default_rng(0)
    here = Course(spec=PLAN, policy=NOW).see(point(3), (HIGH,))
    rest = PLAN.budget_flops - here.point.train_flops
    seen = set()
    for _ in range(1000):
        options = [
            Candidate(
                curve=HIGH,
                index=int(random.integers(0, len(HIGH.k_values))),
                flops=None if random.random() < 0.02 else float(random.integers(1, 5)),
                expected_samples=float(random.integers(1, 5)),
                confidence=float(random.integers(90, 101)) / 100,
                exact_confidence=1.0,
            )
            for _ in range(int(random.integers(1, 9)))
        ]
        queries = None if random.random() < 0.5 else float(10.0 ** random.integers(-1, 4))
        course = Course(spec=replace(PLAN, queries=queries), policy=NOW)
        sure = [each for each in options if each.confidence >= NOW.certainty]
        if queries is not None and all(each.flops is not None for each in options):
            branch = "workload"
            paid = [(queries * each.price + (1.0 - each.confidence) * rest, each.k) for each in options]
            wanted = options[paid.index(min(paid))]
        elif sure:
            branch, wanted = "sure", min(sure, key=lambda each: (each.price, each.k))
        else:
            branch, wanted = "surest", max(options, key=lambda each: (each.confidence, -each.price))
        assert NOW._served(options, course, here) is wanted
        seen.add(branch)
    assert seen == {"workload", "sure", "surest"}
