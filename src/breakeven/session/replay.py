"""Deciding from records alone: the same code decides live, resumes, and replays with other settings."""

from collections.abc import Sequence
from dataclasses import replace

from breakeven.records import Decision, KCurve, LearningPoint, Observation, RunSpec, SearchOutcome
from breakeven.stopping.calibrated import CalibratedPolicy
from breakeven.stopping.decide import Policy, decide
from breakeven.stopping.paper import PaperPolicy
from breakeven.ttc.evaluate import evaluate, search_curves
from breakeven.ttc.strategies.named import needs_scores
from breakeven.ttc.tally import Tally, learning_point, tally_of


def curves_for(
    tally: Tally, policy: Policy, *, reward_flops: float = 0.0, searches: Sequence[SearchOutcome] = ()
) -> tuple[KCurve, ...]:
    """The K-curves of a checkpoint, made with the method that the policy takes, of the strategies that it names.

    Args:
        tally: of the checkpoint's samples.
        policy: says which.
        reward_flops: of a reward model per sample, charged to the strategies that choose by reward.
        searches: what strategies that search made of the checkpoint.
    """
    if isinstance(policy, PaperPolicy):
        return evaluate(tally, max_k=policy.max_k, method="paper", fit_k_values=policy.k_values)
    named = None
    if isinstance(policy, CalibratedPolicy) and policy.strategies:
        named = ("greedy", *(each for each in policy.strategies if "/" not in each))
    pool = evaluate(tally, max_k=policy.max_k, strategies=named)
    priced = [replace(curve, reward_flops=reward_flops) if needs_scores(curve.strategy) else curve for curve in pool]
    return (*priced, *search_curves(searches, tally))


def decide_next(
    before: Sequence[LearningPoint],
    observation: Observation,
    spec: RunSpec,
    policy: Policy,
    previous: Decision | None,
) -> Decision:
    """The decision at `observation`, after the checkpoints `before`, given the decision at the last of them."""
    tally = tally_of(observation.bank)
    history = [*before, learning_point(observation, tally)]
    curves = curves_for(tally, policy, reward_flops=observation.reward_flops, searches=observation.searches)
    return decide(history, curves, spec, policy, previous)


def replay(observations: Sequence[Observation], spec: RunSpec, policy: Policy) -> tuple[Decision, ...]:
    """One decision an observation, as these settings take them on the samples that were recorded.

    Equal bit for bit to the recorded decisions where spec and policy are the recorded ones, on the machine and the
    library versions of the run (the log's first line names them).
    """
    decisions: list[Decision] = []
    points: list[LearningPoint] = []
    for observation in observations:
        previous = decisions[-1] if decisions else None
        decisions.append(decide_next(points, observation, spec, policy, previous))
        points.append(learning_point(observation))
    return tuple(decisions)
