"""Reading the past: the learning curve that a decision projects."""

from collections.abc import Sequence

from breakeven.errors import argument_error
from breakeven.records import FitStatus, LearningPoint, Reason

NO_FORECAST = {
    FitStatus.TOO_FEW_POINTS: Reason.TOO_FEW_CHECKPOINTS,
    FitStatus.NO_SIGNAL: Reason.NO_SIGNAL,
    FitStatus.NOT_CONVERGED: Reason.NO_PROJECTION,
}
"""Why a decision goes on where there is no projection."""


def baseline_accuracy(point: LearningPoint, baseline: str) -> float:
    """One-sample accuracy of a checkpoint under the declared baseline decoding, "greedy", "sampled" or "best".

    Raises:
        ArgumentError: the checkpoint has no sample of that kind.
    """
    known = {"greedy": point.greedy_accuracy, "sampled": point.sampled_accuracy}
    if baseline == "best":
        measured = [accuracy for accuracy in known.values() if accuracy is not None]
        if measured:
            return max(measured)
    elif (accuracy := known[baseline]) is not None:
        return accuracy
    raise argument_error(
        "baseline", f"be measured at every checkpoint; step {point.step} has none", baseline, "Choose the other one."
    )


def check_history(history: Sequence[LearningPoint], k_curves: Sequence[object]) -> None:
    """Refuse a decision on nothing.

    Raises:
        ArgumentError: `history` or `k_curves` is empty.
    """
    if not history:
        raise argument_error("history", "hold at least one checkpoint", list(history))
    if not k_curves:
        raise argument_error("k_curves", "hold at least one curve", list(k_curves))
