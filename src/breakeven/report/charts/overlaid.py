"""Charts of several runs, a colour a run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from breakeven.evenly import evenly
from breakeven.records import CheckpointRecord, Made, Verification
from breakeven.report.charts.chart import Axis, Chart, Marker, Series
from breakeven.report.charts.samples import curve_series
from breakeven.report.charts.theme import SERIES_ROLES
from breakeven.report.format import format_accuracy
from breakeven.report.words import baseline_accuracy, headline, projection, samples_words, strategy_words

_FAINT: Final = 0.35
_MOST: Final = 400
"""Points of a line, evenly chosen of more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """A run beside others."""

    name: str
    """No other has it."""
    checkpoints: Sequence[CheckpointRecord]
    """At least one."""
    budget_flops: float
    problems: str | None = None
    """Which it was evaluated on, as a checksum; None where that was not recorded."""
    verification: Verification | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    """All that was set, nested mappings allowed."""

    @property
    def lead(self) -> CheckpointRecord:
        """The first that stops, else the last."""
        return self.checkpoints[headline(self.checkpoints, self.name)]


def learning_curves(runs: Sequence[ComparedRun], *, by_flops: bool = False) -> Chart:
    """One-sample accuracies over training, with what each run serves and what full training was forecast to bring."""

    def along(run: ComparedRun, checkpoint: CheckpointRecord) -> float:
        return checkpoint.observation.train_flops if by_flops else checkpoint.decision.used

    series = _lines(runs, along, baseline_accuracy)
    for run, role, strength in _coloured(runs):
        decision, end = run.lead.decision, run.budget_flops if by_flops else 1.0
        if strength < 1:
            continue
        look = Series(label="", points=(), role=role, line=False, in_legend=False)
        if (point := decision.serving) is not None:
            marker = Marker.DIAMOND if point.made is Made.MEASURED else Marker.HOLLOW_DIAMOND
            at = ((along(run, run.lead), point.accuracy),)
            label = f"{run.name}: {samples_words(point)} at step {decision.step} ({point.made})"
            series.append(replace(look, label=label, points=at, marker=marker))
        if (forecast := projection(decision)) is not None:
            label = f"{run.name}: fully trained, {format_accuracy(forecast.mean)} (forecast)"
            series.append(replace(look, label=label, points=((end, forecast.mean),), marker=Marker.RING))
    share = Axis(label="training FLOPs, share of the budget", percent=True, lo=0, hi=_end(runs))
    return Chart(
        name="learning-flops" if by_flops else "learning",
        title="Accuracy over training FLOPs" if by_flops else "Accuracy over training",
        description=f"Accuracy with one sample per problem at the checkpoints of {len(runs)} runs, measured.",
        x=Axis(label="training FLOPs", log=10) if by_flops else share,
        y=Axis(label="accuracy, one sample", lo=0, hi=1),
        series=tuple(series),
        note="Dots: one sample, measured. Diamonds: what would be served, where the report of that run leads (hollow: "
        "extrapolated). Rings: the fully trained model (forecast).",
    )


def k_curves(runs: Sequence[ComparedRun]) -> Chart | None:
    """Accuracy against K at the checkpoint that each run leads with; None where none has a K-curve."""
    series: list[Series] = []
    for run, role, strength in _coloured(runs):
        curve = run.lead.decision.k_curve
        if curve is not None:
            name = f"{run.name}, step {run.lead.decision.step}, {strategy_words(curve.strategy)}"
            name += "" if curve.deployable else " (oracle)"
            drawn = curve_series(name, curve, role=role, strength=strength)
            series += [replace(each, in_legend=strength == 1 and not each.dashed) for each in drawn]
    if not series:
        return None
    return Chart(
        name="samples",
        title="What more samples buy",
        description="Accuracy against samples per query at the checkpoint that each run leads with.",
        x=Axis(label="K, samples per query", log=2),
        y=Axis(label="accuracy", lo=0),
        series=tuple(series),
        note="Solid: measured. Dashed: extrapolated.",
    )


def loss_curves(runs: Sequence[ComparedRun]) -> list[Chart]:
    """Training and validation losses, of the runs that recorded them."""
    charts = []
    for name, loss in (("training", _train_loss), ("validation", _validation_loss)):
        series = _lines(runs, lambda _, checkpoint: checkpoint.decision.used, loss)
        if any(each.points for each in series):
            known = len({each.label for each in series if each.points})
            charts.append(
                Chart(
                    name=f"{name}-loss",
                    title=f"{name.capitalize()} loss",
                    description=f"The {name} loss at the checkpoints of the runs that recorded it.",
                    x=Axis(label="training FLOPs, share of the budget", percent=True, lo=0, hi=_end(runs)),
                    y=Axis(label="loss, nats per token", lo=0),
                    series=tuple(series),
                    note="" if known == len({each.label for each in series}) else "Not every run recorded one.",
                )
            )
    return charts


def _train_loss(checkpoint: CheckpointRecord) -> float | None:
    return checkpoint.observation.loss


def _validation_loss(checkpoint: CheckpointRecord) -> float | None:
    loss = checkpoint.observation.validation_loss
    return None if loss is None else loss.mean


def _lines(
    runs: Sequence[ComparedRun],
    along: Callable[[ComparedRun, CheckpointRecord], float],
    value: Callable[[CheckpointRecord], float | None],
) -> list[Series]:
    """A line a run; those beyond the colours are one entry of the legend."""
    lines = []
    for run, role, strength in _coloured(runs):
        kept = [run.checkpoints[place] for place in evenly(len(run.checkpoints), _MOST)]
        points = tuple((along(run, each), y) for each in kept if (y := value(each)) is not None)
        label = run.name if strength == 1 else f"the other runs ({len(runs) - len(SERIES_ROLES)})"
        lines.append(Series(label=label, points=points, role=role, strength=strength, marker=Marker.DOT))
    return lines


def _coloured(runs: Sequence[ComparedRun]) -> Iterator[tuple[ComparedRun, str, float]]:
    """Each run with a role and an opacity, below 1 for those that get no colour of their own."""
    for place, run in enumerate(runs):
        yield (run, SERIES_ROLES[place], 1.0) if place < len(SERIES_ROLES) else (run, "muted", _FAINT)


def _end(runs: Sequence[ComparedRun]) -> float:
    return max(1.0, *(run.checkpoints[-1].decision.used for run in runs))
