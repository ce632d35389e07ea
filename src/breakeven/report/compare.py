"""The report of several runs side by side: what each decided, and what they differ by."""

import math
from collections.abc import Iterator, Sequence
from itertools import chain

from breakeven.records import Reason
from breakeven.records.words import in_passes
from breakeven.report.charts.overlaid import ComparedRun, k_curves, learning_curves, loss_curves
from breakeven.report.charts.theme import SERIES_ROLES
from breakeven.report.charts.vega import figure_of
from breakeven.report.decided import flat
from breakeven.report.differences import Found, against, same_problems
from breakeven.report.document import Block, Document, Figures, Paragraphs, Row, Section, Table, reworded
from breakeven.report.facts import verdict_words
from breakeven.report.format import format_accuracy, format_flops, format_probability, format_share
from breakeven.report.words import (
    baseline_accuracy,
    baseline_words,
    break_even_number,
    interval_words,
    projection,
    serving_words,
)

_FEW = 3
"""Runs at most that the headline names."""


def compared_document(runs: Sequence[ComparedRun]) -> Document:
    """The report of two runs or more, each other one held against the first.

    Estimator:
        Differences are paired over problems where both runs were evaluated on the same ones, and their 90 % intervals
        are those of the normal distribution, each on its own: none is adjusted for how many there are.
    """
    decided = [f"{run.name}: {verdict_words(run.lead.decision)}" for run in runs]
    found = [tuple(against(runs[0], other)) for other in runs[1:]]
    verdict, lead = "; ".join(decided), " ".join(each[-1].sentence for each in found)
    if len({verdict_words(run.lead.decision) for run in runs}) == 1 and len(runs) <= _FEW:
        names = [run.name for run in runs]
        verdict = f"{', '.join(names[:-1])} and {names[-1]} alike: {verdict_words(runs[0].lead.decision)}"
    if len(runs) > _FEW:
        counts = [
            (sum(run.lead.decision.reason is Reason.BUDGET_SPENT for run in runs), "used the full budget"),
            (sum(_stopped(run) for run in runs), "stopped early"),
            (sum(not run.lead.decision.stop for run in runs), "train on"),
        ]
        verdict = f"{len(runs)} runs: " + ", ".join(f"{count} {what}" for count, what in counts if count)
        more = f"; {len(runs) - len(SERIES_ROLES)} more in the table" if len(runs) > len(SERIES_ROLES) else ""
        lead = "; ".join(decided[: len(SERIES_ROLES)]) + more + "."
    differences = tuple(chain.from_iterable(found))
    say = in_passes if all(run.lead.decision.of_passes for run in runs) else str
    told = (_decisions(runs), _difference_section(runs, differences), _courses(runs))
    return Document(
        title=" beside ".join(run.name for run in runs) if len(runs) <= _FEW else f"{len(runs)} runs",
        verdict=verdict,
        lead=say(lead),
        remarks=tuple(_remarks(runs)),
        facts=tuple(reworded(each.fact, say) for each in differences) if len(runs) == 2 else (),
        sections=(*reworded(told, say), _settings(runs)),
    )


def _stopped(run: ComparedRun) -> bool:
    return run.lead.decision.stop and run.lead.decision.reason is not Reason.BUDGET_SPENT


def _remarks(runs: Sequence[ComparedRun]) -> Iterator[str]:
    others = [run.name for run in runs[1:] if not same_problems(runs[0], run)]
    if others:
        yield (
            f"{', '.join(others)}: not evaluated on the same problems as {runs[0].name}, as far as was recorded. Such "
            "differences are those of two samples of problems, not paired, and may come from the problems."
        )
    if _budgets_differ(runs):
        yield "The budgets differ: a share of the budget is not the same training in all of them."
    if len(runs) > len(SERIES_ROLES):
        yield f"The charts name the first {len(SERIES_ROLES)} runs; the others are drawn faint. The tables hold all."


def _budgets_differ(runs: Sequence[ComparedRun]) -> bool:
    return any(not math.isclose(run.budget_flops, runs[0].budget_flops, rel_tol=1e-9) for run in runs)


# -- decisions ---------------------------------------------------------------------------------------------------------


def _decisions(runs: Sequence[ComparedRun]) -> Section:
    columns = [dict(_decided(run)) for run in runs]
    rows = tuple((what, *(column[what] for column in columns)) for what in columns[0])
    told = tuple(row for row in rows if set(row[1:]) != {"-"})
    table = Table(label="Decisions", headings=("", *(run.name for run in runs)), rows=told, kind="runs")
    return Section(heading="Side by side", blocks=(table,))


