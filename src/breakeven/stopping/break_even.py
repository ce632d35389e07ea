"""The break-even: how many served queries it takes until full training would have been the cheaper choice."""

import math

from breakeven import check


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
    return (1.0 - used) * train_to_inference * train_tokens / ((cost_ratio - 1.0) * output_tokens)


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
    saved = budget_flops - train_flops - evaluation_flops
    if saved <= 0:
        return 0.0
    if query_flops <= baseline_query_flops:
        return math.inf
    return saved / (query_flops - baseline_query_flops)
