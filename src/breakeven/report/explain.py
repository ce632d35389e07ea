"""A decision as the sentences a person would ask for. Pure wording: every number is read from the record."""

from breakeven.choice.choose import best as best_of
from breakeven.records import CheckpointRecord, Decision, FitStatus, KCurve, Made, Reason
from breakeven.records.words import told, witness_words
from breakeven.report.format import format_accuracy, format_probability, format_samples, format_share
from breakeven.report.words import (
    baseline_accuracy,
    baseline_words,
    break_even_words,
    interval_words,
    kind_words,
    largest_measured,
    lifetime_words,
    projection,
    serving_words,
    strategy_words,
    wall_words,
)


def explain(decision: Decision) -> str:
    """A few plain sentences: what to do at this checkpoint, why, and what it is worth."""
    sentences = _explain_stop(decision) if decision.stop else _explain_going_on(decision)
    forecast = projection(decision)
    if decision.reason in _PROJECTED and forecast is not None and forecast.decay == "unknown":
        sentences += " A learning-rate decay still ahead, if there is one, is not in the projection."
    return told(decision, sentences)


_PROJECTED = (Reason.OUT_OF_REACH, Reason.TOO_COSTLY, Reason.UNSURE, Reason.CHEAPER_LATER, Reason.WAITING,
              Reason.REACHED)  # fmt: skip
"""Reasons that rest on the projection."""


def progress_line(checkpoint: CheckpointRecord, total_steps: int | None = None) -> str:
    """One short line for live progress: step, loss, measured accuracies, projection, and why it goes on.

    Args:
        checkpoint: the checkpoint just decided on.
        total_steps: optimizer steps of the full run, shown beside the step if given.
    """
    observation, decision = checkpoint.observation, checkpoint.decision
    parts = [f"step {observation.step}" + (f"/{total_steps}" if total_steps else "")]
    if observation.loss is not None:
        parts.append(f"loss {observation.loss:.3f}")
    parts.append(f"measured: {decision.baseline} {format_accuracy(baseline_accuracy(checkpoint))}")
    curve = decision.k_curve
    if curve is not None and curve.strategy != "greedy" and (measured := largest_measured(curve)):
        k, accuracy = measured
        kind = "deployable" if curve.deployable else "oracle"
        parts[-1] += f", {strategy_words(curve.strategy)} at K={k} {format_accuracy(accuracy)} ({kind})"
    if forecast := projection(decision):
        interval = (
            f", {format_accuracy(forecast.lo)} to {format_accuracy(forecast.hi)}" if forecast.lo < forecast.hi else ""
        )
        parts.append(f"full run {format_accuracy(forecast.mean)} (forecast{interval})")
    parts.append(_short_reason(decision))
    return told(decision, " | ".join(parts))


# -- parts of sentences -----------------------------------------------------------------------------------------------


def _explain_stop(decision: Decision) -> str:
    where = _where(decision)
    if decision.reason is Reason.BUDGET_SPENT or decision.serving is None:
        spent = "The full budget is used" if decision.reason is Reason.BUDGET_SPENT else "Stop"
        if decision.reason is Reason.BY_HAND:
            return f"Stopped by hand at {where}: no decision of the policy."
        return (
            f"{spent} at {where}: serve this model with {baseline_words(decision.baseline)}, "
            f"accuracy {_own_accuracy(decision)} (measured)."
        )
    point = decision.serving
    served = f"Stop at {where} and serve {serving_words(point)}: "
    served += f"accuracy {format_accuracy(point.accuracy)} ({point.made})"
    if decision.confidence is None:
        sentences = [f"{served} against {_target(decision)}."]
    else:
        sentences = [f"{served}.", f"With probability {_probability(decision)} that reaches {_goal(decision)}."]
    if decision.net_saving is not None:
        sentences.append(f"Saves {format_share(decision.net_saving)} of the training FLOPs net of evaluation.")
    elif decision.gross_saving is not None:
        sentences.append(f"Saves {format_share(decision.gross_saving)} of the training FLOPs, evaluation not charged.")
    if wall := wall_words(decision):
        sentences.append(f"{wall}.")
    sentences.append(f"{break_even_words(decision)}.")
    if lifetime := lifetime_words(decision):
        sentences.append(f"Over the declared queries it costs {lifetime}.")
    return " ".join(sentences)


