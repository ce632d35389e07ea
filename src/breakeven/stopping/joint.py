"""Several tasks at once: training stops where each of them keeps its margin, at the risk of all together."""

import math
from collections.abc import Mapping

from breakeven.errors import argument_error
from breakeven.records import Decision, JointDecision


def joint_decision(decisions: Mapping[str, Decision], *, risk: float = 0.1) -> JointDecision:
    """Stop where every task's own decision is to stop, and their risks together do not exceed `risk`.

    Args:
        decisions: of each task at one checkpoint of one run, by name.
        risk: share of runs in which any task may end below the fully trained model less its margin.

    Raises:
        ArgumentError: no task, decisions at different steps, or a `risk` out of range.

    Estimator:
        The chance that some task falls short is taken as the sum of the tasks' own chances, which it never exceeds,
        however they hang together: Boole's inequality.
    """
    if not decisions:
        raise argument_error("decisions", "hold at least one task", {})
    if not 0.0 < risk < 1.0:
        raise argument_error("risk", "be above 0 and below 1", risk, "0.1 allows one bad stop in ten runs.")
    steps = sorted({each.step for each in decisions.values()})
    if len(steps) > 1:
        raise argument_error("decisions", "be of one step", steps)
    known = [each.confidence for each in decisions.values() if each.confidence is not None]
    confidence = 1.0 - math.fsum(1.0 - each for each in known) if len(known) == len(decisions) else None
    sure = confidence is None or confidence >= 1.0 - risk  # the paper's rule knows no probability
    first = next(iter(decisions.values()))
    return JointDecision(
        stop=sure and all(each.stop for each in decisions.values()),
        step=first.step,
        used=first.used,
        decisions=decisions,
        risk=risk,
        confidence=None if confidence is None else max(0.0, confidence),
        net_saving=_net_saving(first.gross_saving, decisions),
    )


def _net_saving(gross: float | None, decisions: Mapping[str, Decision]) -> float | None:
    """`gross` less every task's evaluation."""
    charged = 0.0
    for each in decisions.values():
        if each.gross_saving is None or each.net_saving is None:
            return None
        charged += each.gross_saving - each.net_saving
    return None if gross is None else gross - charged
