"""Counting a bank: what was drawn where, and what it says about the problems that were left out."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.errors import ArgumentError, CheckFailedError
from breakeven.records import Observation, QueryFlops, SampleBank
from breakeven.ttc.tally import Tally, learning_point, point_of, tally_of

PROPERTY = settings(derandomize=True, max_examples=80)
QUERY = QueryFlops(prefill_flops=1.0, decode_flops=10.0)

BANK = SampleBank(
    correct_PN=("1100", "", "0000", "1"),
    greedy_correct_P="1001",
    temperature=0.8,
    seed=3,
    prompt_tokens=24,
    output_tokens=72,
    greedy_output_tokens=24,
)


def observed(bank: SampleBank) -> Observation:
    return Observation(
        step=7,
        train_tokens=70,
        train_flops=700.0,
        evaluation_flops=9.0,
        query_flops=QUERY,
        loss=None,
        bank=bank,
    )


def counted(correct: list[int], samples: list[int], greedy: str | None = None) -> Tally:
    greedy_P = None if greedy is None else np.array([each == "1" for each in greedy])
    return Tally(correct_P=np.array(correct), samples_P=np.array(samples), greedy_P=greedy_P)


def test_a_bank_is_counted() -> None:
    tally = tally_of(BANK)
    assert tally.correct_P.tolist() == [2, 0, 0, 1]
    assert tally.samples_P.tolist() == [4, 0, 4, 1]
    assert tally.greedy_P is not None
    assert tally.greedy_P.tolist() == [True, False, False, True]
    assert (tally.num_problems, tally.greedy_accuracy, tally.oracle, tally.pool) == (4, 0.5, False, None)
    assert tally_of(replace(BANK, oracle=True)).oracle


@PROPERTY
@given(st.lists(st.integers(0, 7), min_size=1, max_size=20), st.data())
def test_where_every_problem_has_as_many_pass_at_1_is_the_banks_to_the_last_bit(correct: list[int], data) -> None:
    greedy = data.draw(st.text("01", min_size=len(correct), max_size=len(correct)))
    bank = replace(BANK, correct_PN=tuple("1" * c + "0" * (7 - c) for c in correct), greedy_correct_P=greedy)
    tally = tally_of(bank)
    assert tally.sampled_accuracy == bank.sampled_accuracy
    assert tally.greedy_accuracy == bank.greedy_accuracy
    assert tally.left_out == 0.0


def test_problems_count_alike_however_many_samples_they_have() -> None:
    assert counted([2, 1], [4, 1]).sampled_accuracy == (2 / 4 + 1 / 1) / 2


@pytest.mark.parametrize(
    ("greedy", "left_out", "accuracy"),
    [
        ("1001", 0.5 - 2 / 3, (0.5 + 0.0 + 1.0) / 3 + (0.5 - 2 / 3) * 0.75),  # the one left out is harder
        ("1101", 0.75 - 2 / 3, (0.5 + 0.0 + 1.0) / 3 + (0.75 - 2 / 3) * 0.75),  # easier
    ],
)
def test_pass_at_1_is_carried_to_the_problems_left_out_by_their_greedy_answers(
    greedy: str, left_out: float, accuracy: float
) -> None:
    """Those right greedily solve 0.75 more, the most that the means allow."""
    tally = tally_of(replace(BANK, greedy_correct_P=greedy))
    assert tally.left_out == pytest.approx(left_out)
    assert tally.sampled_accuracy == pytest.approx(accuracy)


@PROPERTY
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_pass_at_1_stays_an_accuracy(problems: list[tuple[int, bool, bool]]) -> None:
    """Also where the problems left out are all of one kind."""
    rows = tuple("1" * c + "0" * (4 - c) if drawn else "" for c, _, drawn in problems)
    greedy = "".join("1" if right else "0" for _, right, _ in problems)
    tally = tally_of(replace(BANK, correct_PN=rows, greedy_correct_P=greedy))
    accuracy = tally.sampled_accuracy
    assert (accuracy is None) == (not any(rows))
    assert accuracy is None or 0.0 <= accuracy <= 1.0


def test_greedy_samples_alone_say_nothing_of_pass_at_1() -> None:
    tally = tally_of(replace(BANK, correct_PN=("",) * 4, answer_PN=("",) * 4))
    assert (tally.sampled_accuracy, tally.greedy_accuracy, tally.pool) == (None, 0.5, None)
    assert tally.disagreement == 0.25  # half of what independent answers at accuracy 1/2 would give


def test_without_greedy_samples_there_is_no_greedy_accuracy() -> None:
    tally = counted([1, 2], [4, 4])
    assert (tally.greedy_accuracy, tally.left_out, tally.sampled_accuracy) == (None, 0.0, 3 / 8)


def test_disagreement_is_how_often_a_sample_and_the_greedy_answer_differ() -> None:
    assert counted([4, 0, 3], [4, 4, 4], "101").disagreement == pytest.approx((0.0 + 0.0 + 0.25) / 3)
    assert counted([0, 4], [4, 4], "10").disagreement == 1.0
    assert counted([1, 0], [2, 0], "10").disagreement == 0.5  # of the sampled ones


def test_disagreement_of_two_samples_is_unbiased() -> None:
    """Of 2 drawn, 1 is right: the two differ for certain."""
    assert counted([1], [2]).disagreement == 1.0
    assert counted([2], [4]).disagreement == pytest.approx(4 / 6)  # of the pairs of 2 right and 2 wrong
    assert counted([1], [1]).disagreement == 0.0


def test_a_tally_of_nothing_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"^samples_P must hold at least one sample, or greedy_P be given; got"):
        counted([0], [0])
    with pytest.raises(ArgumentError, match="num_correct"):
        counted([5], [4])


# -- learning points --------------------------------------------------------------------------------------------------


def test_a_learning_point_holds_what_later_decisions_need() -> None:
    point = learning_point(observed(BANK))
    tally = tally_of(BANK)
    assert (point.step, point.train_flops, point.evaluation_flops, point.query_flops) == (7, 700.0, 9.0, QUERY)
    assert (point.num_problems, point.greedy_accuracy) == (4, 0.5)
    assert (point.sampled_accuracy, point.disagreement) == (tally.sampled_accuracy, tally.disagreement)
    assert point.output_tokens == 72 / 9
    assert learning_point(observed(BANK), tally) == point


def test_without_samples_answers_are_taken_as_long_as_the_greedy_ones() -> None:
    bank = replace(BANK, correct_PN=("",) * 4, output_tokens=0)
    assert learning_point(observed(bank)).output_tokens == 6.0


def test_counts_from_elsewhere_make_a_learning_point_too() -> None:
    point = point_of(counted([1], [2]), step=1, train_flops=2.0, evaluation_flops=0.0, query_flops=QUERY)
    assert (point.sampled_accuracy, point.greedy_accuracy) == (0.5, None)
    assert point.output_tokens is None


def test_samples_whose_check_failed_are_left_out_of_the_counts() -> None:
    bank = replace(BANK)
    object.__setattr__(bank, "correct_PN", ("1?00", "", "0000", "?"))
    tally = tally_of(bank)
    assert tally.samples_P.tolist() == [3, 0, 4, 0]
    assert tally.correct_P.tolist() == [1, 0, 0, 0]


# -- failed checks ----------------------------------------------------------------------------------------------------


def test_samples_without_a_verdict_are_left_out_as_if_not_drawn() -> None:
    tally = tally_of(replace(BANK, correct_PN=("1?00", "??", "0000", "1")))
    assert tally.correct_P.tolist() == [1, 0, 0, 1]
    assert tally.samples_P.tolist() == [3, 0, 4, 1]
    assert tally.sampled_accuracy == tally_of(replace(BANK, correct_PN=("100", "", "0000", "1"))).sampled_accuracy


def test_a_problem_whose_greedy_sample_has_no_verdict_is_left_out() -> None:
    bank = replace(BANK, greedy_correct_P="10?1", answer_PN=("0011", "", "0000", "0"))
    tally = tally_of(bank)
    assert tally.num_problems == 3
    assert tally.samples_P.tolist() == [4, 0, 1]
    assert tally.greedy_accuracy == 2 / 3
    assert tally.pool is not None
    assert tally.pool.num_problems == 2


def test_a_checker_that_failed_on_all_greedy_samples_says_nothing_of_the_model() -> None:
    with pytest.raises(CheckFailedError, match="the checker failed on all 4 greedy samples"):
        tally_of(replace(BANK, greedy_correct_P="????"))


def answers(tally: Tally) -> list[list[int]]:
    return [each.tolist() for each in tally.answers]


def test_answers_are_greedy_and_sampled_ones_of_every_problem_asked() -> None:
    assert answers(tally_of(BANK)) == [[3, 0, 0, 2], [5, 1, 5, 2]]
    assert answers(counted([2, 0], [4, 1])) == [[2, 0], [4, 1]]
    failed = tally_of(replace(BANK, greedy_correct_P="1?01", correct_PN=("1100", "1", "0000", "?")))
    assert failed.num_problems == 3
    assert answers(failed) == [[3, 0, 0, 1], [5, 0, 5, 1]]  # none of the one left out
    point = learning_point(observed(BANK))
    assert np.array([point.right_P, point.answers_P]).tolist() == answers(tally_of(BANK))


def test_earlier_answers_go_to_the_problems_that_they_are_of() -> None:
    tally = counted([2, 0], [4, 1]).after((3, 0), (5, 1))
    assert tally.earlier_right_P is not None
    assert tally.earlier_answers_P is not None
    assert (tally.earlier_right_P.tolist(), tally.earlier_answers_P.tolist()) == ([3, 0], [5, 1])
    failed = tally_of(replace(BANK, greedy_correct_P="1?01")).after((1, 2, 3, 4), (5, 6, 7, 8))
    assert failed.earlier_right_P is not None
    assert failed.earlier_right_P.tolist() == [1, 3, 4]
    for other in ((), (1, 2, 3)):
        assert counted([2, 0], [4, 1]).after(other, other).earlier_right_P is None
