"""Scores of served classes: worked out by hand, as scikit-learn defines them where they are degenerate."""

import math

import numpy as np
import pytest

from breakeven.ttc import class_scores as module
from breakeven.ttc.class_scores import Served, class_scores, served_classes


def served(*sets, strategy="soft_vote", k=1):
    return Served(strategy=strategy, k=k, class_PD=np.array(sets).T)


def values(labels, classes, *metrics, num_classes):
    found = class_scores(np.array(labels), [served(classes)], metrics, num_classes=num_classes, num_resamples=20)
    return [each.value for each in found]


# -- by hand ----------------------------------------------------------------------------------------------------------


def test_of_two_classes():
    # 2 true positives, 1 false one, 1 missed, 2 true negatives: F1 2/3 of either class, Matthews (2 x 2 - 1 x 1) / 9.
    found = values([1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 1], "accuracy", "f1", "macro_f1", "matthews", num_classes=2)
    assert found == pytest.approx([4 / 6, 2 / 3, 2 / 3, 1 / 3])


def test_f1_is_of_class_1():
    # Class 1: 1 hit, served once, right twice. Class 0: 2 hits, served 3 times, right twice.
    assert values([1, 1, 0, 0], [1, 0, 0, 0], "f1", "macro_f1", num_classes=2) == pytest.approx(
        [2 / 3, (2 / 3 + 4 / 5) / 2]
    )


def test_of_three_classes():
    # Hits 2, 1, 2; served 2, 1, 3; right 2, 2, 2. Matthews (5 x 6 - 12) / sqrt((36 - 14) (36 - 12)).
    found = values([0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 2, 2], "macro_f1", "matthews", num_classes=3)
    assert found == pytest.approx([(1 + 2 / 3 + 4 / 5) / 3, 18 / math.sqrt(22 * 24)])


def test_a_class_never_served_has_an_f1_of_0_and_one_that_is_not_there_at_all_is_left_out_of_the_mean():
    # Class 1: never served. Class 2: neither served nor right. F1 of class 0: 2 x 2 / (3 + 2).
    found = values([0, 0, 1], [0, 0, 0], "macro_f1", num_classes=3)
    assert found == pytest.approx([(4 / 5 + 0) / 2])
    assert values([0, 0, 1], [0, 0, 0], "f1", num_classes=2) == [0.0]
    assert values([0, 0], [0, 0], "f1", num_classes=2) == [0.0], "neither served nor right"


@pytest.mark.parametrize(("labels", "classes"), [([0, 0, 1], [0, 0, 0]), ([0, 0, 0], [0, 1, 0]), ([1, 1], [1, 1])])
def test_matthews_is_0_where_all_is_of_one_class(labels, classes):
    assert values(labels, classes, "matthews", num_classes=2) == [0.0]


def test_all_wrong_of_two_classes_is_minus_1():
    assert values([0, 1, 0, 1], [1, 0, 1, 0], "matthews", num_classes=2) == pytest.approx([-1.0])


def test_a_score_is_the_mean_over_the_served_sets():
    (found,) = class_scores(
        np.array([1, 1, 0, 0]),
        [served([1, 1, 0, 0], [1, 0, 0, 0])],
        ["f1"],
        num_classes=2,
        num_resamples=20,
    )
    assert found.value == pytest.approx((1 + 2 / 3) / 2)
    assert found.monte_carlo_error == pytest.approx(1 / 6)  # (1/3) / sqrt(2) / sqrt(2)


# -- the bootstrap ----------------------------------------------------------------------------------------------------


def drawn(num_problems=500, seed=0):
    rng = np.random.default_rng(seed)
    label_P = rng.integers(2, size=num_problems)
    wrong = rng.random((2, num_problems)) < 0.3
    return label_P, *(np.where(each, 1 - label_P, label_P) for each in wrong)


