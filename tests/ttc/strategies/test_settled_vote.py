"""Votes that stop once they are settled: the Beta rule, and accuracy and samples by replay of random orders."""

from collections import Counter
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.special import betainc

from breakeven.errors import ArgumentError
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.majority_vote import majority_vote
from breakeven.ttc.strategies.settled_vote import is_settled, settled_vote


def leader_confidence(most: int, second: int) -> Fraction:
    """In whole numbers: the tail of as many fair coins as there are votes, and one."""
    coins = most + second + 1
    return 1 - Fraction(sum(comb(coins, heads) for heads in range(second + 1)), 2**coins)


def settled(votes: list[int], confidence: float) -> bool:
    most, second = sorted([*votes, 0, 0], reverse=True)[:2]
    return most > 0 and leader_confidence(most, second) >= confidence


def pool_of(labels: list[list[int]], right: int = 0) -> Pool:
    label_PN = np.array(labels, dtype=np.int16)
    return Pool(label_PN=label_PN, correct_PN=label_PN == right)


@pytest.mark.parametrize(("first", "second", "expected"), [(5, 0, 0.984), (4, 0, 0.969), (8, 2, 0.967), (5, 2, 0.855)])
def test_golden_values_of_the_beta_rule(first: int, second: int, expected: float) -> None:
    assert 1.0 - betainc(first + 1, second + 1, 0.5) == pytest.approx(expected, abs=5e-4)
    assert float(leader_confidence(first, second)) == pytest.approx(
        1.0 - betainc(first + 1, second + 1, 0.5), abs=1e-14
    )
    assert is_settled(10, expected - 0.002)[first, second]
    assert not is_settled(10, expected + 0.002)[first, second]


@pytest.mark.parametrize("confidence", [0.5, 0.75, 0.9, 0.95, 0.984375])
def test_the_table_says_what_the_rule_says(confidence: float) -> None:
    table = is_settled(40, confidence)
    for first in range(41):
        for second in range(first + 1):
            assert table[first, second] == settled([first, second], confidence)


def test_thousands_of_votes_do_not_overflow() -> None:
    table = is_settled(2200, 0.999)
    assert table[2200, 1900]
    assert not table[2100, 2100]
    assert not is_settled(2, 0.5)[0, 0], "nobody voted"


def test_samples_that_agree_settle_after_four() -> None:
    measured = settled_vote(pool_of([[0] * 8]), range(1, 9))
    assert measured.expected_samples_K.tolist() == [1, 2, 3, 4, 4, 4, 4, 4]
    assert measured.accuracy_K.tolist() == [1.0] * 8
    assert measured.monte_carlo_error_K.tolist() == [0.0] * 8
    assert measured.expected_samples_error_K is not None
    assert measured.expected_samples_error_K.tolist() == [0.0] * 8


def test_samples_without_an_answer_cost_and_do_not_vote() -> None:
    measured = settled_vote(pool_of([[-1] * 4]), (1, 4))
    assert (measured.expected_samples_K.tolist(), measured.accuracy_K.tolist()) == ([1, 4], [0, 0])


def replayed(row: list[int], k: int, confidence: float) -> tuple[float, int]:
    """(Credit for label 0, samples) of a vote drawn in this order."""
    for drawn in range(1, k + 1):
        counts = Counter(label for label in row[:drawn] if label >= 0)
        if drawn == k or settled(list(counts.values()), confidence):
            most = max(counts.values(), default=0)
            tied = [label for label, count in counts.items() if count == most]
            return (1 / len(tied) if 0 in tied else 0.0), drawn
    raise AssertionError


@pytest.mark.parametrize("confidence", [0.7, 0.9])
def test_accuracy_and_samples_are_those_of_random_orders(confidence: float) -> None:
    rows = [[0] * 6 + [1] * 3 + [2, -1], [0] * 3 + [1] * 5 + [2] * 2 + [-1]]
    measured = settled_vote(pool_of(rows), (1, 4, 8, 11), confidence=confidence, num_orders=3000)
    rng = np.random.default_rng(1)
    for column, k in enumerate(measured.k_values):
        for problem, row in enumerate(rows):
            drawn = np.array([replayed(rng.permutation(row).tolist(), k, confidence) for _ in range(3000)])
            assert measured.accuracy_PK[problem, column] == pytest.approx(drawn[:, 0].mean(), abs=0.05)
            assert measured.expected_samples_PK is not None
            assert measured.expected_samples_PK[problem, column] == pytest.approx(drawn[:, 1].mean(), abs=0.2)


def test_certainty_is_the_majority_vote() -> None:
    rng = np.random.default_rng(0)
    pool = pool_of(rng.integers(-1, 3, (30, 12)).tolist())
    sure = settled_vote(pool, (4, 12), confidence=1.0, num_orders=400)
    assert sure.expected_samples_K.tolist() == [4.0, 12.0]
    vote = majority_vote(pool, (4, 12))
    assert sure.accuracy_PK[:, 1] == pytest.approx(vote.accuracy_PK[:, 1])
    assert sure.accuracy_K[0] == pytest.approx(vote.accuracy_K[0], abs=5 * sure.monte_carlo_error_K[0])


def test_less_confidence_takes_fewer_samples() -> None:
    pool = pool_of(np.random.default_rng(0).integers(0, 3, (30, 16)).tolist())
    samples = [settled_vote(pool, (16,), confidence=each).expected_samples_K[0] for each in (0.6, 0.8, 0.95)]
    assert samples == sorted(samples)
    assert samples[0] < samples[-1] < 16


@pytest.mark.parametrize("confidence", [0.4, 1.1, float("nan")])
def test_confidences_that_are_none_are_refused(confidence: float) -> None:
    with pytest.raises(ArgumentError, match=f"confidence must be from 0.5 to 1; got {confidence}"):
        settled_vote(pool_of([[0]]), (1,), confidence=confidence)
