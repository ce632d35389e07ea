"""Generative verification: S solutions x V verdicts."""

from itertools import combinations, product

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.ttc.pool import Pool
from breakeven.ttc.strategies.best_of_n import best_of_each
from breakeven.ttc.strategies.generative_verification import generative_verification, verdict_scores
from breakeven.ttc.strategies.majority_vote import majority_vote
from breakeven.ttc.strategies.weighted_vote import weighted_vote

RNG = np.random.default_rng(0)
CORRECT = RNG.random((30, 6)) < 0.4
POOL = Pool(
    correct_PN=CORRECT,
    label_PN=np.where(CORRECT, 0, RNG.integers(1, 4, CORRECT.shape)).astype(np.int16),
    verdict_PNV=(RNG.random((30, 6, 3)) < np.where(CORRECT, 0.8, 0.3)[:, :, None]).astype(np.int8),
)


def test_a_score_is_the_share_of_yes_among_the_verdicts_that_could_be_read() -> None:
    pool = Pool(
        correct_PN=np.zeros((1, 4), dtype=bool),
        verdict_PNV=np.array([[[1, 0, 1], [1, -1, -1], [-1, -1, -1], [0, 0, -1]]], dtype=np.int8),
    )
    rng = np.random.default_rng(0)
    assert verdict_scores(pool, 3, rng).tolist() == [[2 / 3, 1.0, 0.0, 0.0]]
    assert verdict_scores(pool, 0, rng).tolist() == [[1.0] * 4]


def test_all_verdicts_make_best_of_s_exact() -> None:
    assert POOL.verdict_PNV is not None
    (measured,) = generative_verification(POOL, (1, 2, 6), [3])
    scores = POOL.verdict_PNV.mean(axis=2)
    assert measured.accuracy_PK.tolist() == best_of_each(scores, POOL.answered_PN, CORRECT, (1, 2, 6)).tolist()
    assert measured.monte_carlo_error_K.tolist() == [0.0] * 3


def test_no_verdicts_are_one_sample_or_the_majority() -> None:
    one, vote = (generative_verification(POOL, (1, 6), [0], rule=rule)[0] for rule in ("best_of_n", "weighted_vote"))
    assert one.accuracy_PK == pytest.approx(np.repeat(CORRECT.mean(axis=1)[:, None], 2, axis=1))
    assert vote.accuracy_PK.tolist() == majority_vote(POOL, (1, 6)).accuracy_PK.tolist()


def test_fewer_verdicts_are_a_random_choice_of_those_drawn() -> None:
    """All choices of one verdict for each of two solutions."""
    correct = np.array([[True, False]])
    verdicts = np.array([[[1, 1, 0], [1, 0, 0]]], dtype=np.int8)
    pool = Pool(correct_PN=correct, verdict_PNV=verdicts)
    expected = np.mean(
        [
            best_of_each(np.array([[verdicts[0, 0, list(a)].mean(), verdicts[0, 1, list(b)].mean()]]),
                         pool.answered_PN, correct, (2,))[0, 0]
            for a, b in product(combinations(range(3), 1), repeat=2)
        ]
    )  # fmt: skip
    shuffled = np.stack([RNG.permuted(np.repeat(verdicts, 2000, axis=0), axis=2)])[0]
    many = Pool(correct_PN=np.repeat(correct, 2000, axis=0), verdict_PNV=shuffled)
    (measured,) = generative_verification(many, (2,), [1], num_draws=3)
    assert measured.accuracy_K[0] == pytest.approx(expected, abs=0.03)
    assert 0.0 < measured.monte_carlo_error_K[0] < 0.03


def test_more_verdicts_help_where_the_verifier_is_right_more_often_than_not() -> None:
    accuracy = [each.accuracy_K[0] for each in generative_verification(POOL, (6,), (0, 1, 2, 3))]
    assert accuracy[0] < accuracy[1] < accuracy[3]


def test_the_weighted_vote_counts_yes() -> None:
    assert POOL.verdict_PNV is not None
    scored = Pool(correct_PN=CORRECT, label_PN=POOL.label_PN, score_PN=POOL.verdict_PNV.mean(axis=2))
    some, every = generative_verification(POOL, (1, 3, 6), (2, 3), rule="weighted_vote")
    assert every.accuracy_PK.tolist() == weighted_vote(scored, (1, 3, 6)).accuracy_PK.tolist()
    assert some.accuracy_PK[:, 0] == pytest.approx(CORRECT.mean(axis=1))
    assert (some.monte_carlo_error_K[1:] > 0.0).all()


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r'rule must be "best_of_n" or "weighted_vote"; got .vote.'):
        generative_verification(POOL, (1,), [1], rule="vote")  # type: ignore[arg-type]
    for verdicts in ([], [-1], [4], [0.5]):
        with pytest.raises(ArgumentError, match="verdicts must be whole numbers from 0 to the 3 drawn of each"):
            generative_verification(POOL, (1,), verdicts)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match=r"pool\.verdict_PNV must be given for generative_verification"):
        generative_verification(Pool(correct_PN=CORRECT), (1,), [1])
    with pytest.raises(ArgumentError, match="num_draws must be at least 1"):
        generative_verification(POOL, (1,), [1], num_draws=0)
    with pytest.raises(ArgumentError, match="k_values must be at most the 6 samples drawn"):
        generative_verification(POOL, (7,), [1])
