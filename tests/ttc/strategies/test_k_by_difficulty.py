"""K by predicted difficulty: the budget is kept, hard problems get more, and no problem chooses its own K."""

from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.k_by_difficulty import k_by_difficulty
from breakeven.ttc.strategies.majority_vote import majority_vote

RNG = np.random.default_rng(0)
EASY = RNG.random((150, 24)) < 0.98
HARD = np.where(RNG.random((150, 24)) < 0.4, 0, RNG.integers(1, 6, (150, 24)))
LABELS = np.concatenate([np.where(EASY, 0, 1), HARD]).astype(np.int16)
POOL = Pool(label_PN=LABELS, correct_PN=LABELS == 0)


def test_samples_go_to_problems_whose_answers_disagree() -> None:
    measured = k_by_difficulty(POOL, (8, 12))
    assert measured.expected_samples_PK is not None
    easy, hard = measured.expected_samples_PK[:150, 1].mean(), measured.expected_samples_PK[150:, 1].mean()
    assert easy < 6.0 < hard
    assert measured.expected_samples_K == pytest.approx([8.0, 12.0], rel=0.1)
    fixed = majority_vote(POOL, (8, 12))
    assert (measured.accuracy_K > fixed.accuracy_K + 0.01).all()
    assert (measured.monte_carlo_error_K < 0.01).all()


def test_where_more_samples_help_nothing_none_are_drawn() -> None:
    measured = k_by_difficulty(
        Pool(label_PN=np.zeros((6, 8), dtype=np.int16), correct_PN=np.ones((6, 8), dtype=bool)), (4, 8)
    )
    assert (measured.expected_samples_K.tolist(), measured.accuracy_K.tolist()) == ([4.0, 4.0], [1.0, 1.0])


def test_the_least_budget_is_the_vote_of_the_first_samples() -> None:
    measured = k_by_difficulty(POOL, (4,), num_orders=64)
    assert measured.expected_samples_K.tolist() == [4.0]
    assert measured.accuracy_K[0] == pytest.approx(majority_vote(POOL, (4,)).accuracy_K[0], abs=0.01)


def test_a_problem_has_no_part_in_the_choice_of_its_own_k() -> None:
    """Other verdicts on one half of the problems change how many samples the other half gets, and not their own."""
    before = k_by_difficulty(POOL, (12,)).expected_samples_PK
    assert before is not None
    fold_P = np.random.default_rng((0, 1)).permutation(300) % 2
    alone = np.flatnonzero(fold_P == 0)
    changed = POOL.correct_PN.copy()
    changed[alone] = RNG.random((len(alone), 24)) < 0.5
    half = k_by_difficulty(replace(POOL, correct_PN=changed), (12,)).expected_samples_PK
    assert half is not None
    assert half[alone].tolist() == before[alone].tolist()
    assert half[fold_P == 1].tolist() != before[fold_P == 1].tolist()


def test_agreement_that_was_never_seen_gets_no_more_than_the_probe() -> None:
    labels = np.array([[0] * 8, [0, 1, 2, 3, 4, 5, 6, 7]], dtype=np.int16)
    measured = k_by_difficulty(Pool(label_PN=labels, correct_PN=labels == 0), (8,))
    assert measured.expected_samples_K.tolist() == [4.0]


def test_what_cannot_be_asked_is_refused() -> None:
    for probe in (0, 5, 1.5):
        with pytest.raises(ArgumentError, match="probe must be a whole number from 1 to the least budget 4"):
            k_by_difficulty(POOL, (4, 8), probe=probe)  # type: ignore[arg-type]
    one = Pool(label_PN=LABELS[:1], correct_PN=LABELS[:1] == 0)
    with pytest.raises(ArgumentError, match="pool must hold at least two problems"):
        k_by_difficulty(one, (4,))
