"""The tables of a plan: every cost line of what was chosen, all options, and what was found; numbers in words."""

from collections.abc import Sequence
from typing import Final

from breakeven.records.options import MODEL, REWARD_MODEL, TRAINING, Option
from breakeven.records.plans import Finding, PlanResult
from breakeven.report.document import Row, Table
from breakeven.report.format import format_flops, format_quality, format_queries, format_share

_MOST: Final = 1000
"""Options of the table of all; of more these many, and the others are in plan.json."""
_FURTHER: Final = {
    "bytes_moved": "bytes moved",
    "sequential_tokens": "tokens one after another",
    "seconds": "seconds",
}


def cost_table(result: PlanResult, options: Sequence[Option]) -> Table | None:
    """Every cost line of what was chosen, those left out among them; None where nothing was.

    Args:
        result: what was concluded.
        options: as they are counted.
    """
    chosen = next((each for each in result.answer.options if each.name == result.chosen), None)
    if chosen is None:
        return None
    rows = [
        (line, format_flops(flops), f"{'a query' if line in (MODEL, REWARD_MODEL) else 'once'}{_left(line, result)}")
        for line, flops in _cost_lines(chosen).items()
    ]
    counted = next(each for each in options if each.name == result.chosen)
    rows.append(("All that is counted once", format_flops(counted.once), "before the first query"))
    rows.append(("All that is counted of a query", format_flops(counted.per_query), ""))
    if result.queries is not None:
        share = format_share(counted.once / counted.total(result.queries)) if counted.total(result.queries) else "0 %"
        said = f"{format_queries(result.queries)} queries; {share} of it before the first"
        rows.append(("In all", format_flops(counted.total(result.queries)), said))
    return Table(label=chosen.name, headings=("Cost", "FLOPs", "When"), rows=tuple(rows), kind="amounts")


def _cost_lines(option: Option) -> dict[str, float]:
    """FLOPs by line: those spent once, then those of a query."""
    query = {MODEL: option.query_flops, REWARD_MODEL: option.reward_flops}
    return {TRAINING: option.train_flops, **option.one_off, **query}


def _left(line: str, result: PlanResult) -> str:
    return ", left out as was asked" if line in result.without else ""


def options_table(result: PlanResult) -> Table:
    """All options with every cost line that any of them has, and their place."""
    options = result.answer.options[:_MOST]
    shares = dict(zip((each.name for each in result.answer.options), result.shares, strict=False))
    ways = [_cost_lines(each) for each in options]
    lines = [line for line in dict.fromkeys(line for way in ways for line in way) if any(way.get(line) for way in ways)]
    lines.sort(key=lambda line: line in (MODEL, REWARD_MODEL))  # after all that is spent once
    further = [each for each in _FURTHER if any(getattr(option, each) is not None for option in options)]
    when = {MODEL: " a query", REWARD_MODEL: " a query"}
    headings = (
        "Option",
        result.answer.quality,
        "How it was made",
        *(f"{line}{when.get(line, '')}{_left(line, result)}" for line in lines),
        *(f"{_FURTHER[each]} a query" for each in further),
        "Place",
    )
    rows = []
    for each, way in zip(options, ways, strict=True):
        place = "chosen" if each.name == result.chosen else "frontier" if each.name in result.frontier else ""
        share = f"{' ' if place else ''}({format_share(shares[each.name])})" if shares.get(each.name) else ""
        costs = [format_flops(way.get(line, 0.0)) for line in lines]
        amounts = [getattr(each, name) for name in further]
        said = ["-" if amount is None else f"{amount:.4g}" for amount in amounts]
        rows.append((each.name, valued(each), str(each.quality.made), *costs, *said, place + share))
    label = "Options"
    if len(options) < len(result.answer.options):
        label = f"The first {_MOST:,} options; plan.json has all"
    return Table(label=label, headings=headings, rows=tuple(rows), kind="runs")


def valued(option: Option) -> str:
    """Its quality, with the 90 % interval where there is one."""
    known = option.quality
    if known.lo is None or known.hi is None:
        return format_quality(known.value)
    return f"{format_quality(known.value)} ({format_quality(known.lo)} to {format_quality(known.hi)})"


def interval_of(lo: float | None, hi: float | None) -> str:
    """A 90 % interval in words, after a comma; empty where there is none."""
    if lo is None or hi is None:
        return ""
    return f", 90 % interval {format_quality(lo)} to {format_quality(hi)}"


def number_cells(found: Finding) -> Row:
    """The number of a finding, its interval, and how it was made."""
    interval = "-" if found.lo is None or found.hi is None else f"{_short(found.lo)} to {_short(found.hi)}"
    return ("none" if found.value is None else _short(found.value), interval, str(found.made))


def number_words(found: Finding) -> str:
    """The same as words."""
    number, interval, made = number_cells(found)
    return f"{number}{'' if interval == '-' else f' (90 % interval {interval})'}, {made}"


def _short(value: float) -> str:
    """A number of any size with the digits that tell: 0.046, 12.5, 2,080, 1.3e+12."""
    if value == 0 or 1e-3 <= abs(value) < 1e3:
        return f"{value:.3g}"
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"