def _explain_going_on(decision: Decision) -> str:
    where, target, enough = _where(decision), _target(decision), _enough(decision)
    accuracy = f"{_own_accuracy(decision)} (measured) with {baseline_words(decision.baseline)}"
    if decision.reason is Reason.BUDGET_SPENT:
        return f"The full budget is used at {where}: nothing is left to save. Accuracy is {accuracy}."
    best, now = _best_of(decision.k_curve), f"Accuracy so far is {accuracy}."
    points = "" if decision.forecast is None else f" ({_checkpoints(decision.forecast.num_points)} kept)"
    hopeless = f"no number of samples up to the largest allowed reaches {target}"
    if decision.policy == "calibrated":
        hopeless = _hopeless(decision)
    why = {
        Reason.NOT_DUE: f"no evaluation was due at {where}.",
        Reason.EVALUATED_ENOUGH: (
            f"an evaluation was due at {where}, but would exceed the share allowed for evaluations."
        ),
        Reason.EVALUATION_FAILED: f"the evaluation at {where} failed, so nothing was measured.",
        Reason.BY_HAND: f"at {where} a stop was asked for by hand, and this run goes on all the same.",
        Reason.TOO_FEW_CHECKPOINTS: (
            f"at {where} the learning curve has too few points{points} to project the fully trained model. {now}"
        ),
        Reason.TOO_FEW_PROBLEMS: (
            f"at {where} there are too few problems to decide on: what is counted on so few is mostly chance."
        ),
        Reason.TOO_EARLY: (
            f"at {where} it is too early to trust a projection, whatever it says; the policy asks for a larger share "
            f"of the budget. {now}"
        ),
        Reason.NO_SIGNAL: (
            f"at {where} {baseline_words(decision.baseline)} solves {_much(decision)} yet, so there is no curve to "
            "project."
        ),
        Reason.NO_PROJECTION: (
            f"up to {where} the learning curve shows no ceiling yet{points}, so the fully trained model cannot be "
            f"projected. {now}"
        ),
        Reason.NO_K_CURVE: (
            f"at {where} no measured number of samples reaches {target}, and accuracy against K has no shape yet that "
            f"could be extrapolated.{best}"
        ),
        Reason.OUT_OF_REACH: f"at {where} {hopeless}.{best}",
        Reason.UNSURE: (
            f"at {where}, {_some_samples(decision.k_curve)} is expected to reach {_goal(decision)}, but only with "
            f"probability {_probability(decision)}, and the policy asks for more.{best}"
        ),
        Reason.TOO_COSTLY: f"at {where}, {enough}. But {_too_costly(decision)}.",
        Reason.CHEAPER_LATER: (
            f"at {where}, {enough}. But training on a little and then serving with less is expected to cost less over "
            "the declared queries."
        ),
    }
    if decision.reason in why:
        return f"Train on: {why[decision.reason]}"
    held = f"That has held for {_checkpoints(decision.streak)} in a row, fewer than the policy asks for."
    return f"Train on for now: at {where}, {enough}. {held}"


def _where(decision: Decision) -> str:
    return f"step {decision.step} ({format_share(decision.used)} of the budget)"


def _much(decision: Decision) -> str:
    return "too little" if decision.baseline_accuracy else "nothing"


def _probability(decision: Decision) -> str:
    return "unknown" if decision.confidence is None else f"{format_probability(decision.confidence)} (forecast)"


def _goal(decision: Decision) -> str:
    """The projection less the margin."""
    margin = f", less a margin of {format_accuracy(decision.margin)}" if decision.margin > 0 else ""
    return f"{_target(decision)}{margin}"


def _some_samples(curve: KCurve | None) -> str:
    """The strategy that comes closest, no K named: the record of a decision without a serving point holds none."""
    if curve is None:
        return "some number of samples"
    kind = kind_words(curve.deployable)
    if curve.strategy == "greedy":
        return f"one greedy sample ({kind})"
    return f"some number of samples with {strategy_words(curve.strategy)} ({kind})"


