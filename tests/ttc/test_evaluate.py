"""Which K-curves a tally has, and how a sample of the problems speaks for all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.samples import SampleCosts
from breakeven.cost.tokens import ModelCost
from breakeven.errors import ArgumentError
from breakeven.records import FitStatus, KCurve, Made, SampleBank, SoftVote
from breakeven.testing import synthetic_bank
from breakeven.ttc.evaluate import VOTE_K_VALUES, accuracy_per_problem, evaluate
from breakeven.ttc.k_curve import extrapolate_pass_at_k
from breakeven.ttc.poststrata import shift_to_all
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.on_pool import measured_curve
from breakeven.ttc.strategies.pass_at_k import pass_at_k
from breakeven.ttc.strategies.strategy import Basis
from breakeven.ttc.tally import Tally, tally_of

MEASURED = [
    name
    for name, each in STRATEGIES.items()
    if each.basis in (Basis.GREEDY, Basis.COUNTS, Basis.POOL) and name != "generative_verification"
]
PROPERTY = settings(derandomize=True, max_examples=40, deadline=None)
RATES = np.linspace(0.02, 0.9, 40)
BANK = synthetic_bank(RATES, 8, seed=1)
VOTED = replace(BANK, answer_PN=tuple(row.replace("0", "w") for row in BANK.correct_PN))


def by_name(tally: Tally, max_k: int = 16, **settings) -> dict[str, KCurve]:
    curves = evaluate(tally, max_k=max_k, **settings)
    assert len({each.strategy for each in curves}) == len(curves)
    return {each.strategy: each for each in curves}


def cut(bank: SampleBank, num_problems: int) -> SampleBank:
    """The bank with samples for the first problems only."""
    rows = tuple(row if place < num_problems else "" for place, row in enumerate(bank.correct_PN))
    answers = tuple(row if place < num_problems else "" for place, row in enumerate(bank.answer_PN))
    scores = tuple(row if place < num_problems else () for place, row in enumerate(bank.score_PN))
    return replace(bank, correct_PN=rows, answer_PN=answers, score_PN=scores)


def test_the_strategies_follow_from_what_was_drawn() -> None:
    assert list(by_name(tally_of(BANK))) == ["greedy", "pass@k"]
    assert list(by_name(tally_of(VOTED))) == ["greedy", "pass@k", "majority_vote"]
    assert list(by_name(tally_of(cut(VOTED, 0)))) == ["greedy"]
    assert list(by_name(replace(tally_of(BANK), greedy_P=None))) == ["pass@k"]
    assert list(by_name(tally_of(VOTED), method="paper")) == ["pass@k"]


def test_greedy_is_a_curve_with_a_single_k() -> None:
    greedy = by_name(tally_of(BANK))["greedy"]
    accuracy = BANK.greedy_accuracy
    assert (greedy.k_values, greedy.accuracy_K, greedy.lo_K, greedy.hi_K) == ((1,), *(((accuracy,),) * 3))
    assert (greedy.expected_samples_K, greedy.paired_error_K, greedy.made_K) == ((1.0,), (0.0,), (Made.MEASURED,))
    assert (greedy.deployable, greedy.status) == (True, FitStatus.FITTED)
    nothing = replace(BANK, greedy_correct_P="0" * 40)
    assert by_name(tally_of(nothing))["greedy"].status is FitStatus.NO_SIGNAL


def test_pass_at_k_is_the_calibrated_curve_read_from_1_to_max_k() -> None:
    curve = by_name(tally_of(BANK))["pass@k"]
    alone = extrapolate_pass_at_k(BANK.num_correct_P, 8, range(1, 17))
    assert replace(curve, paired_error_K=()) == replace(alone, deployable=True, paired_error_K=())
    assert curve.paired_error_K != alone.paired_error_K  # paired with the greedy answers


def test_an_oracle_makes_pass_at_k_an_upper_bound_and_leaves_the_vote() -> None:
    for method in ("paper", "calibrated"):
        curves = by_name(tally_of(replace(VOTED, oracle=True)), method=method)
        assert not curves["pass@k"].deployable
        assert all(each.deployable for name, each in curves.items() if name != "pass@k")


def test_the_vote_is_read_up_to_the_samples_drawn() -> None:
    tally = tally_of(VOTED)
    assert tally.pool is not None
    vote = by_name(tally, max_k=64)["majority_vote"]
    assert vote.k_values == (1, 2, 3, 4, 5, 6, 7, 8) == VOTE_K_VALUES[:8]
    assert vote == measured_curve(tally.pool, "majority_vote", vote.k_values)
    assert by_name(tally, max_k=5)["majority_vote"].k_values == (1, 2, 3, 4, 5)


@pytest.mark.parametrize("strategy", ["pass@k", "majority_vote"])
def test_a_sample_of_the_problems_is_shifted_by_how_much_harder_the_others_are(strategy: str) -> None:
    """Rates rise from problem to problem, so the last ones, left out, are the easier."""
    few = tally_of(cut(VOTED, 10))
    assert few.greedy_P is not None
    shift = few.greedy_P.mean() - few.greedy_P[:10].mean()
    assert shift > 0.4
    some = SampleBank(
        correct_PN=VOTED.correct_PN[:10],
        answer_PN=VOTED.answer_PN[:10],
        greedy_correct_P=VOTED.greedy_correct_P[:10],
        temperature=0.8,
        seed=1,
        prompt_tokens=1,
        output_tokens=1,
        greedy_output_tokens=1,
    )
    shifted, plain = by_name(few)[strategy], by_name(tally_of(some))[strategy]
    for k in (1, 2, 8):
        accuracy_P = accuracy_per_problem(tally_of(some), strategy, k)
        (by,) = shift_to_all(accuracy_P[:, None], few.greedy_P[:10], shift)
        assert 0.0 < by <= shift
        assert shifted.accuracy_K[k - 1] == pytest.approx(plain.accuracy_K[k - 1] + by)
    assert np.greater(shifted.accuracy_K, plain.accuracy_K).all()
    assert np.greater(shifted.lo_K, plain.lo_K).all()
    for name in ("k_values", "made_K", "paired_error_K", "status", "parameters"):
        assert getattr(shifted, name) == getattr(plain, name)
    assert by_name(few)["greedy"].accuracy_K == (BANK.greedy_accuracy,)


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=12))
def test_every_curve_is_made_of_accuracies_and_prices(problems: list[tuple[int, bool, bool]]) -> None:
    bank = replace(
        BANK,
        correct_PN=tuple("1" * c + "0" * (4 - c) if drawn else "" for c, _, drawn in problems),
        greedy_correct_P="".join("1" if right else "0" for _, right, _ in problems),
    )
    for curve in evaluate(tally_of(bank), max_k=8):
        assert all(
            0.0 <= lo <= mean <= hi <= 1.0
            for lo, mean, hi in zip(curve.lo_K, curve.accuracy_K, curve.hi_K, strict=True)
        )
        assert all(
            1.0 - 1e-9 <= drawn <= k + 1e-9 for drawn, k in zip(curve.expected_samples_K, curve.k_values, strict=True)
        )
        assert all(error >= 0.0 for error in curve.paired_error_K)


def test_expected_samples_are_those_up_to_the_first_right_one() -> None:
    """At K: 1 plus the chances that 1, 2, ..., K - 1 samples all fail."""
    curve = by_name(tally_of(BANK))["pass@k"]
    fails = [1.0 - accuracy for accuracy in curve.accuracy_K]
    assert curve.expected_samples_K == pytest.approx([1.0 + sum(fails[: k - 1]) for k in curve.k_values])


# -- accuracy of each problem -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 3, 8])
def test_accuracy_of_each_problem_is_the_curve_s_before_the_mean(k: int) -> None:
    tally = tally_of(VOTED)
    curves = by_name(tally)
    assert accuracy_per_problem(tally, "pass@k", k).tolist() == pytest.approx(
        [pass_at_k([c], 8, k) for c in VOTED.num_correct_P]
    )
    for strategy in ("pass@k", "majority_vote"):
        assert accuracy_per_problem(tally, strategy, k).mean() == pytest.approx(curves[strategy].accuracy_K[k - 1])
    assert accuracy_per_problem(tally, "greedy", 1).tolist() == [float(each) for each in VOTED.greedy_correct_P]


@pytest.mark.parametrize("strategy", ["majority_vote", "dvts/best_of_n"])
def test_strategies_without_samples_are_refused(strategy: str) -> None:
    with pytest.raises(ArgumentError, match=r"^strategy must be greedy, pass@k or, where answers or scores were rec"):
        accuracy_per_problem(tally_of(BANK), strategy, 1)
    with pytest.raises(ArgumentError, match=r"^strategy must be among greedy, pass@k, .*; got 'vote'"):
        accuracy_per_problem(tally_of(BANK), "vote", 1)


@pytest.mark.parametrize("strategy", [name for name in MEASURED if name != "greedy"])
def test_every_strategy_has_an_accuracy_of_each_problem(strategy: str) -> None:
    tally = tally_of(SCORED)
    accuracy_P = accuracy_per_problem(tally, strategy, 8)
    assert accuracy_P.shape == (40,)
    curve = by_name(tally, max_k=8, strategies=[strategy])[strategy]
    assert accuracy_P.mean() == pytest.approx(curve.accuracy_K[-1])


# -- named strategies -------------------------------------------------------------------------------------------------

SCORED = replace(
    VOTED, score_PN=tuple(tuple(0.5 if verdict == "1" else 0.4 for verdict in row) for row in VOTED.correct_PN)
)


def test_scores_bring_best_of_n_and_the_weighted_vote() -> None:
    curves = by_name(tally_of(SCORED))
    assert list(curves) == ["greedy", "pass@k", "majority_vote", "best_of_n", "weighted_vote"]
    assert curves["best_of_n"].accuracy_K == pytest.approx(
        [curves["pass@k"].accuracy_K[k - 1] for k in curves["best_of_n"].k_values]
    )
    assert curves["best_of_n"].expected_samples_K == curves["weighted_vote"].expected_samples_K == ()
    alone = replace(SCORED, answer_PN=())
    assert list(by_name(tally_of(alone))) == ["greedy", "pass@k", "best_of_n"]
    logits = replace(SCORED, score_PN=tuple(tuple(9.0 * each for each in row) for row in SCORED.score_PN))
    assert list(by_name(tally_of(logits))) == ["greedy", "pass@k", "majority_vote", "best_of_n"]


def test_only_what_is_named_is_measured_in_a_fixed_order() -> None:
    tally = tally_of(SCORED)
    assert list(by_name(tally, strategies=["best_of_n", "greedy"])) == ["greedy", "best_of_n"]
    assert list(by_name(tally, strategies=MEASURED)) == MEASURED
    assert list(by_name(tally, strategies=[*STRATEGIES][-4:] + MEASURED)) == MEASURED, (
        "searches have curves of their own"
    )
    assert by_name(tally, strategies=["k_by_difficulty"])["k_by_difficulty"].k_values == (4, 5, 6, 7, 8)
    assert list(by_name(tally_of(cut(SCORED, 0)), strategies=["best_of_n", "pass@k"])) == []  # nothing was drawn yet


@pytest.mark.parametrize("strategies", [["vote"], [], "greedy", ["greedy", "pass@4"]])
def test_unknown_strategies_are_refused(strategies) -> None:
    message = r"^strategies must (hold some of|be among) greedy, pass@k, majority_vote, .*; got"
    with pytest.raises(ArgumentError, match=message):
        evaluate(tally_of(SCORED), max_k=8, strategies=strategies)


def test_strategies_that_the_samples_do_not_allow_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"pool\.score_PN must be given for best_of_n"):
        evaluate(tally_of(VOTED), max_k=8, strategies=["best_of_n"])
    with pytest.raises(ArgumentError, match="strategies must be greedy or pass@k where neither answers nor scores"):
        evaluate(tally_of(BANK), max_k=8, strategies=["majority_vote"])
    with pytest.raises(ArgumentError, match="max_k must be at least 4, and as many samples drawn, for k_by_difficulty"):
        evaluate(tally_of(VOTED), max_k=3, strategies=["k_by_difficulty"])


# -- averaged probabilities of a classifier ---------------------------------------------------------------------------

RIGHT_PK = np.linspace(np.full(40, 0.3), RATES, 3, axis=1)
"""At K = 1, 2 and 8."""
PASSES = replace(
    VOTED,
    prompt_tokens=0,
    output_tokens=640,
    greedy_output_tokens=80,
    prompt_tokens_P=(0,) * 40,
    greedy_tokens_P=(2,) * 40,
    output_tokens_PN=((2,) * 8,) * 40,
    soft_votes=(
        SoftVote(
            strategy="soft_vote",
            k_values=(1, 2, 8),
            num_passes=8,
            accuracy_PK=tuple(map(tuple, RIGHT_PK.tolist())),
            monte_carlo_error_K=(0.0, 0.0, 0.0),
        ),
        SoftVote(
            strategy="snapshot_ensemble",
            k_values=(1, 2),
            num_passes=2,
            accuracy_PK=((1.0, 0.0),) * 10 + ((0.0, 1.0),) * 30,
            monte_carlo_error_K=(0.0, 0.0),
        ),
    ),
)


def test_soft_votes_are_curves_whose_every_pass_is_paid_for() -> None:
    tally = tally_of(PASSES, SampleCosts.of(PASSES, ModelCost(body_params=50)))
    curves = by_name(tally)
    assert list(curves) == ["greedy", "pass@k", "majority_vote", "soft_vote", "snapshot_ensemble"]
    vote, ensemble = curves["soft_vote"], curves["snapshot_ensemble"]
    assert (vote.deployable, vote.k_values, vote.flops_K) == (True, (1, 2, 8), (100.0, 200.0, 800.0))
    assert vote.accuracy_K == pytest.approx(RIGHT_PK.mean(axis=0))
    assert all(lo < accuracy < hi for lo, accuracy, hi in zip(vote.lo_K, vote.accuracy_K, vote.hi_K, strict=True))
    assert (ensemble.accuracy_K, ensemble.flops_K) == ((0.25, 0.75), (100.0, 200.0))
    assert ensemble.lo_K == ensemble.hi_K == ensemble.accuracy_K, "nothing of it is drawn at random"
    assert accuracy_per_problem(tally, "soft_vote", 8) == pytest.approx(RATES)
    assert list(by_name(tally, max_k=1)["soft_vote"].k_values) == [1]


def test_soft_votes_of_some_problems_speak_for_all() -> None:
    some = replace(
        PASSES, output_tokens_PN=(), soft_votes=tuple(each.of(range(20)) for each in PASSES.soft_votes or ())
    )
    curve = by_name(tally_of(cut(some, 20)), strategies=["soft_vote"])["soft_vote"]
    greedy_P = np.array([each == "1" for each in PASSES.greedy_correct_P])
    left_out = greedy_P.mean() - greedy_P[:20].mean()
    expected_K = RIGHT_PK[:20].mean(axis=0) + shift_to_all(RIGHT_PK[:20], greedy_P[:20], left_out)
    assert curve.accuracy_K == pytest.approx(expected_K)


def test_soft_votes_without_passes_are_refused() -> None:
    with pytest.raises(ArgumentError, match="there are no class probabilities of several passes; got 'soft_vote'"):
        evaluate(tally_of(VOTED), max_k=8, strategies=["soft_vote"])
    with pytest.raises(ArgumentError, match=r"k must be one that soft_vote was measured at: \[1, 2, 8\]; got 4"):
        accuracy_per_problem(tally_of(PASSES), "soft_vote", 4)
