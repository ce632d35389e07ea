"""Compute-optimal search: the best setting of test-time compute for each difficulty, chosen and scored apart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from breakeven import check
from breakeven.choice.choose import best, cheapest
from breakeven.errors import argument_error

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeOptimal:
    """What choosing a setting per difficulty is worth. F folds, B bins from easy to hard scores as given."""

    accuracy: float
    """Held out: each fold scored with the settings that the other one chose."""
    standard_error: float
    """Of `accuracy`, over problems, the choice taken as given."""
    mean_flops: float
    """Per query, held out, `difficulty_flops` included. May pass the budget by what the folds differ."""
    in_sample_accuracy: float
    """Chosen and scored on all problems: optimistic, shown beside to say by how much."""
    in_sample_mean_flops: float
    choice_FB: tuple[tuple[int, ...], ...]
    """Setting that each fold's problems were scored with, by bin: it was chosen on the other fold."""
    in_sample_choice_B: tuple[int, ...]
    edge_B: tuple[float, ...]
    """Difficulty scores between the bins, one fewer than bins: bin b holds those from edge b - 1, below edge b."""
    accuracy_P: tuple[float, ...]
    """Held out, to be paired with other strategies."""
    bin_P: tuple[int, ...]
    fold_P: tuple[int, ...]
    fixed_accuracy_S: tuple[float, ...]
    """Beside: one setting for all problems, which needs no estimate of difficulty."""
    fixed_mean_flops_S: tuple[float, ...]


def compute_optimal(
    accuracy_SP: npt.ArrayLike,
    flops_SP: npt.ArrayLike,
    difficulty_P: npt.ArrayLike,
    *,
    budget_flops: float = math.inf,
    num_bins: int = 5,
    thresholds: Sequence[float] | None = None,
    seed: int = 0,
    difficulty_flops: float = 0.0,
) -> ComputeOptimal:
    """The best setting for each bin of difficulty, chosen on one half of the problems and scored on the other.

    Args:
        accuracy_SP: accuracy of each setting (strategy, its N, ...) on each problem, in [0, 1].
        flops_SP: FLOPs per query of each setting on each problem, at least 0.
        difficulty_P: what can be known of a problem at serving time: mean reward, or agreement, of a few samples, not
            of those behind `accuracy_SP`, which would leak. The solve rate itself makes the result an oracle.
        budget_flops: most FLOPs per query in each bin, on average over its problems, `difficulty_flops` included.
            Where a bin's settings all cost more, the cheapest is taken, and `mean_flops` shows it.
        num_bins: bins by quantiles of `difficulty_P`, at least 1. Equal scores share a bin, so some may stay empty.
        thresholds: bins by these scores instead, ascending: such as (0.1, 0.5) for solve rates.
        seed: of the split in two halves, the same size or one apart.
        difficulty_flops: FLOPs per query of the samples behind `difficulty_P`; 0 if they are part of every setting
            (its samples are reused, and `flops_SP` counts them).

    Returns:
        A bin without problems in the choosing half takes what suits that half as a whole. Equal accuracies: the
        cheaper setting, then the first.

    Raises:
        ArgumentError: fewer than 2 problems, shapes that do not fit, values out of range or not finite, thresholds out
            of order, or a budget below the cheapest setting and `difficulty_flops`.

    Estimator:
        Two-fold cross-validation, both directions: unbiased for settings chosen on half of the problems, which is
        somewhat worse than settings chosen on all. `in_sample_accuracy` is biased upward.

    Source:
        Snell et al., arXiv 2408.03314, section 3.2; that the estimate of difficulty is charged is ours.
    """
    accuracies_SP = _table("accuracy_SP", accuracy_SP, highest=1.0)
    costs_SP = _table("flops_SP", flops_SP, highest=math.inf)
    scores_P = np.asarray(difficulty_P, dtype=np.float64)
    num_problems = accuracies_SP.shape[1]
    if num_problems < 2:
        raise argument_error("accuracy_SP", "have at least 2 problems, to choose on one and score on another", 1)
    if costs_SP.shape != accuracies_SP.shape:
        raise argument_error("flops_SP", f"have the shape of accuracy_SP, {accuracies_SP.shape}", costs_SP.shape)
    if scores_P.shape != (num_problems,) or not np.isfinite(scores_P).all():
        raise argument_error("difficulty_P", f"be {num_problems} finite scores", difficulty_P)
    check.finite("difficulty_flops", difficulty_flops)
    costs_SP = costs_SP + difficulty_flops
    least = float(costs_SP.mean(axis=1).min())
    if not budget_flops >= least:
        rule = f"be at least {least:.4g}, what the cheapest setting costs in all"
        raise argument_error("budget_flops", rule, budget_flops)
    edges_B = _edges(scores_P, num_bins, thresholds)
    bin_P = np.searchsorted(edges_B, scores_P, side="right")
    all_bins = range(len(edges_B) + 1)

    def choose(known_P: npt.NDArray[np.bool_]) -> Ints:
        rows = [known_P & (bin_P == each) for each in all_bins]
        return np.array(
            [_best_setting(accuracies_SP, costs_SP, row if row.any() else known_P, budget_flops) for row in rows]
        )

    problem_P = np.arange(num_problems)
    fold_P = np.random.default_rng(seed).permutation(num_problems) % 2
    choice_FB = np.stack([choose(fold_P != fold) for fold in (0, 1)])
    setting_P = choice_FB[fold_P, bin_P]
    held_out_P = accuracies_SP[setting_P, problem_P]
    in_sample_B = choose(np.ones(num_problems, dtype=bool))
    return ComputeOptimal(
        accuracy=float(held_out_P.mean()),
        standard_error=float(held_out_P.std(ddof=1) / num_problems**0.5),
        mean_flops=float(costs_SP[setting_P, problem_P].mean()),
        in_sample_accuracy=float(accuracies_SP[in_sample_B[bin_P], problem_P].mean()),
        in_sample_mean_flops=float(costs_SP[in_sample_B[bin_P], problem_P].mean()),
        choice_FB=tuple(tuple(row) for row in choice_FB.tolist()),
        in_sample_choice_B=tuple(in_sample_B.tolist()),
        edge_B=tuple(edges_B.tolist()),
        accuracy_P=tuple(held_out_P.tolist()),
        bin_P=tuple(bin_P.tolist()),
        fold_P=tuple(fold_P.tolist()),
        fixed_accuracy_S=tuple(accuracies_SP.mean(axis=1).tolist()),
        fixed_mean_flops_S=tuple((costs_SP - difficulty_flops).mean(axis=1).tolist()),
    )