def _hopeless(decision: Decision) -> str:
    if decision.confidence is None:
        return f"no way to serve this model, within the declared limits on a query, can reach {_goal(decision)}"
    return (
        f"no number of samples up to the largest allowed is expected to reach {_goal(decision)}; "
        f"the probability is {_probability(decision)} at most"
    )


def _too_costly(decision: Decision) -> str:
    if decision.net_saving is not None and decision.net_saving > 0 and (lifetime := lifetime_words(decision)):
        return f"over the declared queries that costs {lifetime}"
    if decision.confidence is not None:
        return "training so far and its evaluations cost as much as full training"
    return "training so far plus that inference costs as much as full training"


def _own_accuracy(decision: Decision) -> str:
    return "unknown" if decision.baseline_accuracy is None else format_accuracy(decision.baseline_accuracy)


def _target(decision: Decision) -> str:
    forecast = decision.forecast
    if forecast is None:
        return "the fully trained model"
    if forecast.method == "target":
        return f"the {format_accuracy(forecast.mean)} asked for"
    return (
        f"{format_accuracy(forecast.mean)} "
        f"(forecast{interval_words(forecast.lo, forecast.hi)}{witness_words(forecast)}) "
        f"for the fully trained model with {baseline_words(decision.baseline)}"
    )


def _enough(decision: Decision) -> str:
    point = decision.serving
    if point is None:
        return f"a number of samples reaches {_target(decision)}"
    verb = "reaches" if point.k == 1 else "reach"
    enough = f"{serving_words(point)} {verb} accuracy {format_accuracy(point.accuracy)} ({point.made})"
    if decision.confidence is None:
        return f"{enough} against {_target(decision)}"
    return f"{enough}, which with probability {_probability(decision)} is enough for {_goal(decision)}"


def _best_of(curve: KCurve | None) -> str:
    if curve is None:
        return ""
    entries = zip(curve.accuracy_K, curve.k_values, curve.made_K, strict=True)
    usable = [each for each in entries if curve.status is FitStatus.FITTED or each[2] is Made.MEASURED]
    chosen = best_of(usable, price=lambda each: each[1], value=lambda each: round(each[0], 3))
    if chosen is None:
        return ""
    accuracy, k, made = chosen
    if curve.strategy == "greedy":
        return f" Best: {format_accuracy(accuracy)} ({made}) with one greedy sample ({kind_words(curve.deployable)})."
    return (
        f" Best: {format_accuracy(accuracy)} ({made}) with {format_samples(k)} by {strategy_words(curve.strategy)} "
        f"({kind_words(curve.deployable)})."
    )


def _checkpoints(count: int) -> str:
    return f"{count} checkpoint" if count == 1 else f"{count} checkpoints"


def _short_reason(decision: Decision) -> str:
    k = "K" if decision.serving is None else f"K={decision.serving.k}"
    sure = "" if decision.confidence is None else f" (probability {format_probability(decision.confidence)}, forecast)"
    row = f"({_checkpoints(decision.streak)} in a row)"
    return {
        Reason.NOT_DUE: "no evaluation due",
        Reason.EVALUATED_ENOUGH: "evaluation left out: the share allowed for evaluations is spent",
        Reason.EVALUATION_FAILED: "the evaluation failed",
        Reason.TOO_FEW_CHECKPOINTS: "too few checkpoints to project",
        Reason.TOO_FEW_PROBLEMS: "too few problems to decide on",
        Reason.TOO_EARLY: "too early to trust a projection",
        Reason.NO_SIGNAL: f"{decision.baseline} solves {_much(decision)} yet",
        Reason.NO_PROJECTION: "no ceiling in sight yet",
        Reason.NO_K_CURVE: "K-curve has no shape yet",
        Reason.OUT_OF_REACH: f"no K reaches it{sure}",
        Reason.UNSURE: f"not sure enough to reach it{sure}",
        Reason.TOO_COSTLY: f"{k} reaches it, but costs too much",
        Reason.CHEAPER_LATER: f"{k} reaches it, but training on is cheaper",
        Reason.WAITING: f"{k} suffices {row}, waiting",
        Reason.REACHED: f"stop: {k} suffices {row}",
        Reason.BUDGET_SPENT: "budget used",
        Reason.BY_HAND: "stopped by hand",
    }[decision.reason]
