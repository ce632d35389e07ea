"""The pool of a bank: labels, scores and verdicts of as many samples of each problem."""

from dataclasses import replace

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.records import Reward, SampleBank
from breakeven.ttc.pool import Pool, count_labels, grade_labels, pool_of, verdicts_of


def bank(answers: tuple[str, ...], verdicts: tuple[str, ...], greedy: str = "1", scores=()) -> SampleBank:
    return SampleBank(
        correct_PN=verdicts,
        answer_PN=answers,
        score_PN=scores,
        greedy_correct_P=greedy.ljust(len(verdicts), "0"),
        temperature=0.8,
        seed=3,
        prompt_tokens=24,
        output_tokens=72,
        greedy_output_tokens=24,
    )


def pooled(*args, **kwargs) -> Pool:
    pool = pool_of(bank(*args, **kwargs))
    assert pool is not None
    return pool


def labels(pool: Pool) -> list[list[int]]:
    assert pool.label_PN is not None
    return pool.label_PN.tolist()


def test_answers_are_numbered_within_each_problem() -> None:
    pool = pooled(("abab", "--z-", "xyxx"), ("0101", "0000", "1011"))
    assert labels(pool) == [[0, 1, 0, 1], [-1, -1, 0, -1], [0, 1, 0, 0]]
    assert pool.correct_PN.tolist() == [[False, True] * 2, [False] * 4, [True, False, True, True]]
    assert pool.greedy_P is not None
    assert pool.greedy_P.tolist() == [True, False, False]
    assert (pool.num_problems, pool.num_samples, pool.score_PN) == (3, 4, None)


def test_the_pool_is_of_the_sampled_problems_and_of_as_many_samples_each() -> None:
    pool = pooled(("aba", "", "bb"), ("010", "", "11"), greedy="011", scores=((0.1, 0.2, 0.3), (), (0.5, 0.6)))
    assert labels(pool) == [[0, 1], [0, 0]]
    assert pool.score_PN is not None
    assert pool.score_PN.tolist() == [[0.1, 0.2], [0.5, 0.6]]
    assert pool.greedy_P is not None
    assert pool.greedy_P.tolist() == [False, True]


def test_there_is_no_pool_without_samples_or_anything_to_select_by() -> None:
    assert pool_of(bank(("", ""), ("", ""))) is None
    assert pool_of(bank((), ("10", "01"))) is None
    assert pool_of(bank((), ("10", "01"), scores=((0.0, 1.0), (1.0, 0.0)))) is not None


def test_a_sample_whose_check_failed_keeps_its_place_and_does_not_vote() -> None:
    made = bank(("aab", "aaa", "aaa"), ("110", "000", "000"), scores=((0.9, 0.1, 0.2),) * 3)
    object.__setattr__(made, "correct_PN", ("?10", "000", "???"))
    pool = pool_of(made)
    assert pool is not None
    assert labels(pool) == [[-1, 0, 1], [0, 0, 0]]
    assert pool.score_PN is not None
    assert pool.score_PN.tolist() == [[-np.inf, 0.1, 0.2], [0.9, 0.1, 0.2]]
    assert pool.correct_PN.tolist() == [[False, True, False], [False] * 3]


def test_scores_of_a_bank_are_finite_and_one_a_sample() -> None:
    with pytest.raises(ArgumentError, match="score_PN must have one number for each sample of correct_PN; got"):
        bank((), ("10", "01"), scores=((0.1, 0.2), (0.1,)))
    with pytest.raises(ArgumentError, match="score_PN must hold finite numbers; got"):
        bank((), ("10",), scores=((0.1, float("nan")),))


def test_answers_are_counted_and_graded() -> None:
    pool = pooled(("aabc-", "-----", "bbbbb"), ("11001", "00000", "10000"))
    assert pool.label_PN is not None
    assert count_labels(pool.label_PN).tolist() == [[2, 1, 1], [0, 0, 0], [5, 0, 0]]
    assert grade_labels(pool.label_PN, pool.correct_PN).tolist() == [[1.0, 0.0, 0.0], [0.0] * 3, [0.2, 0.0, 0.0]]


def test_verdicts_of_rewards() -> None:
    rewards = [
        [Reward(value=0.5, verdicts="10"), Reward(value=0.0)],
        [Reward(value=1.0, verdicts="?"), Reward(value=1)],
    ]
    assert verdicts_of(rewards).tolist() == [[[1, 0], [-1, -1]], [[-1, -1], [-1, -1]]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"correct_PN": np.zeros((0, 2), dtype=bool)}, "correct_PN must have at least one problem and one sample"),
        ({"label_PN": np.zeros((1, 3), dtype=np.int16)}, r"label_PN must have the shape \(1, 4\) of correct_PN"),
        ({"label_PN": np.full((1, 4), -2, dtype=np.int16)}, "label_PN must hold numbers from 0 up, or -1; got -2"),
        ({"score_PN": np.full((1, 4), np.nan)}, "score_PN must hold numbers below infinity"),
        ({"score_PN": np.full((1, 4), np.inf)}, "score_PN must hold numbers below infinity"),
        ({"verdict_PNV": np.zeros((1, 4), dtype=np.int8)}, "verdict_PNV must have three dimensions"),
        ({"greedy_P": np.zeros(2, dtype=bool)}, "greedy_P must have one verdict for each of the 1 problems; got 2"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change, message: str) -> None:
    pool = Pool(correct_PN=np.zeros((1, 4), dtype=bool))
    assert pool.answered_PN.all()
    with pytest.raises(ArgumentError, match=f"^{message}"):
        replace(pool, **change)