def agreement(answers: Sequence[str | None]) -> float:
    """Share of samples that give the most frequent answer: the higher, the easier the problem looks.

    >>> agreement(["7", "7", None, "8"])
    0.5
    """
    if not answers:
        raise argument_error("answers", "hold at least one sample", list(answers))
    voting = [answer for answer in answers if answer is not None]
    return max((voting.count(each) for each in set(voting)), default=0) / len(answers)


def _best_setting(accuracies_SP: Floats, costs_SP: Floats, row_P: npt.NDArray[np.bool_], budget_flops: float) -> int:
    accuracy_S, cost_S = accuracies_SP[:, row_P].mean(axis=1), costs_SP[:, row_P].mean(axis=1)
    settings, price = range(len(cost_S)), cost_S.__getitem__
    chosen = best(settings, budget=budget_flops, price=price, value=accuracy_S.__getitem__)
    if chosen is None:
        chosen = cheapest(settings, price=price)
    assert chosen is not None, "a table holds a setting"
    return chosen


def _edges(scores_P: Floats, num_bins: int, thresholds: Sequence[float] | None) -> Floats:
    if thresholds is None:
        check.at_least("num_bins", num_bins, 1)
        quantiles_B: Floats = np.quantile(scores_P, np.arange(1, num_bins) / num_bins)
        return quantiles_B
    edges_B = np.asarray(thresholds, dtype=np.float64)
    if edges_B.ndim != 1 or not np.isfinite(edges_B).all() or (np.diff(edges_B) <= 0).any():
        raise argument_error("thresholds", "be finite scores in ascending order", thresholds)
    return edges_B


def _table(name: str, values: npt.ArrayLike, highest: float) -> Floats:
    table_SP = np.asarray(values, dtype=np.float64)
    if table_SP.ndim != 2 or 0 in table_SP.shape:
        raise argument_error(name, "have a row a setting and a column a problem", table_SP.shape)
    if not np.isfinite(table_SP).all() or table_SP.min() < 0 or table_SP.max() > highest:
        rule = "be from 0 to 1" if highest == 1.0 else "be finite and at least 0"
        raise argument_error(name, rule, f"values from {table_SP.min()} to {table_SP.max()}")
    return table_SP
