"""From some problems to all by strata of greedy answers: by hand, at both ends of K, and with strata that are empty."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from breakeven.cost.samples import SampleCosts
from breakeven.records import KCurve
from breakeven.ttc.evaluate import evaluate
from breakeven.ttc.pool import Pool
from breakeven.ttc.poststrata import shift_to_all
from breakeven.ttc.tally import Tally

PROPERTY = settings(derandomize=True, max_examples=40, deadline=None)


def tally(rows: list[tuple[str, int]], others: str, **more) -> Tally:
    """Problems of four samples, by their greedy verdict and right samples; then those with a greedy verdict alone."""
    return Tally(
        correct_P=np.array([right for _, right in rows] + [0] * len(others)),
        samples_P=np.array([4] * len(rows) + [0] * len(others)),
        greedy_P=np.array([verdict == "1" for verdict in "".join(greedy for greedy, _ in rows) + others]),
        **more,
    )


def pass_at_k(of: Tally) -> KCurve:
    (curve,) = evaluate(of, max_k=16, strategies=["pass@k"])
    return curve


UNLUCKY = [("1", 4), ("1", 4), *[("0", 2)] * 4]
"""Of these a third is right greedily; the others have a right sample among any three."""


def test_an_unlucky_part_by_hand() -> None:
    """Six more problems are right greedily: 2/3 of all. Those right greedily fail never, the others at K = 1 and 2."""
    plain, shifted = pass_at_k(tally(UNLUCKY, "")), pass_at_k(tally(UNLUCKY, "111111"))
    assert plain.accuracy_K[:4] == pytest.approx((1 / 3 + 2 / 3 * 1 / 2, 1 / 3 + 2 / 3 * 5 / 6, 1.0, 1.0))
    assert shifted.accuracy_K[:4] == pytest.approx((2 / 3 + 1 / 3 * 1 / 2, 2 / 3 + 1 / 3 * 5 / 6, 1.0, 1.0))
    assert set(shifted.accuracy_K[4:]) == {1.0}
    assert shifted.expected_samples_K[:4] == pytest.approx((1, 1 + 1 / 6, 1 + 1 / 6 + 1 / 18, 1 + 1 / 6 + 1 / 18))


def test_a_lucky_part_by_hand() -> None:
    """Of twelve problems two are right greedily, which fail never."""
    shifted = pass_at_k(tally(UNLUCKY, "000000"))
    assert shifted.accuracy_K[:4] == pytest.approx((1 / 6 + 5 / 6 * 1 / 2, 1 / 6 + 5 / 6 * 5 / 6, 1.0, 1.0))


def test_beyond_the_samples_failures_change_as_they_do_at_the_last_of_them() -> None:
    rows = [("1", 4), ("1", 3), ("0", 2), ("0", 0), ("0", 0), ("0", 1)]
    plain, shifted = pass_at_k(tally(rows, "")), pass_at_k(tally(rows, "111111"))
    assert plain.accuracy_K[3] == pytest.approx(4 / 6)
    assert shifted.accuracy_K[3] == pytest.approx(2 / 3 + 1 / 3 * 1 / 2)  # of those wrong greedily two have none right
    fails, before = 1.0 - np.array(shifted.accuracy_K), 1.0 - np.array(plain.accuracy_K)
    assert fails[4:] / fails[3] == pytest.approx(before[4:] / before[3])
    assert np.all(np.diff(shifted.lo_K) >= 0.0)
    assert shifted.paired_error_K == plain.paired_error_K
    assert shifted.parameters == plain.parameters


def test_the_price_is_of_the_samples_that_are_expected() -> None:
    ones = np.ones(12)
    costs = SampleCosts(prefill_P=10 * ones, decode_P=100 * ones, greedy_P=ones, reward_P=0 * ones)
    curve = pass_at_k(tally(UNLUCKY, "111111", costs=costs))
    assert curve.flops_K == pytest.approx([10 + 100 * each for each in curve.expected_samples_K])


def test_with_all_problems_sampled_nothing_is_shifted() -> None:
    alone = tally(UNLUCKY, "")
    assert pass_at_k(alone) == pass_at_k(tally([*UNLUCKY[2:], *UNLUCKY[:2]], ""))
    assert alone.sampled_accuracy == 16 / 24


def test_votes_are_carried_as_pass_at_k_is() -> None:
    """Of the last four problems' votes half are right, so that more of them do not help."""
    correct_PN = np.array([[place < right for place in range(4)] for _, right in UNLUCKY])
    pool = Pool(
        correct_PN=correct_PN,
        label_PN=np.where(correct_PN, 0, 1).astype(np.int16),
        greedy_P=np.array([greedy == "1" for greedy, _ in UNLUCKY]),
    )
    (vote,) = evaluate(tally(UNLUCKY, "111111", pool=pool), max_k=4, strategies=["majority_vote"])
    (plain,) = evaluate(tally(UNLUCKY, "", pool=pool), max_k=4, strategies=["majority_vote"])
    assert plain.accuracy_K == pytest.approx([2 / 3] * 4)
    assert vote.accuracy_K == pytest.approx([2 / 3 + 1 / 3 * 1 / 2] * 4)
    assert all(lo <= at <= hi for lo, at, hi in zip(vote.lo_K, vote.accuracy_K, vote.hi_K, strict=True))
    assert vote.expected_samples_K == plain.expected_samples_K


