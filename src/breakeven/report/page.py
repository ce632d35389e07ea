"""One self-contained HTML page about a run: what was decided, on which numbers, and what it was worth."""

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from breakeven.evenly import evenly
from breakeven.records import Decision, Reason, Verification
from breakeven.report.explain import explain
from breakeven.report.figures import k_curves, learning_curve, smallest_k
from breakeven.report.format import format_accuracy, format_probability, format_share
from breakeven.report.hindsight import hindsight_words
from breakeven.report.ledger import ledger_rows, query_rows
from breakeven.report.legend import legend
from breakeven.report.marks import palette_css
from breakeven.report.outlook import member_rows, outlook_words
from breakeven.report.shown import Evaluated, Shown
from breakeven.report.svg import Chart, line_chart
from breakeven.report.table import HEADINGS, decision_rows
from breakeven.report.verification import verification_rows, verification_words
from breakeven.report.words import (
    baseline_accuracy,
    baseline_words,
    break_even_note,
    break_even_number,
    headline,
    kind_words,
    lifetime_words,
    projection,
    samples_words,
    strategy_words,
    wall_rows,
)

if TYPE_CHECKING:
    from jinja2 import Template

_WIDE, _NARROW = 840.0, 400.0
_MOST = 1000
"""Checkpoints on a page, evenly chosen of more: each takes almost a kilobyte."""


def render_page(
    title: str,
    config: Mapping[str, object],
    checkpoints: Sequence[Shown],
    verification: Verification | None,
    remarks: Sequence[str] = (),
    assumed: Sequence[str] = (),
) -> str:
    """The report as one HTML document that needs no other file and no network.

    Args:
        title: names the run; any text, escaped here.
        config: the run's settings, nested mappings allowed, shown as they are.
        checkpoints: the run log, oldest first. The first that stops is the headline, else the last. Of more than 1000
            these are shown and that many others, evenly chosen, and the page says so.
        verification: the decision held against the fully trained model, if that was checked.
        remarks: sentences to stand below the explanation.
        assumed: sentences to stand at the end.

    Raises:
        ArgumentError: there is no checkpoint.
    """
    every, at = checkpoints, headline(checkpoints, title)
    shown, decision = checkpoints[at], checkpoints[at].decision
    places = sorted({*evenly(len(every), _MOST), at})
    checkpoints, at = [every[place] for place in places], places.index(at)
    if isinstance(shown, Evaluated):
        train_flops, rollout_flops, query_flops = shown.train_flops, None, shown.point.query_flops
    else:
        observed = shown.observation
        train_flops, rollout_flops, query_flops = observed.train_flops, observed.rollout_flops, observed.query_flops
    return page_template("page.html").render(
        title=title,
        style=page_style(),
        stop=decision.stop,
        verdict=_verdict(decision),
        explanation=explain(decision),
        verified=None if verification is None else verification_words(verification),
        remarks=remarks,
        assumed=assumed,
        thinned=None if len(places) == len(every) else (len(places), len(every)),
        went_on=checkpoints[-1].decision.step if at < len(checkpoints) - 1 else None,
        hindsight=hindsight_words(every),
        facts=_facts(checkpoints[at]),
        learning=[_draw(learning_curve(checkpoints, at), width) for width in (_WIDE, _NARROW)],
        k_curves=_draw(k_curves(checkpoints, at), _NARROW),
        smallest_k=_draw(smallest_k(checkpoints, at), _NARROW),
        verification=[] if verification is None else verification_rows(verification, decision),
        ledger=[*ledger_rows(decision, train_flops, rollout_flops), *wall_rows(decision)],
        queries=query_rows(decision, query_flops),
        outlook=outlook_words(decision),
        members=member_rows(projection(decision)),
        headings=HEADINGS,
        rows=[(row, index == at, index > at) for index, row in enumerate(decision_rows(checkpoints))],
        legend=legend(checkpoints[at]),
        settings=list(_settings(config)),
    )


def page_template(name: str) -> "Template":
    """A page of this room, by file name; values are escaped."""
    from jinja2 import Environment, StrictUndefined  # most commands write no page

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["unbroken"] = lambda text: str(text).replace(" %", "\u00a0%")
    return environment.from_string(files("breakeven.report").joinpath(name).read_text("utf-8"))


def page_style() -> Markup:
    """The style sheet of every page, colours included."""
    return Markup(palette_css() + "\n" + files("breakeven.report").joinpath("page.css").read_text("utf-8"))


def _verdict(decision: Decision) -> str:
    if decision.reason is Reason.BUDGET_SPENT:
        return f"The full budget is used at step {decision.step}"
    if decision.stop and decision.serving is not None:
        return f"Stop at step {decision.step}, serve {samples_words(decision.serving)} per query"
    return f"Stop at step {decision.step}" if decision.stop else f"Train on after step {decision.step}"


def _facts(checkpoint: Shown) -> list[tuple[str, str, str]]:
    """(what, number, how it was made) of the few numbers that matter most."""
    decision, serving = checkpoint.decision, checkpoint.decision.serving
    facts = []
    if decision.net_saving is not None and serving is not None:
        gross = "" if decision.gross_saving is None else f"; {format_share(decision.gross_saving)} before evaluation"
        what = "Training FLOPs saved" if decision.stop else "Saved if stopped here"
        facts.append((what, format_share(decision.net_saving), f"net of evaluation{gross}"))
    else:
        how = "of the declared budget" if isinstance(checkpoint, Evaluated) else "training FLOPs, counted"
        facts.append(("Budget used", format_share(decision.used), how))
    if serving is not None:
        how = f"{serving.made}; {strategy_words(serving.strategy)}, {kind_words(serving.deployable)}"
        facts.append((f"Accuracy with {samples_words(serving)}", format_accuracy(serving.accuracy), how))
    else:
        now = format_accuracy(baseline_accuracy(checkpoint))
        facts.append(("Accuracy now", now, f"measured; {baseline_words(decision.baseline)}"))
    if forecast := projection(decision):
        interval = ""
        if forecast.lo < forecast.hi:
            interval = f"; 90 % interval {format_accuracy(forecast.lo)} to {format_accuracy(forecast.hi)}"
        how = f"forecast; {baseline_words(decision.baseline)}{interval}"
        facts.append(("Fully trained model", format_accuracy(forecast.mean), how))
    if decision.confidence is not None:
        how = f"forecast; probability to reach that less {format_accuracy(decision.margin)}"
        facts.append(("Sure", format_probability(decision.confidence), how))
    if serving is not None:
        how = f"served queries; {break_even_note(decision)}"
        facts.append(("Break-even", break_even_number(decision), how))
    mine, full = decision.lifetime_flops, decision.full_lifetime_flops
    if lifetime_words(decision) and mine is not None and full is not None:
        facts.append(
            (
                "Saved over the declared queries",
                format_share(1 - mine / full),
                "forecast; all FLOPs, training to last query",
            )
        )
    return facts


def _draw(chart: Chart | None, width: float) -> Markup | None:
    return None if chart is None else Markup(line_chart(chart, width=width, plot_height=270 if width > 500 else 220))


def _settings(config: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings as (dotted name, value)."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value, default=str)
