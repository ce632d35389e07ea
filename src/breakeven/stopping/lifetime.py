"""What a model costs over its life: training, evaluation, and every query it will serve."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from breakeven.records import KCurve, LearningPoint, RunSpec

Floats = npt.NDArray[np.float64]

_LATER_STEPS = 12
"""Later moments that stopping now is weighed against, evenly spaced in log FLOPs up to the full budget."""
_FAINT = 1e-9


def query_price(point: LearningPoint, curve: KCurve, spec: RunSpec) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """FLOPs per query and expected samples of every K of a curve, and whether the spec's caps allow it.

    Samples drawn one after another stop early (`curve.expected_samples_K`). Where K of them, one after another, would
    exceed `max_sequential_tokens`, they are drawn at once, and all are paid for.
    """
    k_K = np.array(curve.k_values, dtype=np.float64)
    expected_samples_K = np.array(curve.expected_samples_K) if curve.expected_samples_K else k_K
    allowed_K = np.ones(len(k_K), dtype=bool)
    if spec.max_sequential_tokens is not None:
        expected_samples_K = np.where(k_K * point.output_tokens <= spec.max_sequential_tokens, expected_samples_K, k_K)
        allowed_K &= point.output_tokens <= spec.max_sequential_tokens
    flops_K = samples_flops(point, curve, expected_samples_K, spec)
    if spec.max_query_flops is not None:
        allowed_K &= flops_K <= spec.max_query_flops
    return flops_K, expected_samples_K, allowed_K


def samples_flops(point: LearningPoint, curve: KCurve, expected_samples_K: Floats, spec: RunSpec) -> Floats:
    """FLOPs of a query that draws so many samples of a curve's strategy, reward model included, shape (K,)."""
    if curve.flops_K:
        return np.array(curve.flops_K)
    prefills_K = 1.0 if spec.shared_prefill else expected_samples_K
    sample_flops = point.query_flops.decode_flops + curve.reward_flops
    flops_K: Floats = prefills_K * point.query_flops.prefill_flops + expected_samples_K * sample_flops
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
    used = point.train_flops / spec.budget_flops
    log_left = -math.log(used)
    gain = float(logit(np.clip(full_accuracy, _FAINT, 1 - _FAINT)) - logit(np.clip(now_accuracy, _FAINT, 1 - _FAINT)))
    best = (1.0 - used) * spec.budget_flops + queries * point.query_flops.total(1)
    for share in np.linspace(0.0, 1.0, _LATER_STEPS + 1)[1:-1].tolist():
        further = point.train_flops * math.expm1(share * log_left)
        needed = full_accuracy + slack * (1.0 - share)
        for curve in curves:
            _, samples_K, allowed_K = query_price(point, curve, spec)
            accuracy_K = expit(logit(np.clip(curve.accuracy_K, _FAINT, 1 - _FAINT)) + share * gain)
            if curve.strategy == "pass@k":  # a better model stops earlier: the chances to go on shrink alike
                fails_K = 1.0 - np.array(curve.accuracy_K)
                sooner_K = 1.0 + (samples_K - 1.0) * (1.0 - accuracy_K).mean() / max(fails_K.mean(), _FAINT)
                samples_K = np.where(samples_K < np.array(curve.k_values), sooner_K, samples_K)
            suffices_K = (accuracy_K >= needed) & allowed_K & (np.array(curve.k_values) <= max_k)
            if suffices_K.any():
                flops = float(samples_flops(point, curve, samples_K, spec)[suffices_K].min())
                best = min(best, further + queries * flops)
    return best
