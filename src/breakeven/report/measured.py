"""The report of what `breakeven eval` measured: which way to serve is best, with two charts and every number."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from breakeven.choice.choose import best as best_of
from breakeven.records import Measurement, Score
from breakeven.report.charts.chart import Axis, Band, Chart, Marker, Series
from breakeven.report.charts.theme import SERIES_ROLES
from breakeven.report.charts.vega import figure_of
from breakeven.report.decided import settings_section
from breakeven.report.document import Block, Document, Fact, Paragraphs, Section, Table
from breakeven.report.format import format_accuracy, format_flops, format_samples
from breakeven.report.measurements import HEADINGS, SCORE_HEADINGS, measurement_rows, score_rows
from breakeven.report.words import interval_words, kind_words, strategy_words


def accuracy_against_k(measurements: Sequence[Measurement]) -> Chart:
    """Accuracy of each strategy against K, oracles dashed."""
    return _chart(
        measurements,
        {id(each): float(each.k) for each in measurements},
        name="samples",
        title="What more samples buy",
        x=Axis(label="K, samples per query", log=2),
    )


def accuracy_against_flops(measurements: Sequence[Measurement]) -> Chart | None:
    """Accuracy against FLOPs per query, verifiers included; None where the model's cost is not known."""
    known = {id(each): each.flops for each in measurements if each.flops is not None}
    if not known:
        return None
    return _chart(
        [each for each in measurements if id(each) in known],
        known,
        name="flops",
        title="What a query costs",
        x=Axis(label="FLOPs per query, verifier included", log=10),
    )


def measured_document(
    title: str,
    measurements: Sequence[Measurement],
    *,
    scores: Sequence[Score] = (),
    warning: str = "",
    notes: Sequence[str] = (),
    problems: Sequence[Block] = (),
    settings: Mapping[str, object] | None = None,
    made_by: Mapping[str, object] | None = None,
) -> Document:
    """The report of an evaluation.

    Args:
        title: names model and task; any text.
        measurements: every strategy at every K.
        scores: in other metrics, of a classifier.
        warning: what must be said before any number.
        notes: sentences on what was drawn, was left out or failed.
        problems: how single ones fared, and what the model wrote.
        settings: what the samples depend on, nested mappings allowed.
        made_by: versions and seeds.
    """
    best, one = _most_accurate(measurements, deployable=True), _one_sample(measurements)
    charts = [accuracy_against_k(measurements), accuracy_against_flops(measurements)]
    gains = any(each.gain is not None for each in measurements)
    columns = len(HEADINGS) if gains else -1
    rows = tuple(tuple(row[:columns]) for row in measurement_rows(measurements))
    tables = [Table(label="Every strategy at every K", headings=HEADINGS[:columns], rows=rows)]
    if scores:
        cells = tuple(map(tuple, score_rows(scores)))
        tables.append(Table(label="Scores of whole sets of served classes", headings=SCORE_HEADINGS, rows=cells))
    sections = (
        Section(
            heading="What more samples buy, and what they cost", blocks=tuple(map(figure_of, filter(None, charts)))
        ),
        Section(heading="Every number", blocks=tuple(tables)),
        Section(heading="Problem by problem", blocks=tuple(problems)),
        Section(heading="Notes", blocks=(Paragraphs(texts=tuple(notes)),) if notes else ()),
        settings_section(settings or {}, made_by or {}),
    )
    return Document(
        title=title,
        verdict="No deployable way was measured" if best is None else f"Most accurate to deploy: {_way(best)}",
        lead="Only bounds are shown: none of these can be served." if best is None else _lead(best, one, measurements),
        remarks=(warning,) if warning else (),
        facts=_facts(best, one, _most_accurate(measurements, deployable=False)),
        sections=tuple(section for section in sections if section is not None and section.blocks),
    )


# -- the sentences of the report ---------------------------------------------------------------------------------------


def _most_accurate(measurements: Sequence[Measurement], *, deployable: bool) -> Measurement | None:
    """Of several that are as accurate, the cheapest, as far as that is known."""

    def price(measured: Measurement) -> tuple[float, float]:
        return math.inf if measured.flops is None else measured.flops, measured.expected_samples

    among = (each for each in measurements if each.deployable == deployable)
    return best_of(among, price=price, value=lambda each: each.accuracy)


