"""K by predicted difficulty: a few samples say how much a problem's answers agree, and that how many more are drawn."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from breakeven.errors import argument_error
from breakeven.ttc.pool import Floats, Pool, require_labels
from breakeven.ttc.strategies.measured import Measured, check_drawn
from breakeven.ttc.strategies.orders import NUM_ORDERS, Orders, Standing
from breakeven.ttc.strategies.settled_vote import Margin

PROBE = 4
"""Samples that a problem's difficulty is predicted from."""
_PRICES = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 241)])
"""Accuracy that one more sample has to bring: from 0, all that help are drawn, to 1, none are."""


def k_by_difficulty(
    pool: Pool, k_values: Sequence[int], *, probe: int = PROBE, num_orders: int = NUM_ORDERS, seed: int = 0
) -> Measured:
    """Accuracy of a majority vote whose K depends on how many of the first `probe` samples agree.

    `k_values` are budgets: most samples per query on average. The first samples are part of the vote, and of the cost.
    The K of each degree of agreement is what serves one half of the problems best within the budget, and is scored on
    the other half; so each problem is scored by a choice that it had no part in.

    Args:
        pool: of at least two problems, with answers.
        k_values: mean samples per query, increasing, from `probe` up to the samples drawn.
        probe: samples that the difficulty is predicted from.
        num_orders: random orders in which each problem's samples are drawn.
        seed: of the orders and of the halves.

    Returns:
        Measured, with the samples expected on the problems that were scored: near the budget, or below it where more
        samples help nothing. Its Monte Carlo error is an upper bound, for accuracies between 0 and 1.

    Raises:
        ArgumentError: no answers, one problem only, a probe or a budget out of range.

    Estimator:
        Resampled without replacement, cross-fitted over two halves: unbiased for the K that were chosen.

    Source:
        The two folds are those of Snell et al., arXiv 2408.03314; agreement for difficulty, and the rest, is ours.
    """
    label_PN = require_labels(pool, "k_by_difficulty")
    mean_samples_K = check_drawn(pool, k_values)
    if not 1 <= probe <= mean_samples_K[0] or probe % 1:
        raise argument_error("probe", f"be a whole number from 1 to the least budget {mean_samples_K[0]}", probe)
    if pool.num_problems < 2:
        raise argument_error("pool", "hold at least two problems, to choose on one and score on others", 1)
    options = np.arange(probe, pool.num_samples + 1)
    credit_PLO = np.zeros((pool.num_problems, probe + 1, len(options)))
    level_PL = np.zeros((pool.num_problems, probe + 1))
    for problems, leads in Orders(pool, label_PN).orders(num_orders, seed):
        num_rows = (problems.stop - problems.start) * num_orders
        standing, margin = Standing(num_rows), Margin(num_rows)
        place_R = np.repeat(np.arange(problems.stop - problems.start), num_orders) * (probe + 1)
        for drawn, (lead, grade_R) in enumerate(leads, 1):
            credit_R = standing.update(lead, grade_R)
            margin.update(lead)
            if drawn < probe:
                continue
            if drawn == probe:
                place_R = place_R + margin.first_R
                level_PL[problems] = _sums(place_R, np.ones(num_rows), probe)
            credit_PLO[problems, :, drawn - probe] = _sums(place_R, credit_R, probe)

    fold_P = np.random.default_rng((seed, 1)).permutation(pool.num_problems) % 2
    accuracy_PK, expected_samples_PK = np.empty((2, pool.num_problems, len(mean_samples_K)))
    for fold in (0, 1):
        own = fold_P == fold
        choice_KL = _choose(credit_PLO[~own].sum(axis=0), level_PL[~own].sum(axis=0), options, mean_samples_K)
        picked = np.take_along_axis(credit_PLO[own][:, None], choice_KL[None, :, :, None], axis=3)
        accuracy_PK[own] = picked[..., 0].sum(axis=2) / num_orders
        expected_samples_PK[own] = level_PL[own] @ options[choice_KL].T / num_orders
    spread_PK = accuracy_PK * (1.0 - accuracy_PK) / max(1, num_orders - 1)
    return Measured(
        k_values=mean_samples_K,
        accuracy_PK=accuracy_PK,
        monte_carlo_error_K=np.sqrt(spread_PK.sum(axis=0)) / pool.num_problems,
        expected_samples_PK=expected_samples_PK,
    )


def _sums(place_R: npt.NDArray[np.intp], values_R: Floats, probe: int) -> Floats:
    """Sum of the values at each (problem, agreement), shape (P, L)."""
    size = (int(place_R.max()) // (probe + 1) + 1) * (probe + 1)
    return np.bincount(place_R, values_R, minlength=size).astype(np.float64).reshape(-1, probe + 1)


def _choose(
    credit_LO: Floats, rows_L: Floats, options: npt.NDArray[np.int64], budgets: tuple[int, ...]
) -> npt.NDArray[np.intp]:
    """Which of `options` to draw at each agreement, shape (K, L), for the most accuracy within each mean of samples.

    At every price of a sample the best choice is known; the lowest price within the budget is taken.
    """
    accuracy_LO = credit_LO / np.maximum(rows_L, 1.0)[:, None]
    choice_XL = (accuracy_LO - _PRICES[:, None, None] * options).argmax(axis=2)
    choice_XL[:, rows_L == 0.0] = 0  # never seen: no more than the probe
    mean_X = options[choice_XL] @ rows_L / rows_L.sum()
    return np.array([choice_XL[np.flatnonzero(mean_X <= budget * (1.0 + 1e-12))[0]] for budget in budgets])
