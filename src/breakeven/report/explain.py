"""A decision as the sentences a person would ask for. Pure wording: every number is read from the record."""

import math
from collections.abc import Sequence

from breakeven.errors import argument_error
from breakeven.records import CheckpointRecord, Decision, FitStatus, Forecast, KCurve, Made, Reason, ServingPoint
from breakeven.report.format import (
    format_accuracy,
    format_flops,
    format_probability,
    format_queries,
    format_samples,
    format_share,
)


def explain(decision: Decision) -> str:
    """A few plain sentences: what to do at this checkpoint, why, and what it is worth."""
    sentences = _explain_stop(decision) if decision.stop else _explain_going_on(decision)
    return sentences + (_decay_words(decision) if decision.reason in _PROJECTED else "")


_PROJECTED = (Reason.OUT_OF_REACH, Reason.TOO_COSTLY, Reason.UNSURE, Reason.CHEAPER_LATER, Reason.WAITING,
              Reason.REACHED)  # fmt: skip
"""Reasons that rest on the projection."""


def _explain_going_on(decision: Decision) -> str:
    where = f"step {decision.step} ({format_share(decision.used)} of the budget)"
    now = f"{_own_accuracy(decision)} (measured) with {baseline_words(decision.baseline)}"
    match decision.reason:
        case Reason.NOT_DUE:
            return f"Train on: no evaluation was due at {where}."
        case Reason.EVALUATED_ENOUGH:
            return f"Train on: an evaluation was due at {where}, but would exceed the share allowed for evaluations."
        case Reason.EVALUATION_FAILED:
            return f"Train on: the evaluation at {where} failed, so nothing was measured."
        case Reason.TOO_FEW_CHECKPOINTS:
            return (
                f"Train on: at {where} the learning curve has too few points{_num_points(decision)} to project the "
                f"fully trained model. Accuracy so far is {now}."
            )
        case Reason.TOO_EARLY:
            return (
                f"Train on: at {where} it is too early to trust a projection, whatever it says; the policy asks for a "
                f"larger share of the budget. Accuracy so far is {now}."
            )
        case Reason.NO_SIGNAL:
            sample, much = baseline_words(decision.baseline), "too little" if decision.baseline_accuracy else "nothing"
            return f"Train on: at {where} {sample} solves {much} yet, so there is no curve to project."
        case Reason.NO_PROJECTION:
            return (
                f"Train on: up to {where} the learning curve shows no ceiling yet{_num_points(decision)}, so the fully "
                f"trained model cannot be projected. Accuracy so far is {now}."
            )
        case Reason.NO_K_CURVE:
            return (
                f"Train on: at {where} no measured number of samples reaches {_target(decision)}, and accuracy against "
                f"K has no shape yet that could be extrapolated.{_best_of(decision.k_curve)}"
            )
        case Reason.OUT_OF_REACH:
            if decision.policy == "calibrated":
                return f"Train on: at {where} {_hopeless(decision)}.{_best_of(decision.k_curve)}"
            return (
                f"Train on: at {where} no number of samples up to the largest allowed reaches {_target(decision)}."
                f"{_best_of(decision.k_curve)}"
            )
        case Reason.UNSURE:
            return (
                f"Train on: at {where}, {_some_samples(decision.k_curve)} is expected to reach {_goal(decision)}, but "
                f"only with probability {_probability(decision)}, and the policy asks for more."
                f"{_best_of(decision.k_curve)}"
            )
        case Reason.TOO_COSTLY:
            return f"Train on: at {where}, {_enough(decision)}. But {_too_costly(decision)}."
        case Reason.CHEAPER_LATER:
            return (
                f"Train on: at {where}, {_enough(decision)}. But training on a little and then serving with less is "
                f"expected to cost less over the declared queries."
            )
        case Reason.WAITING | Reason.REACHED:
            return (
                f"Train on for now: at {where}, {_enough(decision)}. That has held for "
                f"{_checkpoints(decision.streak)} in a row, fewer than the policy asks for."
            )
        case Reason.BUDGET_SPENT:
            return f"The full budget is used at {where}: nothing is left to save. Accuracy is {now}."


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
        parts.append(f"full run {format_accuracy(forecast.mean)} (forecast)")
    parts.append(_short_reason(decision))
    return " | ".join(parts)


