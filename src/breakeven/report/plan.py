"""The report of a plan: what was chosen among which options, from how many queries on, and what that rests on."""

from breakeven.records.plans import PlanResult
from breakeven.report.document import Document, Section, Table
from breakeven.report.format import format_flops, format_queries


def plan_document(result: PlanResult) -> Document:
    """The report of a plan."""
    rows = tuple(
        (
            each.name,
            f"{each.quality.value:.3f}",
            str(each.quality.made),
            format_flops(each.once),
            format_flops(each.per_query),
        )
        for each in result.answer.options
    )
    table = Table(label="Options", headings=("option", "quality", "made", "once", "a query"), rows=rows)
    tables = tuple(Table(label=t.label, headings=t.headings, rows=t.rows) for t in result.answer.tables)
    return Document(
        title=f"plan {result.row}",
        verdict=result.verdict,
        lead="",
        sections=(Section(heading="Options", blocks=(table, *tables)),),
    )


def plan_lines(result: PlanResult) -> list[str]:
    """What a terminal shows."""
    lines = [result.verdict]
    lines += [f"from {format_queries(each.queries)} queries: {each.option}" for each in result.envelope]
    for found in result.answer.findings:
        number = "none" if found.value is None else f"{found.value:.4g}"
        interval = "" if found.lo is None or found.hi is None else f" ({found.lo:.4g} to {found.hi:.4g})"
        lines.append(f"{found.text}: {number}{interval} ({found.made})")
    return lines
