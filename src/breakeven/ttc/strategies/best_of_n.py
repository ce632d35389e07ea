"""Best of N: the sample with the highest score is served; its accuracy, exact over all K-subsets of the samples."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from breakeven.ttc.pool import Flags, Floats, Pool, require_scores
from breakeven.ttc.strategies.measured import Measured, check_drawn, exact


def best_of_n(pool: Pool, k_values: Sequence[int]) -> Measured:
    """Accuracy of the best scored of K samples, ties broken evenly.

    A sample without an answer is served only where all K lack one.

    Raises:
        ArgumentError: no scores, or a K above the samples drawn per problem.

    Estimator:
        Exact over all K-subsets of the samples, hence unbiased. Only equal scores are ties.

    Source:
        Cobbe et al., arXiv 2110.14168 (best of N by a verifier); the estimator follows the one of Pass@K.

    >>> pool = Pool(score_PN=np.array([[0.9, 0.9, 0.2]]), correct_PN=np.array([[True, False, True]]))
    >>> best_of_n(pool, [1, 3]).accuracy_K.round(3).tolist()
    [0.667, 0.5]
    """
    score_PN = require_scores(pool, "best_of_n")
    asked_K = check_drawn(pool, k_values)
    return exact(asked_K, best_of_each(score_PN, pool.answered_PN, pool.correct_PN, asked_K))


def best_of_each(score_PN: Floats, answered_PN: Flags, correct_PN: Flags, k_values: tuple[int, ...]) -> Floats:
    """Accuracy per problem of the best of K, shape (P, K)."""
    order_PN, tie_PN = rank(score_PN, answered_PN)
    right_PN = np.take_along_axis(correct_PN, order_PN, axis=1).ravel()
    size = np.bincount(tie_PN.ravel())
    share = np.bincount(tie_PN.ravel(), right_PN) / size
    accuracy_PK: Floats = share[tie_PN] @ top_chances(score_PN.shape[1], k_values)
    return np.minimum(accuracy_PK, 1.0)


def rank(score_PN: Floats, answered_PN: Flags) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Samples from best to worst, shape (P, N), and at each rank the number of its group of ties over all problems.

    Selection sees no verdicts: those with an answer come first, then the higher score.
    """
    order_PN = np.lexsort((-score_PN, ~answered_PN), axis=-1)
    sorted_PN = np.take_along_axis(score_PN, order_PN, axis=1)
    answered_PN = np.take_along_axis(answered_PN, order_PN, axis=1)
    new_PN = np.ones(score_PN.shape, dtype=bool)
    new_PN[:, 1:] = (sorted_PN[:, 1:] != sorted_PN[:, :-1]) | (answered_PN[:, 1:] != answered_PN[:, :-1])
    return order_PN, (np.cumsum(new_PN.ravel()) - 1).reshape(new_PN.shape)


def top_chances(num_samples: int, k_values: tuple[int, ...]) -> Floats:
    """Chance C(N - r - 1, K - 1) / C(N, K) that rank r = 0, 1, ... leads the K that are drawn, shape (N, K).

    >>> top_chances(3, (1, 2)).round(3).tolist()
    [[0.333, 0.667], [0.333, 0.333], [0.333, 0.0]]
    """
    k_K = np.array(k_values)
    chance = np.empty((num_samples, len(k_K)))
    chance[0] = k_K / num_samples
    for place in range(1, num_samples):
        chance[place] = chance[place - 1] * np.maximum(num_samples - place + 1 - k_K, 0) / (num_samples - place)
    return chance