def headline(checkpoints: Sequence[CheckpointRecord], run: str = "this run") -> int:
    """Index of the checkpoint a report leads with: the first that stops, else the last.

    Raises:
        ArgumentError: there is no checkpoint.
    """
    if not checkpoints:
        raise argument_error(
            "checkpoints",
            "hold at least one evaluation",
            0,
            f"{run} has no evaluations to report: train on until the first evaluation.",
        )
    stops = (index for index, checkpoint in enumerate(checkpoints) if checkpoint.decision.stop)
    return next(stops, len(checkpoints) - 1)


# -- words shared with the tables, the charts and the page ------------------------------------------------------------


def baseline_words(baseline: str) -> str:
    """How the one-sample baseline decodes, in words."""
    known = {
        "greedy": "one greedy sample",
        "sampled": "one sample at temperature (Pass@1)",
        "best": "one sample, greedy or at temperature, whichever is better",
    }
    return known.get(baseline, baseline)


def strategy_words(strategy: str) -> str:
    """A strategy's name as one reads it."""
    return strategy.replace("_", " ")


def samples_words(point: ServingPoint) -> str:
    """How many samples a query takes: K, or at most K where serving stops early."""
    if point.strategy == "greedy":
        return "one greedy sample"
    early = point.expected_samples is not None and point.expected_samples < point.k
    return f"{'at most ' if early else ''}{format_samples(point.k)}"


def serving_words(point: ServingPoint) -> str:
    """What to serve: samples a query, how many of them are expected, strategy, and whether it can be deployed."""
    kind = kind_words(point.deployable)
    if point.strategy == "greedy":
        return f"one greedy sample per query ({kind})"
    expected = ""
    if point.expected_samples is not None and point.expected_samples < point.k:
        expected = f", {point.expected_samples:.3g} expected ({point.made}),"
    return f"{samples_words(point)} per query{expected} with {strategy_words(point.strategy)} ({kind})"


def kind_words(deployable: bool) -> str:
    """Whether a strategy can be served as it was measured."""
    return "deployable" if deployable else "oracle, an upper bound"


def baseline_accuracy(checkpoint: CheckpointRecord) -> float:
    """The measured one-sample accuracy: as the decision recorded it, else the bank's under the same decoding."""
    if checkpoint.decision.baseline_accuracy is not None:
        return checkpoint.decision.baseline_accuracy
    bank = checkpoint.observation.bank
    if checkpoint.decision.baseline == "best" and bank.num_drawn:
        return max(bank.greedy_accuracy, bank.sampled_accuracy)
    return bank.sampled_accuracy if checkpoint.decision.baseline == "sampled" else bank.greedy_accuracy


def largest_measured(curve: KCurve | None) -> tuple[int, float] | None:
    """The largest measured K with its accuracy, if any."""
    if curve is None:
        return None
    measured = [(k, a) for k, a, made in zip(curve.k_values, curve.accuracy_K, curve.made_K, strict=True)
                if made is Made.MEASURED]  # fmt: skip
    return max(measured, default=None)


def projection(decision: Decision) -> Forecast | None:
    """The forecast, unless it is only a fallback that nothing was decided on."""
    forecast = decision.forecast
    return forecast if forecast is not None and forecast.status is FitStatus.FITTED else None


def interval_words(lo: float, hi: float) -> str:
    """The 90 % interval in words; empty where the method has none."""
    return f", 90 % interval {format_accuracy(lo)} to {format_accuracy(hi)}" if lo < hi else ""


def break_even_words(decision: Decision) -> str:
    """Up to how many served queries stopping stays cheaper, as a sentence without its full stop."""
    if decision.serving is not None and decision.serving.flops_per_query is None:
        return "At how many served queries full training would have been cheaper is unknown"
    if decision.break_even_queries is None or math.isinf(decision.break_even_queries):
        return "Cheaper than full training however many queries are served"
    if decision.break_even_queries <= 0:
        return "Not cheaper than full training for any number of served queries, evaluation included"
    return f"Cheaper than full training until {format_queries(decision.break_even_queries)} served queries"


def break_even_note(decision: Decision) -> str:
    """What the number of break-even queries means, to stand beside it."""
    if decision.break_even_queries is None or math.isinf(decision.break_even_queries):
        return "full training would not become cheaper by serving more"
    if decision.break_even_queries <= 0:
        return "full training is cheaper from the first one on"
    return "from then on full training would have been cheaper"


