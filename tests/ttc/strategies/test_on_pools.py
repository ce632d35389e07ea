"""What holds for every strategy on a pool: brute force over all subsets, and what may and may not change it."""

from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.named import STRATEGIES
from breakeven.ttc.strategies.on_pool import FIELDS, measure, measured_curve
from breakeven.ttc.strategies.weighted_vote import weighted_vote

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)
EXACT = ("pass@k", "majority_vote", "best_of_n")
POOLED = tuple(name for name, strategy in STRATEGIES.items() if strategy.measure is not None)
ON_SAMPLES = ("pass@k", "majority_vote", "best_of_n", "weighted_vote", "settled_vote")


@st.composite
def pools(draw, max_samples: int = 7) -> Pool:
    """Small pools with ties in scores and counts, samples without an answer, and several right answers."""
    shape = draw(st.integers(1, 3)), draw(st.integers(1, max_samples))
    size = shape[0] * shape[1]
    labels = draw(st.lists(st.integers(-1, 3), min_size=size, max_size=size))
    scores = draw(st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1.0]), min_size=size, max_size=size))
    correct = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    return Pool(
        label_PN=np.array(labels, dtype=np.int16).reshape(shape),
        score_PN=np.array(scores).reshape(shape),
        correct_PN=np.array(correct).reshape(shape),
    )


def served(rule: str, label: np.ndarray, score: np.ndarray, subset: tuple[int, ...]) -> list[list[int]]:
    """What is served from a subset, each equally likely: the samples that its grade is the mean of."""
    by_label = defaultdict(list)
    for place in subset:
        if label[place] >= 0:
            by_label[label[place]].append(place)
    if rule == "best_of_n":
        choice = [place for members in by_label.values() for place in members] or list(subset)
        return [[place] for place in choice if score[place] == max(score[choice])]
    weight = {
        each: len(members) if rule == "majority_vote" else round(sum(score[members]), 6)
        for each, members in by_label.items()
    }
    # An answer is as right as its samples are, whichever of them took part in the vote.
    return [np.flatnonzero(label == each).tolist() for each in by_label if weight[each] == max(weight.values())]


def credit(rule: str, pool: Pool, problem: int, subset: tuple[int, ...]) -> float:
    correct = pool.correct_PN[problem]
    if rule == "pass@k":
        return float(correct[list(subset)].any())
    assert pool.label_PN is not None
    assert pool.score_PN is not None
    options = served(rule, pool.label_PN[problem], pool.score_PN[problem], subset)
    return float(np.mean([correct[members].mean() for members in options])) if options else 0.0


def brute_force(rule: str, pool: Pool, k: int) -> np.ndarray:
    """Mean over all subsets of k samples."""
    subsets = list(combinations(range(pool.num_samples), k))
    return np.array(
        [np.mean([credit(rule, pool, problem, subset) for subset in subsets]) for problem in range(pool.num_problems)]
    )


def every_k(pool: Pool) -> tuple[int, ...]:
    return tuple(range(1, pool.num_samples + 1))


@pytest.mark.parametrize("rule", EXACT)
@PROPERTY
@given(pool=pools())
def test_exact_strategies_agree_with_brute_force(rule: str, pool: Pool) -> None:
    measured = measure(pool, rule, every_k(pool))
    for place, k in enumerate(measured.k_values):
        assert measured.accuracy_PK[:, place] == pytest.approx(brute_force(rule, pool, k), abs=1e-12)
    assert measured.monte_carlo_error_K.tolist() == [0.0] * len(measured.k_values)


@settings(PROPERTY, max_examples=15)
@given(pools())
def test_the_weighted_vote_agrees_with_brute_force_within_its_error(pool: Pool) -> None:
    measured = weighted_vote(pool, every_k(pool), num_orders=2000)
    for place, k in enumerate(measured.k_values):
        expected = brute_force("weighted_vote", pool, k)
        slack = 1e-12 if k in (1, pool.num_samples) else 5.0 * measured.monte_carlo_error_K[place] + 1e-3
        assert measured.accuracy_PK[:, place].mean() == pytest.approx(expected.mean(), abs=slack)
        if k in (1, pool.num_samples):
            assert measured.accuracy_PK[:, place] == pytest.approx(expected, abs=slack)
            assert measured.monte_carlo_error_K[place] == 0.0


