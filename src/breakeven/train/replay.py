"""Deciding from records alone: the same code decides live, resumes, and replays with other settings."""

from collections.abc import Sequence

from breakeven.records import Decision, Observation, Plan
from breakeven.stopping.decide import PaperPolicy, decide
from breakeven.ttc.k_curve import evaluate


def decide_next(history: Sequence[Observation], plan: Plan, policy: PaperPolicy, previous: Decision | None) -> Decision:
    """The decision at the last observation of `history`, given the decision at the one before."""
    k_curves = evaluate(history[-1].bank, fit_k_values=policy.k_values, max_k=policy.max_k)
    return decide(history, k_curves, plan, policy, previous)


def replay(observations: Sequence[Observation], plan: Plan, policy: PaperPolicy) -> tuple[Decision, ...]:
    """One decision an observation, as a live run with these settings would have taken them.

    Equal bit for bit to the recorded decisions where plan and policy are the recorded ones, on the machine and the
    library versions of the run (the log's first line names them).
    """
    decisions: list[Decision] = []
    for number in range(1, len(observations) + 1):
        previous = decisions[-1] if decisions else None
        decisions.append(decide_next(observations[:number], plan, policy, previous))
    return tuple(decisions)