# -- parts of sentences -----------------------------------------------------------------------------------------------


def _explain_stop(decision: Decision) -> str:
    where = f"step {decision.step} ({format_share(decision.used)} of the budget)"
    if decision.reason is Reason.BUDGET_SPENT or decision.serving is None:
        spent = "The full budget is used" if decision.reason is Reason.BUDGET_SPENT else "Stop"
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
    sentences.append(f"{break_even_words(decision)}.")
    if lifetime := lifetime_words(decision):
        sentences.append(f"Over the declared queries it costs {lifetime}.")
    return " ".join(sentences)


def lifetime_words(decision: Decision) -> str:
    """What training, evaluation and the declared queries cost beside full training; empty where none were declared."""
    mine, full = decision.lifetime_flops, decision.full_lifetime_flops
    if mine is None or full is None or full <= 0:
        return ""
    change = f"{format_share(abs(1 - mine / full))} {'less' if mine < full else 'more'}"
    return f"{format_flops(mine)} in all against {format_flops(full)} after full training, {change} (forecast)"


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


def _decay_words(decision: Decision) -> str:
    forecast = projection(decision)
    if forecast is None or forecast.decay != "unknown":
        return ""
    return " A learning-rate decay still ahead, if there is one, is not in the projection."


def _own_accuracy(decision: Decision) -> str:
    return "unknown" if decision.baseline_accuracy is None else format_accuracy(decision.baseline_accuracy)


def _target(decision: Decision) -> str:
    forecast = decision.forecast
    if forecast is None:
        return "the fully trained model"
    return (
        f"{format_accuracy(forecast.mean)} (forecast{interval_words(forecast.lo, forecast.hi)}) "
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
    if not usable:
        return ""
    accuracy, k, made = max(usable, key=lambda entry: (round(entry[0], 3), -entry[1]))
    if curve.strategy == "greedy":
        return f" Best: {format_accuracy(accuracy)} ({made}) with one greedy sample ({kind_words(curve.deployable)})."
    return (
        f" Best: {format_accuracy(accuracy)} ({made}) with {format_samples(k)} by {strategy_words(curve.strategy)} "
        f"({kind_words(curve.deployable)})."
    )


def _num_points(decision: Decision) -> str:
    return "" if decision.forecast is None else f" ({_checkpoints(decision.forecast.num_points)} kept)"


def _checkpoints(count: int) -> str:
    return f"{count} checkpoint" if count == 1 else f"{count} checkpoints"


def _short_reason(decision: Decision) -> str:
    k = "K" if decision.serving is None else f"K={decision.serving.k}"
    sure = "" if decision.confidence is None else f" (probability {format_probability(decision.confidence)}, forecast)"
    match decision.reason:
        case Reason.NOT_DUE:
            return "no evaluation due"
        case Reason.EVALUATED_ENOUGH:
            return "evaluation left out: the share allowed for evaluations is spent"
        case Reason.EVALUATION_FAILED:
            return "the evaluation failed"
        case Reason.TOO_FEW_CHECKPOINTS:
            return "too few checkpoints to project"
        case Reason.TOO_EARLY:
            return "too early to trust a projection"
        case Reason.NO_SIGNAL:
            return f"{decision.baseline} solves {'too little' if decision.baseline_accuracy else 'nothing'} yet"
        case Reason.NO_PROJECTION:
            return "no ceiling in sight yet"
        case Reason.NO_K_CURVE:
            return "K-curve has no shape yet"
        case Reason.OUT_OF_REACH:
            return f"no K reaches it{sure}"
        case Reason.UNSURE:
            return f"not sure enough to reach it{sure}"
        case Reason.TOO_COSTLY:
            return f"{k} reaches it, but costs too much"
        case Reason.CHEAPER_LATER:
            return f"{k} reaches it, but training on is cheaper"
        case Reason.WAITING:
            return f"{k} suffices ({_checkpoints(decision.streak)} in a row), waiting"
        case Reason.REACHED:
            return f"stop: {k} suffices ({_checkpoints(decision.streak)} in a row)"
        case Reason.BUDGET_SPENT:
            return "budget used"
