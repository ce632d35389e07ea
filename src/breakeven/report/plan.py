"""The report of a plan: what was chosen among which options, from how many queries on, and what that rests on."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from breakeven.records.options import Option
from breakeven.records.plans import Choice, PlanResult, PlanTable
from breakeven.report.charts.plan import envelope_chart, frontier_chart, life_powers, picture_chart
from breakeven.report.charts.vega import figure_of
from breakeven.report.decided import settings_section
from breakeven.report.document import Block, Document, Fact, Lives, Paragraphs, Section, Table
from breakeven.report.format import format_flops, format_quality, format_queries
from breakeven.report.plan_tables import cost_table, interval_of, number_cells, number_words, options_table, valued
from breakeven.report.words import unmeasured

_BEYOND: Final = 3.0
"""How far beyond the last crossing a slider begins where no queries were declared."""
_MOST_FOUND: Final = 8
"""Findings that a terminal shows."""


def plan_document(result: PlanResult, question: str = "") -> Document:
    """The report of a plan.

    Args:
        result: what was found.
        question: of its row, in words.
    """
    options = [each.without(*result.without) for each in result.answer.options] if result.without else None
    counted = list(result.answer.options) if options is None else options
    costs = cost_table(result, counted)
    sections = (
        _envelope_section(result, counted),
        _frontier_section(result, counted),
        _found_section(result),
        None if costs is None else Section(heading="What it costs", blocks=(costs,)),
        Section(heading="All options", blocks=(options_table(result),)),
        _limits_section(result),
        settings_section(result.settings, {"row": result.row, "files": list(result.files), **result.versions}),
    )
    return Document(
        title=f"breakeven plan {result.row}{f': {question}' if question else ''}",
        verdict=result.verdict,
        lead=result.lead,
        remarks=tuple(_remarks(result)),
        facts=tuple(_facts(result, counted)),
        sections=tuple(each for each in sections if each is not None and each.blocks),
    )


def plan_lines(result: PlanResult) -> Iterator[tuple[str, str]]:
    """(label, sentence) of each line that a terminal shows."""
    yield "Choice", f"{result.verdict}."
    if result.lead:
        yield "Gives", result.lead
    if result.full is not None:
        yield "All costs", f"{_beside(result.full, result)} {result.full.lead}".strip()
    for place, (since, who) in enumerate(envelope_words(result)):
        yield "" if place else "Cheapest", f"{since} {who}"
    findings = result.answer.findings
    for place, found in enumerate(findings[:_MOST_FOUND]):
        yield "" if place else "Found", f"{found.text}: {number_words(found)}"
    if (more := len(findings) - _MOST_FOUND) > 0:
        yield "", f"{more} more on the page."
    for place, sentence in enumerate((*result.notes, *result.answer.notes, *_not_counted(result))):
        yield "" if place else "Notes", sentence


def envelope_words(result: PlanResult) -> list[tuple[str, str]]:
    """(from how many queries on, which option is the cheapest) of those that are as good as was asked for."""
    made = {each.name: unmeasured(each) for each in result.answer.options}
    if len(result.envelope) == 1:
        only = result.envelope[0].option
        return [("for any number of queries:", f"{only}{made[only]}")]
    words = []
    for place, each in enumerate(result.envelope):
        since = f"from {format_queries(each.queries)} queries on:"
        if not place:
            since = f"below {format_queries(result.envelope[1].queries)} queries:"
        words.append((since, f"{each.option}{made[each.option]}"))
    return words


# -- what leads --------------------------------------------------------------------------------------------------------


def _remarks(result: PlanResult) -> Iterator[str]:
    if result.full is not None:
        beside = f"{_beside(result.full, result)} {result.full.lead}".strip()
        yield f"Left out, as was asked: {', '.join(result.without)}. {beside}"


def _beside(full: Choice, asked: Choice) -> str:
    """What is chosen with every cost counted, beside the choice that was asked for."""
    same = full.chosen == asked.chosen
    return f"With every cost counted {'the choice is the same' if same else f'it would be: {full.verdict}'}."


def _facts(result: PlanResult, options: Sequence[Option]) -> Iterator[Fact]:
    chosen = next((each for each in options if each.name == result.chosen), None)
    if chosen is None:
        return
    known = chosen.quality
    what = f"{result.answer.quality[:1].upper()}{result.answer.quality[1:]}"
    how = f"{known.made}{interval_of(known.lo, known.hi)}; {chosen.name}"
    yield Fact(what=what, number=format_quality(known.value), how=how)
    each, parts = format_flops(chosen.per_query), "the model alone"
    if chosen.reward_flops:
        parts = f"model {format_flops(chosen.query_flops)}, reward model {format_flops(chosen.reward_flops)}"
    if result.queries is None:
        yield Fact(what="A query", number=each, how=parts)
    else:
        how = f"over {format_queries(result.queries)} queries, as declared; {each} each, {parts}"
        yield Fact(what="In all", number=format_flops(chosen.total(result.queries)), how=how)
    lines = [("training", chosen.train_flops), *chosen.one_off.items()]
    spent = ", ".join(f"{line} {format_flops(flops)}" for line, flops in lines)
    yield Fact(what="Before the first query", number=format_flops(chosen.once), how=spent)
    at = next((place for place, each in enumerate(result.envelope) if each.option == chosen.name), None)
    if at is not None and len(result.envelope) > 1:
        since = f"from {format_queries(result.envelope[at].queries)}" if at else ""
        if at + 1 == len(result.envelope):
            yield Fact(what="Cheapest", number=f"{since} queries", how="however many more are served")
        else:
            then = result.envelope[at + 1]
            how = f"{f'{since} on; ' if since else ''}then {then.option} is"
            yield Fact(what="Cheapest", number=f"to {format_queries(then.queries)} queries", how=how)


# -- sections ----------------------------------------------------------------------------------------------------------


def _price_words(result: PlanResult) -> str:
    if result.queries is None:
        return "FLOPs a query"
    return f"FLOPs in all, over {format_queries(result.queries)} queries"


def _frontier_section(result: PlanResult, options: Sequence[Option]) -> Section:
    queries = result.queries
    price = (lambda each: each.per_query) if queries is None else (lambda each: each.total(queries))
    blocks: list[Block] = [figure_of(frontier_chart(result, options, price, _price_words(result)))]
    if result.shares:
        said = (
            "Beside each option below stands in which share of 1,000 resamplings of the problems, paired, it is on it."
        )
        blocks.append(Paragraphs(texts=(said,)))
    return Section(heading="Quality against cost", blocks=tuple(blocks))


def _envelope_section(result: PlanResult, options: Sequence[Option]) -> Section:
    chart = envelope_chart(result, options)
    blocks: list[Block] = [] if chart is None else [_lives(result, options), figure_of(chart)]
    if result.envelope:
        blocks.append(_envelope_table("Who is the cheapest", result, result, options))
    if result.full is not None and result.full.envelope:
        label = "Who is the cheapest with every cost counted"
        blocks.append(_envelope_table(label, result.full, result, result.answer.options))
    return Section(heading="From how many queries on", blocks=tuple(blocks))


def _lives(result: PlanResult, options: Sequence[Option]) -> Lives:
    """The options of the envelope under a slider, which begins at the workload, or where the last is the cheapest."""
    by_name = {each.name: each for each in options}
    shown = (by_name[each.option] for each in result.envelope)
    low, high = life_powers(result)
    return Lives(
        options=tuple((each.name, each.once, each.per_query) for each in shown),
        queries=result.queries or _BEYOND * result.envelope[-1].queries,
        declared=result.queries is not None,
        low=low,
        high=high,
    )


def _envelope_table(label: str, choice: Choice, result: PlanResult, options: Sequence[Option]) -> Table:
    by_name = {each.name: each for each in options}
    rows = []
    for each in choice.envelope:
        option, since = by_name[each.option], each.queries
        amounts = map(format_flops, (option.once, option.per_query, option.total(since)))
        rows.append(
            (
                option.name,
                format_queries(since) if since else "the first",
                f"{valued(option)}{unmeasured(option)}",
                *amounts,
            )
        )
    headings = ("Cheapest", "From queries", result.answer.quality, "Once", "A query", "In all, there")
    return Table(label=label, headings=headings, rows=tuple(rows), kind="runs")


def _found_section(result: PlanResult) -> Section:
    answer = result.answer
    blocks: list[Block] = []
    if answer.findings:
        rows = tuple((each.text, *number_cells(each)) for each in answer.findings)
        headings = ("What", "Number", "90 % interval", "How it was made")
        blocks.append(Table(label="Findings", headings=headings, rows=rows, kind="runs"))
    blocks += [figure_of(picture_chart(each)) for each in answer.pictures]
    blocks += [_table(each) for each in answer.tables]
    return Section(heading="What was found", blocks=tuple(blocks))


def _table(table: PlanTable) -> Table:
    return Table(label=table.label, headings=table.headings, rows=table.rows, kind="runs")


def _limits_section(result: PlanResult) -> Section:
    made = Counter(each.quality.made for each in result.answer.options)
    count = ", ".join(f"{number} {how}" for how, number in made.items())
    said = [f"How the options' quality was made: {count}.", *_not_counted(result), *result.notes, *result.answer.notes]
    return Section(heading="What this rests on, and what not", blocks=(Paragraphs(texts=tuple(said), listed=True),))


def _not_counted(result: PlanResult) -> Iterator[str]:
    for each in result.answer.not_counted:
        yield f"Not counted: {each}."
