"""The majority vote: golden values, exactness on large pools, and the curve with its interval and expected samples."""

from collections import Counter
from fractions import Fraction
from itertools import permutations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.records import FitStatus, KCurve, Made
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.majority_vote import majority_vote
from breakeven.ttc.strategies.on_pool import measured_curve
from breakeven.ttc.strategies.settled_vote import samples_until_safe

PROPERTY = settings(derandomize=True, max_examples=40, deadline=None)


def pool_of(labels: list[list[int]], right: list[int], greedy: list[bool] | None = None) -> Pool:
    """Of each problem the labels and the right one."""
    label_PN = np.array(labels, dtype=np.int16)
    return Pool(
        label_PN=label_PN,
        correct_PN=(label_PN == np.array(right)[:, None]) & (label_PN >= 0),
        greedy_P=None if greedy is None else np.array(greedy),
    )


def counted(*counts: int, invalid: int = 0) -> Pool:
    """One problem with so many samples of each answer; the first is right."""
    row = [label for label, count in enumerate(counts) for _ in range(count)]
    return pool_of([row + [-1] * invalid], [0])


def accuracy(pool: Pool) -> list[float]:
    return majority_vote(pool, range(1, pool.num_samples + 1)).accuracy_K.tolist()


def curve(labels: list[list[int]], right: list[int], greedy: list[bool] | None = None) -> KCurve:
    return measured_curve(pool_of(labels, right, greedy), "majority_vote", tuple(range(1, len(labels[0]) + 1)))


def by_whole_numbers(own: int, others: list[int], invalid: int, k: int) -> Fraction:
    """Ways to win counted in whole numbers: t votes for the answer, the others below it but for s that tie."""
    total = Fraction(0)
    for votes in range(1, min(own, k) + 1):
        ways = {(0, 0): 1}  # by votes for the others and how many of them tie
        for count in others:
            further: Counter[tuple[int, int]] = Counter()
            for (drawn, tied), number in ways.items():
                for more in range(min(count, votes) + 1):
                    further[drawn + more, tied + (more == votes)] += number * comb(count, more)
            ways = further
        for (drawn, tied), number in ways.items():
            if 0 <= k - votes - drawn:
                total += Fraction(comb(own, votes) * number * comb(invalid, k - votes - drawn), 1 + tied)
    return total / comb(own + sum(others) + invalid, k)


# -- golden values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (
            counted(4, 2, 2, 2),
            [2 / 5, 2 / 5, 7 / 15, 19 / 35, 25 / 42, 137 / 210, 23 / 30, 9 / 10, 1, 1],
        ),
        (counted(3, 3), [1 / 2] * 6),
        (counted(2, 3, 1, invalid=2), [1 / 4, 9 / 28, 9 / 28, 43 / 140, 33 / 112, 15 / 56, 3 / 16, 0]),
        (counted(1, invalid=3), [1 / 4, 1 / 2, 3 / 4, 1]),
        (counted(0, 2), [0, 0]),
        (counted(0, invalid=2), [0, 0]),
        (counted(1), [1]),
    ],
)
def test_golden_values(pool: Pool, expected: list[float]) -> None:
    assert accuracy(pool) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize(
    ("own", "others", "invalid"),
    [(20, [18, 12, 6, 3, 2, 1, 1], 1), (16, [16, 16, 16], 0), (5, [3] * 15, 14), (3, [1] * 61, 0), (40, [24], 0)],
)
def test_large_pools_are_exact_too(own: int, others: list[int], invalid: int) -> None:
    measured = accuracy(counted(own, *others, invalid=invalid))
    for k in (1, 2, 3, 7, 16, 31, 50, 63, 64):
        assert measured[k - 1] == pytest.approx(float(by_whole_numbers(own, others, invalid, k)), abs=1e-13)


