"""The report of a run, or of a log that another tool evaluated: what was decided, why, and what it is worth."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from breakeven.evenly import evenly
from breakeven.records import NOT_COUNTED, Cooldown, Decision, Failure, ServingPoint, Start, Verification
from breakeven.report.charts.frontier import frontier_figure, offers_of
from breakeven.report.charts.lifetime import lifetime_figure
from breakeven.report.charts.samples import k_curves, smallest_k
from breakeven.report.charts.training import learning_curve, learning_rates, losses
from breakeven.report.charts.vega import figure_of
from breakeven.report.charts.workload import Workload, workload_of
from breakeven.report.continued import start_rows
from breakeven.report.document import (
    Block,
    Document,
    Figures,
    Meanings,
    Paragraphs,
    Row,
    Section,
    Sliders,
    Table,
)
from breakeven.report.explain import explain
from breakeven.report.facts import change_words, fact_rows, lead_words, verdict_words, wrong_words
from breakeven.report.hindsight import hindsight_words
from breakeven.report.ledger import cooldown_rows, ledger_rows, query_rows
from breakeven.report.legend import legend
from breakeven.report.outlook import member_rows
from breakeven.report.problems import problem_blocks
from breakeven.report.shown import Evaluated, Shown
from breakeven.report.table import HEADINGS, decision_rows
from breakeven.report.verification import verification_rows, verification_words
from breakeven.report.words import headline, projection, wall_rows
from breakeven.store.texts import Texts

_MOST = 1000
"""Checkpoints in a report, evenly chosen of more: each takes almost a kilobyte of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a report shows besides checkpoints; all of it may be missing."""

    verification: Verification | None = None
    """The decision held against the fully trained model, if that was checked."""
    start: Start | None = None
    """The trained model that the run began with."""
    cooldown: Cooldown | None = None
    failures: Sequence[Failure] = ()
    offers: Sequence[ServingPoint] | None = None
    """What each checkpoint could serve, with its price; None: what the decisions' own K-curves hold."""
    texts: Texts | None = None
    """What the model wrote at the checkpoint that the report leads with."""
    queries: float | None = None
    """Declared."""
    required: float | None = None
    """Probability that the policy asks for, where it asks for one."""
    leads_with_last: bool = False
    """Whether the report leads with the last checkpoint, whose decision is today's; else with the first that stops."""
    remarks: Sequence[str] = ()
    """Sentences to stand below the explanation."""
    assumed: Sequence[str] = ()
    """Sentences to stand at the end."""
    made_by: Mapping[str, object] = field(default_factory=dict)
    """Versions, seeds, machine and date."""


def decided_document(
    title: str, config: Mapping[str, object], checkpoints: Sequence[Shown], beside: Beside | None = None
) -> Document:
    """The report of some checkpoints.

    Args:
        title: names the run; any text.
        config: the run's settings, nested mappings allowed, shown as they are.
        checkpoints: the run log, oldest first. The first that stops is the headline, else the last. Of more than 1000
            these are shown and that many others, evenly chosen, and the report says so.
        beside: what else there is.

    Raises:
        ArgumentError: there is no checkpoint.
    """
    beside = Beside() if beside is None else beside
    every, at = checkpoints, headline(checkpoints, title)
    at = len(checkpoints) - 1 if beside.leads_with_last else at
    shown = checkpoints[at]
    places = sorted({*evenly(len(every), _MOST), at})
    kept, at = [every[place] for place in places], places.index(at)
    load = workload_of(shown, beside.queries)
    verified = [] if beside.verification is None else [verification_words(beside.verification)]
    went_on = []
    if at < len(kept) - 1:
        went_on = hindsight_words(every) or [f"Training went on to step {kept[-1].decision.step} after this decision."]
        went_on.append("What came later is drawn fainter and changed nothing above.")
    wrong = wrong_words(shown.decision)
    sections = (
        _course(kept, at, beside.cooldown),
        _costs(kept, at, load, beside),
        _change(shown.decision, beside.required),
        _verified(beside.verification, shown.decision),
        _training(kept),
        _problems(kept, at, beside.texts),
        _every(kept, at, every, beside.failures),
        _made(shown),
        _texts("What was read and assumed", beside.assumed),
        settings_section(config, beside.made_by),
    )
    return Document(
        title=title,
        verdict=verdict_words(shown.decision),
        lead=lead_words(shown.decision),
        remarks=(*([wrong] if wrong else []), *verified, *beside.remarks, *([" ".join(went_on)] if went_on else [])),
        facts=fact_rows(shown, load, beside.required),
        sections=tuple(section for section in sections if section is not None and section.blocks),
    )


def _course(checkpoints: Sequence[Shown], at: int, cooldown: Cooldown | None) -> Section:
    blocks: list[Block] = [figure_of(learning_curve(checkpoints, at, cooldown))]
    samples, smallest = k_curves(checkpoints, at), smallest_k(checkpoints, at)
    pair = [figure_of(chart) for chart in (samples, smallest) if chart is not None]
    missing = [] if samples else ["No accuracy against K was recorded up to this checkpoint."]
    if not smallest:
        missing.append("No checkpoint so far had a number of samples that suffices.")
    blocks += [Figures(of=tuple(pair))] if pair else []
    blocks += [Paragraphs(texts=tuple(missing))] if missing else []
    return Section(heading="How the decision came about", blocks=tuple(blocks))


def _made(shown: Shown) -> Section:
    """The decision in full, and what each word of it means."""
    said = explain(shown.decision)
    blocks: list[Block] = [] if said == lead_words(shown.decision) else [Paragraphs(texts=(said,))]
    return Section(heading="How each number was made", blocks=(*blocks, Meanings(of=tuple(legend(shown)))))


