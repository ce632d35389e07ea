"""What samples buy at the checkpoints of a run: accuracy against K, and the K that suffices."""

import math
from collections.abc import Sequence

from breakeven.evenly import evenly
from breakeven.records import CheckpointRecord, Decision, FitStatus, KCurve, Made, Reason
from breakeven.report.charts.chart import Axis, Band, Chart, Marker, Reference, Series
from breakeven.report.charts.training import (
    LATER,
    accuracy_floor,
    budget_axis,
    full,
    here,
    serving_marker,
    shown_accuracies,
)
from breakeven.report.shown import Shown
from breakeven.report.words import (
    kind_words,
    projection,
    samples_words,
    strategy_words,
)

_MOST_EARLIER = 5


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
        references.append(full(forecast))
        if forecast.lo < forecast.hi:
            ends = tuple((float(k), forecast.lo, forecast.hi) for k in (last.k_values[0], last.k_values[-1]))
            bands.append(Band(label="90 % interval of the fully trained model", points=ends, role="forecast"))
    if decision.serving is not None:
        references.append(
            Reference(label=f"{_least(decision)} sufficient K = {decision.serving.k}", x=decision.serving.k)
        )
        point = ((float(decision.serving.k), decision.serving.accuracy),)
        label, marker = f"chosen: {samples_words(decision.serving)}", serving_marker(decision.serving.made)
        series.append(Series(label=label, points=point, role="served", line=False, marker=marker))
    strategy = strategy_words(last.strategy)
    interval = tuple(zip(map(float, last.k_values), last.lo_K, last.hi_K, strict=True))
    if any(lo < hi for _, lo, hi in interval):
        bands.append(Band(label=f"90 % interval of step {decision.step}", points=interval))
    drawn = _temperature(checkpoints[: at + 1], decision)
    label = f"accuracy, {strategy} ({kind_words(last.deployable).split(',')[0]})"
    return Chart(
        name="samples",
        title="What more samples buy",
        description=f"Accuracy of {strategy} ({kind_words(last.deployable)}) against samples per query.",
        x=Axis(label="K, samples per query", log=2),
        y=Axis(label=label, lo=accuracy_floor(shown_accuracies(series, bands))),
        series=tuple(series),
        bands=tuple(bands),
        references=tuple(references),
        note=f"Solid: measured{drawn}. Dashed: extrapolated. Fainter: earlier checkpoints.",
    )


def _temperature(checkpoints: Sequence[Shown], decision: Decision) -> str:
    """At what the samples of a K-curve were drawn, where that is known."""
    if decision.k_curve is None or decision.k_curve.strategy == "greedy":
        return ""
    own = [each for each in checkpoints if isinstance(each, CheckpointRecord) and each.decision is decision]
    return f", at temperature {own[0].observation.bank.temperature:g}" if own else ""


def smallest_k(checkpoints: Sequence[Shown], at: int) -> Chart | None:
    """The smallest sufficient K of each checkpoint; None while no checkpoint has one."""
    served = [(c.decision.serving, index) for index, c in enumerate(checkpoints) if c.decision.serving is not None]
    if not served:
        return None
    top = 2.0 ** (math.ceil(math.log2(max(point.k for point, _ in served))) + 1)
    used = [checkpoint.decision.used for checkpoint in checkpoints]
    line = tuple((used[index], float(point.k)) for point, index in served)
    label = "from checkpoint to checkpoint"
    series = [Series(label=label, points=line, role="served", strength=LATER, in_legend=False)]
    for made in (Made.MEASURED, Made.EXTRAPOLATED):
        for later in (False, True):
            points = tuple((used[i], float(point.k)) for point, i in served if (i > at) == later and point.made is made)
            series.append(
                Series(
                    label=f"accuracy at K {made}" + (", after the stop" if later else ""),
                    points=points,
                    role="served",
                    line=False,
                    marker=serving_marker(made),
                    strength=LATER if later else 1.0,
                )
            )
    unserved = (Reason.OUT_OF_REACH, Reason.NO_K_CURVE, Reason.UNSURE)
    none = tuple((c.decision.used, top) for c in checkpoints if c.decision.reason in unserved)
    label = "no K suffices (drawn at the top edge)"
    series.append(Series(label=label, points=none, role="muted", line=False, marker=Marker.CROSS))
    return Chart(
        name="smallest-k",
        title=f"{_least(checkpoints[at].decision).capitalize()} K that is sure enough to match full training",
        description=", ".join(f"step {point.step}: {point.k}" for point, _ in served),
        x=budget_axis(checkpoints),
        y=Axis(label="K, samples per query", log=2, lo=1, hi=top),
        series=tuple(series),
        references=(here(checkpoints[at].decision),),
        note="The samples with which a checkpoint was, at that moment, as surely as the policy asks for as accurate as "
        "full training: more than its projection alone would need.",
    )


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


def _least(decision: Decision) -> str:
    """By what the serving point was chosen; the paper's cheapest is its smallest."""
    return "cheapest" if decision.policy == "calibrated" else "smallest"