def test_a_thousand_samples_do_not_overflow() -> None:
    measured = majority_vote(counted(400, 350, 200, invalid=50), (1, 2, 500, 999, 1000)).accuracy_K
    assert measured[0] == pytest.approx(0.4)
    assert 0.9 < measured[2] <= measured[3] <= 1.0 + 1e-12
    assert measured[4] == pytest.approx(1.0)
    half = majority_vote(counted(1000, 1000), (1000,))  # of 10^600 subsets
    assert 0.0 < half.monte_carlo_error_K[0] <= 0.008
    assert half.accuracy_K[0] == pytest.approx(0.5, abs=4 * half.monte_carlo_error_K[0])
    assert majority_vote(counted(2000, 2000), (1, 8)).accuracy_K == pytest.approx([0.5, 0.5])


@PROPERTY
@given(st.lists(st.lists(st.integers(-1, 3), min_size=7, max_size=7), min_size=1, max_size=4))
def test_the_vote_of_all_samples_alone_is_that_of_the_whole_curve(labels: list[list[int]]) -> None:
    label_PN = np.array(labels, dtype=np.int16)
    pool = Pool(label_PN=label_PN, correct_PN=np.roll(label_PN, 1, axis=1) == 0)
    alone, curve = majority_vote(pool, (7,)), majority_vote(pool, range(1, 8))
    assert alone.accuracy_PK[:, 0] == pytest.approx(curve.accuracy_PK[:, -1], abs=1e-12)
    assert alone.monte_carlo_error_K.tolist() == [0.0]


def test_beyond_what_is_counted_the_error_of_resampling_is_told(monkeypatch) -> None:
    label_PN = np.random.default_rng(5).integers(-1, 4, (400, 12)).astype(np.int16)
    pool = Pool(label_PN=label_PN, correct_PN=label_PN == 0)
    whole = majority_vote(pool, range(1, 13))
    assert not whole.monte_carlo_error_K.any()
    for name, most in (("_COUNTED", 11), ("_COUNTED_K", 3)):
        monkeypatch.setattr(f"breakeven.ttc.strategies.majority_vote.{name}", most)
    told = majority_vote(pool, range(1, 13))
    off_K, error_K = told.accuracy_K - whole.accuracy_K, told.monte_carlo_error_K
    assert off_K[[0, 1, 2, 11]] == pytest.approx([0.0] * 4, abs=1e-12)
    assert error_K[[0, 1, 2, 11]].tolist() == [0.0] * 4
    assert (error_K[3:11] > 0).all()
    assert (error_K <= 0.5 / np.sqrt(4096)).all()
    assert (np.abs(off_K[3:11]) < 4 * error_K[3:11]).all()
    assert np.abs(off_K[3:11]).max() > 0, "it is not exact"
    assert majority_vote(pool, range(1, 13)).accuracy_PK.tolist() == told.accuracy_PK.tolist(), "the same orders"
    assert majority_vote(pool, (1, 2)).accuracy_K == pytest.approx(whole.accuracy_K[:2])


@PROPERTY
@given(st.lists(st.lists(st.integers(-1, 5), min_size=9, max_size=9), min_size=1, max_size=4))
def test_shares_of_the_vote_add_up(labels: list[list[int]]) -> None:
    """To the chance that anybody votes: an answer's share is the accuracy where it alone is right."""
    label_PN = np.array(labels, dtype=np.int16)
    alone = [Pool(label_PN=label_PN, correct_PN=label_PN == answer) for answer in range(6)]
    shares_PK = np.sum([majority_vote(pool, range(1, 10)).accuracy_PK for pool in alone], axis=0)
    silent_P = (label_PN < 0).sum(axis=1)
    for k in range(1, 10):
        voted = [1.0 - comb(int(silent), k) / comb(9, k) for silent in silent_P]
        assert shares_PK[:, k - 1] == pytest.approx(voted, abs=1e-12)


def test_answers_that_are_right_in_several_ways_add_up() -> None:
    several = Pool(label_PN=np.array([[0, 0, 1, 2]], dtype=np.int16), correct_PN=np.array([[False, False, True, True]]))
    assert accuracy(several) == pytest.approx([1 / 2, 1 / 2, 1 / 3, 0.0])


def test_an_answer_judged_both_right_and_wrong_counts_in_proportion() -> None:
    mixed = Pool(label_PN=np.zeros((1, 4), dtype=np.int16), correct_PN=np.array([[True, False, False, False]]))
    assert accuracy(mixed) == pytest.approx([0.25] * 4)


