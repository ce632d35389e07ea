"""What `breakeven decide` assumed and did not consider, in sentences."""

from breakeven.cli.query_costs import QueryCosts
from breakeven.errors import argument_error
from breakeven.readers import EvalLog
from breakeven.records import Forecast, RunSpec
from breakeven.session.tallied import MIN_PROBLEMS


def refuse_unmeasured(log: EvalLog, baseline: str) -> None:
    """Nothing, if the log has samples of the baseline's kind.

    Raises:
        ArgumentError: it has none.
    """
    if baseline == "greedy" and not log.has_greedy:
        raise argument_error("--baseline", "be measured; the log has no greedy samples", baseline, "Choose sampled.")
    if baseline == "sampled" and not log.has_samples:
        raise argument_error("--baseline", "be measured; the log has only greedy samples", baseline, "Choose greedy.")


def loss_words(log: EvalLog, forecast: Forecast | None) -> list[str]:
    """Whether the last forecast rests on a validation loss, in a sentence; none where nothing was projected.

    Args:
        log: what was read.
        forecast: the last.
    """
    if forecast is None or not forecast.members:
        return []
    if log.loss_column is None:
        more = "" if log.has_samples else " (a column validation_loss, or --column validation_loss=..., gives one)"
        return [f"No validation loss was read: the forecast is made from accuracies alone{more}."]
    weight = next((each.weight for each in forecast.members if each.name == "loss_line"), None)
    if weight is None:
        used = "is not used, as it is not known at each of the last 4 checkpoints"
    else:
        used = f"has weight {weight:.2f} in the forecast"
    return [f'Validation loss: column "{log.loss_column}" {used} (--column validation_loss=... for another).']


def assumptions(
    log: EvalLog, spec: RunSpec, costs: QueryCosts | None, *, baseline: str | None, checker: bool
) -> list[str]:
    """What was assumed, in sentences."""
    notes = []
    if baseline is None:
        how = "greedy, as the log has greedy samples" if spec.baseline == "greedy" else "Pass@1 of the samples"
        notes.append(f"Baseline: {how} (--baseline to say otherwise).")
    if log.num_problems < MIN_PROBLEMS:
        error = 0.5 / log.num_problems**0.5
        notes.append(
            f"{log.num_problems} problem{'s are' if log.num_problems > 1 else ' is'} too little to say: the standard "
            f"error of an accuracy is up to {error:.2f}. No stop is advised below {MIN_PROBLEMS} problems."
        )
    if not log.has_samples:
        if not any(each.startswith("No samples were recorded") for each in log.notes):
            question = "may training stop, and this checkpoint be served with one greedy sample?"
            notes.append(f"Without samples one question is decided: {question}")
        notes.append(
            "Counts would allow more: a row for each checkpoint and problem with columns step, problem, greedy, n, c "
            "(greedy sample right or not; samples at temperature; right ones). Enough are n = 8 for each of the "
            f"{log.num_problems} problems at the checkpoints that may be served, and n = c = 0 at the others."
        )
    if log.has_samples and checker:
        notes.append(
            "As declared by --checker, what judged the samples runs at serving time too: Pass@K can be served."
        )
    elif log.has_samples:
        notes.append(
            "Without a checker at serving time, Pass@K is an oracle's, an upper bound that stops nothing. "
            "Where there is one, add --checker."
        )
    if costs is None:
        notes.append(
            "FLOPs of a query are unknown: break-even is unknown, evaluations are not charged, and K is chosen by the "
            "number of samples (give --params or --model-config, --prompt-tokens, --output-tokens)."
        )
    if spec.decay_share is None:
        notes.append("A learning-rate decay still ahead is not in the forecast (--decay-share to say).")
    return notes
