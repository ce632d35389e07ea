"""Averaged class probabilities: equal to brute force over all subsets."""

from itertools import combinations

import numpy as np
import pytest

from breakeven.errors import ArgumentError
from breakeven.ttc.strategies import soft_vote as module
from breakeven.ttc.strategies.soft_vote import snapshot_ensemble, soft_vote


def passes(num_problems: int = 7, num_passes: int = 6, num_classes: int = 3, seed: int = 0):
    rng = np.random.default_rng(seed)
    probability_PNC = rng.dirichlet(np.ones(num_classes), size=(num_problems, num_passes))
    right_PC = np.eye(num_classes, dtype=bool)[rng.integers(num_classes, size=num_problems)]
    return probability_PNC, right_PC


def by_hand(probability_PNC, right_PC, k):
    """Every subset of every problem, one after another."""
    found_P = []
    for passes_NC, right_C in zip(probability_PNC, right_PC, strict=True):
        shares = []
        for subset in combinations(range(len(passes_NC)), k):
            mean_C = sum(passes_NC[each] for each in subset) / k
            leaders = [c for c in range(len(mean_C)) if mean_C[c] > mean_C.max() - 1e-9]
            shares.append(sum(bool(right_C[c]) for c in leaders) / len(leaders))
        found_P.append(sum(shares) / len(shares))
    return np.array(found_P)


@pytest.mark.parametrize(("num_passes", "num_classes"), [(1, 2), (5, 2), (6, 3), (7, 10)])
def test_every_k_equals_brute_force_over_subsets(num_passes, num_classes):
    probability_PNC, right_PC = passes(num_passes=num_passes, num_classes=num_classes)
    found = soft_vote(probability_PNC, right_PC, range(1, num_passes + 1))
    for place, k in enumerate(found.k_values):
        assert found.accuracy_PK[:, place] == pytest.approx(by_hand(probability_PNC, right_PC, k), abs=1e-12)
    assert found.monte_carlo_error_K.tolist() == [0.0] * num_passes


def test_blocks_of_problems_change_nothing(monkeypatch):
    probability_PNC, right_PC = passes(num_problems=9)
    whole = soft_vote(probability_PNC, right_PC, [2, 3])
    monkeypatch.setattr(module, "_BLOCK", 1)
    assert soft_vote(probability_PNC, right_PC, [2, 3]).accuracy_PK == pytest.approx(whole.accuracy_PK)


def test_more_subsets_than_are_counted_are_resampled_without_bias(monkeypatch):
    probability_PNC, right_PC = passes(num_problems=300, num_passes=8)
    exact = soft_vote(probability_PNC, right_PC, [1, 4, 8])
    monkeypatch.setattr(module, "_COUNTED", 8)
    found = soft_vote(probability_PNC, right_PC, [1, 4, 8], seed=1)
    assert found.monte_carlo_error_K[[0, 2]].tolist() == [0.0, 0.0]
    error = found.monte_carlo_error_K[1]
    assert 0.0 < error < 0.01
    assert abs(found.accuracy_K[1] - exact.accuracy_K[1]) < 4 * error


def test_ties_are_split_evenly_and_several_classes_may_be_right():
    probability_PNC = np.array([[[0.6, 0.4, 0.0], [0.4, 0.6, 0.0]]])
    assert soft_vote(probability_PNC, np.array([[True, False, False]]), [2]).accuracy_K.tolist() == [0.5]
    assert soft_vote(probability_PNC, np.array([[True, True, False]]), [2]).accuracy_K.tolist() == [1.0]


def test_a_file_that_is_mapped_into_memory_is_read_in_blocks(tmp_path):
    probability_PNC, right_PC = passes()
    np.save(tmp_path / "passes.npy", probability_PNC.astype(np.float32))
    mapped = np.load(tmp_path / "passes.npy", mmap_mode="r")
    direct = soft_vote(probability_PNC.astype(np.float32), right_PC, [1, 3])
    assert soft_vote(mapped, right_PC, [1, 3]).accuracy_PK == pytest.approx(direct.accuracy_PK)


def test_a_snapshot_ensemble_is_of_the_last_checkpoints_as_they_come():
    last, before = [0.55, 0.45], [0.1, 0.9]
    probability_PSC = np.array([[last, before]])
    found = snapshot_ensemble(probability_PSC, np.array([[True, False]]))
    assert found.k_values == (1, 2)
    assert found.accuracy_PK.tolist() == [[1.0, 0.0]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: p[:, :, :1], "two classes"),
        (lambda p: p * 2.0, r"probability_PNC\[0\] must be probabilities, each at least 0, with sum 1 .* softmax"),
        (lambda p: np.where(p > 0.5, np.nan, p), "with sum 1 in every pass.* unknown cannot be averaged"),
        (lambda p: p[0], "problems, passes"),
    ],
)
def test_what_are_no_probabilities_is_refused(change, words):
    probability_PNC, right_PC = passes()
    with pytest.raises(ArgumentError, match=words):
        soft_vote(change(probability_PNC), right_PC, [1])
    with pytest.raises(ArgumentError, match=words):
        snapshot_ensemble(change(probability_PNC), right_PC)


def test_labels_of_other_problems_and_too_many_passes_are_refused():
    probability_PNC, right_PC = passes()
    with pytest.raises(ArgumentError, match="which of 3 classes are right"):
        soft_vote(probability_PNC, right_PC[1:], [1])
    with pytest.raises(ArgumentError, match="at most the 6 passes"):
        soft_vote(probability_PNC, right_PC, [7])
