"""How each number of a report was made, in sentences."""

import math

from breakeven.records import NOT_COUNTED, FitStatus, SampleBank
from breakeven.report.format import format_accuracy
from breakeven.report.shown import Evaluated, Shown
from breakeven.report.words import baseline_words, projection, strategy_words


def legend(checkpoint: Shown) -> list[tuple[str, str]]:
    """(word, what it means here) for every mark a number of this checkpoint's report may carry."""
    decision = checkpoint.decision
    sure = [("sure", _sure_words(checkpoint))] if decision.policy == "calibrated" else []
    return [
        ("measured", _measured_words(checkpoint)),
        ("forecast", _forecast_words(checkpoint)),
        ("extrapolated", _extrapolated_words(checkpoint)),
        ("deployable", "The strategy can be served as measured: it needs nothing that only the evaluation had."),
        ("oracle", "The strategy picks with the reference answer, which no served query has: an upper bound."),
        (
            "fully trained model",
            f"The model at the end of the declared budget, served with {baseline_words(decision.baseline)}.",
        ),
        (
            "FLOPs",
            "As the log and the declared budget say."
            if isinstance(checkpoint, Evaluated)
            else "Counted from the model's shape and the tokens seen; a multiplication and an addition are two. "
            f"Not counted: {NOT_COUNTED}.",
        ),
        (
            "saved",
            "Gross: the share of the training budget not used. Net: the same after every evaluation so far is charged.",
        ),
        (
            "break-even",
            "The number of served queries at which the extra inference of several samples has eaten the net saving. "
            "Query costs are those at the token counts measured at this checkpoint.",
        ),
        *sure,
        ("policy", f"{decision.policy}; in a row: consecutive checkpoints at which some K sufficed."),
    ]


def _measured_words(checkpoint: Shown) -> str:
    if isinstance(checkpoint, Evaluated):
        size, drawn = checkpoint.point.num_problems, checkpoint.point.num_drawn
        counted = [f"{drawn} samples in all"] if drawn else []
        counted += ["one greedy sample each"] if checkpoint.point.greedy_accuracy is not None else []
        counts, failed = f"{' and '.join(counted)}, as another tool counted them", ""
    else:
        bank = checkpoint.observation.bank
        greedy = ["one greedy sample each"] if bank.greedy_correct_P else []
        size, counts = bank.num_problems, ", and ".join(filter(None, [_samples_words(bank), *greedy]))
        failed = _failed_words(bank)
    error = format_accuracy(0.5 / math.sqrt(size))
    said = (
        f"Counted on {size} validation problems, {counts}. The standard error of an accuracy over that many problems "
        f"is at most {error}."
    )
    return " ".join(filter(None, (said, failed)))


def _failed_words(bank: SampleBank) -> str:
    if not bank.num_failed:
        return ""
    strictly = []
    if bank.greedy_correct_P:
        greedy = bank.greedy_correct_P.count("1") / bank.num_problems
        strictly.append(f"greedy accuracy would be {format_accuracy(greedy)}")
    if bank.num_drawn:
        own = " and that of a sample" if strictly else "the accuracy of a sample would be"
        strictly.append(f"{own} {format_accuracy(sum(bank.num_correct_P) / bank.num_drawn)}")
    return (
        f"{bank.num_failed} checks crashed or timed out: those samples are neither right nor wrong, and left out of "
        f"every number; were they wrong, {''.join(strictly)}."
    )


def _samples_words(bank: SampleBank) -> str:
    """What was drawn beside the greedy samples."""
    if not bank.num_drawn:
        return ""
    at = f"at temperature {bank.temperature:g}"
    lengths = list(map(len, bank.correct_PN))
    if min(lengths) == max(lengths):
        return f"{bank.num_samples} samples each {at}"
    sampled = sum(length > 0 for length in lengths)
    if sampled == len(lengths):
        return f"up to {bank.num_samples} samples each {at} ({bank.num_drawn} in all)"
    return (
        f"up to {bank.num_samples} samples {at} of each of {sampled} of them (what these say is carried to the others "
        "by their greedy answers)"
    )


def _sure_words(checkpoint: Shown) -> str:
    margin = checkpoint.decision.margin
    below = f" less a margin of {format_accuracy(margin)}" if margin > 0 else ""
    return (
        f"Forecast: the probability that what is served reaches what is projected for the fully trained model{below}. "
        "It allows for the projection's interval, the number of samples drawn and the choice of problems."
    )


_DECAY_WORDS = {
    "none": "No decay of the learning rate was ahead.",
    "included": "What a decay of the learning rate still ahead usually brings is included.",
    "unknown": "A learning-rate decay still ahead, if there is one, is not in it.",
}


def _forecast_words(checkpoint: Shown) -> str:
    forecast = checkpoint.decision.forecast
    if forecast is None:
        return "No projection was made at this checkpoint."
    if projection(checkpoint.decision) is None:
        return f"Method {forecast.method} gave no projection at this checkpoint ({forecast.status.replace('_', ' ')})."
    interval = "" if forecast.lo < forecast.hi else " The method gives no interval."
    if forecast.method == "calibrated":
        late = f"A rise that nothing has announced yet has {forecast.late_rise:.0%} in it. " if forecast.cdf else ""
        return (
            f"Method calibrated: the median of a density over several accounts of how the {forecast.num_points} "
            f"checkpoints go on, with its 90 % interval for the accuracy that would be measured. {late}"
            f"{_DECAY_WORDS[forecast.decay]}"
        )
    if forecast.method == "target":
        return "Declared: the accuracy to be reached. Nothing was projected."
    if forecast.method != "paper" or len(forecast.parameters) != 3:
        return f"Method {forecast.method}, on the {forecast.num_points} checkpoints it kept.{interval}"
    a, b, c = forecast.parameters
    return (
        f"Method paper: least-squares curve {a:.3g} (1 - exp(-{b:.3g} x)) {_plus(c)} through the {forecast.num_points} "
        f"checkpoints its filter kept, with x the share of the budget, read at x = 1.{interval}"
    )


def _extrapolated_words(checkpoint: Shown) -> str:
    curve = checkpoint.decision.k_curve
    if curve is None:
        return "Read from a fitted curve of accuracy against K; none was fitted at this checkpoint."
    if not curve.until_right:
        return f"Nothing: {strategy_words(curve.strategy)} is measured and never read beyond the samples drawn."
    if curve.status is FitStatus.FITTED and curve.method == "calibrated":
        law = "the Beta law of the problems' solve rates"
        if len(curve.parameters) > 3:  # of two strata at least
            law = "laws of the solve rates of problems with like earlier answers"
        return f"Read from {law} that method calibrated fitted to the samples drawn, with a 90 % interval."
    if curve.status is not FitStatus.FITTED or curve.method != "paper" or len(curve.parameters) != 3:
        return f"Read from the K-curve of method {curve.method} ({curve.status.replace('_', ' ')})."
    ceiling, slope, middle = curve.parameters
    has_interval = any(lo < hi for lo, hi in zip(curve.lo_K, curve.hi_K, strict=True))
    return (
        f"Read from the sigmoid {ceiling:.3g} / (1 + exp(-{slope:.3g} (K {_plus(-middle)}))) that method paper fitted "
        f"to accuracies measured at small K.{'' if has_interval else ' The method gives no interval.'}"
    )


def _plus(number: float) -> str:
    return f"{'-' if number < 0 else '+'} {abs(number):.3g}"
