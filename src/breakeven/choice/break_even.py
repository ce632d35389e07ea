"""After how many queries one option has cost as much as another, and which is the cheapest at any number of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from breakeven import check
from breakeven.choice.frontier import prices_of
from breakeven.choice.prices import once, per_query
from breakeven.records.options import EVALUATION, UNRATED, Option


def break_even(frugal: Option, lavish: Option) -> float:
    """Queries until the option that costs less once, and more per query, has cost as much as the other.

    Args:
        frugal: less FLOPs once: a stopped checkpoint, a small model, a plain vote.
        lavish: more FLOPs once: the fully trained model, a large one, a trained verifier.

    Returns:
        Below so many queries `frugal` is the cheaper, above it `lavish`; 0 where `frugal` does not cost less once,
        `math.inf` where it does, and no more per query.

    Source:
        Ours, docs/concepts.md: Q = (T_lavish - T_frugal) / (I_frugal - I_lavish), T FLOPs once, I per query.
    """
    saved = lavish.once - frugal.train_flops
    for flops in frugal.one_off.values():
        saved -= flops
    if saved <= 0:
        return 0.0
    if frugal.per_query <= lavish.per_query:
        return math.inf
    return saved / (frugal.per_query - lavish.per_query)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """An option, and from how many queries on it is the cheapest."""

    option: Option
    queries: float


def lower_envelope(options: Sequence[Option]) -> tuple[Stretch, ...]:
    """Which option is the cheapest over its life, from how many queries on; the first from 0.

    Options are lines, once + queries x per_query, and this is their lower hull. Of equal options the first.
    """
    once_O, query_O = prices_of(options, once), prices_of(options, per_query)
    order = np.lexsort((once_O, -query_O))
    hull: list[tuple[float, int, float, float]] = []
    for place, start, slope in zip(order.tolist(), once_O[order].tolist(), query_O[order].tolist(), strict=True):
        if hull and hull[-1][3] == slope:
            continue  # the same per query, and no less once
        queries = 0.0
        while hull:
            since, _, last_start, last_slope = hull[-1]
            queries = max(0.0, (start - last_start) / (last_slope - slope))
            if queries > since:
                break
            hull.pop()
        hull.append((queries if hull else 0.0, place, start, slope))
    return tuple(Stretch(option=options[place], queries=queries) for queries, place, _, _ in hull)


def break_even_bound(
    *, train_tokens: float, output_tokens: float, used: float, cost_ratio: float, train_to_inference: float = 6.0
) -> float:
    """Queries until full training would have been cheaper, from token counts alone.

    Args:
        train_tokens: D, training tokens of the full run.
        output_tokens: T, tokens generated per query by one sample.
        used: r, share of the training budget used at the stop, in [0, 1].
        cost_ratio: lambda, inference FLOPs per query with TTC over those of one sample.
        train_to_inference: rho, FLOPs per trained token over FLOPs per generated token: 6 in the paper, 3 when
            6 N per trained token is held against 2 N per generated one.

    Returns:
        Queries; `math.inf` where `cost_ratio` <= 1 (serving the checkpoint costs no more, so never).

    Raises:
        ArgumentError: a value out of its range, or NaN.

    Not counted:
        Evaluation during training, prefill, attention. `break_even_queries` counts them.

    Source:
        arXiv 2601.01332, break-even bound: N = (1 - r) rho D / ((lambda - 1) T).

    >>> f"{break_even_bound(train_tokens=3e12, output_tokens=1024, used=0.2, cost_ratio=1.2):.2e}"
    '7.03e+10'
    """
    for name, value in (
        ("train_tokens", train_tokens),
        ("output_tokens", output_tokens),
        ("train_to_inference", train_to_inference),
        ("cost_ratio", cost_ratio),
    ):
        check.positive(name, value)
    check.share("used", used, "Divide percentages by 100.")
    if cost_ratio <= 1.0:
        return math.inf
    stopped = Option(name="stopped", query_flops=(cost_ratio - 1.0) * output_tokens, quality=UNRATED)
    rest = Option(name="trained on", train_flops=(1.0 - used) * train_to_inference * train_tokens, quality=UNRATED)
    return break_even(stopped, rest)


def break_even_queries(
    *,
    budget_flops: float,
    train_flops: float,
    evaluation_flops: float,
    query_flops: float,
    baseline_query_flops: float,
) -> float:
    """Queries until full training would have been cheaper, every FLOP charged.

    Args:
        budget_flops: C_B, training FLOPs of the full run.
        train_flops: C_t, training FLOPs at the stop.
        evaluation_flops: E, FLOPs of all evaluations up to the stop.
        query_flops: I_t, FLOPs per query of the stopped checkpoint with its samples.
        baseline_query_flops: I_B, FLOPs per query of the fully trained model with one sample.

    Returns:
        Queries; 0 where stopping saves nothing, `math.inf` where it saves and I_t <= I_B.

    Raises:
        ArgumentError: a value that is negative, infinite or NaN.

    Source:
        Ours, docs/concepts.md: N = (C_B - C_t - E) / (I_t - I_B).

    >>> break_even_queries(budget_flops=100, train_flops=20, evaluation_flops=5, query_flops=4, baseline_query_flops=1)
    25.0
    """
    for name, value in (
        ("budget_flops", budget_flops),
        ("train_flops", train_flops),
        ("evaluation_flops", evaluation_flops),
        ("query_flops", query_flops),
        ("baseline_query_flops", baseline_query_flops),
    ):
        check.finite(name, value)
    return break_even(
        Option(
            name="stopped",
            train_flops=train_flops,
            one_off={EVALUATION: evaluation_flops},
            query_flops=query_flops,
            quality=UNRATED,
        ),
        Option(name="fully trained", train_flops=budget_flops, query_flops=baseline_query_flops, quality=UNRATED),
    )
