"""The charts of a run that need nothing but its log: learning, losses, K-curves, smallest sufficient K."""

import math
from collections.abc import Sequence

from breakeven.evenly import evenly
from breakeven.records import CheckpointRecord, Cooldown, Decision, FitStatus, Forecast, KCurve, Made, Reason
from breakeven.report.chart import Axis, Band, Chart, Marker, Reference, Series
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
    strategy_words,
)

_CURVE_POINTS = 60
_MOST_EARLIER = 5
_LATER = 0.4
"""Opacity of what came after the stop."""

_BUDGET_AXIS = "training FLOPs, share of the budget"


def learning_curve(checkpoints: Sequence[Shown], at: int, cooldown: Cooldown | None = None) -> Chart:
    """One-sample accuracy against training FLOPs, with what each checkpoint until `at` foretold of full training."""
    decision = checkpoints[at].decision
    seen, later = checkpoints[: at + 1], checkpoints[at + 1 :]
    baseline = baseline_words(decision.baseline)
    series = [Series(label=f"{baseline}, measured", points=_accuracies(seen), marker=Marker.DOT)]
    if later:
        label = f"{baseline}, measured after the stop, unknown to the decision"
        series.append(Series(label=label, points=_accuracies(later), marker=Marker.DOT, strength=_LATER))
    series += _averaged_and_cooled(checkpoints, cooldown)
    bands, references = list[Band](), [_here(decision)]
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
        marker = _serving_marker(decision.serving.made)
        series.append(Series(label=label, points=point, role="served", line=False, marker=marker))
    return Chart(
        name="learning",
        title="Accuracy over training, and where it was heading",
        description=f"Accuracy with {baseline} per problem at {len(checkpoints)} checkpoints. {_projected(forecast)}",
        x=Axis(label=_BUDGET_AXIS, percent=True, lo=0, hi=max(1.0, checkpoints[-1].decision.used)),
        y=Axis(label="accuracy", lo=0, hi=1),
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
        x=Axis(label=_BUDGET_AXIS, percent=True, lo=0, hi=max(1.0, checkpoints[-1].decision.used)),
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
        x=Axis(label=_BUDGET_AXIS, percent=True, lo=0, hi=max(1.0, checkpoints[-1].decision.used)),
        y=Axis(label="learning rate", lo=0),
        series=(Series(label="learning rate", points=rates, role="muted", marker=Marker.DOT),),
    )


def k_curves(checkpoints: Sequence[Shown], at: int) -> Chart | None:
    """Accuracy against K at `at` and, of the same strategy, at up to five before it; None while there is no K-curve."""
    curves = [(c.decision, c.decision.k_curve) for c in checkpoints[: at + 1] if c.decision.k_curve is not None]
    if not curves:
        return None
    decision, last = curves[-1]
    earlier = [(before, curve) for before, curve in curves[:-1] if curve.strategy == last.strategy]
    series: list[Series] = []
    kept = [earlier[place] for place in evenly(len(earlier), _MOST_EARLIER)]
    for order, (before, curve) in enumerate(kept):
        strength = 0.3 + 0.4 * order / max(1, len(kept) - 1)
        series += curve_series(f"step {before.step}", curve, strength=strength)
    series += curve_series(f"step {decision.step}", last)
    references, bands = [], []
    if forecast := projection(decision):
        references.append(_full(forecast))
    if decision.serving is not None:
        references.append(
            Reference(label=f"{_least(decision)} sufficient K = {decision.serving.k}", x=decision.serving.k)
        )
        point = ((float(decision.serving.k), decision.serving.accuracy),)
        label, marker = f"chosen: {samples_words(decision.serving)}", _serving_marker(decision.serving.made)
        series.append(Series(label=label, points=point, role="served", line=False, marker=marker))
    strategy = strategy_words(last.strategy)
    interval = tuple(zip(map(float, last.k_values), last.lo_K, last.hi_K, strict=True))
    if any(lo < hi for _, lo, hi in interval):
        bands.append(Band(label="90 % interval", points=interval))
    return Chart(
        name="samples",
        title="What more samples buy",
        description=f"Accuracy of {strategy} ({kind_words(last.deployable)}) against samples per query.",
        x=Axis(label="K, samples per query", log=2),
        y=Axis(label=f"accuracy, {strategy} ({kind_words(last.deployable).split(',')[0]})", lo=0),
        series=tuple(series),
        bands=tuple(bands),
        references=tuple(references),
        note="Solid: measured. Dashed: extrapolated. Fainter: earlier checkpoints.",
    )