def test_more_votes_help_where_the_right_answer_leads_and_harm_where_another_does() -> None:
    leads, trails = accuracy(counted(6, 2, 1)), accuracy(counted(2, 6, 1))
    assert leads[0] < leads[-1] == pytest.approx(1.0)
    assert trails[0] > trails[-1] == pytest.approx(0.0)


# -- the curve --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("labels", "right"), [([[-1, -1]], [-2]), ([[0, 0]], [-2])])
def test_nothing_right_is_no_signal(labels: list[list[int]], right: list[int]) -> None:
    measured = curve(labels, right)
    assert (measured.status, measured.accuracy_K) == (FitStatus.NO_SIGNAL, (0.0, 0.0))


def test_the_curve_says_what_it_is() -> None:
    measured = curve([[0, 0, 1]], [0], [True])
    assert (measured.strategy, measured.deployable, measured.method) == ("majority_vote", True, "calibrated")
    assert measured.made_K == (Made.MEASURED,) * 3
    assert measured.status is FitStatus.FITTED
    assert measured.monte_carlo_error_K == (0.0,) * 3


def test_a_clear_vote_needs_half_the_samples() -> None:
    measured = curve([[0] * 8], [0])
    assert measured.expected_samples_K == pytest.approx([k // 2 + 1 for k in range(1, 9)])


def safe_after(row: tuple[int, ...]) -> int:
    """Samples after which no later vote can catch up with the leader."""
    for drawn in range(1, len(row)):
        counts = sorted(Counter(label for label in row[:drawn] if label >= 0).values(), reverse=True)
        first, second = ([*counts, 0, 0])[:2]
        if first - second > len(row) - drawn:
            return drawn
    return len(row)


@settings(PROPERTY, max_examples=20)
@given(st.lists(st.integers(-1, 3), min_size=1, max_size=6))
def test_expected_samples_end_where_the_lead_cannot_be_lost(row: list[int]) -> None:
    k_values = tuple(range(1, len(row) + 1))
    expected_samples_PK, error_K = samples_until_safe(pool_of([row], [0]), k_values, num_orders=2000)
    for k, samples, error in zip(k_values, expected_samples_PK[0], error_K, strict=True):
        expected = np.mean([safe_after(drawn) for drawn in permutations(row, k)])
        assert samples == pytest.approx(expected, abs=5.0 * error + 1e-9)


def test_the_paired_error_is_that_of_the_gain_over_the_greedy_answers() -> None:
    labels = [[0, 0, 0, 0]] * 4
    assert curve(labels, [0, 0, -2, -2], [True, True, False, False]).paired_error_K == pytest.approx((0.0,) * 4)
    assert curve(labels, [0, 0, -2, -2], [False] * 4).paired_error_K == pytest.approx((0.25,) * 4)
    assert curve(labels, [0, 0, -2, -2]).paired_error_K == pytest.approx((0.25,) * 4)


def test_intervals_hold() -> None:
    """About these problems: the truth is the vote among very many samples drawn from each problem's own law."""
    random = np.random.default_rng(0)
    held = []
    law = random.dirichlet([1.2, 0.6, 0.4], 60)
    many = pool_of([random.choice(3, 4000, p=each).tolist() for each in law], [0] * 60)
    truth = majority_vote(many, (1, 2, 4, 8)).accuracy_K
    for _ in range(60):
        labels = [random.choice(3, 16, p=each).tolist() for each in law]
        measured = measured_curve(pool_of(labels, [0] * 60), "majority_vote", (1, 2, 4, 8))
        held.append([lo <= t <= hi for lo, t, hi in zip(measured.lo_K, truth, measured.hi_K, strict=True)])
    assert np.all(np.mean(held, axis=0) >= 0.8)


def test_the_interval_does_not_depend_on_which_k_are_asked() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, (20, 16)).tolist()
    pool = pool_of(labels, [0] * 20)
    alone, among = (measured_curve(pool, "majority_vote", each) for each in ((16,), (1, 2, 4, 8, 16)))
    assert (alone.lo_K[0], alone.hi_K[0]) == (among.lo_K[-1], among.hi_K[-1])
    assert alone.lo_K[0] < alone.accuracy_K[0]  # the only subset of 16, and yet not certain
