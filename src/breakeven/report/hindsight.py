"""A stop after which training went on all the same: what was foreseen, held against what came."""

from collections.abc import Sequence

from breakeven.records import CheckpointRecord, Reason
from breakeven.records.words import told
from breakeven.report.format import format_accuracy, format_share
from breakeven.report.shown import Evaluated
from breakeven.report.words import baseline_accuracy, baseline_words, headline, projection, serving_words


def hindsight_words(checkpoints: Sequence[CheckpointRecord | Evaluated]) -> list[str]:
    """Sentences on the first stop by what later checkpoints measured on the same problems; none where there are none.

    Only where the budget is spent is the end known; before, what was reached so far is said.
    """
    if not checkpoints:
        return []
    stop, last = checkpoints[headline(checkpoints)].decision, checkpoints[-1]
    if not stop.stop or stop.step == last.decision.step or stop.serving is None:
        return []
    reached, ended = baseline_accuracy(last), last.decision.reason is Reason.BUDGET_SPENT
    where = "the end" if ended else f"{format_share(last.decision.used)} of the budget"
    sentences = [
        f"Training went on to step {last.decision.step} after the stop at step {stop.step}: at {where} "
        f"{baseline_words(stop.baseline)} reaches "
        f"{format_accuracy(reached)} (measured on the validation problems)."
    ]
    if (forecast := projection(stop)) is not None and ended:
        inside = "inside" if forecast.lo <= reached <= forecast.hi else "outside"
        sentences.append(
            f"The forecast at the stop was {format_accuracy(forecast.mean)}, its 90 % interval "
            f"{format_accuracy(forecast.lo)} to {format_accuracy(forecast.hi)}: the end is {inside}."
        )
    held = stop.serving.accuracy >= reached - stop.margin
    verdict = "would have held" if held else "would not have held"
    if not ended:
        verdict = "holds so far" if held else "does not hold"
    sentences.append(
        f"The stop {verdict}: {serving_words(stop.serving)} had "
        f"{format_accuracy(stop.serving.accuracy)} ({stop.serving.made})."
    )
    return [told(stop, each) for each in sentences]
