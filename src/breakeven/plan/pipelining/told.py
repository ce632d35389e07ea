"""What a pipeline comes to: insights in numbers, winners measured again, and what trials are worth."""

import math
from collections.abc import Iterator, Sequence

from breakeven.eval.intervals import mean_and_interval
from breakeven.plan.pipelining.insights import Insights, less
from breakeven.plan.pipelining.table import Table
from breakeven.records.options import Option
from breakeven.records.plans import Finding, Line, Picture, PlanTable
from breakeven.report.format import format_flops


def left_out_notes(table: Table, budgets: Sequence[float]) -> Iterator[str]:
    """Models that cost more than any budget with one sample, the other stages at their cheapest."""
    least = [min(price_K[0] for price_K in each.flops_MK) for each in table.stages]
    for stage, own in zip(table.stages, least, strict=True):
        left = max(budgets) - (math.fsum(least) - own)
        dear = [model for model in stage.models if stage.most_samples(model, left) is None]
        if dear and len(dear) < len(stage.models):
            yield f"{stage.name} by {', '.join(dear)} costs more than any budget with one sample: it is never chosen."


def default_option(table: Table) -> Option:
    """One sample of the largest model of each stage: what is served without trials."""
    default = table.default()
    return table.option("default, one sample of the largest models", default, table.again(default).quality)


def insight_findings(insights: Insights) -> Iterator[Finding]:
    """The three insights of arXiv 2508.00890 in numbers of this pipeline; and how far it factorises."""
    table = insights.table
    rivals = [place for place in range(len(table.stages)) if insights.has_rivals(place)]
    for place in rivals:
        stage = table.stages[place]
        text = f"insight 1, {stage.name}: smaller models with samples, less one dearer sample of {stage.models[-1]}"
        yield insights.finding(text, insights.many_less_one(place))
    if len(rivals) > 1:
        text = (
            f"insight 1: this difference of {table.stages[rivals[-1]].name} less that of {table.stages[rivals[0]].name}"
        )
        yield insights.finding(text, less(insights.many_less_one(rivals[-1]), insights.many_less_one(rivals[0])))
    for place, stage in enumerate(table.stages):
        if len(stage.samples) < 2:
            continue
        alone_MK = insights.alone(place, table.truth_C[None])[0]
        model, half = int((alone_MK.max(axis=1) - alone_MK[:, 0]).argmax()), len(stage.samples) // 2
        for first_at, last_at in ((0, half), (half, len(stage.samples) - 1)):
            if first_at < last_at:
                span = f"from {stage.samples[first_at]} to {stage.samples[last_at]} samples"
                text = f"insight 2, {stage.name} by {stage.models[model]}: gain {span}"
                yield insights.finding(text, insights.rise(place, model, first_at, last_at))
    for place in range(1, len(table.stages)):
        stage, before = table.stages[place], table.stages[place - 1]
        for good, what in ((True, "the best"), (False, "the poorest")):
            text = f"insight 3, {stage.name}: fewest samples within a point of its best, after {what} {before.name}"
            yield insights.finding(text, insights.enough(place, good=good))
        text = (
            f"insight 3, {stage.name}: gain of all samples on one after the best {before.name}, less after the poorest"
        )
        yield insights.finding(text, less(insights.gained(place, good=True), insights.gained(place, good=False)))
    text = "largest difference of a configuration from the product of what its stages do alone"
    yield insights.finding(text, insights.unexplained)


def stage_table(insights: Insights) -> PlanTable:
    """Accuracy of each model and number of samples of each stage, the others as in the best of all."""
    rows = []
    for place, stage in enumerate(insights.table.stages):
        alone_MK = insights.alone(place, insights.table.truth_C[None])[0]
        for model, accuracy_K in zip(stage.models, alone_MK, strict=True):
            price_K = stage.flops_MK[stage.models.index(model)]
            accuracies = ", ".join(f"{k}: {value:.3f}" for k, value in zip(stage.samples, accuracy_K, strict=True))
            trained = format_flops(stage.train_flops_M[stage.models.index(model)])
            rows.append((stage.name, model, trained, format_flops(price_K[0]), accuracies))
    return PlanTable(
        label="Stages one by one, the other as in the best of all: accuracy of the whole, by samples",
        headings=("stage", "model", "training", "one sample, of a query", "accuracy by samples"),
        rows=tuple(rows),
    )


def stage_picture(insights: Insights) -> Picture:
    """The same as lines."""
    lines = []
    for place, stage in enumerate(insights.table.stages):
        rows_MKP = insights.alone(place, insights.table.fresh_CP.T)
        for model in range(len(stage.models)):
            measured = [mean_and_interval(rows_MKP[:, model, k]) for k in range(len(stage.samples))]
            points = tuple((float(k), each[0]) for k, each in zip(stage.samples, measured, strict=True))
            intervals = tuple((each[2], each[3]) for each in measured) if insights.table.knows_problems else ()
            lines.append(
                Line(
                    label=f"{stage.name} by {stage.models[model]}",
                    points=points,
                    intervals=intervals,
                    made=insights.table.made,
                )
            )
    return Picture(
        name="samples",
        title="More samples of one stage, the other as in the best of all",
        x="samples of the stage",
        y="accuracy of the whole",
        lines=tuple(lines),
        log_x=True,
    )