def _one_sample(measurements: Sequence[Measurement]) -> Measurement | None:
    """What one sample gives: the greedy one, else one at temperature."""
    single = [each for each in measurements if each.k == 1]
    return min(single, key=lambda each: each.strategy != "greedy", default=None)


def _way(measurement: Measurement) -> str:
    if measurement.strategy == "greedy":
        return "one greedy sample"
    if measurement.k == 1:
        return "one sample at temperature" if measurement.output_tokens else "one sample"
    verdicts = f" and {measurement.num_verdicts} verdicts each" if measurement.num_verdicts else ""
    return f"{strategy_words(measurement.strategy)} of {format_samples(measurement.k)}{verdicts}"


def _lead(best: Measurement, one: Measurement | None, measurements: Sequence[Measurement]) -> str:
    said = f"It is right in {format_accuracy(best.accuracy)} of the problems{interval_words(best.lo, best.hi)}"
    if one is not None and _way(one) != _way(best):
        said += f"; {_way(one)} is in {format_accuracy(one.accuracy)}{interval_words(one.lo, one.hi)}"
    number = sum(each.deployable for each in measurements)
    chosen = f" As the best of {number} measured on the same samples it looks better than it is." if number > 1 else ""
    return f"{said} (measured).{chosen}"


def _facts(best: Measurement | None, one: Measurement | None, bound: Measurement | None) -> tuple[Fact, ...]:
    facts = []
    if best is not None:
        facts.append(_accuracy_fact("Accuracy, best deployable", best))
        facts.append(_price_fact(best, one))
    if one is not None and (best is None or _way(one) != _way(best)):
        facts.append(_accuracy_fact("Accuracy of one sample", one))
    if bound is not None:
        facts.append(_accuracy_fact("Upper bound", bound))
    return tuple(facts)


def _accuracy_fact(what: str, measured: Measurement) -> Fact:
    how = f"{measured.made}; {_way(measured)}{interval_words(measured.lo, measured.hi)}"
    return Fact(what=what, number=format_accuracy(measured.accuracy), how=how)


def _price_fact(best: Measurement, one: Measurement | None) -> Fact:
    samples = f"{best.expected_samples:.3g} samples"
    samples += f", {best.output_tokens:.4g} tokens" if best.output_tokens else ""
    if best.flops is None:
        return Fact(
            what="What a query costs", number=f"{best.expected_samples:.3g} samples", how=f"{samples}; FLOPs unknown"
        )
    beside = "" if one is None or not one.flops else f", {best.flops / one.flops:.3g} times one sample"
    return Fact(what="What a query costs", number=format_flops(best.flops), how=f"{samples}{beside}")


def _chart(
    measurements: Sequence[Measurement],
    x_of: Mapping[int, float],
    *,
    name: Literal["samples", "flops"],
    title: str,
    x: Axis,
) -> Chart:
    strategies = list(dict.fromkeys((each.strategy, each.num_verdicts) for each in measurements))
    series, bands = [], []
    for number, (strategy, verdicts) in enumerate(strategies):
        own = [each for each in measurements if (each.strategy, each.num_verdicts) == (strategy, verdicts)]
        own.sort(key=lambda each: x_of[id(each)])
        role = SERIES_ROLES[number % len(SERIES_ROLES)]
        label = f"{strategy}{f', {verdicts} verdicts' if verdicts else ''} ({kind_words(own[0].deployable)})"
        series.append(
            Series(
                label=label,
                points=tuple((x_of[id(each)], each.accuracy) for each in own),
                role=role,
                dashed=not own[0].deployable,
                marker=Marker.RING if number >= len(SERIES_ROLES) else Marker.DOT,
            )
        )
        if number < 3:  # more would hide one another
            interval = tuple((x_of[id(each)], each.lo, each.hi) for each in own)
            bands.append(Band(label=f"90 % interval, {strategy}", points=interval, role=role))
    return Chart(
        name=name,
        title=title,
        description=f"Accuracy of {len(strategies)} strategies against {x.label}.",
        x=x,
        y=Axis(label="accuracy", lo=0),
        series=tuple(series),
        bands=tuple(bands),
        note="Dashed: oracles, which pick with the reference answer.",
    )
