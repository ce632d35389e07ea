"""A decision in three short lines: what to do, what it gives, what it rests on. `explain` says more."""

from breakeven.records import Decision, Reason
from breakeven.records.words import GOING_ON, told, witness_words
from breakeven.report.format import format_accuracy, format_probability, format_share
from breakeven.report.words import (
    baseline_words,
    break_even_words,
    interval_words,
    kind_words,
    lifetime_words,
    projection,
    samples_words,
    strategy_words,
    wall_words,
)

_NUMBER = 7
"""Characters from where a line's number begins to its words."""


def brief(decision: Decision) -> list[tuple[str, str]]:
    """(label, sentence) of each line, the numbers that lead a sentence padded to one width; one line at least."""
    lines = [("Decision", _what(decision)), ("Gives", _gives(decision)), ("Rests on", _rests_on(decision))]
    return [(label, told(decision, text)) for label, text in lines if text]


def _what(decision: Decision) -> str:
    where, point = f"step {decision.step} ({format_share(decision.used)} of the budget)", decision.serving
    if decision.reason is Reason.BUDGET_SPENT:
        return f"The full budget is used at {where}: serve this model with {baseline_words(decision.baseline)}."
    if not decision.stop:
        return f"Train on at {where}: {GOING_ON[decision.reason]}."
    if point is None:
        return f"Stop at {where}: serve this model with {baseline_words(decision.baseline)}."
    with_ = "" if point.strategy == "greedy" else f" with {strategy_words(point.strategy)}"
    return f"Stop at {where} and serve {samples_words(point)} per query{with_} ({kind_words(point.deployable)})."


def _gives(decision: Decision) -> str:
    point = decision.serving
    if not decision.stop or point is None or decision.reason is Reason.BUDGET_SPENT:
        if decision.baseline_accuracy is None:
            return ""
        so_far = "" if decision.stop or decision.reason is Reason.BUDGET_SPENT else " so far"
        return _led(
            format_accuracy(decision.baseline_accuracy),
            f"accuracy{so_far} (measured) with {baseline_words(decision.baseline)}.",
        )
    parts = [f"accuracy ({point.made})"]
    if decision.net_saving is not None:
        parts.append(f"saves {format_share(decision.net_saving)} of the training FLOPs, net of evaluation")
    elif decision.gross_saving is not None:
        parts.append(f"saves {format_share(decision.gross_saving)} of the training FLOPs, evaluation not charged")
    if wall := wall_words(decision):
        parts.append(wall[0].lower() + wall[1:])
    even = break_even_words(decision)
    parts.append(even[0].lower() + even[1:])
    if lifetime := lifetime_words(decision):
        parts.append(f"with the declared queries {lifetime}")
    return _led(format_accuracy(point.accuracy), f"{'; '.join(parts)}.")


def _rests_on(decision: Decision) -> str:
    forecast = projection(decision)
    if forecast is None or decision.reason is Reason.BUDGET_SPENT:
        return ""
    decay = "; a learning-rate decay still ahead is not in it" if forecast.decay == "unknown" else ""
    how = f"({decision.baseline}, forecast{interval_words(forecast.lo, forecast.hi)}{witness_words(forecast)})"
    asked = forecast.method == "target"
    if decision.confidence is None:
        words = "accuracy asked for" if asked else f"accuracy of full training {how}"
        return _led(format_accuracy(forecast.mean), f"{words}{decay}.")
    goal = (
        f"the {format_accuracy(forecast.mean)} asked for"
        if asked
        else f"full training's {format_accuracy(forecast.mean)} {how}"
    )
    margin = f" less {format_accuracy(decision.margin)}" if decision.margin > 0 else ""
    return _led(format_probability(decision.confidence), f"probability (forecast) to reach {goal}{margin}{decay}.")


def _led(number: str, words: str) -> str:
    return f"{number:{_NUMBER}}{words}"
