"""Recorded passes evaluated: each strategy as by hand or by brute force, whatever the blocks."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.eval.passes import evaluate_passes
from breakeven.eval.passes_notes import first_line, notes
from breakeven.readers.class_blocks import block_of, recorded


def passes_of(label_P, *, size=None, classes=None, **arrays):
    """As read from a file, in blocks of `size` problems."""
    shapes = {name: np.shape(each)[1:] for name, each in arrays.items()}
    label_P = np.array(label_P, dtype=np.int64)
    step = size or len(label_P)

    def blocks():
        for start in range(0, len(label_P), step):
            some = {name: np.array(each[start : start + step]) for name, each in arrays.items()}
            yield block_of(label_P[start : start + step], some)

    return recorded(Path("passes.npz"), shapes, blocks, classes)


def random_passes(num_problems=30, num_passes=5, num_classes=3, **settings):
    rng = np.random.default_rng(0)
    label_P = rng.integers(num_classes, size=num_problems)
    lean_PC = np.eye(num_classes)[label_P] + rng.normal(size=(num_problems, num_classes))

    def softmax(noise):
        power = np.exp(lean_PC[:, None] + rng.normal(size=(num_problems, noise, num_classes)))
        return power / power.sum(axis=-1, keepdims=True)

    arrays = {"plain": softmax(1)[:, 0], "probabilities": softmax(num_passes), "snapshots": softmax(4)}
    return label_P, passes_of(label_P, **arrays, **settings), arrays


def row(evaluation, strategy, k):
    (found,) = [each for each in evaluation.measurements if (each.strategy, each.k) == (strategy, k)]
    return found


# -- accuracy ---------------------------------------------------------------------------------------------------------

PLAIN = [[0.6, 0.4], [0.6, 0.4]]
NOISY = [[[0.7, 0.3], [0.4, 0.6], [0.9, 0.1]], [[0.8, 0.2], [0.3, 0.7], [0.4, 0.6]]]
"""Right are class 0 and class 1: 2 of 3 passes of either problem. Mean: 0.67 of class 0, and 0.5 of each class."""


def test_every_strategy_by_hand():
    found = evaluate_passes(passes_of([0, 1], plain=PLAIN, probabilities=NOISY), k_values=[1, 3], pass_flops=100.0)
    assert {(each.strategy, each.k): each.accuracy for each in found.measurements} == pytest.approx(
        {
            ("greedy", 1): 0.5,
            ("pass@k", 1): 2 / 3,
            ("pass@k", 3): 1.0,
            ("majority_vote", 1): 2 / 3,
            ("majority_vote", 3): 1.0,
            ("soft_vote", 1): 2 / 3,
            ("soft_vote", 3): 0.75,
        }
    )
    assert [each.strategy for each in found.measurements if not each.deployable] == ["pass@k", "pass@k"]
    assert (found.num_problems, found.num_samples, found.num_snapshots, found.num_copied) == (2, 3, 0, 0)


def test_prices_are_of_the_passes_that_a_query_takes():
    found = evaluate_passes(passes_of([0, 1], plain=PLAIN, probabilities=NOISY), k_values=[1, 3], pass_flops=100.0)
    assert row(found, "greedy", 1).flops == 100.0
    assert row(found, "soft_vote", 3).flops == 300.0
    assert row(found, "pass@k", 3).flops == pytest.approx(400 / 3)  # up to the first right one of 2 in 3
    # The first two agree in 1 of 3 orders, and then the third changes nothing; orders are drawn.
    assert row(found, "majority_vote", 3).expected_samples == pytest.approx(2 + 2 / 3, abs=0.3)
    unknown = evaluate_passes(passes_of([0, 1], plain=PLAIN), k_values=[1])
    assert row(unknown, "greedy", 1).flops is None


def test_gains_are_paired_with_the_plain_pass():
    found = row(evaluate_passes(passes_of([0, 1], plain=PLAIN, probabilities=NOISY), k_values=[3]), "soft_vote", 3)
    # Differences 0 and 0.5: mean 0.25, standard error 0.25.
    assert [found.gain, found.gain_lo, found.gain_hi] == pytest.approx([0.25, 0.25 - 0.4112, 0.25 + 0.4112], abs=1e-4)


@pytest.mark.parametrize("size", [None, 1, 7])
def test_votes_equal_brute_force_in_blocks_of_any_size(size):
    label_P, passes, arrays = random_passes(size=size)
    found = evaluate_passes(passes, k_values=[1, 2, 4], metrics=["accuracy"])
    for k in (1, 2, 4):
        shares = [
            np.mean([noisy_NC[list(some)].mean(axis=0).argmax() == label for some in combinations(range(5), k)])
            for noisy_NC, label in zip(arrays["probabilities"], label_P, strict=True)
        ]
        assert row(found, "soft_vote", k).accuracy == pytest.approx(np.mean(shares))
        averaged = arrays["snapshots"][:, :k].mean(axis=1).argmax(axis=1) == label_P
        assert row(found, "snapshot_ensemble", k).accuracy == pytest.approx(averaged.mean())
    anew = evaluate_passes(random_passes()[1], k_values=[1, 2, 4])
    for one, other in zip(found.measurements, anew.measurements, strict=True):
        assert (one.strategy, one.k) == (other.strategy, other.k)
        assert [one.accuracy, one.lo, one.hi, one.expected_samples] == pytest.approx(
            [other.accuracy, other.lo, other.hi, other.expected_samples]
        )


def test_more_subsets_than_are_counted_have_a_monte_carlo_error_whatever_the_blocks():
    whole, parts = (evaluate_passes(random_passes(num_passes=20, size=size)[1], k_values=[1, 10]) for size in (None, 7))
    errors = [row(each, "soft_vote", 10).monte_carlo_error for each in (whole, parts)]
    assert 0.0 < errors[0] < 0.02
    assert errors[1] == pytest.approx(errors[0], rel=0.5)
    assert row(parts, "soft_vote", 10).accuracy == pytest.approx(row(whole, "soft_vote", 10).accuracy, abs=0.05)
    assert row(whole, "soft_vote", 1).monte_carlo_error == 0.0


def test_of_snapshots_alone_greedy_is_the_last_checkpoint():
    found = evaluate_passes(passes_of([0], snapshots=[[[0.6, 0.4], [0.1, 0.9]]]), k_values=[1, 2])
    assert [(each.strategy, each.k, each.accuracy) for each in found.measurements] == [
        ("greedy", 1, 1.0),
        ("snapshot_ensemble", 1, 1.0),
        ("snapshot_ensemble", 2, 0.0),
    ]
    assert row(found, "snapshot_ensemble", 2).gain is None, "a single problem has no error"


def test_without_a_plain_pass_nothing_is_held_against_it():
    found = evaluate_passes(passes_of([0, 1], probabilities=NOISY), k_values=[1, 3], metrics=["f1"])
    assert {each.strategy for each in found.measurements} == {"pass@k", "majority_vote", "soft_vote"}
    assert {each.gain for each in found.measurements} == {each.gain for each in found.scores} == {None}


def test_problems_of_one_task_are_those_of_the_same_labels():
    tasks = [evaluate_passes(passes_of(labels, plain=PLAIN), k_values=[1]).task for labels in ([0, 1], [0, 1], [1, 0])]
    assert tasks[0] == tasks[1] != tasks[2]


# -- scores -----------------------------------------------------------------------------------------------------------


def test_the_accuracy_of_served_sets_is_that_of_the_strategies():
    found = evaluate_passes(random_passes(num_problems=200, size=64)[1], k_values=[1, 2, 5], metrics=["accuracy"])
    assert {each.strategy for each in found.scores} == {"greedy", "majority_vote", "soft_vote", "snapshot_ensemble"}
    for score in found.scores:
        exact = row(found, score.strategy, score.k)
        assert score.value == pytest.approx(exact.accuracy, abs=4 * score.monte_carlo_error + 1e-9)
        if score.strategy == "greedy":
            assert score.standard_error == pytest.approx(exact.standard_error, rel=0.15)
    assert row(found, "soft_vote", 5).accuracy > row(found, "soft_vote", 1).accuracy


def test_each_metric_is_scored_once_in_the_order_asked_for():
    found = evaluate_passes(passes_of([0, 1], plain=PLAIN), k_values=[1], metrics=["matthews", "f1", "matthews"])
    assert [(each.metric, each.strategy, each.value) for each in found.scores] == [
        ("matthews", "greedy", 0.0),
        ("f1", "greedy", 0.0),
    ]


# -- what is said and refused -----------------------------------------------------------------------------------------


def said(evaluation):
    return " ".join([first_line(evaluation), *notes(evaluation)])


def test_passes_without_noise_are_told_of_before_any_number():
    same = evaluate_passes(
        passes_of([0, 1], plain=PLAIN, probabilities=[[each] * 3 for each in PLAIN]), k_values=[1, 3]
    )
    assert same.num_copied == 2
    assert first_line(same).startswith("All noisy passes equal the plain one, or each other: nothing was combined")
    half = evaluate_passes(passes_of([0, 1], plain=PLAIN, probabilities=[[PLAIN[0]] * 3, NOISY[1]]), k_values=[1, 3])
    assert first_line(half) == ""
    assert "In 1 of 2 problems the noisy passes equal the plain one" in said(half)
    assert "equal the plain one" not in said(
        evaluate_passes(passes_of([0, 1], plain=PLAIN, probabilities=NOISY), k_values=[1])
    )


def test_classes_that_nothing_is_known_of_and_that_are_never_predicted_are_named():
    plain = [[0.6, 0.2, 0.2, 0.0], [0.6, 0.2, 0.2, 0.0]]
    passes = passes_of([0, 1], plain=plain, classes=["no", "yes", "maybe", "never"])
    bare = evaluate_passes(passes, k_values=[1])
    assert (bare.absent, bare.never_served) == (("maybe", "never"), ("yes",))
    assert "Classes that no problem is of, so that nothing is known of them: maybe, never." in said(bare)
    assert "Never predicted by greedy, or by the mean of all: yes." in said(bare)
    scored = evaluate_passes(passes, k_values=[1], metrics=["macro_f1"])
    assert "Never predicted by greedy, or by the mean of all: yes: an F1 of 0." in said(scored)


def test_notes_say_what_was_measured_and_how():
    _, passes, _ = random_passes(num_passes=20)
    words = said(evaluate_passes(passes, k_values=[1, 10], metrics=["macro_f1"], pass_flops=1.0))
    for part in (
        "30 problems of 3 classes; 20 samples of each, noisy passes; plain passes of 4 checkpoints.",
        "Gains are over greedy on the same problems, paired.",
        "pass@k takes the label to pick a right pass: an upper bound, not to be deployed.",
        "Random subsets of the passes stand for all: soft_vote",
        "means over 16 sets",
        "1000 bootstrap samples",
    ):
        assert part in words
    assert "FLOPs" not in words
    assert "FLOPs are not known: give --pass-flops" in said(evaluate_passes(passes, k_values=[1]))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"k_values": []}, "--k must hold at least one K"),
        ({"k_values": [1, 8]}, "--k must be at most the 5 passes recorded; got 8. None is extrapolated."),
        ({"k_values": [1], "pass_flops": 0.0}, "--pass-flops must be finite and above 0"),
        ({"k_values": [1], "seed": -1}, "--seed must be from 0"),
        ({"k_values": [1], "metrics": ["f1"]}, "metric must be one of 3 classes"),
        ({"k_values": [1], "metrics": ["mcc"]}, "metric must be one of accuracy, f1, macro_f1, matthews"),
    ],
)
def test_what_is_refused(settings, words):
    with pytest.raises(ArgumentError, match=words):
        evaluate_passes(random_passes()[1], **settings)


def test_k_beyond_the_noisy_passes_are_for_more_snapshots_alone():
    label_P, _, arrays = random_passes(num_passes=2)
    found = evaluate_passes(passes_of(label_P, **arrays), k_values=[4])
    assert [(each.strategy, each.k) for each in found.measurements] == [("greedy", 1), ("snapshot_ensemble", 4)]