def smallest_k(checkpoints: Sequence[Shown], at: int) -> Chart | None:
    """The smallest sufficient K of each checkpoint; None while no checkpoint has one."""
    served = [(c.decision.serving, index) for index, c in enumerate(checkpoints) if c.decision.serving is not None]
    if not served:
        return None
    top = 2.0 ** (math.ceil(math.log2(max(point.k for point, _ in served))) + 1)
    used = [checkpoint.decision.used for checkpoint in checkpoints]
    line = tuple((used[index], float(point.k)) for point, index in served)
    label = "from checkpoint to checkpoint"
    series = [Series(label=label, points=line, role="served", strength=_LATER, in_legend=False)]
    for made in (Made.MEASURED, Made.EXTRAPOLATED):
        for later in (False, True):
            points = tuple((used[i], float(point.k)) for point, i in served if (i > at) == later and point.made is made)
            series.append(
                Series(
                    label=f"accuracy at K {made}" + (", after the stop" if later else ""),
                    points=points,
                    role="served",
                    line=False,
                    marker=_serving_marker(made),
                    strength=_LATER if later else 1.0,
                )
            )
    unserved = (Reason.OUT_OF_REACH, Reason.NO_K_CURVE, Reason.UNSURE)
    none = tuple((c.decision.used, top) for c in checkpoints if c.decision.reason in unserved)
    label = "no K suffices (drawn at the top edge)"
    series.append(Series(label=label, points=none, role="muted", line=False, marker=Marker.CROSS))
    return Chart(
        name="smallest-k",
        title=f"{_least(checkpoints[at].decision).capitalize()} K that matches full training",
        description=", ".join(f"step {point.step}: {point.k}" for point, _ in served),
        x=Axis(label=_BUDGET_AXIS, percent=True, lo=0, hi=max(1.0, used[-1])),
        y=Axis(label="K, samples per query", log=2, lo=1, hi=top),
        series=tuple(series),
        references=(_here(checkpoints[at].decision),),
        note="The number of samples at which a checkpoint reaches what was projected for full training at that moment.",
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


def curve_series(name: str, curve: KCurve, *, role: str = "measured", strength: float = 1.0) -> list[Series]:
    """A K-curve: solid as far as it was measured, dashed beyond."""
    points = list(zip(map(float, curve.k_values), curve.accuracy_K, curve.made_K, strict=True))
    measured = tuple((k, a) for k, a, made in points if made is Made.MEASURED)
    last = measured[-1][0] if measured else 0.0
    beyond = tuple((k, a) for k, a, _ in points if k > last) if curve.status is FitStatus.FITTED else ()
    result = [Series(label=f"{name}, measured", points=measured, role=role, marker=Marker.DOT, strength=strength)]
    if beyond:
        extrapolated = (*measured[-1:], *beyond)
        result.append(
            Series(
                label=f"{name}, extrapolated",
                points=extrapolated,
                role=role,
                dashed=True,
                strength=strength,
                in_legend=strength == 1.0,
            )
        )
    return result


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


def _here(decision: Decision) -> Reference:
    return Reference(label=f"{'stop' if decision.stop else 'last evaluation'}, step {decision.step}", x=decision.used)


def _full(forecast: Forecast) -> Reference:
    return Reference(
        label=f"fully trained model, {format_accuracy(forecast.mean)} (forecast)", y=forecast.mean, role="forecast"
    )


def _least(decision: Decision) -> str:
    """By what the serving point was chosen; the paper's cheapest is its smallest."""
    return "cheapest" if decision.policy == "calibrated" else "smallest"


def _serving_marker(made: Made) -> Marker:
    return Marker.DIAMOND if made is Made.MEASURED else Marker.HOLLOW_DIAMOND


def _asked(forecast: Forecast) -> str:
    return ", as asked for" if forecast.method == "target" else ""


def _projected(forecast: Forecast | None) -> str:
    if forecast is None:
        return "There is no projection yet."
    interval = interval_words(forecast.lo, forecast.hi)
    return f"The fully trained model is projected at {format_accuracy(forecast.mean)}{interval}."