def test_the_error_of_an_accuracy_is_the_binomial_one():
    label_P, class_P, _ = drawn()
    (found,) = class_scores(label_P, [served(class_P)], ["accuracy"], num_classes=2)
    share = (class_P == label_P).mean()
    error = math.sqrt(share * (1 - share) / len(label_P))
    assert found.value == pytest.approx(share)
    assert found.standard_error == pytest.approx(error, rel=0.1)
    assert [found.lo, found.hi] == pytest.approx([share - 1.645 * error, share + 1.645 * error], abs=0.25 * error)


def gains(score):
    return score.gain, score.gain_lo, score.gain_hi


def test_a_gain_is_paired_with_the_baseline():
    label_P, class_P, other_P = drawn()
    greedy = served(other_P, strategy="greedy")
    first, same, found = class_scores(
        label_P, [served(other_P), served(class_P)], ["matthews"], num_classes=2, baseline=greedy
    )
    assert (first.strategy, first.gain, first.gain_lo) == ("greedy", None, None)
    assert (same.gain, same.gain_lo, same.gain_hi) == pytest.approx((0, 0, 0)), "equal on every resample"
    assert found.gain == pytest.approx(found.value - first.value)
    gain, lo, hi = gains(found)
    assert lo < gain < hi
    assert hi - lo > found.hi - found.lo, "errors of the two are independent here"


def test_it_does_not_depend_on_how_much_is_in_memory_at_once_nor_on_the_order_of_problems(monkeypatch):
    label_P, class_P, _ = drawn(60)
    whole = class_scores(label_P, [served(class_P)], ["macro_f1"], num_classes=2)
    order = np.random.default_rng(1).permutation(60)
    assert class_scores(label_P[order], [served(class_P[order])], ["macro_f1"], num_classes=2) == whole
    monkeypatch.setattr(module, "_BLOCK", 40)
    (blocks,) = class_scores(label_P, [served(class_P)], ["macro_f1"], num_classes=2)
    assert [blocks.value, blocks.lo, blocks.hi] == pytest.approx([whole[0].value, whole[0].lo, whole[0].hi])


# -- what is served ---------------------------------------------------------------------------------------------------


def passes(num_problems=40, num_passes=5, num_classes=3):
    return np.random.default_rng(0).dirichlet(np.ones(num_classes), size=(num_problems, num_passes))


def test_all_passes_serve_the_likeliest_class_of_their_mean_in_every_set():
    probability_PNC = passes()
    (all_PD,) = served_classes(probability_PNC, [5], shuffled=True, seed=0, num_sets=3)
    assert (all_PD == probability_PNC.mean(axis=1).argmax(axis=1)[:, None]).all()


def test_in_order_the_first_ones_are_taken():
    probability_PNC = passes()
    one_PD, two_PD = served_classes(probability_PNC, [1, 2], shuffled=False, seed=0, num_sets=2)
    assert (one_PD == probability_PNC[:, 0].argmax(axis=1)[:, None]).all()
    assert (two_PD == probability_PNC[:, :2].mean(axis=1).argmax(axis=1)[:, None]).all()


def test_fewer_are_drawn_anew_for_every_problem_and_set():
    probability_PNC = np.tile([[[0.9, 0.1], [0.9, 0.1], [0.1, 0.9]]], (2000, 1, 1))
    (one_PD,) = served_classes(probability_PNC, [1], shuffled=True, seed=0, num_sets=2)
    assert one_PD.mean(axis=0) == pytest.approx([1 / 3, 1 / 3], abs=0.05)
    assert (one_PD[:, 0] != one_PD[:, 1]).any()


def test_of_tied_classes_each_is_drawn_as_often():
    votes_PNC = np.tile([[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]], (2000, 1, 1))
    (tied_PD,) = served_classes(votes_PNC, [2], shuffled=True, seed=0, num_sets=1)
    assert sorted(set(tied_PD.ravel().tolist())) == [0, 2]
    assert (tied_PD == 0).mean() == pytest.approx(0.5, abs=0.05)