def _decided(run: ComparedRun) -> Iterator[tuple[str, str]]:
    """(what, in words) of the checkpoint that a run leads with."""
    lead, decision = run.lead, run.lead.decision
    point, curve, forecast = decision.serving, decision.k_curve, projection(decision)
    yield "Decision", verdict_words(decision)
    yield "Why", decision.reason.value.replace("_", " ")
    yield "Budget used", format_share(decision.used)
    yield "Budget, training", format_flops(run.budget_flops)
    yield "What is served, or would be", "-" if point is None else serving_words(point)
    served = "-"
    if point is not None:
        served = f"{format_accuracy(point.accuracy)} ({point.made})"
        if curve is not None and curve.strategy == point.strategy and point.k in curve.k_values:
            at = curve.k_values.index(point.k)
            served += interval_words(curve.lo_K[at], curve.hi_K[at])
    yield "Its accuracy", served
    one, words = baseline_accuracy(lead), baseline_words(decision.baseline)
    yield "Accuracy now", f"{format_accuracy(one)} (measured), {words}" if math.isfinite(one) else "-"
    full = "-"
    if forecast is not None:
        full = f"{format_accuracy(forecast.mean)} (forecast){interval_words(forecast.lo, forecast.hi)}"
    yield "Fully trained model", full
    sure = "-" if decision.confidence is None else f"{format_probability(decision.confidence)} (forecast)"
    yield "How sure", sure
    net = "-" if decision.net_saving is None else format_share(decision.net_saving)
    yield "Net saving of training FLOPs, stopping here", net
    yield "Cheaper until, served queries", "-" if point is None else break_even_number(decision)
    spent = decision.evaluation_flops
    share = (
        "-" if spent is None or not lead.observation.train_flops else format_share(spent / lead.observation.train_flops)
    )
    yield "Evaluation beside training so far", share
    yield "Validation problems", str(lead.observation.bank.num_problems)
    verified, checked = run.verification, "-"
    if verified is not None:
        error = format_accuracy(verified.difference_standard_error)
        checked = f"{verified.difference:+.3f} ± {error} beside full training, {verified.num_problems} problems"
    yield "Verified, ± one standard error", checked


# -- differences, charts and settings ----------------------------------------------------------------------------------


def _difference_section(runs: Sequence[ComparedRun], found: Sequence[Found]) -> Section:
    texts = [
        f"Each run less {runs[0].name}, the first one named: at the checkpoint that the report of each leads with, and "
        "at the last share of the budget that both have reached."
    ]
    if len(found) > 1:
        texts.append("Each interval stands on its own: none is adjusted for how many there are.")
    headings: Row = (
        "What",
        "Run",
        f"Of {runs[0].name}",
        "Of the run",
        "Difference",
        "90 % interval",
        "How it was made",
    )
    rows = [each.row for each in found]
    if len(runs) == 2:
        headings = ("What", *(f"Of {run.name}" for run in runs), *headings[4:])
        rows = [(what, *numbers) for what, _, *numbers in rows]
    table = Table(label="Differences", headings=headings, rows=tuple(rows), kind="runs")
    return Section(heading="What they differ by", blocks=(Paragraphs(texts=tuple(texts)), table))


def _courses(runs: Sequence[ComparedRun]) -> Section:
    charts = [learning_curves(runs)]
    if _budgets_differ(runs):
        charts.append(learning_curves(runs, by_flops=True))
    blocks: list[Block] = [figure_of(chart) for chart in charts]
    if (curves := k_curves(runs)) is not None:
        blocks.append(figure_of(curves))
    if losses := loss_curves(runs):
        blocks.append(Figures(of=tuple(map(figure_of, losses))))
    return Section(heading="How they went", blocks=tuple(blocks))


def _settings(runs: Sequence[ComparedRun]) -> Section:
    columns = [{name: value for name, value in flat(run.settings) if name != "name"} for run in runs]
    names = dict.fromkeys(chain.from_iterable(columns))
    rows = tuple((name, *(column.get(name, "-") for column in columns)) for name in names)
    differing = tuple(row for row in rows if len(set(row[1:])) > 1)
    block: Block = Paragraphs(texts=("All settings that were recorded are the same.",))
    if differing:
        headings = ("Setting", *(run.name for run in runs))
        block = Table(label="Settings that differ", headings=headings, rows=differing, kind="runs")
    return Section(heading="What differs in their settings", blocks=(block,))
