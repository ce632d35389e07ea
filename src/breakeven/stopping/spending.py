"""Whether to draw more samples at a checkpoint: only where they could decide it."""

from collections.abc import Sequence

from breakeven.records import FitStatus, KCurve, LearningPoint, RunSpec
from breakeven.stopping.calibrated import CalibratedPolicy, candidates, deployable, project, too_early

LADDER = ((0.25, 4), (1.0, 4), (1.0, 8), (1.0, 16))
"""What is drawn in turn: share of the problems, samples for each of them in all."""


def more_samples(
    history: Sequence[LearningPoint],
    k_curves: Sequence[KCurve],
    spec: RunSpec,
    policy: CalibratedPolicy,
    *,
    drawn: tuple[int, int],
    num_samples: int,
) -> tuple[int, int] | None:
    """The next (problems, samples for each in all) to draw at the last checkpoint of `history`, or None to decide.

    More are drawn while no serving point suffices but one would if its accuracy, as estimated, were known exactly, and
    while the evaluations, these included, stay within the policy's share of the training FLOPs.

    Args:
        history: the checkpoints so far; the last with what was drawn at it until now, at least greedy samples.
        k_curves: of the last checkpoint.
        spec: what the user declared.
        policy: settings of the rule.
        drawn: (problems, samples) drawn at it until now; (0, 0) at first.
        num_samples: most samples per problem.

    Source:
        Ours, docs/design/calibrated-policy.md.
    """
    now = history[-1]
    if too_early(now, spec, policy):
        return None
    forecast = project(history, spec)
    if forecast.status is not FitStatus.FITTED or now.train_flops >= spec.budget_flops:
        return None
    rungs = [(max(1, round(share * now.num_problems)), min(count, num_samples)) for share, count in LADDER]
    rung = next((each for each in rungs if each[0] * each[1] > drawn[0] * drawn[1]), None)
    if rung is None:
        return None
    prompts = rung[0] - (drawn[0] if drawn[1] >= rung[1] else 0)
    further = prompts * now.query_flops.prefill_flops + (rung[0] * rung[1] - drawn[0] * drawn[1]) * (
        now.query_flops.decode_flops + now.reward_flops
    )
    spent = sum(each.evaluation_flops for each in history)
    if spent + further > policy.max_evaluation_share * now.train_flops:
        return None
    options = candidates(now, deployable(k_curves, policy.strategies), forecast, spec, policy)
    if any(each.confidence >= 1.0 - policy.risk for each in options):
        return None
    could = [each for each in options if each.exact_confidence >= 1.0 - policy.risk]
    return rung if could or drawn == (0, 0) else None
