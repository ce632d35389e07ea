"""A checkpoint as the numbers that a host's log takes, under names that every tracker accepts."""

from statistics import fmean
from typing import Final

from breakeven.records import CheckpointRecord, FitStatus, SoftVote
from breakeven.ttc.strategies.pass_at_k import pass_at_k
from breakeven.ttc.strategies.soft_vote import SNAPSHOT_ENSEMBLE, SOFT_VOTE
from breakeven.ttc.tally import tally_of

NAMES: Final = tuple(
    f"breakeven/{name}"
    for name in (
        *("pass_at_1", "pass_at_4", "soft_vote_at_4", "snapshot_ensemble", "forecast", "forecast_lo"),
        *("confidence", "evaluation_flops", "evaluation_seconds"),
    )
)


def metrics(checkpoint: CheckpointRecord, *, evaluation_seconds: float | None = None) -> dict[str, float]:
    """What is known of a checkpoint, by `NAMES`; what is not known is left out.

    `pass_at_1` is measured in the spec's baseline decoding, greedy unless "sampled" is declared; `pass_at_4` at the
    run's temperature, on the problems that have 4 samples: none where the policy needed none to decide. Of a classifier
    it is no strategy, and left out for `soft_vote_at_4`, of 4 noisy passes, and `snapshot_ensemble`, of all checkpoints
    that are averaged.
    `forecast` and `forecast_lo`, the lower end of its 90 % interval, are of the fully trained model, left out where
    there is no fit. `evaluation_flops` are those of this and all earlier evaluations.

    Args:
        checkpoint: as of `Session.checkpoints` or a run log.
        evaluation_seconds: wall time of all evaluations so far, which no log holds: `Session.evaluation_seconds`.
    """
    decision, tally = checkpoint.decision, tally_of(checkpoint.observation.bank)
    votes = {each.strategy: each for each in checkpoint.observation.bank.soft_votes or ()}
    has_4_P = tally.samples_P >= 4
    forecast = decision.forecast
    fitted = forecast if forecast is not None and forecast.status is FitStatus.FITTED else None
    found = {
        "pass_at_1": tally.sampled_accuracy if decision.baseline == "sampled" else tally.greedy_accuracy,
        "pass_at_4": pass_at_k(tally.correct_P[has_4_P], tally.samples_P[has_4_P], 4)
        if has_4_P.any() and not votes
        else None,
        "soft_vote_at_4": _accuracy(votes.get(SOFT_VOTE), 4),
        "snapshot_ensemble": _accuracy(votes.get(SNAPSHOT_ENSEMBLE)),
        "forecast": None if fitted is None else fitted.mean,
        "forecast_lo": None if fitted is None else fitted.lo,
        "confidence": decision.confidence,
        "evaluation_flops": decision.evaluation_flops,
        "evaluation_seconds": evaluation_seconds,
    }
    return {f"breakeven/{name}": float(value) for name, value in found.items() if value is not None}


def _accuracy(vote: SoftVote | None, k: int | None = None) -> float | None:
    """Mean over the problems that have passes, at K or at the largest K; None where it was not measured."""
    if vote is None or not vote.accuracy_PK or (k is not None and k not in vote.k_values):
        return None
    place = -1 if k is None else vote.k_values.index(k)
    return fmean(row[place] for row in vote.accuracy_PK)