# -- what is selected -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["majority_vote", "best_of_n", "weighted_vote", "settled_vote"])
@settings(PROPERTY, max_examples=30)
@given(pool=pools())
def test_what_is_selected_does_not_depend_on_what_is_right(rule: str, pool: Pool) -> None:
    """One right sample at a time shows how often each is served; any verdicts are then graded by those weights."""
    weights = []
    for place in range(pool.num_samples):
        alone_PN = np.zeros_like(pool.correct_PN)
        alone_PN[:, place] = True
        weights.append(measure(replace(pool, correct_PN=alone_PN), rule, every_k(pool)).accuracy_PK)
    weight_PNK = np.stack(weights, axis=1)
    measured = measure(pool, rule, every_k(pool))
    assert measured.accuracy_PK == pytest.approx((weight_PNK * pool.correct_PN[:, :, None]).sum(axis=1), abs=1e-9)
    flipped = measure(replace(pool, correct_PN=~pool.correct_PN), rule, every_k(pool))
    assert flipped.accuracy_PK + measured.accuracy_PK == pytest.approx(weight_PNK.sum(axis=1), abs=1e-9)
    if measured.expected_samples_PK is not None:
        assert flipped.expected_samples_PK is not None
        assert measured.expected_samples_PK.tolist() == flipped.expected_samples_PK.tolist()


@pytest.mark.parametrize("rule", EXACT)
@PROPERTY
@given(pool=pools(), random=st.randoms(use_true_random=False))
def test_order_of_samples_and_names_of_answers_change_nothing(rule: str, pool: Pool, random) -> None:
    order = random.sample(range(pool.num_samples), pool.num_samples)
    name = np.array([*random.sample(range(9), 4), -1], dtype=np.int16)
    assert pool.label_PN is not None
    assert pool.score_PN is not None
    other = Pool(
        label_PN=name[pool.label_PN][:, order], score_PN=pool.score_PN[:, order], correct_PN=pool.correct_PN[:, order]
    )
    one = measure(pool, rule, every_k(pool)).accuracy_PK
    assert measure(other, rule, every_k(pool)).accuracy_PK == pytest.approx(one, abs=1e-12)


@pytest.mark.parametrize("rule", ["weighted_vote", "settled_vote"])
@PROPERTY
@given(pool=pools(), names=st.permutations(range(6)))
def test_names_of_answers_change_nothing_where_orders_are_drawn(rule: str, pool: Pool, names: list[int]) -> None:
    assert pool.label_PN is not None
    other = replace(pool, label_PN=np.array([*names, -1], dtype=np.int16)[pool.label_PN])
    one = measure(pool, rule, every_k(pool)).accuracy_PK
    assert measure(other, rule, every_k(pool)).accuracy_PK == pytest.approx(one, abs=1e-12)


@pytest.mark.parametrize("rule", ON_SAMPLES)
@PROPERTY
@given(pool=pools())
def test_accuracies_and_intervals_are_shares(rule: str, pool: Pool) -> None:
    for problems in ("these", "new"):
        curve = measured_curve(pool, rule, every_k(pool), problems=problems)
        for lo, accuracy, hi in zip(curve.lo_K, curve.accuracy_K, curve.hi_K, strict=True):
            assert 0.0 <= lo <= accuracy + 1e-12
            assert accuracy <= hi + 1e-12
            assert hi <= 1.0
        assert all(
            1.0 - 1e-9 <= drawn <= k + 1e-9 for k, drawn in zip(curve.k_values, curve.expected_samples_K, strict=False)
        )


@PROPERTY
@given(pools())
def test_more_samples_never_lower_pass_at_k_and_it_bounds_all_others(pool: Pool) -> None:
    bound = measure(pool, "pass@k", every_k(pool)).accuracy_PK
    assert (np.diff(bound, axis=1) >= -1e-12).all()
    for rule in ("best_of_n", "majority_vote", "weighted_vote"):
        if rule == "best_of_n":
            assert (measure(pool, rule, every_k(pool)).accuracy_PK <= bound + 1e-9).all()
    perfect = replace(pool, score_PN=pool.correct_PN.astype(float), label_PN=None)
    assert measure(perfect, "best_of_n", every_k(pool)).accuracy_PK == pytest.approx(bound, abs=1e-12)


@PROPERTY
@given(pools())
def test_equal_scores_make_a_plain_vote(pool: Pool) -> None:
    even = replace(pool, score_PN=np.full(pool.correct_PN.shape, 0.3))
    plain = measure(pool, "majority_vote", every_k(pool)).accuracy_PK
    weighted = weighted_vote(even, every_k(pool), num_orders=400)
    assert weighted.accuracy_PK[:, -1] == pytest.approx(plain[:, -1], abs=1e-12)
    slack = 6.0 * weighted.monte_carlo_error_K + 5e-3
    assert (np.abs(weighted.accuracy_PK.mean(axis=0) - plain.mean(axis=0)) <= slack).all()


