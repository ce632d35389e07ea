"""Strata of earlier answers, and laws of two families within them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln, expit

from breakeven.ttc.calibrated_curve import calibrated_curve
from breakeven.ttc.strata import predict_strata, strata_of
from breakeven.ttc.strategies.pass_at_k import pass_at_k

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)
ALL_K = (1, 2, 4, 8, 16, 64)


def sizes(right_P, answers_P) -> list[int] | None:
    strata_P = strata_of(np.array(right_P), np.broadcast_to(answers_P, len(right_P)))
    return None if strata_P is None else np.bincount(strata_P).tolist()


# -- strata -----------------------------------------------------------------------------------------------------------


def test_problems_part_into_at_most_four_strata_of_about_as_many() -> None:
    assert sizes(np.arange(400), 400) == [100, 100, 100, 100]
    assert sizes(np.arange(4000), 4000) == [1000, 1000, 1000, 1000]
    assert sizes(np.arange(170), 170) == [50, 50, 70]  # no fourth of at least 50
    assert sizes([0] * 300 + [1] * 60 + [2] * 60 + [3] * 60, 3) == [300, 60, 60, 60]  # equal shares stay together


def test_problems_that_do_not_part_are_one() -> None:
    assert sizes([0] * 500, 4) is None
    assert sizes([0] * 60 + [1] * 39, 1) is None  # too few for two
    assert sizes([0] * 460 + [1] * 40, 4) is None
    assert sizes([], 0) is None
    assert sizes([0] * 200, 0) is None  # nothing was answered


def test_many_wrong_answers_tell_more_than_one() -> None:
    strata_P = strata_of(np.array([0] * 60 + [0] * 60 + [1] * 60), np.array([1] * 60 + [9] * 60 + [1] * 60))
    assert strata_P is not None
    assert strata_P[[0, 60, 120]].tolist() == [1, 0, 2]


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).map(sorted), max_size=40), st.integers(1, 12))
def test_strata_are_in_order_and_none_is_small(answers: list[list[int]], times: int) -> None:
    right_P, answers_P = (np.array([each[at] for each in answers] * times, dtype=int) for at in (0, 1))
    strata_P = strata_of(right_P, answers_P)
    if strata_P is None:
        return
    count = np.bincount(strata_P)
    assert 2 <= len(count) <= 4
    assert count.min() >= 50
    share_P = (right_P + right_P.sum() / answers_P.sum()) / (answers_P + 1)
    for lower, upper in pairwise(range(len(count))):
        assert share_P[strata_P == lower].max() < share_P[strata_P == upper].min()


# -- laws -------------------------------------------------------------------------------------------------------------


def test_laws_of_either_family_are_recovered_each_in_its_stratum() -> None:
    random = np.random.default_rng(3)
    hard_P, easy_P = random.beta(0.3, 2.0, 10_000), expit(random.normal(1.2, 1.55, 10_000))
    strata_P = np.repeat([0, 1], 10_000)
    right_P = random.binomial(8, np.concatenate([hard_P, easy_P]))
    k_K = np.array([1, 4, 16, 64])
    told = predict_strata(right_P, np.full(20_000, 8), k_K, strata_P, right_P / 8)
    assert told is not None
    (mean_1K, *_), parameters = told
    of_hard_K = -np.expm1(betaln(0.3, 2.0 + k_K) - betaln(0.3, 2.0))
    of_easy_K = np.array([np.mean(1.0 - (1.0 - easy_P) ** k) for k in k_K])
    assert mean_1K[0] == pytest.approx((of_hard_K + of_easy_K) / 2, abs=0.01)
    assert parameters[::3] == (10_000.0, 10_000.0)
    assert parameters[1::3] == pytest.approx((0.3 / 2.3, easy_P.mean()), abs=0.01)
    assert parameters[2] > 0.99
    assert parameters[5] < 0.01


@pytest.mark.parametrize("num_samples", [60, 2_000])
def test_rates_that_are_seen_exactly_are_told_as_they_are(num_samples: int) -> None:
    """However many samples: half the problems at a rate of 0.1, half at 0.8."""
    rate_P = np.repeat([0.1, 0.8], 100)
    counts = np.round(rate_P * num_samples).astype(int), np.full(200, num_samples)
    told = predict_strata(*counts, np.array([1, 2]), np.repeat([0, 1], 100), rate_P)
    assert told is not None
    mean, variance, choice, paired = (each[0] for each in told[0])
    assert mean == pytest.approx([0.45, (0.19 + 0.96) / 2], abs=0.006)
    assert variance.max() < 0.02 / num_samples
    assert choice == pytest.approx([0.35**2 / 200, (0.77 / 2) ** 2 / 200], rel=0.1)
    assert paired == pytest.approx([0.0, (0.07 / 2) ** 2 / 200], abs=2e-5)  # 0.16 and 0.09 are gained


def test_beyond_the_samples_drawn_more_is_known_of_problems_with_a_past() -> None:
    """Hopeless and nearly solved problems, both never right in 4 samples: banks of known truth."""
    random = np.random.default_rng(11)
    errors, holds = [], []
    for _ in range(60):
        rate_P = expit(random.normal(-3.0, 2.0, 400))
        samples_P = np.full(400, 4)
        right_P = random.binomial(4, rate_P)
        strata_P = strata_of(random.binomial(8, rate_P), np.full(400, 8))
        truth_K = [np.mean(1.0 - (1.0 - rate_P) ** k) for k in (16, 64)]
        for strata in (strata_P, None):
            curve = calibrated_curve(right_P, samples_P, (16, 64), problems="these", strata_P=strata)
            errors.append(np.abs(np.subtract(curve.accuracy_K, truth_K)))
            holds.append([lo <= truth <= hi for lo, truth, hi in zip(curve.lo_K, truth_K, curve.hi_K, strict=True)])
    told, one_law = np.reshape(errors, (60, 2, 2)).mean(axis=(0, 2))
    assert told < 0.75 * one_law
    held, held_by_one = np.reshape(holds, (60, 2, 2)).mean(axis=(0, 2))
    assert held > 0.85 > held_by_one


# -- curves -----------------------------------------------------------------------------------------------------------

banks = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 8)).map(sorted), min_size=2, max_size=30)


@PROPERTY
@given(banks, st.data())
def test_a_curve_in_strata_keeps_what_every_curve_does(bank: list[list[int]], data: st.DataObject) -> None:
    right_P, samples_P = np.array(bank).T
    strata_P = np.sort(data.draw(st.lists(st.integers(0, 1), min_size=len(bank), max_size=len(bank)).map(np.array)))
    strata_P -= strata_P.min()
    for problems in ("these", "new"):
        curve = calibrated_curve(right_P, samples_P, ALL_K, problems=problems, strata_P=strata_P)
        for lo, at, hi in zip(curve.lo_K, curve.accuracy_K, curve.hi_K, strict=True):
            assert 0.0 <= lo <= at <= hi <= 1.0
        for earlier, later in pairwise(curve.accuracy_K):
            assert earlier <= later
        for k, at, made in zip(ALL_K, curve.accuracy_K, curve.made_K, strict=True):
            if made == "measured":
                assert at == pass_at_k(right_P, samples_P, k)
        assert len(curve.paired_error_K) == len(curve.expected_samples_K) == len(ALL_K)
        assert min(curve.paired_error_K) >= 0.0
        assert len(curve.parameters) in (2, 3 * (1 + strata_P.max()))


def test_strata_that_do_not_differ_are_told_as_one_to_the_last_bit() -> None:
    random = np.random.default_rng(8)
    right_P, samples_P = random.binomial(4, random.beta(0.4, 2.0, 400)), np.full(400, 4)
    at_random, by_success = random.integers(0, 4, 400), (right_P > 1).astype(int)
    one_law = calibrated_curve(right_P, samples_P, ALL_K, problems="these")
    assert calibrated_curve(right_P, samples_P, ALL_K, problems="these", strata_P=at_random) == one_law
    assert calibrated_curve(right_P, samples_P, ALL_K, problems="these", strata_P=by_success) != one_law


def test_no_right_sample_is_no_signal_with_an_upper_bound() -> None:
    curve = calibrated_curve(
        np.zeros(200, int), np.full(200, 4), ALL_K, problems="these", strata_P=np.repeat([0, 1], 100)
    )
    assert curve.status == "no_signal"
    assert set(curve.accuracy_K) == set(curve.lo_K) == {0.0}
    assert 0.0 < curve.hi_K[0] < curve.hi_K[-1] < 1.0
