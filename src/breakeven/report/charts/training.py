"""How a run went: accuracy with what was foretold of it, losses, learning rate."""

import math
from collections.abc import Iterable, Sequence

from breakeven.records import CheckpointRecord, Cooldown, Decision, Forecast, Made
from breakeven.report.charts.chart import Axis, Band, Chart, Marker, Reference, Series
from breakeven.report.format import format_accuracy
from breakeven.report.shown import Shown
from breakeven.report.words import (
    bank_baseline,
    baseline_accuracy,
    baseline_words,
    interval_words,
    kind_words,
    projection,
    samples_words,
)

_CURVE_POINTS = 60
LATER = 0.4
"""Opacity of what came after the stop."""


def budget_axis(checkpoints: Sequence[Shown]) -> Axis:
    """Training so far, to the end of the budget at least."""
    label = "training FLOPs, share of the budget"
    return Axis(label=label, percent=True, lo=0, hi=max(1.0, checkpoints[-1].decision.used))


def accuracy_floor(accuracies: Iterable[float]) -> float:
    """Where an axis of these begins: at 0, or where all are above a half at the tenth below, to tell them apart."""
    least = min(accuracies, default=0.0)
    return min(0.9, math.floor(10 * least) / 10) if least > 0.5 else 0.0


def shown_accuracies(series: Iterable[Series], bands: Iterable[Band]) -> list[float]:
    """All that a chart of accuracies shows."""
    return [y for each in series for _, y in each.points] + [lo for each in bands for _, lo, _ in each.points]


def learning_curve(checkpoints: Sequence[Shown], at: int, cooldown: Cooldown | None = None) -> Chart:
    """One-sample accuracy against training FLOPs, with what each checkpoint until `at` foretold of full training."""
    decision = checkpoints[at].decision
    seen, later = checkpoints[: at + 1], checkpoints[at + 1 :]
    baseline = baseline_words(decision.baseline)
    series = [Series(label=f"{baseline}, measured", points=_accuracies(seen), marker=Marker.DOT)]
    if later:
        label = f"{baseline}, measured after the stop, unknown to the decision"
        series.append(Series(label=label, points=_accuracies(later), marker=Marker.DOT, strength=LATER))
    series += _averaged_and_cooled(checkpoints, cooldown)
    bands, references = list[Band](), [here(decision)]
    made = [(each.decision.used, each_forecast) for each in seen if (each_forecast := projection(each.decision))]
    if len(made) > 1 and decision.forecast is not None and decision.forecast.method != "target":
        label = "end of full training, as each checkpoint foretold it"
        means = tuple((used, each.mean) for used, each in made)
        series.append(Series(label=label, points=means, role="forecast", dashed=True))
        if all(each.lo < each.hi for _, each in made):
            interval = tuple((used, each.lo, each.hi) for used, each in made)
            bands.append(Band(label="its 90 % interval", points=interval, role="forecast"))
    if (forecast := projection(decision)) is not None:
        fit = _fitted_learning_curve(forecast, seen[0].decision.used)
        series.append(Series(label="fitted curve, forecast", points=fit, role="forecast", dashed=True))
        full = f"fully trained model, {format_accuracy(forecast.mean)} (forecast{_asked(forecast)})"
        point = ((1.0, forecast.mean),)
        series.append(Series(label=full, points=point, role="forecast", line=False, marker=Marker.RING))
        if forecast.lo < forecast.hi:
            ends = ((1.0, forecast.lo, forecast.hi),)
            bands.append(Band(label="its 90 % interval", points=ends, role="forecast"))
    if decision.serving is not None:
        label = f"{samples_words(decision.serving)}, {format_accuracy(decision.serving.accuracy)} "
        label += f"({decision.serving.made}, {kind_words(decision.serving.deployable)})"
        point = ((decision.used, decision.serving.accuracy),)
        marker = serving_marker(decision.serving.made)
        series.append(Series(label=label, points=point, role="served", line=False, marker=marker))
    return Chart(
        name="learning",
        title="Accuracy over training, and where it was heading",
        description=f"Accuracy with {baseline} per problem at {len(checkpoints)} checkpoints. {_projected(forecast)}",
        x=budget_axis(checkpoints),
        y=Axis(label="accuracy", lo=accuracy_floor(shown_accuracies(series, bands)), hi=1),
        series=tuple(series),
        bands=tuple(bands),
        references=tuple(references),
        note="Filled marks are measured, hollow marks and dashed lines come from a fit.",
    )