def _change(decision: Decision, required: float | None) -> Section | None:
    blocks: list[Block] = []
    if conditions := change_words(decision, required):
        blocks.append(Paragraphs(texts=tuple(conditions), listed=True))
    if members := member_rows(projection(decision)):
        headings = ("The forecast is mixed from", "Weight", "Full training ends at")
        blocks.append(Table(label="Members of the forecast", headings=headings, rows=tuple(members)))
    return Section(heading="What would change it", blocks=tuple(blocks))


def _verified(verification: Verification | None, decision: Decision) -> Section | None:
    if verification is None:
        return None
    rows = tuple(verification_rows(verification, decision))
    headings = ("What", "Number", "How it was made")
    table = Table(label="Verification", headings=headings, rows=rows, kind="amounts")
    return Section(heading="Was it right?", blocks=(table,))


def _costs(checkpoints: Sequence[Shown], at: int, load: Workload | None, beside: Beside) -> Section:
    shown = checkpoints[at]
    decision, offers = shown.decision, beside.offers
    if offers is None:
        offers = [offer for each in checkpoints[: at + 1] for offer in offers_of(each.decision)]
    blocks: list[Block] = []
    frontier = frontier_figure(checkpoints, at, offers, load)
    if load is not None:
        blocks += [Sliders(load=load), lifetime_figure(load)]
    if frontier is not None:
        blocks.append(frontier)
    if isinstance(shown, Evaluated):
        train, rollouts, query = shown.train_flops, None, shown.point.query_flops
    else:
        observed = shown.observation
        train, rollouts, query = observed.train_flops, observed.rollout_flops, observed.query_flops
    cooling = cooldown_rows(beside.cooldown, train, decision.used)
    ledger = (*start_rows(beside.start), *ledger_rows(decision, train, rollouts), *cooling, *wall_rows(decision))
    blocks.append(
        Table(label="FLOPs ledger", headings=("Training and evaluation", "FLOPs", "Share"), rows=ledger, kind="amounts")
    )
    if not isinstance(shown, Evaluated):
        blocks.append(Paragraphs(texts=(f"Not counted: {NOT_COUNTED}.",)))
    if decision.wall is None:
        blocks.append(Paragraphs(texts=("In hours and money: unknown, for no hours or price_per_hour are declared.",)))
    rows = tuple(query_rows(decision, query))
    blocks.append(Table(label="FLOPs of serving", headings=("Serving", "Amount", ""), rows=rows, kind="amounts"))
    return Section(heading="What it costs, and until when", blocks=tuple(blocks))


def _training(checkpoints: Sequence[Shown]) -> Section:
    charts = [chart for chart in (losses(checkpoints), learning_rates(checkpoints)) if chart is not None]
    return Section(heading="How training went", blocks=(Figures(of=tuple(map(figure_of, charts))),) if charts else ())


def _problems(checkpoints: Sequence[Shown], at: int, texts: Texts | None) -> Section | None:
    found = problem_blocks(checkpoints, at, texts)
    if found is None:
        return None
    said, table, completions = found
    return Section(heading="Problem by problem", blocks=(said, *([completions] if completions else []), table))


def _every(checkpoints: Sequence[Shown], at: int, every: Sequence[Shown], failures: Sequence[Failure]) -> Section:
    rows = tuple(tuple(row) for row in decision_rows(checkpoints))
    blocks: list[Block] = []
    heading = "Every checkpoint"
    if len(checkpoints) < len(every):
        heading = f"{len(checkpoints)} of {len(every)} checkpoints"
        thinned = (
            "Evenly chosen, for the table and for the charts. All others are in the log, and every decision rests "
        )
        blocks.append(Paragraphs(texts=(f"{thinned}on all before it.",)))
    blocks.append(Table(label="Every checkpoint", headings=HEADINGS, rows=rows, kind="checkpoints", chosen=at))
    if unchecked := _unchecked(every):
        blocks.append(Paragraphs(texts=(unchecked,)))
    if failures:
        failed: tuple[Row, ...] = tuple((str(each.step), each.raised_by, each.error) for each in failures)
        blocks.append(Table(label="Failed evaluations", headings=("step", "raised by", "error"), rows=failed))
    return Section(heading=heading, blocks=tuple(blocks))


def _unchecked(checkpoints: Sequence[Shown]) -> str:
    """How many checks came to nothing, where any did."""
    own = [each for each in checkpoints if not isinstance(each, Evaluated)]
    counts = [(each.decision.step, failed) for each in own if (failed := each.observation.bank.num_failed)]
    if not counts:
        return ""
    step, most = max(counts, key=lambda each: each[1])
    total = sum(failed for _, failed in counts)
    return (
        f"{total} checks crashed or timed out, at {len(counts)} of {len(own)} checkpoints, most of them ({most}) at "
        f"step {step}: those samples are neither right nor wrong, and left out of every number."
    )


def _texts(heading: str, texts: Sequence[str]) -> Section | None:
    return Section(heading=heading, blocks=(Paragraphs(texts=tuple(texts)),)) if texts else None


def settings_section(config: Mapping[str, object], made_by: Mapping[str, object]) -> Section | None:
    """What it was made with, folded; None where nothing is known of that."""
    tables = [
        Table(label=label, headings=("Setting", "Value"), rows=tuple(flat(values)))
        for label, values in (("Configuration", config), ("Versions, seeds, machine and date", made_by))
        if values
    ]
    return Section(heading="Configuration, versions and seeds", blocks=tuple(tables), folded=True) if tables else None


def flat(config: Mapping[str, object], prefix: str = "") -> Iterator[Row]:
    """Settings as (dotted name, value)."""
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value, default=str)