@pytest.mark.parametrize(
    ("greedy", "share", "accuracy", "expected"),
    [
        ("00", 0.5, (0.4, 1.0), (0.7, 1.0)),  # as if those right greedily never failed
        ("11", 0.5, (0.8, 1.0), (0.4, 0.5)),  # as if the others always did: nothing is known of them
        ("10", 1.0, (0.5, 1.0), (0.5 + 0.5 * (0.0 + 1.0) / (0.5 + 1.0), 1.0)),
    ],
)
def test_strata_that_are_empty_or_small(greedy: str, share: float, accuracy, expected) -> None:
    greedy_P = np.array([each == "1" for each in greedy])
    accuracy_PK = np.tile(accuracy, (2, 1))
    shift_K = shift_to_all(accuracy_PK, greedy_P, share - greedy_P.mean())
    assert np.array(accuracy) + shift_K == pytest.approx(expected)


def test_of_many_problems_it_is_the_strata_s_means_weighed() -> None:
    random = np.random.default_rng(1)
    greedy_P = random.random(2000) < 0.3
    accuracy_PK = np.where(greedy_P[:, None], [0.8, 0.95], [0.2, 0.7]) * random.random((2000, 1)) ** 0.1
    strata = accuracy_PK[greedy_P].mean(axis=0), accuracy_PK[~greedy_P].mean(axis=0)
    shift_K = shift_to_all(accuracy_PK, greedy_P, 0.4 - greedy_P.mean())
    assert accuracy_PK.mean(axis=0) + shift_K == pytest.approx(0.4 * strata[0] + 0.6 * strata[1], abs=2e-4)


PROBLEM = st.tuples(st.booleans(), st.integers(0, 4), st.booleans())


@PROPERTY
@given(st.lists(PROBLEM, min_size=1, max_size=20), st.data())
def test_it_stays_an_accuracy_that_rises_with_k_and_agrees_with_pass_at_1(problems, data) -> None:
    rows = [("1" if greedy else "0", right) for greedy, right, _ in problems]
    others = "".join("1" if each else "0" for each in data.draw(st.lists(st.booleans(), max_size=20)))
    of = tally(rows, others)
    curve = pass_at_k(of)
    assert of.sampled_accuracy == pytest.approx(curve.accuracy_K[0], abs=1e-12)
    values = np.array([curve.lo_K, curve.accuracy_K, curve.hi_K])
    assert np.all((0.0 <= values) & (values <= 1.0))
    assert np.all(np.diff(values[1]) >= -1e-12)
    assert np.all(np.diff(values, axis=0) >= 0.0)


@PROPERTY
@given(st.lists(st.booleans(), min_size=1, max_size=20), st.floats(0.0, 1.0))
def test_one_sample_like_the_greedy_one_shifts_by_the_whole_difference(greedy: list[bool], share: float) -> None:
    """And what all problems solve, whatever their greedy answer, by nothing."""
    greedy_P = np.array(greedy)
    left_out = share - greedy_P.mean()
    accuracy_PK = np.stack([greedy_P.astype(float), np.ones(len(greedy))], axis=1)
    one, all_solve = shift_to_all(accuracy_PK, greedy_P, left_out)
    assert one == pytest.approx(left_out)
    assert all_solve == pytest.approx(left_out if greedy_P.all() else 0.0)