def losses(checkpoints: Sequence[Shown]) -> Chart | None:
    """Training and validation loss; None where neither was recorded."""
    own = [each for each in checkpoints if isinstance(each, CheckpointRecord)]
    train = tuple((c.decision.used, c.observation.loss) for c in own if c.observation.loss is not None)
    held = tuple(
        (c.decision.used, c.observation.validation_loss.mean) for c in own if c.observation.validation_loss is not None
    )
    if not train and not held:
        return None
    return Chart(
        name="losses",
        title="Losses",
        description="Training loss, and validation loss on the reference answers, at each checkpoint.",
        x=budget_axis(checkpoints),
        y=Axis(label="loss, nats per token", lo=0),
        series=(
            Series(label="training loss, measured", points=train, role="muted", marker=Marker.DOT),
            Series(label="validation loss on reference answers, measured", points=held, marker=Marker.DOT),
        ),
        note="Validation loss falling under a flat accuracy announces a rise; rising, a set learnt by heart.",
    )


def learning_rates(checkpoints: Sequence[Shown]) -> Chart | None:
    """The learning rate, as the loop said it; None where it said none."""
    own = [each for each in checkpoints if isinstance(each, CheckpointRecord)]
    rates = tuple(
        (c.decision.used, c.observation.shown["learning_rate"]) for c in own if "learning_rate" in c.observation.shown
    )
    if not rates:
        return None
    return Chart(
        name="learning-rate",
        title="Learning rate",
        description="The learning rate at each checkpoint, as the training loop said it.",
        x=budget_axis(checkpoints),
        y=Axis(label="learning rate", lo=0),
        series=(Series(label="learning rate", points=rates, role="muted", marker=Marker.DOT),),
    )


# -- the recorded fit, read for drawing --------------------------------------------------------------------------------


def _fitted_learning_curve(forecast: Forecast, start: float) -> tuple[tuple[float, float], ...]:
    """a (1 - exp(-b x)) + c from `start` to the full budget; nothing for methods that record no such parameters."""
    if forecast.method != "paper" or len(forecast.parameters) != 3:
        return ()
    a, b, c = forecast.parameters
    steps = [step / _CURVE_POINTS for step in range(_CURVE_POINTS + 1)]
    shares = [start * (1 - step) + step for step in steps]
    return tuple((x, y) for x in shares if 0 <= (y := a * (1 - _exp(-b * x)) + c) <= 1)


def _exp(exponent: float) -> float:
    return math.exp(min(exponent, 700.0))  # beyond, exp overflows; the curve is flat long before


# -- parts ------------------------------------------------------------------------------------------------------------


def _averaged_and_cooled(checkpoints: Sequence[Shown], cooldown: Cooldown | None) -> list[Series]:
    """What averaged weights had, and the model after a cooldown."""
    series = []
    own = [each for each in checkpoints if isinstance(each, CheckpointRecord)]
    averaged = tuple(
        (c.decision.used, bank_baseline(c.observation.average, c.decision.baseline))
        for c in own
        if c.observation.average is not None
    )
    if averaged:
        label = "the same with averaged weights, measured"
        series.append(Series(label=label, points=averaged, role="violet", marker=Marker.DOT))
    if cooldown is not None and cooldown.cooled is not None:
        stop = next((c for c in own if c.observation.step == cooldown.step), None)
        if stop is not None:
            used = stop.decision.used * (1.0 + cooldown.train_flops / stop.observation.train_flops)
            points = ((stop.decision.used, baseline_accuracy(stop)), (used, cooldown.cooled.baseline_accuracy))
            label = "cooled down from the stop, measured"
            series.append(Series(label=label, points=points, role="rose", marker=Marker.DIAMOND))
    return series


def _accuracies(checkpoints: Sequence[Shown]) -> tuple[tuple[float, float], ...]:
    return tuple((checkpoint.decision.used, baseline_accuracy(checkpoint)) for checkpoint in checkpoints)


def here(decision: Decision) -> Reference:
    """Where a decision was taken."""
    return Reference(label=f"{'stop' if decision.stop else 'last evaluation'}, step {decision.step}", x=decision.used)


def full(forecast: Forecast) -> Reference:
    """The fully trained model, as projected."""
    return Reference(
        label=f"fully trained model, {format_accuracy(forecast.mean)} (forecast)", y=forecast.mean, role="forecast"
    )


def serving_marker(made: Made) -> Marker:
    """Of a serving point: hollow where its accuracy comes from a fit."""
    return Marker.DIAMOND if made is Made.MEASURED else Marker.HOLLOW_DIAMOND


def _asked(forecast: Forecast) -> str:
    return ", as asked for" if forecast.method == "target" else ""


def _projected(forecast: Forecast | None) -> str:
    if forecast is None:
        return "There is no projection yet."
    interval = interval_words(forecast.lo, forecast.hi)
    return f"The fully trained model is projected at {format_accuracy(forecast.mean)}{interval}."
