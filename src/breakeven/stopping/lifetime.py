"""What a model costs over its life: training, evaluation, and every query it will serve."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from breakeven.errors import argument_error
from breakeven.records import KCurve, LearningPoint, RunSpec

Floats = npt.NDArray[np.float64]

_LATER_STEPS = 12
"""Later moments that stopping now is weighed against, evenly spaced in log FLOPs up to the full budget."""
_FAINT = 1e-9


def query_price(
    point: LearningPoint, curve: KCurve, spec: RunSpec
) -> tuple[Floats | None, Floats, npt.NDArray[np.bool_]]:
    """FLOPs per query (None if unknown) and expected samples of every K, and whether the spec's caps allow it.

    Samples drawn one after another stop early (`curve.expected_samples_K`). Where K of them, one after another, would
    exceed `max_sequential_tokens`, they are drawn at once, and all are paid for.

    Raises:
        ArgumentError: a cap on what is unknown.
    """
    k_K = np.array(curve.k_values, dtype=np.float64)
    expected_K = np.array(curve.expected_samples_K) if curve.expected_samples_K else k_K
    in_turn_K = np.ones(len(k_K), dtype=bool)
    allowed_K = np.ones(len(k_K), dtype=bool)
    if spec.max_sequential_tokens is not None:
        if point.output_tokens is None:
            raise argument_error(
                "max_sequential_tokens", "come with the tokens of a sample", spec.max_sequential_tokens
            )
        in_turn_K = k_K * point.output_tokens <= spec.max_sequential_tokens
        allowed_K &= point.output_tokens <= spec.max_sequential_tokens
    samples_K = np.where(in_turn_K, expected_K, k_K)
    flops_K = mean_flops(point, curve, samples_K, spec)
    if curve.flops_K:
        measured_K = np.array(curve.flops_K)
        flops_K = measured_K if flops_K is None else np.where(samples_K == expected_K, measured_K, flops_K)
    if spec.max_query_flops is not None:
        if flops_K is None:
            raise argument_error("max_query_flops", "come with what a query costs", spec.max_query_flops)
        allowed_K &= flops_K <= spec.max_query_flops
    return flops_K, samples_K, allowed_K


def mean_flops(point: LearningPoint, curve: KCurve, samples_K: Floats, spec: RunSpec) -> Floats | None:
    """FLOPs of a query that draws so many samples of mean length, reward model included, shape (K,); None if unknown.

    Exact where the number of samples does not depend on the problem; `curve.flops_K` holds what was measured.
    """
    if point.query_flops is None:
        return None
    prefills_K = 1.0 if spec.shared_prefill else samples_K
    sample_flops = point.query_flops.decode_flops + curve.reward_flops
    flops_K: Floats = prefills_K * point.query_flops.prefill_flops + samples_K * sample_flops
    return flops_K


def later_flops(
    point: LearningPoint,
    curves: Sequence[KCurve],
    spec: RunSpec,
    *,
    queries: float,
    now_accuracy: float,
    full_accuracy: float,
    slack: float,
    max_k: int,
) -> float:
    """The least further FLOPs, training and queries, of training on to some later moment and stopping there.

    Infinite where the price of a query is unknown.

    Until the end the one-sample accuracy is taken to rise evenly in log FLOPs, on the logit scale, from now to the
    projection, every K-curve with it; the advantage that certainty asks for shrinks in proportion to the log FLOPs
    left.

    Args:
        point: the checkpoint now.
        curves: its K-curves.
        spec: budget, caps.
        queries: the declared number of queries.
        now_accuracy: one-sample accuracy now.
        full_accuracy: the projection for the full budget.
        slack: by how much an accuracy must exceed the projection now for the allowed risk; may be negative.
        max_k: largest K considered.

    Source:
        Ours, docs/design/calibrated-policy.md.
    """
    if point.query_flops is None:
        return math.inf
    used = point.train_flops / spec.budget_flops
    log_left = -math.log(used)
    gain = float(logit(np.clip(full_accuracy, _FAINT, 1 - _FAINT)) - logit(np.clip(now_accuracy, _FAINT, 1 - _FAINT)))
    best = (1.0 - used) * spec.budget_flops + queries * point.query_flops.total(1)
    for share in np.linspace(0.0, 1.0, _LATER_STEPS + 1)[1:-1].tolist():
        further = point.train_flops * math.expm1(share * log_left)
        needed = full_accuracy + slack * (1.0 - share)
        for curve in curves:
            flops_K, samples_K, allowed_K = query_price(point, curve, spec)
            accuracy_K = expit(logit(np.clip(curve.accuracy_K, _FAINT, 1 - _FAINT)) + share * gain)
            if curve.until_right:  # a better model stops earlier: the chances to go on shrink alike
                fails_K = 1.0 - np.array(curve.accuracy_K)
                sooner_K = 1.0 + (samples_K - 1.0) * (1.0 - accuracy_K).mean() / max(fails_K.mean(), _FAINT)
                sooner_K = np.where(samples_K < np.array(curve.k_values), sooner_K, samples_K)
                before_K, after_K = (mean_flops(point, curve, each_K, spec) for each_K in (samples_K, sooner_K))
                if flops_K is not None and before_K is not None and after_K is not None:
                    flops_K = flops_K * after_K / before_K
            suffices_K = (accuracy_K >= needed) & allowed_K & (np.array(curve.k_values) <= max_k)
            if flops_K is not None and suffices_K.any():
                best = min(best, further + queries * float(flops_K[suffices_K].min()))
    return best
