"""A checkpoint as the numbers that a host's log takes, under names that every tracker accepts."""

from typing import Final

from breakeven.records import CheckpointRecord, FitStatus
from breakeven.ttc.strategies.pass_at_k import pass_at_k
from breakeven.ttc.tally import tally_of

NAMES: Final = tuple(
    f"breakeven/{name}"
    for name in (
        *("pass_at_1", "pass_at_4", "forecast", "forecast_lo"),
        *("confidence", "evaluation_flops", "evaluation_seconds"),
    )
)


def metrics(checkpoint: CheckpointRecord, *, evaluation_seconds: float | None = None) -> dict[str, float]:
    """What is known of a checkpoint, by `NAMES`; what is not known is left out.

    `pass_at_1` is measured in the spec's baseline decoding, greedy unless "sampled" is declared; `pass_at_4` at the
    run's temperature, on the problems that have 4 samples: none where the policy needed none to decide.
    `forecast` and `forecast_lo`, the lower end of its 90 % interval, are of the fully trained model, left out where
    there is no fit. `evaluation_flops` are those of this and all earlier evaluations.

    Args:
        checkpoint: as of `Session.checkpoints` or a run log.
        evaluation_seconds: wall time of all evaluations so far, which no log holds: `Session.evaluation_seconds`.
    """
    decision, tally = checkpoint.decision, tally_of(checkpoint.observation.bank)
    has_4_P = tally.samples_P >= 4
    forecast = decision.forecast
    fitted = forecast if forecast is not None and forecast.status is FitStatus.FITTED else None
    found = {
        "pass_at_1": tally.sampled_accuracy if decision.baseline == "sampled" else tally.greedy_accuracy,
        "pass_at_4": pass_at_k(tally.correct_P[has_4_P], tally.samples_P[has_4_P], 4) if has_4_P.any() else None,
        "forecast": None if fitted is None else fitted.mean,
        "forecast_lo": None if fitted is None else fitted.lo,
        "confidence": decision.confidence,
        "evaluation_flops": decision.evaluation_flops,
        "evaluation_seconds": evaluation_seconds,
    }
    return {f"breakeven/{name}": float(value) for name, value in found.items() if value is not None}
