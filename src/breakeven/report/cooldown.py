"""A cooldown in sentences: what it was expected to cost and bring, and what it was worth."""

from typing import Final

from breakeven.records import Cooldown, Cooled, Parent
from breakeven.report.format import format_accuracy, format_flops, format_queries, format_share
from breakeven.report.words import interval_words, serving_words

_RESTS_ON: Final = {
    "average": "what averaged weights had at the stop",
    "prior": "what a decay of the learning rate usually brings, not on this run",
}
_LEFT_OUT: Final = {
    "end": "It is not run: training on to the end costs no more.",
    "queries": "It is not run: fewer queries were declared.",
    "failed": "It came to nothing: its loss diverged, or it could not be measured. The stop holds.",
}


def cooldown_words(cooldown: Cooldown | None) -> list[str]:
    """Sentences on a cooldown, planned or over; none where there is none."""
    return [] if cooldown is None else [*_plan_words(cooldown), *outcome_words(cooldown)]


def outcome_words(cooldown: Cooldown | None) -> list[str]:
    """Sentences on what it came to; none where it is not over."""
    if cooldown is None:
        return []
    left_out = [] if cooldown.left_out is None else [_LEFT_OUT[cooldown.left_out]]
    return left_out if cooldown.cooled is None else [*left_out, *_cooled_words(cooldown.cooled)]


def branch_words(parent: Parent | None) -> list[str]:
    """The sentence that says of a log that it is a cooldown's; none where it is not."""
    if parent is None:
        return []
    return [f"This run is the cooldown of the one in {parent.run}, from its step {parent.step} on."]


def _plan_words(cooldown: Cooldown) -> list[str]:
    cost = format_flops(cooldown.train_flops + cooldown.evaluation_flops)
    sentences = [
        f"A cooldown of {cooldown.steps} steps from the stop at step {cooldown.step} costs {cost}, its evaluation "
        f"included (extrapolated), and is expected to reach {format_accuracy(cooldown.expected)} with one sample "
        f"(forecast{interval_words(cooldown.expected_lo, cooldown.expected_hi)}; rests on "
        f"{_RESTS_ON[cooldown.expected_by]})."
    ]
    if cooldown.least_queries is None:
        sentences.append("One sample is served already: it can make the model better, but no query cheaper.")
    else:
        sentences.append(f"It cannot pay for itself below {format_queries(cooldown.least_queries)} queries.")
    return sentences


def _cooled_words(cooled: Cooled) -> list[str]:
    error = (
        ""
        if cooled.standard_error is None
        else f" (standard error {cooled.standard_error:.3f} on the samples that were drawn of both)"
    )
    gain = cooled.accuracy - cooled.stopped_accuracy
    sentences = [
        f"Cooled down, the model has {format_accuracy(cooled.baseline_accuracy)} with one sample (measured), and with "
        f"what is served of the stop {format_accuracy(cooled.accuracy)} for {format_accuracy(cooled.stopped_accuracy)} "
        f"({cooled.made}): {gain:+.3f}{error}. Saved is then {format_share(cooled.net_saving)} "
        "of the training FLOPs, net of all evaluation."
    ]
    if cooled.serving is None:
        return [*sentences, "It does not reach the stop with as few samples: serve the stop."]
    pays = (
        "which makes no query cheaper"
        if cooled.break_even_queries is None
        else f"which has paid for the cooldown after {format_queries(cooled.break_even_queries)} queries"
    )
    accuracy = f"{format_accuracy(cooled.serving.accuracy)}, {cooled.serving.made}"
    return [*sentences, f"Serve the cooled model with {serving_words(cooled.serving)} ({accuracy}), {pays}."]
