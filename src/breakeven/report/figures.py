"""The three charts of a run: learning curve, K-curves, smallest sufficient K. Builds data for `svg`, draws nothing."""

import math
from collections.abc import Sequence

from breakeven.evenly import evenly
from breakeven.records import Decision, FitStatus, Forecast, KCurve, Made, Reason
from breakeven.report.axes import Axis
from breakeven.report.format import format_accuracy
from breakeven.report.marks import Marker
from breakeven.report.shown import Shown
from breakeven.report.svg import Band, Chart, Reference, Series
from breakeven.report.words import (
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


def learning_curve(checkpoints: Sequence[Shown], at: int) -> Chart:
    """Measured one-sample accuracy against training FLOPs, with the projection that checkpoint `at` decided on."""
    decision = checkpoints[at].decision
    seen, later = checkpoints[: at + 1], checkpoints[at + 1 :]
    baseline = baseline_words(decision.baseline)
    series = [Series(label=f"{baseline}, measured", points=_accuracies(seen), marker=Marker.DOT)]
    if later:
        label = f"{baseline}, measured after the stop, unknown to the decision"
        series.append(Series(label=label, points=_accuracies(later), marker=Marker.DOT, strength=_LATER))
    bands, references = list[Band](), [_here(decision)]
    forecast = projection(decision)
    if forecast is not None:
        fit = _fitted_learning_curve(forecast, seen[0].decision.used)
        series.append(Series(label="fitted curve, forecast", points=fit, role="forecast", dashed=True))
        references.append(_full(forecast))
        series.append(
            Series(
                label="fully trained model, forecast",
                points=((1.0, forecast.mean),),
                role="forecast",
                line=False,
                marker=Marker.RING,
                in_legend=False,
            )
        )
        if forecast.lo < forecast.hi:
            bands.append(Band(label="90 % interval", points=((1.0, forecast.lo, forecast.hi),), role="forecast"))
    if decision.serving is not None:
        label = f"{samples_words(decision.serving)}, {format_accuracy(decision.serving.accuracy)} "
        label += f"({decision.serving.made}, {kind_words(decision.serving.deployable)})"
        point = ((decision.used, decision.serving.accuracy),)
        marker = _serving_marker(decision.serving.made)
        series.append(Series(label=label, points=point, role="served", line=False, marker=marker))
    return Chart(
        title="Accuracy over training, and where it was heading",
        description=f"Accuracy with {baseline} per problem at {len(checkpoints)} checkpoints. {_projected(forecast)}",
        x=Axis(label=_BUDGET_AXIS, percent=True, lo=0, hi=max(1.0, checkpoints[-1].decision.used)),
        y=Axis(label="accuracy", lo=0),
        series=tuple(series),
        bands=tuple(bands),
        references=tuple(references),
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
        series += _curve_series(before, curve, strength, f"step {before.step}")
    series += _curve_series(decision, last, 1.0, f"step {decision.step}")
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
        title="What more samples buy",
        description=f"Accuracy of {strategy} ({kind_words(last.deployable)}) against samples per query.",
        x=Axis(label="K, samples per query", log2=True),
        y=Axis(label=f"accuracy, {strategy} ({kind_words(last.deployable).split(',')[0]})", lo=0),
        series=tuple(series),
        bands=tuple(bands),
        references=tuple(references),
    )


def smallest_k(checkpoints: Sequence[Shown], at: int) -> Chart | None:
    """The smallest sufficient K of each checkpoint; None while no checkpoint has one."""
    served = [(c.decision.serving, index) for index, c in enumerate(checkpoints) if c.decision.serving is not None]
    if not served:
        return None
    top = 2.0 ** (math.ceil(math.log2(max(point.k for point, _ in served))) + 1)
    used = [checkpoint.decision.used for checkpoint in checkpoints]
    line = tuple((used[index], float(point.k)) for point, index in served)
    series = [Series(label="", points=line, role="served", strength=_LATER, width=1.5, in_legend=False)]
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
        title=f"{_least(checkpoints[at].decision).capitalize()} K that matches full training",
        description=", ".join(f"step {point.step}: {point.k}" for point, _ in served),
        x=Axis(label=_BUDGET_AXIS, percent=True, lo=0, hi=max(1.0, used[-1])),
        y=Axis(label="K, samples per query", log2=True, lo=1, hi=top),
        series=tuple(series),
        references=(_here(checkpoints[at].decision),),
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


def _curve_series(decision: Decision, curve: KCurve, strength: float, end_label: str) -> list[Series]:
    points = list(zip(map(float, curve.k_values), curve.accuracy_K, curve.made_K, strict=True))
    measured = tuple((k, a) for k, a, made in points if made is Made.MEASURED)
    last = measured[-1][0] if measured else 0.0
    beyond = tuple((k, a) for k, a, _ in points if k > last) if curve.status is FitStatus.FITTED else ()
    width = 2.4 if strength == 1 else 1.8
    name = f"step {decision.step}"
    result = [
        Series(
            label=f"{name}, measured",
            points=measured,
            marker=Marker.DOT,
            strength=strength,
            width=width,
            end_label="" if beyond else end_label,
            in_legend=False,
        )
    ]
    if beyond:
        result.append(
            Series(
                label=f"{name}, extrapolated",
                points=(*measured[-1:], *beyond),
                dashed=True,
                strength=strength,
                width=width,
                end_label=end_label,
                in_legend=False,
            )
        )
    return result


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


def _projected(forecast: Forecast | None) -> str:
    if forecast is None:
        return "There is no projection yet."
    interval = interval_words(forecast.lo, forecast.hi)
    return f"The fully trained model is projected at {format_accuracy(forecast.mean)}{interval}."