# -- by name ----------------------------------------------------------------------------------------------------------

POOL = Pool(
    label_PN=np.array([[0, 0, 1, -1]] * 3, dtype=np.int16),
    score_PN=np.array([[0.2, 0.4, 0.9, 0.1]] * 3),
    verdict_PNV=np.array([[[1, 0], [1, 1], [0, 0], [-1, 1]]] * 3, dtype=np.int8),
    correct_PN=np.array([[True, True, False, False]] * 3),
)


@pytest.mark.parametrize("strategy", POOLED)
def test_every_strategy_has_a_curve(strategy: str) -> None:
    k_values = (4,) if strategy == "k_by_difficulty" else (1, 2, 4)
    curve = measured_curve(POOL, strategy, k_values)
    assert (curve.strategy, curve.k_values) == (strategy, k_values)
    assert curve.deployable == (strategy != "pass@k")
    assert len(curve.monte_carlo_error_K) == len(curve.paired_error_K) == len(k_values)


def test_expected_samples_are_told_where_samples_are_drawn_in_turn() -> None:
    told = {name: measured_curve(POOL, name, (4,)).expected_samples_K for name in POOLED}
    assert told["pass@k"] == pytest.approx((5 / 3,))
    assert told["majority_vote"][0] <= 4.0
    assert told["best_of_n"] == told["weighted_vote"] == told["generative_verification"] == ()
    assert len(told["settled_vote"]) == len(told["k_by_difficulty"]) == 1


@pytest.mark.parametrize("strategy", POOLED)
def test_k_above_the_samples_drawn_is_refused_with_the_remedy(strategy: str) -> None:
    with pytest.raises(ArgumentError) as error:
        measure(POOL, strategy, (4, 5))
    assert str(error.value) == (
        "k_values must be at most the 4 samples drawn per problem; got 5. No vote or selection is extrapolated in K: "
        "draw more samples."
    )


@pytest.mark.parametrize("k_values", [(), (0, 1), (2, 1), (1, 1), (1.5,)])
def test_k_values_that_are_none_are_refused(k_values: tuple[int, ...]) -> None:
    rule = "be increasing whole numbers from 1 up" if k_values else "hold at least one K"
    for strategy in POOLED:
        with pytest.raises(ArgumentError, match=f"k_values must {rule}"):
            measure(POOL, strategy, k_values)


@pytest.mark.parametrize(
    ("strategy", "field"),
    [(name, FIELDS[need]) for name in POOLED for need in STRATEGIES[name].needs if need in FIELDS],
)
def test_what_a_strategy_lacks_is_named(strategy: str, field: str) -> None:
    lacking: dict[str, Any] = {field: None}
    with pytest.raises(ArgumentError, match=rf"pool.{field} must be given for {strategy}; got None"):
        measure(replace(POOL, **lacking), strategy, (4,))


def test_an_unknown_strategy_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^strategy must be among greedy, pass@k, .*; got 'vote'"):
        measure(POOL, "vote", (1,))
    with pytest.raises(
        ArgumentError, match=r"^strategy must be one that is measured on a pool .*; got 'dvts/best_of_n'"
    ):
        measure(POOL, "dvts/best_of_n", (1,))
    with pytest.raises(ArgumentError, match=r'^problems must be "these" or "new"; got'):
        measured_curve(POOL, "pass@k", (1,), problems="all")  # type: ignore[arg-type]


def test_one_problem_has_no_error_over_problems() -> None:
    one = Pool(label_PN=np.array([[0, 1]], dtype=np.int16), correct_PN=np.array([[True, False]]))
    measured = measure(one, "majority_vote", (1,))
    assert np.isnan(measured.standard_error_K).all()
    curve = measured_curve(one, "majority_vote", (1,), problems="new")
    assert (curve.lo_K, curve.hi_K) == ((0.0,), (1.0,))


def test_intervals_about_new_problems_hold() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        rate_P = rng.beta(1.5, 2.0, 60)
        correct_PN = rng.random((60, 8)) < rate_P[:, None]
        pool = Pool(correct_PN=correct_PN, label_PN=np.where(correct_PN, 0, 1).astype(np.int16))
        curve = measured_curve(pool, "majority_vote", (1, 8), problems="new")
        held.append(curve.lo_K[0] <= 1.5 / 3.5 <= curve.hi_K[0])
    assert 0.85 <= np.mean(held) <= 0.95
